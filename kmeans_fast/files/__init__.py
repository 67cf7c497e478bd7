"""Files in and out: tables, arrays, pictures and models.

One module a family: `delimited` (CSV, TSV), `tables` (Parquet, and tables out), `arrays` (.npy,
.npz), `images`, `clouds` (`las` and `ply` write them), `stored` (HDF5, Zarr), `model`; every file is
written through `.._atomic`. pyarrow, Pillow, laspy, h5py and zarr are imported when used. `commands`
serves the command line, with `raw` and `preparation`, `fitting` and `choice`, `outputs`, `written`
and `report`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._atomic import check_target, replacing
from ._common import FileError, Source
from .arrays import read_npy, read_npz
from .model import Model, load_model, save_model
from .points import Columns, Points, points_of_array
from .tables import write_table

__all__ = [
    "FileError",
    "Model",
    "Points",
    "check_target",
    "load_model",
    "read_points",
    "replacing",
    "save_model",
    "write_table",
]

# What a name says comes first, so that a damaged file is read as what it was meant to be.
SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif"), "image"),
    ".npy": "npy",
    ".npz": "npz",
    ".las": "las",
    ".laz": "las",
    ".ply": "ply",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".zarr": "zarr",
}
MAGICS = {
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"PAR1": "parquet",
    b"\x89PNG": "image",
    b"\xff\xd8\xff": "image",
    b"LASF": "las",
    b"ply\n": "ply",
    b"\x89HDF": "hdf5",
}


def kind_of(source: Source) -> str:
    """Return the family of a file: by its extension, else by its first bytes, else CSV."""
    if source.suffix in SUFFIXES:
        return SUFFIXES[source.suffix]
    with source.open() as stream:
        start = stream.read(8)
    return next((kind for magic, kind in MAGICS.items() if start.startswith(magic)), "csv")


def read_points(
    where: str | os.PathLike[str] | Source,
    columns: Sequence[str] | None = None,
    *,
    id_column: str | None = None,
    weights: str | None = None,
    like: Sequence[str] | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    dataset: str | None = None,
) -> Points:
    """Read points from a CSV, TSV, .npy, .npz, Parquet, image, LAS, LAZ, PLY or HDF5 file, or a Zarr store.

    Parameters
    ----------
    where : str or path-like
        The file; ``-`` reads standard input. Its extension says what it is, or its first bytes.
    columns : sequence of str, optional
        The features; by default every column but the id and the weight, of a point cloud x, y, z. Where a file names
        no columns they are x0, x1 ...; an image has red, green, blue.
    id_column, weights : str, optional
        Columns that name and weigh the points. Weights may also be the path of a .npy file.
    like : sequence of str, optional
        Instead of `columns`: the feature names of earlier points (of a model, say). The file gives
        the columns of these names, or, where one side has no names, as many columns.
    header : bool, optional
        Whether the first line of a CSV file holds names; by default it does unless one of its
        fields is a number.
    delimiter : str, optional
        Of a CSV file; by default a tab, comma or semicolon, whichever the first line has most of.
    dataset : str, optional
        Of an HDF5 file or a Zarr group that holds several of two dimensions.

    Returns
    -------
    Points
        X has shape (n_samples, n_features): float64 from CSV; float32 or float64 from Parquet; the
        file's own dtype, mapped and not copied, from .npy; uint8 from an image; a source that `kmeans` reads in blocks
        from a point cloud, HDF5 and Zarr, and from Parquet that memory would not hold (KMEANS_FAST_MEMORY, by default
        half of it).

    Raises
    ------
    FileError
        If the contents can't be used; one line that names the file, line, column and value.
    OSError
        If a file can't be read.
    ImportError
        If the package that reads this format isn't installed.
    """
    source = Source.of(where)
    weight_file = weights if weights is not None and weights.endswith(".npy") else None
    wanted = Columns(
        columns if like is None else like,
        id_column,
        None if weight_file else weights,
        like=like is not None,
    )
    kind = kind_of(source)
    if kind == "csv":
        from .delimited import read_delimited

        points = read_delimited(source, wanted, header, delimiter)
    elif kind == "parquet":
        from .tables import read_parquet

        points = read_parquet(source, wanted)
    elif kind == "image":
        from .images import read_image

        points = read_image(source, wanted)
    elif kind in ("las", "ply"):
        from .clouds import read_cloud

        points = read_cloud(source, wanted, kind)
    elif kind in ("hdf5", "zarr"):
        from .stored import read_stored

        points = read_stored(source, wanted, kind, dataset)
    else:
        array = read_npy(source) if kind == "npy" else read_npz(source)
        points = points_of_array(array, wanted, source.name)
    if weight_file:
        points = replace(points, sample_weight=np.ravel(read_npy(Source.of(weight_file))))
    return points
