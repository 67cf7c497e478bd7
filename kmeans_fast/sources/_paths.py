"""Paths as X: the end of the name says what opens them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._las import LasCloud
from ._npy import npy
from ._parquet import SUFFIXES, parquet
from ._ply import PlyCloud
from ._sliced import hdf5, zarr

OPEN: dict[str, Callable[..., Any]] = {
    ".npy": npy,
    **dict.fromkeys(SUFFIXES, parquet),
    **dict.fromkeys((".h5", ".hdf5"), hdf5),
    ".zarr": zarr,
    **dict.fromkeys((".las", ".laz"), LasCloud),
    ".ply": PlyCloud,
}


def opener_of(path: Any) -> Callable[..., Any] | None:
    """Return what opens a path, or None."""
    if not isinstance(path, (str, os.PathLike)):
        return None
    where = Path(os.fsdecode(path))
    return OPEN.get(where.suffix.lower()) or (parquet if where.is_dir() else None)


def open_path(path: str | os.PathLike[str], name: str = "X") -> Any:
    """Open a file, or a folder of Parquet files, as an array or a `Source`.

    Raises
    ------
    ValueError
        If the end of its name says nothing.
    """
    opener = opener_of(path)
    if opener is None:
        raise ValueError(
            f"{name}={os.fspath(path)!r} must be an array, or a path that ends in {', '.join(OPEN)}; "
            "kmeans_fast.files.read_points reads CSV."
        )
    return opener(path)
