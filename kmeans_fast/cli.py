"""The command line: options in, files out. What the options mean is done in `kmeans_fast.files`.

It must stay quick to import: pyarrow, Pillow, tqdm and matplotlib wait until they are used.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

try:
    import typer
except ImportError:
    sys.exit('kmeans-fast needs typer; install it with: pip install "kmeans_fast[cli]"')

from ._version import __version__
from .files import commands, outputs, report
from .files import options as o
from .files._common import UsageError
from .files.commands import Reading
from .files.fitting import Fitting, draw_seed
from .files.outputs import plan
from .files.preparation import IMPUTE, Wish

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

EPILOG = (
    "Exit codes: 0 done; 1 bad data, or a file that can't be read or written; 2 wrong options; 130 stopped by Ctrl-C."
)


@app.command(epilog=EPILOG)
def cluster(
    input: o.Input,
    columns: o.Columns = None,
    id_column: o.IdColumn = None,
    weights: o.Weights = None,
    header: o.Header = None,
    delimiter: o.Delimiter = None,
    dataset: o.Dataset = None,
    impute: o.Impute = None,
    one_hot: o.OneHot = False,
    standardize: o.Standardize = False,
    n_clusters: o.NClusters = None,
    k_max: o.KMax = None,
    init: o.Init = "k-means++",
    n_init: o.NInit = None,
    max_iter: o.MaxIter = 300,
    tol: o.Tol = 1e-4,
    voxel: o.Voxel = None,
    seed: o.Seed = None,
    threads: o.Threads = None,
    checkpoint: o.Checkpoint = None,
    checkpoint_every: o.CheckpointEvery = 30.0,
    order: o.Order = None,
    output: o.OutputFile = None,
    format: o.Format = None,
    details: o.Details = False,
    colour: o.Colour = False,
    centroids: o.CentroidsFile = None,
    summary: o.SummaryFile = None,
    model: o.SaveModel = None,
    plot: o.Plot = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Cluster the points of a file by k-means.

    Nothing is dropped, nor filled in unless you say so (--impute, --one-hot): text, missing values and NaN are
    errors that name the line, column and value. Files are written whole or not at all, and never
    overwritten without --force.

    ```
    kmeans-fast cluster points.csv -k 8 --id-column name -o labels.csv
    kmeans-fast cluster points.csv -k auto -o labels.csv
    kmeans-fast cluster photo.jpg -k 16 -o photo16.png
    kmeans-fast cluster scan.laz -k 5000 --voxel 0.5 --colour -o labelled.laz
    zcat big.csv.gz | kmeans-fast cluster - -k 100 --save-model model.kmf
    ```
    """
    with _reporting():
        data = (*outputs.TABLES, *outputs.ARRAYS)
        plans = {
            "labels": plan("--output", output, (*data, *outputs.IMAGES, *outputs.CLOUDS), format, force),
            "centroids": plan("--centroids", centroids, data, None, force),
            "summary": plan("--summary", summary, outputs.TABLES, None, force),
            "model": plan("--save-model", model, None, None, force),
            "plot": plan("--plot", plot, outputs.PLOTS, None, force),
        }
        outputs.check_distinct(plans.values())
        chosen = draw_seed(checkpoint) if seed is None else seed
        saved = checkpoint, checkpoint_every
        fitting = Fitting(n_clusters, init, n_init, max_iter, tol, chosen, threads, order, k_max, voxel, *saved)
        if impute is not None and impute not in IMPUTE:
            raise UsageError(f"--impute {impute} must be one of {', '.join(IMPUTE)}.")
        wish = Wish(standardize, one_hot, impute)
        reading = Reading(input, _split(columns), id_column, weights, header, delimiter, wish, dataset=dataset)
        shown = not quiet and sys.stderr.isatty()
        told = commands.cluster(reading, fitting, plans, shown, details, colour)
        if not quiet:
            piped = any(planned and planned.path == "-" for planned in plans.values())
            print(report.text(told), end="", file=sys.stderr if piped else sys.stdout)


@app.command("report", epilog=EPILOG)
def report_(
    input: o.Input,
    columns: o.Columns = None,
    id_column: o.IdColumn = None,
    weights: o.Weights = None,
    header: o.Header = None,
    delimiter: o.Delimiter = None,
    dataset: o.Dataset = None,
    n_clusters: o.NClusters = None,
    k_max: o.KMax = None,
    init: o.Init = "k-means++",
    n_init: o.NInit = None,
    max_iter: o.MaxIter = 300,
    tol: o.Tol = 1e-4,
    seed: o.Seed = None,
    threads: o.Threads = None,
    order: o.Order = "size",
    output: o.ReportFile = "report.html",
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Cluster the points of a file and write a page: data, choice of k, clusters, sizes, ids, outliers.

    The page is one file that loads nothing: mail it, open it anywhere. Without -k it finds the number of clusters.

    ```
    kmeans-fast report points.csv
    kmeans-fast report points.csv -k 8 --id-column name -o report.html
    ```
    """
    with _reporting():
        planned = plan("--output", output, outputs.PAGES, outputs.PAGES[0], force)
        assert planned is not None
        chosen = draw_seed() if seed is None else seed
        fitting = Fitting(n_clusters, init, n_init, max_iter, tol, chosen, threads, order, k_max)
        reading = Reading(input, _split(columns), id_column, weights, header, delimiter, dataset=dataset)
        again = shlex.join(["kmeans-fast", *sys.argv[1:], *(["--seed", str(chosen)] if seed is None else [])])
        told = commands.report(reading, fitting, planned, again, not quiet and sys.stderr.isatty())
        if not quiet:
            print(report.text(told), end="", file=sys.stderr if output == "-" else sys.stdout)


@app.command(epilog=EPILOG)
def predict(
    model: o.ModelFile,
    input: o.Input,
    columns: o.Columns = None,
    id_column: o.IdColumn = None,
    header: o.Header = None,
    delimiter: o.Delimiter = None,
    dataset: o.Dataset = None,
    threads: o.Threads = None,
    output: o.OutputFile = "-",
    format: o.Format = None,
    details: o.Details = False,
    colour: o.Colour = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Label the points of a file by the nearest centroid of a model.

    Columns are found by the names the model knows, in any order; others are left alone. Where the
    file or the model has no names, the columns are taken as they stand.

    ```
    kmeans-fast predict model.kmf new.csv --id-column name -o labels.csv
    ```
    """
    with _reporting():
        forms = (*outputs.TABLES, *outputs.ARRAYS, *outputs.IMAGES, *outputs.CLOUDS)
        planned = plan("--output", output or "-", forms, format, force)
        assert planned is not None
        reading = Reading(input, _split(columns), id_column, None, header, delimiter, dataset=dataset)
        commands.predict(model, reading, planned, threads, details, colour)


def _split(columns: list[str] | None) -> list[str] | None:
    """Split a,b,c, in however many options it came."""
    return [name.strip() for text in columns for name in text.split(",")] if columns else None


@contextmanager
def _reporting() -> Iterator[None]:
    """Turn what goes wrong into one line on standard error and an exit code."""
    warnings.showwarning = lambda message, *_, **__: _say(f"warning: {message}")
    try:
        yield
        sys.stdout.flush()
    except UsageError as error:
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
