"""Rows that come in parts: chunks of an iterable, row groups of Parquet, bands of chunks of HDF5 and Zarr.

A pass opens each part once, in order. Rows that seeding asked for are kept, since it asks for them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._samples import Source

Array = NDArray[Any]
KEPT_BYTES = 1 << 25  # of the rows that were taken


class Parts:
    """A `Source` in parts; a kind of them defines `_open`.

    Parameters
    ----------
    lengths : sequence of int
        Rows of each part; some may have none.
    n_features : int
    dtype : dtype
        Of all parts together.
    feature_names : sequence of str, optional

    Notes
    -----
    Memory: a block of the part that is being read, at most 32 MB of single rows, and 8 bytes a part.
    """

    readers = 1  # blocks come in order, from one thread at a time

    def __init__(
        self, lengths: Sequence[int], n_features: int, dtype: DTypeLike, feature_names: Sequence[str] | None = None
    ) -> None:
        self.starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        self.shape, self.dtype = (int(self.starts[-1]), n_features), np.dtype(dtype)
        self.feature_names = None if feature_names is None else list(feature_names)
        self._lock = Lock()
        self._rows, self._values = np.empty(0, np.int64), np.empty((0, n_features), self.dtype)
        self._leave()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Read everything, for a callable that asks for it."""
        out = np.empty(self.shape, self.dtype if dtype is None else dtype)
        self.read(0, len(out), out)
        return out

    def read(self, start: int, stop: int, out: Array) -> None:
        """Write rows [start, stop) to `out`, converted to its dtype."""
        with self._lock:
            at = start
            while at < stop:
                block, first = self._block_at(at)
                end = min(stop, first + block.shape[0])
                block.read(at - first, end - first, out[at - start : end - start])
                at = end

    def take(self, rows: Array) -> Array:
        """Return the given rows, in any order; a part is opened once, and not for rows that were taken lately."""
        with self._lock:
            new = np.setdiff1d(rows, self._rows)
            if len(new):
                row_bytes = self.shape[1] * self.dtype.itemsize
                if (len(self._rows) + len(new)) * row_bytes > KEPT_BYTES:
                    asked = np.isin(self._rows, rows)
                    self._rows, self._values = self._rows[asked], self._values[asked]
                values, places = self._gather(new), np.searchsorted(self._rows, new)
                self._rows = np.insert(self._rows, places, new)
                self._values = np.insert(self._values, places, values, axis=0)
            out: Array = self._values[np.searchsorted(self._rows, rows)]
            if self._values.nbytes > KEPT_BYTES:
                self._rows, self._values = self._rows[:0].copy(), self._values[:0].copy()
            return out

    def keep(self, rows: Array) -> None:
        """Read rows that are going to be taken, a few at a time: parts are opened once for all of them."""
        self.take(rows)

    def place(self, row: int) -> str | None:
        """Say where a row is, in words, where its number is not enough: its chunk, or its file."""
        return None

    def _ended(self, part: int, row: int) -> ValueError:
        return ValueError(f"Part {part} of X ends before row {row}: it has changed since it was counted.")

    def _open(self, part: int) -> Iterator[Source]:
        """Yield the rows of a part in order, in blocks that are valid until the next one."""
        raise NotImplementedError

    def _part_of(self, row: int) -> int:
        return int(np.searchsorted(self.starts, row, "right")) - 1

    def _gather(self, rows: Array) -> Array:
        """Read ascending rows."""
        out, done = np.empty((len(rows), self.shape[1]), self.dtype), 0
        while done < len(rows):
            block, first = self._block_at(int(rows[done]))
            end = int(np.searchsorted(rows, first + block.shape[0]))
            out[done:end] = block.take(rows[done:end] - first)
            done = end
        return out

    def _leave(self) -> None:
        self._part, self._blocks, self._block, self._first = -1, iter(()), None, 0

    def _block_at(self, row: int) -> tuple[Source, int]:
        """Return the block that holds a row, and the row that it begins with."""
        try:
            if self._block is None or row < self._first or row >= self.starts[self._part + 1]:
                part = self._part_of(row)
                self._leave()
                self._part, self._first, self._blocks = part, int(self.starts[part]), iter(self._open(part))
                self._block = next(self._blocks, None)
            while self._block is not None and row >= self._first + self._block.shape[0]:
                self._first += self._block.shape[0]
                self._block = next(self._blocks, None)
            if self._block is None:
                raise self._ended(self._part, row)
        except BaseException:
            self._leave()
            raise
        return self._block, self._first

    _part: int
    _first: int
    _blocks: Iterator[Source]
    _block: Source | None
