"""Whatever has a shape and a dtype and slices by rows: h5py.Dataset, zarr.Array and their like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._need import need, one_line
from .._samples import ArraySource, Source
from ._parts import Parts

Array = NDArray[Any]
BAND_BYTES = 1 << 22  # decoded at once, or one row of chunks if that is more


class Sliced(Parts):
    """A source of bands of rows, each as many whole chunks as have a few MB.

    Parameters
    ----------
    array : object
        Has shape (n_samples, n_features), a NumPy dtype, and ``array[start:stop]``; ``chunks[0]``, where it has that,
        says how many rows its storage decodes at once.

    Notes
    -----
    Memory: a band, of 4 MB or a row of chunks if that is more; 32 MB of single rows.
    """

    def __init__(self, array: Any) -> None:
        self.given = array
        n, d = (int(length) for length in array.shape)
        self.chunk = _chunk_rows(getattr(array, "chunks", None))
        row_bytes, chunk = max(d * array.dtype.itemsize, 1), self.chunk or 1
        self.band = min(max(BAND_BYTES // (row_bytes * chunk), 1) * chunk, max(n, 1))
        whole, rest = divmod(n, self.band)
        super().__init__([self.band] * whole + [rest] * bool(rest), d, array.dtype)

    def _open(self, part: int) -> Iterator[Source]:
        yield self._band(int(self.starts[part]), int(self.starts[part + 1]))

    def _gather(self, rows: Array) -> Array:
        if self.chunk is not None:
            return super()._gather(rows)
        # Nothing to decode: single rows are there for the asking.
        return np.concatenate([self._band(row, row + 1).array for row in rows.tolist()])

    def _band(self, start: int, stop: int) -> ArraySource:
        values = np.asarray(self.given[start:stop])
        if values.shape != (stop - start, self.shape[1]):
            raise ValueError(f"X[{start}:{stop}] has shape {values.shape} and must be {(stop - start, self.shape[1])}.")
        return ArraySource(values)


def _chunk_rows(chunks: Any) -> int | None:
    """Return the rows of a chunk; dask lists those of every chunk. None where storage has no chunks."""
    if not isinstance(chunks, tuple) or not chunks:
        return None
    rows = max(chunks[0], default=0) if isinstance(chunks[0], tuple) else chunks[0]
    return rows if isinstance(rows, int) and rows > 0 else None


def hdf5(path: str | os.PathLike[str], dataset: str | None = None) -> Any:
    """Open a dataset of an HDF5 file; `kmeans` reads it in bands of whole chunks.

    Parameters
    ----------
    path : str or path-like
    dataset : str, optional
        Its name in the file; needed where the file has several of two dimensions.

    Returns
    -------
    X : h5py.Dataset
        It keeps the file open.

    Raises
    ------
    ImportError
        If h5py isn't installed.
    OSError, ValueError
        If the file can't be read, is truncated, or has no such dataset.
    """
    h5py = need("h5py", "reading HDF5", "sources")
    name = os.fspath(path)
    os.stat(name)  # a missing file is no damaged one
    try:
        file = h5py.File(name, "r")
    except OSError as error:
        raise ValueError(f"{name} can't be read as HDF5: {one_line(error)}.") from None
    found: dict[str, Any] = {}

    def visit(key: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim == 2:
            found[key] = item

    file.visititems(visit)
    return _only(found, name, dataset, file)


def zarr(path: str | os.PathLike[str], dataset: str | None = None) -> Any:
    """Open an array of a Zarr store; `kmeans` reads it in bands of whole chunks.

    Parameters
    ----------
    path : str or path-like
    dataset : str, optional
        Its name in the group; needed where the group has several of two dimensions.

    Returns
    -------
    X : zarr.Array
        A chunk that is not in the store reads as Zarr's fill value: that is how Zarr keeps what was never written.

    Raises
    ------
    ImportError
        If zarr isn't installed.
    OSError, ValueError
        If the store can't be read, or has no such array.
    """
    library = need("zarr", "reading Zarr", "sources")
    name = os.fspath(path)
    os.stat(name)
    try:
        store = library.open(name, mode="r")
    except Exception as error:  # of many kinds, by version and store
        raise ValueError(f"{name} can't be read as Zarr: {one_line(error)}.") from None
    if hasattr(store, "shape"):
        return store
    return _only({key: item for key, item in store.arrays() if item.ndim == 2}, name, dataset, store)


def _only(found: dict[str, Any], path: str, dataset: str | None, group: Any) -> Any:
    """Return the one that is asked for, or the only one."""
    names = ", ".join(map(repr, found)) or "none"
    if dataset is not None:
        if dataset not in group or not hasattr(group[dataset], "shape"):
            raise ValueError(f"{path} has no dataset {dataset!r}; those of two dimensions are {names}.")
        return group[dataset]
    if len(found) != 1:
        raise ValueError(f"{path} has the two-dimensional datasets {names}; say which, as dataset=.")
    return next(iter(found.values()))
