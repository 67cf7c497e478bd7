"""The options of the command line: a type each, which `kmeans_fast.cli` puts into signatures."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from .._seed import METHODS


def _option(panel: str, metavar: str | None, help: str, *names: str, **more: Any) -> Any:
    """Make an option; `panel` is where the help shows it."""
    return typer.Option(*names, metavar=metavar, help=help, rich_help_panel=panel, **more)


def _count(text: str) -> int | str:
    """Read a number of clusters, or auto."""
    if text == "auto":
        return text
    try:
        count = int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} must be a whole number or auto.") from None
    if count < 1:
        raise typer.BadParameter(f"{count} must be >= 1.")
    return count


_input = partial(_option, "Input")
_preparation = partial(_option, "Preparation")
_clustering = partial(_option, "Clustering")
_output = partial(_option, "Output")

INPUT = "CSV, TSV, .npy, .npz, Parquet, image, LAS, LAZ, PLY, HDF5 or Zarr; - reads standard input, whatever it holds."
COLUMNS = "Columns of the points: a,b,c; default: all others, of a point cloud x,y,z."
IDS = "Column that names the points; default: 0, 1, 2 ..."
WEIGHTS = "Column of weights, or a .npy file."
HEADER = (
    "Whether line 1 of a CSV file holds column names; default: unless a field of it is a number. "
    "Columns without names are x0, x1 ..."
)
DATASET = "Of an HDF5 file or a Zarr group with several; default: the only one of two dimensions."
DELIMITER = "Of a CSV file; default: tab, comma or semicolon, as line 1 has it."
STANDARDIZE = "Bring columns to mean 0 and deviation 1; centroids are written in their own units."
ONE_HOT = "Turn columns of texts into columns of 0 and 1, one a category."
IMPUTE = "Fill in missing values: mean, median or most_frequent of their column; the most frequent text."
N_CLUSTERS = "Number of clusters, or auto: one if there are none, else the number that stands out."
K_MAX = "Most clusters that -k auto looks at; default: 15."
INIT = f"{', '.join(METHODS)}, or a file of centroids (no -k is needed)."
N_INIT = "Restarts; the best one is kept; default: 1 for k-means++ or a file, else 10."
TOL = "Stop when the centroids move less than this, relative to the data's variance; 0: when no label changes."
SEED = "Same seed, same result; default: a new one, which the summary tells."
THREADS = "Threads at most; default: all CPUs that this process may use."
ORDER = (
    "Order of the labels: size (largest first), position (by the first column of the centroids), or an earlier model "
    "file, whose clusters keep their labels."
)
OUTPUT = (
    "Labels: id, label, distance to the centroid; .csv, .tsv, .parquet, .json, or .npy (labels "
    "alone). For an image also .png, .jpg: the image in its new colours; for a point cloud .las, .laz, .ply: the cloud "
    "with a dimension cluster. - is standard output."
)
FORMAT = "Format of --output, whatever its extension."
CENTROIDS = "Centroids: label and one column a feature; - is standard output."
SUMMARY = "Summary: .json, .csv, .tsv or .parquet; - is standard output."
MODEL = "Model for 'kmeans-fast predict'."
PLOT = "Picture of the clusters in the first two columns: .png, .svg, .pdf."
DETAILS = (
    "More columns for --output: margin (how much farther the second-best centroid is) and outlier (farther than "
    "Q3 + 1.5 (Q3 - Q1) of the distances in its cluster)."
)
COLOUR = "Colour the points of an --output that is a point cloud by cluster."
VOXEL = "Cluster the weighted means of cubes of this edge, then label every point: faster, and some percent worse."
CHECKPOINT = (
    "File that the fit is saved to while it runs. If it is there, the fit goes on from it, to the bits of one that was "
    "never interrupted."
)
EVERY = "Seconds between two savings."
FORCE = "Overwrite existing files."
QUIET = "No summary and no progress bar; warnings and errors stay."
TEXT = str | None

Input = Annotated[str, typer.Argument(metavar="INPUT", help=INPUT)]
ModelFile = Annotated[str, typer.Argument(metavar="MODEL", help="File written by --save-model.")]
Columns = Annotated[list[str] | None, _input("NAMES", COLUMNS, "--columns", "--select")]
IdColumn = Annotated[TEXT, _input("NAME", IDS, "--id-column")]
Weights = Annotated[TEXT, _input("NAME", WEIGHTS, "--weights")]
Header = Annotated[bool | None, _input(None, HEADER, "--header/--no-header", show_default=False)]
Dataset = Annotated[TEXT, _input("NAME", DATASET, "--dataset")]
Delimiter = Annotated[TEXT, _input("CHAR", DELIMITER, "--delimiter")]

Impute = Annotated[TEXT, _preparation("HOW", IMPUTE, "--impute")]
OneHot = Annotated[bool, _preparation(None, ONE_HOT, "--one-hot")]
Standardize = Annotated[bool, _preparation(None, STANDARDIZE, "--standardize")]

NClusters = Annotated[Any, _clustering("N", N_CLUSTERS, "-k", "--n-clusters", parser=_count)]
KMax = Annotated[int | None, _clustering("N", K_MAX, "--k-max", min=2)]
Init = Annotated[str, _clustering("HOW", INIT, "--init")]
NInit = Annotated[int | None, _clustering("N", N_INIT, "--n-init", min=1)]
MaxIter = Annotated[int, _clustering("N", "Most iterations of one restart.", "--max-iter", min=1)]
Tol = Annotated[float, _clustering("X", TOL, "--tol", min=0)]
Seed = Annotated[int | None, _clustering("N", SEED, "--seed", min=0)]
Threads = Annotated[int | None, _clustering("N", THREADS, "--threads", min=1)]
Voxel = Annotated[float | None, _clustering("SIZE", VOXEL, "--voxel")]
Checkpoint = Annotated[TEXT, _clustering("FILE", CHECKPOINT, "--checkpoint")]
CheckpointEvery = Annotated[float, _clustering("SECONDS", EVERY, "--checkpoint-every", min=0)]
Order = Annotated[TEXT, _clustering("HOW", ORDER, "--order")]

OutputFile = Annotated[TEXT, _output("FILE", OUTPUT, "--output", "-o")]
Format = Annotated[TEXT, _output("FORMAT", FORMAT, "--format")]
Details = Annotated[bool, _output(None, DETAILS, "--details")]
Colour = Annotated[bool, _output(None, COLOUR, "--colour")]
CentroidsFile = Annotated[TEXT, _output("FILE", CENTROIDS, "--centroids")]
SummaryFile = Annotated[TEXT, _output("FILE", SUMMARY, "--summary")]
SaveModel = Annotated[TEXT, _output("FILE", MODEL, "--save-model")]
Plot = Annotated[TEXT, _output("FILE", PLOT, "--plot")]
ReportFile = Annotated[str, _output("FILE", "The page, one HTML file; - is standard output.", "--output", "-o")]
Force = Annotated[bool, _output(None, FORCE, "--force", "-f")]
Quiet = Annotated[bool, _output(None, QUIET, "--quiet", "-q")]
