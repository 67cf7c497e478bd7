"""X as the kernels see it: blocks of rows, contiguous, native, float32 or float64.

X itself is never modified, and copied whole by boxes alone (src/_boxes.pyx). A contiguous native array is handed
on in views; anything else (float16, integers, big-endian, strided, Fortran, frames) is converted one block at a
time into one buffer, or read and decoded ahead of the kernels (_reading.py): files, and memory maps too large for
memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ._memory import memory_limit
from ._validate import not_finite, too_large

Array = NDArray[Any]

STRIP_BYTES = 1 << 19  # samples of a strip: half of an L2, so that they are still there for the update
MIN_STRIP, MAX_STRIP = 256, 4096  # rows; several panels, so that one can be fetched while another is worked on
CHUNK_BYTES, MIN_CHUNK = 1 << 22, 1024  # of a chunk of wide rows: the few samples that bounds leave of it fill panels
BLOCK_BYTES = 1 << 22  # samples of one conversion: its buffer stays in L3
MAX_BLOCK = 1 << 20  # rows; old labels of a block may be kept
BLOCK_WORK = 2.5e8  # multiply-adds of one call and thread, some 25 ms: Ctrl-C is seen between calls
# Types whose every value float32 holds.
EXACT_IN_FLOAT32 = "efbBhH?"
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class Source(Protocol):
    """What a kind of input must do: say its shape and dtype, and read rows.

    An object of your own that does this can be given as X. It may have, besides, ``feature_names``, a list of str that
    become ``feature_names_in_``; ``place(row)``, words that say in a message where a row is; and ``keep(rows)``,
    which is told that these rows are going to be taken.

    Attributes
    ----------
    shape : (n_samples, n_features)
    dtype : numpy.dtype
        Real. Types whose values float32 holds are computed in float32.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    # readers: int = 1    threads that may call `read` at a time; 0 for what is in memory already

    def read(self, start: int, stop: int, out: Array) -> None:
        """Write rows [start, stop) to `out`, a contiguous array, converted to its dtype.

        Passes call it in order of rows, from a thread of their own, one at a time.
        """

    def take(self, rows: Array) -> Array:
        """Return the given rows, an array of n_features columns: some thousands, in any order and with repeats."""


class ArraySource:
    """A NumPy array of any real dtype and layout, a memory map among them."""

    readers = 0

    def __init__(self, array: Array) -> None:
        self.array, self.dtype = array, array.dtype
        self.shape = (array.shape[0], array.shape[1])

    def read(self, start: int, stop: int, out: Array) -> None:
        """Convert rows into `out`."""
        np.copyto(out, self.array[start:stop], casting="unsafe")

    def take(self, rows: Array) -> Array:
        """Return the given rows."""
        return self.array[rows]


class Samples:
    """X behind the boundary: trusted in shape and kind, read in blocks."""

    __slots__ = ("dtype", "is_stream", "n_features", "n_samples", "native", "original", "result_dtype", "source")

    def __init__(self, source: Source, original: Any) -> None:
        self.source, self.original = source, original
        self.n_samples, self.n_features = source.shape
        self.dtype = FLOAT32 if source.dtype.char in EXACT_IN_FLOAT32 else FLOAT64
        self.result_dtype = self.dtype if source.dtype.kind == "f" else FLOAT64
        self.native = source.array if isinstance(source, ArraySource) and _is_native(source.array) else None
        self.is_stream = bool(getattr(source, "readers", 1))  # X is not in memory: what a fit keeps should be small

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the features, where the source has them."""
        return getattr(self.source, "feature_names", None)

    def strip(self, dtype: np.dtype[Any]) -> int:
        """Rows that are labelled and summed while they are in cache: a multiple of every panel."""
        rows = STRIP_BYTES // (self.n_features * dtype.itemsize) // MIN_STRIP * MIN_STRIP
        return min(max(rows, MIN_STRIP), MAX_STRIP)

    def chunk(self, dtype: np.dtype[Any]) -> int:
        """Rows of a task: a strip, or several of wide rows."""
        rows = CHUNK_BYTES // (self.n_features * dtype.itemsize) // MIN_STRIP * MIN_STRIP
        return max(self.strip(dtype), min(rows, MIN_CHUNK))

    def block_rows(self, dtype: np.dtype[Any], work_per_row: float, n_threads: int) -> int:
        """Rows of a block: whole chunks, as many for each thread."""
        chunk = self.chunk(dtype)
        rows = n_threads * BLOCK_WORK / work_per_row
        if self.native is None or self.native.dtype != dtype:
            n_bytes = max(BLOCK_BYTES, 2 * STRIP_BYTES * n_threads)
            rows = min(rows, n_bytes / (self.n_features * dtype.itemsize))
        return min(even_rows(min(rows, MAX_BLOCK), chunk, n_threads), self.n_samples)

    def blocks(self, dtype: np.dtype[Any], rows: int) -> Iterable[tuple[int, Array]]:
        """Give (first row, block) in order: a list of views of a native X, else converted when asked for.

        A converted block is valid until the next one.
        """
        if self.native is None or self.native.dtype != dtype:
            from ._reading import read_blocks  # loaded when it is used, with threading

            return read_blocks(self.source, dtype, rows)
        return [(start, self.native[start : start + rows]) for start in range(0, self.n_samples, rows)]

    def keep(self, rows: Array) -> None:
        """Say that these rows are going to be taken, a few at a time."""
        keep = getattr(self.source, "keep", None)
        if keep is not None:
            keep(rows)

    def take(self, rows: Any, dtype: Any = np.float64) -> Array:
        """Copy the given rows."""
        return np.ascontiguousarray(self.source.take(np.asarray(rows)), dtype)


def even_rows(rows: float, unit: int, n_threads: int) -> int:
    """About so many rows, as many units for each thread: one unit more makes all threads but one wait."""
    return max(round(rows / (n_threads * unit)), 1) * n_threads * unit


def _is_native(array: Array) -> bool:
    flags = array.flags
    return array.dtype.char in "fd" and array.dtype.isnative and flags.c_contiguous and flags.aligned


def as_samples(X: Any, name: str = "X") -> Samples:
    """Check the kind and shape of X and wrap it; nothing is converted yet. Samples pass through.

    Raises
    ------
    TypeError
        For sparse matrices, strings, dates and other things that are not real numbers; for what can be read once alone.
    ValueError
        For ragged or complex input, and for shapes other than (n_samples >= 1, n_features >= 1); for a file that is
        damaged or of another kind.
    """
    original = X
    if type(X) is not np.ndarray:
        if isinstance(X, Samples):
            return X
        source: Source | None = None
        if not isinstance(X, np.ndarray) and not is_frame(X):
            from .sources import find

            X = find(X, name)
            original = original if hasattr(original, "__array__") else X
            source = X if hasattr(X, "read") else None
        if is_frame(X):
            from ._frames import FrameSource

            source = FrameSource(X, name)
        if source is not None:
            _check_dtype(source.dtype, name)
            check_shape(source.shape, name)
            return Samples(source, original)
        array = as_array(X, name)
        if isinstance(X, np.memmap) and X.nbytes > memory_limit(stream=True):
            from ._file import file_of_map

            streamed = file_of_map(X)
            if streamed is not None:
                _check_dtype(X.dtype, name)
                return Samples(streamed, original)
        X = array
    _check_dtype(X.dtype, name)
    check_shape(X.shape, name)
    if X.dtype.kind == "O":
        X = _from_objects(X, name)
    return Samples(ArraySource(X), original)


def is_frame(X: Any) -> bool:
    """Say whether X is a table with named columns, without importing its library."""
    return hasattr(X, "columns") and hasattr(X, "__getitem__") and not hasattr(X, "__array_interface__")


def as_array(X: Any, name: str) -> Array:
    """Turn what is no frame and no source into an array, of any dtype and shape."""
    if hasattr(X, "tocsr") or type(X).__module__.startswith("scipy.sparse"):
        raise TypeError(f"{name} is sparse ({type(X).__name__}); a dense array is required: pass {name}.toarray().")
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"{name} must be a rectangular array (n_samples, n_features), but it is ragged: {str(error).rstrip('.')}."
        ) from None
    if array.dtype == object and array.ndim == 0:
        raise ValueError(f"{name} is a {type(X).__name__} and must be an array, a frame or a path.")
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError(f"{name} has masked entries; fill or drop them first.")
    return array


def _check_dtype(dtype: np.dtype[Any], name: str) -> None:
    if dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {dtype} and must be real.")
    if dtype.kind not in "fiubO":
        raise TypeError(f"{name} has dtype {dtype} and must hold real numbers.")


def check_shape(shape: tuple[int, ...], name: str) -> None:
    """Refuse what is not (n_samples >= 1, n_features >= 1)."""
    if len(shape) != 2:
        hint = " Reshape your data: a single feature is X.reshape(-1, 1)." if len(shape) == 1 else ""
        raise ValueError(f"{name} has shape {shape} and must be 2-dimensional (n_samples, n_features).{hint}")
    if 0 in shape:
        what = "sample(s)" if shape[0] == 0 else "feature(s)"
        raise ValueError(f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required.")


def _from_objects(X: Array, name: str) -> Array:
    """Objects carry no layout to read in blocks: this is the one conversion of the whole."""
    try:
        return X.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        for (row, column), value in np.ndenumerate(X):
            try:
                float(value)
            except (TypeError, ValueError, OverflowError):
                message = (
                    f"{name} has {value!r} in row {row}, column {column}: every entry must be a real number, "
                    "and the argument must be a string or a real number to be converted."
                )
                raise (TypeError if isinstance(error, TypeError) else ValueError)(message) from None
        raise


def raise_not_finite(samples: Samples, name: str = "X") -> None:
    """Name the first NaN or infinity, or say that the values are too large to square."""
    for start, block in samples.blocks(FLOAT64, samples.block_rows(FLOAT64, 1.0, 1)):
        bad = ~np.isfinite(block)
        if bad.any():
            row, column = (int(index) for index in np.argwhere(bad)[0])
            raise not_finite(name, block[row, column], *_place(samples, start + row, column))
    raise too_large(name)


def _place(samples: Samples, row: int, column: int) -> tuple[str, str]:
    """Say where a value is: of a source in parts also its chunk or file, and its column's name."""
    place, names = getattr(samples.source, "place", None), samples.feature_names
    if place is None:
        return str(row), str(column)
    there = place(row)
    return f"{row} ({there})" if there else str(row), f"{column} ({names[column]!r})" if names else str(column)
