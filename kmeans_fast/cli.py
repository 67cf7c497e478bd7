"""The command line: options in, files out. What the options mean is done in `kmeans_fast.files`.

It must stay quick to import: pyarrow, Pillow, tqdm and matplotlib wait until they are used.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

try:
    import typer
except ImportError:
    sys.exit('kmeans-fast needs typer; install it with: pip install "kmeans_fast[cli]"')

from ._version import __version__
from .files import commands, outputs, report
from .files.commands import Fitting, Reading
from .files.outputs import plan

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

EPILOG = (
    "Exit codes: 0 done; 1 bad data, or a file that can't be read or written; 2 wrong options; "
    "130 stopped by Ctrl-C."
)


def option(*names: str, help: str, panel: str, **more: Any) -> Any:
    """Make an option; a name for what every line below does."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


Input = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="CSV, TSV, .npy, .npz, Parquet or image; - reads standard input, whatever it holds.",
    ),
]
Columns = Annotated[
    list[str] | None,
    option(
        "--columns",
        metavar="NAMES",
        help="Columns of the points: a,b,c; default: all others.",
        panel="Input",
    ),
]
IdColumn = Annotated[
    str | None,
    option(
        "--id-column",
        metavar="NAME",
        help="Column that names the points; default: 0, 1, 2 ...",
        panel="Input",
    ),
]
Header = Annotated[
    bool | None,
    option(
        "--header/--no-header",
        help="Whether line 1 of a CSV file holds column names; default: unless a field of it is "
        "a number. Columns without names are x0, x1 ...",
        panel="Input",
        show_default=False,
    ),
]
Delimiter = Annotated[
    str | None,
    option(
        "--delimiter",
        metavar="CHAR",
        help="Of a CSV file; default: tab, comma or semicolon, as line 1 has it.",
        panel="Input",
    ),
]
OutputPath = Annotated[
    str | None,
    option(
        "--output",
        "-o",
        metavar="FILE",
        help="Labels: id, label, distance to the centroid; .csv, .tsv, .parquet, .json, or .npy "
        "(labels alone). For an image also .png, .jpg: the image in its new colours. - is standard "
        "output.",
        panel="Output",
    ),
]
Format = Annotated[
    str | None,
    option(
        "--format",
        metavar="FORMAT",
        help="Format of --output, whatever its extension.",
        panel="Output",
    ),
]
Force = Annotated[bool, option("--force", "-f", help="Overwrite existing files.", panel="Output")]
Quiet = Annotated[
    bool, option("--quiet", "-q", help="No summary, progress bar or warnings.", panel="Output")
]
Threads = Annotated[
    int | None,
    option(
        "--threads",
        metavar="N",
        help="Threads; default: all CPUs that this process may use.",
        panel="Clustering",
        min=1,
    ),
]


@app.command(epilog=EPILOG)
def cluster(
    input: Input,
    columns: Columns = None,
    id_column: IdColumn = None,
    weights: Annotated[
        str | None,
        option(
            "--weights", metavar="NAME", help="Column of weights, or a .npy file.", panel="Input"
        ),
    ] = None,
    header: Header = None,
    delimiter: Delimiter = None,
    n_clusters: Annotated[
        int | None,
        option(
            "-k", "--n-clusters", metavar="N", help="Number of clusters.", panel="Clustering", min=1
        ),
    ] = None,
    init: Annotated[
        str,
        option(
            "--init",
            metavar="HOW",
            help="k-means++, random, random-partition, or a file of centroids (no -k is needed).",
            panel="Clustering",
        ),
    ] = "k-means++",
    n_init: Annotated[
        int | None,
        option(
            "--n-init",
            metavar="N",
            help="Restarts; the best one is kept; default: 1 for k-means++ or a file, else 10.",
            panel="Clustering",
            min=1,
        ),
    ] = None,
    max_iter: Annotated[
        int,
        option(
            "--max-iter",
            metavar="N",
            help="Most iterations of one restart.",
            panel="Clustering",
            min=1,
        ),
    ] = 300,
    tol: Annotated[
        float,
        option(
            "--tol",
            metavar="X",
            help="Stop when the centroids move less than this, relative to the data's variance; 0: "
            "when no label changes.",
            panel="Clustering",
            min=0,
        ),
    ] = 1e-4,
    seed: Annotated[
        int | None,
        option(
            "--seed",
            metavar="N",
            help="Same seed, same result; default: a new one, which the summary tells.",
            panel="Clustering",
            min=0,
        ),
    ] = None,
    threads: Threads = None,
    output: OutputPath = None,
    format: Format = None,
    centroids: Annotated[
        str | None,
        option(
            "--centroids",
            metavar="FILE",
            help="Centroids: label and one column a feature.",
            panel="Output",
        ),
    ] = None,
    summary: Annotated[
        str | None,
        option(
            "--summary", metavar="FILE", help="Summary as .json, .csv, .tsv ...", panel="Output"
        ),
    ] = None,
    model: Annotated[
        str | None,
        option(
            "--save-model", metavar="FILE", help="Model for 'kmeans-fast predict'.", panel="Output"
        ),
    ] = None,
    plot: Annotated[
        str | None,
        option(
            "--plot",
            metavar="FILE",
            help="Picture of the clusters: .png, .svg, .pdf.",
            panel="Output",
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Cluster the points of a file by k-means.

    Nothing is dropped or filled in: text, missing values and NaN are errors that name the line,
    column and value. Files are written whole or not at all, and never overwritten without --force.

    ```
    kmeans-fast cluster points.csv -k 8 --id-column name -o labels.csv
    kmeans-fast cluster photo.jpg -k 16 -o photo16.png
    zcat big.csv.gz | kmeans-fast cluster - -k 100 --save-model model.kmf
    ```
    """
    with _reporting(quiet):
        data = (*outputs.TABLES, *outputs.ARRAYS)
        plans = {
            "labels": plan("--output", output, (*data, *outputs.IMAGES), format, force),
            "centroids": plan("--centroids", centroids, data, None, force),
            "summary": plan("--summary", summary, outputs.TABLES, None, force),
            "model": plan("--save-model", model, None, None, force),
            "plot": plan("--plot", plot, outputs.PLOTS, None, force),
        }
        outputs.check_distinct(plans.values())
        chosen = secrets.randbits(32) if seed is None else seed
        fitting = Fitting(n_clusters, init, n_init, max_iter, tol, chosen, threads)
        reading = Reading(input, _split(columns), id_column, weights, header, delimiter)
        shown = not quiet and sys.stderr.isatty()
        told = commands.cluster(reading, fitting, plans, shown)
        if not quiet:
            piped = any(planned and planned.path == "-" for planned in plans.values())
            print(report.text(told), end="", file=sys.stderr if piped else sys.stdout)


@app.command(epilog=EPILOG)
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="File written by --save-model.")],
    input: Input,
    columns: Columns = None,
    id_column: IdColumn = None,
    header: Header = None,
    delimiter: Delimiter = None,
    threads: Threads = None,
    output: OutputPath = "-",
    format: Format = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Label the points of a file by the nearest centroid of a model.

    Columns are found by the names the model knows, in any order; others are left alone. Where the
    file or the model has no names, the columns are taken as they stand.

    ```
    kmeans-fast predict model.kmf new.csv --id-column name -o labels.csv
    ```
    """
    with _reporting(quiet):
        forms = (*outputs.TABLES, *outputs.ARRAYS, *outputs.IMAGES)
        planned = plan("--output", output or "-", forms, format, force)
        assert planned is not None
        reading = Reading(input, _split(columns), id_column, None, header, delimiter)
        commands.predict(model, reading, planned, threads)


def _split(columns: list[str] | None) -> list[str] | None:
    """Split a,b,c, in however many options it came."""
    return [name.strip() for text in columns for name in text.split(",")] if columns else None


@contextmanager
def _reporting(quiet: bool) -> Iterator[None]:
    """Turn what goes wrong into one line on standard error and an exit code."""
    warnings.showwarning = lambda message, *_, **__: None if quiet else _say(f"warning: {message}")
    try:
        yield
        sys.stdout.flush()
    except outputs.UsageError as error:
        _fail(2, str(error))
    except KeyboardInterrupt:
        _fail(130, "stopped by Ctrl-C.")
    except BrokenPipeError:  # the reader, such as head, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except MemoryError as error:
        _fail(1, f"not enough memory: {error}")
    except OSError as error:
        _fail(1, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (ValueError, ImportError) as error:
        _fail(1, str(error))


def _fail(code: int, message: str) -> NoReturn:
    """Leave with a message and an exit code."""
    _say(message)
    raise typer.Exit(code) from None


def _say(message: str) -> None:
    """Print one line on standard error."""
    print("kmeans-fast:", *str(message).split("\n"), file=sys.stderr)


def _version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        print(f"kmeans-fast {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """k-means from the command line: cluster a file, then label others with the model."""


def main() -> None:
    """Run the command line; the entry point of ``kmeans-fast`` and ``python -m kmeans_fast``."""
    # A batch system's kill unwinds like Ctrl-C, so that no temporary file is left.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app(prog_name="kmeans-fast")


if __name__ == "__main__":
    main()
