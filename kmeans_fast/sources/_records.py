"""Rows of fixed size in a file: read by position, from any thread, without a mapping that would count as memory.

`Records` reads what a file holds. `Spool` is a scratch file of rows that something decodes once, in order: LAZ and text
cost several passes of k-means, and are never decoded again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .._file import read_at
from .._memory import FOLDER, scratch_folder

Array = NDArray[Any]
WINDOW = 1 << 16  # bytes: wanted rows that lie closer than this are read at once


def reopen(path: str, stream: Any) -> BinaryIO:
    """Open the file that `stream` reads once more, with a position of its own.

    Raises
    ------
    ValueError
        If another file has taken its name.
    """
    again = open(path, "rb")  # noqa: SIM115 the caller closes it
    if not os.path.sameopenfile(again.fileno(), stream.fileno()):
        again.close()
        raise ValueError(f"{path} was replaced by another file while it was read.")
    return again


class Records:
    """Rows `[0, count)` of `dtype` from byte `offset` of an open file on.

    Raises
    ------
    ValueError
        When reading past the end of the file, which somebody has cut.
    """

    def __init__(self, stream: Any, offset: int, dtype: np.dtype[Any], count: int, name: str) -> None:
        self.stream, self.offset, self.dtype, self.count, self.name = stream, offset, dtype, count, name
        self._lock = Lock()

    def read(self, start: int, stop: int) -> Array:
        """Return rows [start, stop) in an array of their own."""
        data = np.empty((stop - start) * self.dtype.itemsize, np.uint8)
        at = self.offset + start * self.dtype.itemsize
        if read_at(self.stream, self._lock, data.data, at) < len(data):
            raise ValueError(f"{self.name} was cut while it was read: rows {start} to {stop - 1} are not there.")
        return data.view(self.dtype.base).reshape(-1, *self.dtype.shape)

    def take(self, rows: Array) -> Array:
        """Return the given rows in their order, near ones by one read."""
        out = np.empty(len(rows), self.dtype)
        order = np.argsort(rows, kind="stable")
        wanted = rows[order]
        start, reach = 0, max(WINDOW // self.dtype.itemsize, 1)
        while start < len(wanted):
            first = int(wanted[start])
            stop = int(np.searchsorted(wanted, first + reach))
            there = self.read(first, int(wanted[stop - 1]) + 1)
            out[order[start:stop]] = there[wanted[start:stop] - first]
            start = stop
        return out


class Spool(Records):
    """Rows that `parts` decodes in order, kept in an unlinked file of the scratch folder as they come.

    Raises
    ------
    ValueError
        If `parts` gives fewer rows than `count`.
    OSError
        If the scratch folder is full; it is named.
    """

    def __init__(self, parts: Iterator[Array], dtype: np.dtype[Any], count: int, name: str) -> None:
        self._folder = scratch_folder() or tempfile.gettempdir()
        scratch = tempfile.TemporaryFile(buffering=0, dir=self._folder)  # noqa: SIM115 it lives as long as the source
        super().__init__(scratch, 0, dtype, count, name)
        self._parts, self._filled = parts, 0
        self._fill_lock = Lock()

    def read(self, start: int, stop: int) -> Array:
        """Return rows [start, stop), decoding up to there if that was not done yet."""
        with self._fill_lock:
            while self._filled < stop:
                self._append(next(self._parts, None))
        return super().read(start, stop)

    def _append(self, part: Array | None) -> None:
        if part is None:
            raise ValueError(f"{self.name} is truncated: it holds {self._filled} of {self.count} points.")
        data = np.ascontiguousarray(part, self.dtype.base).data.cast("B")
        try:
            with self._lock:
                self.stream.seek(self._filled * self.dtype.itemsize)
                while data:
                    data = data[self.stream.write(data) :]
        except OSError as error:
            message = (
                f"{self.name} decoded takes {self.count * self.dtype.itemsize} bytes; set {FOLDER} to another folder"
            )
            raise OSError(error.errno, f"{error.strerror}: {message}", self._folder) from None
        self._filled += len(part)
