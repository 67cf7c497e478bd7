"""What X may be besides arrays and frames: files and streams, read in blocks and never held whole.

`kmeans`, `predict` and every estimator take these things as they are; the functions here are for what a path alone
doesn't say, such as which columns. Each format is an adapter to one small protocol, `Source`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._samples import Source
from ._chunks import Chunks as chunks
from ._chunks import is_chunks
from ._las import LasCloud as las
from ._npy import npy
from ._parquet import arrow, parquet
from ._parts import Parts
from ._paths import open_path
from ._ply import PlyCloud as ply
from ._sliced import Sliced, hdf5, zarr

__all__ = ["Parts", "Source", "arrow", "chunks", "hdf5", "las", "npy", "parquet", "ply", "zarr"]


def find(X: Any, name: str) -> Any:
    """Return X as what reads it: a `Source`, or an array; X itself where it is none of the things of this package.

    Raises
    ------
    ValueError, TypeError, OSError, ImportError
        As the adapter.
    """
    if isinstance(X, (str, os.PathLike)):
        X = open_path(X, name)
    if is_source(X):
        return X
    if is_sliced(X):
        return Sliced(X)
    if type(X).__module__.startswith("pyarrow") and hasattr(X, "count_rows"):
        return arrow(X)
    return chunks(X, name) if is_chunks(X) else X


def is_source(X: Any) -> bool:
    """Say whether X follows the protocol."""
    return hasattr(X, "read") and hasattr(X, "take") and hasattr(X, "shape") and hasattr(X, "dtype")


def is_sliced(X: Any) -> bool:
    """Say whether X is no array in memory, but has a shape, a dtype of NumPy's and rows to slice."""
    shape = getattr(X, "shape", None)
    return (
        not isinstance(X, np.ndarray)
        and isinstance(shape, tuple)
        and len(shape) == 2
        and all(isinstance(length, int) for length in shape)
        and isinstance(getattr(X, "dtype", None), np.dtype)
        and X.dtype.kind in "fiub"
        and hasattr(X, "__getitem__")
        and not any(hasattr(X, in_memory) for in_memory in ("__array_interface__", "__dlpack__", "tocsr", "todense"))
    )
