"""Rows in a file, read by position into buffers: a memory map would count what it touched as the process's memory."""

from __future__ import annotations

import mmap
import os
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WINDOW = 1 << 16  # bytes: wanted rows that lie closer than this are read at once
READERS = 2  # one does not saturate memory, and the kernels want the processors


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
        self.fill(start, data)
        return data.view(self.dtype.base).reshape(-1, *self.dtype.shape)

    def fill(self, start: int, out: Array) -> None:
        """Write the bytes of rows from `start` on into `out`, a contiguous array; any number of threads may."""
        data = out.view(np.uint8).reshape(-1).data
        if read_at(self.stream, self._lock, data, self.offset + start * self.dtype.itemsize) < len(data):
            last = start + len(data) // self.dtype.itemsize - 1
            raise ValueError(f"{self.name} was cut while it was read: rows {start} to {last} are not there.")

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


class FileSource:
    """A C-contiguous array of shape (n, d) that begins `offset` bytes into a file, of any real dtype.

    The file stays open, so that one put in its place does not show. Memory: a buffer in the dtype of the file where
    that is not what is asked for.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is shorter than the array, or has become so.
    """

    readers = READERS

    def __init__(self, path: str | os.PathLike[str], offset: int, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self.path, self.shape, self.dtype = os.fspath(path), shape, dtype
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - for as long as the source lives
        self._records = Records(file, offset, np.dtype((dtype, (shape[1],))), shape[0], self.path)
        size, needed = os.fstat(file.fileno()).st_size, offset + shape[0] * self._records.dtype.itemsize
        if size < needed:
            raise ValueError(
                f"{self.path} has {size} bytes and must have {needed} for {shape[0]} rows; it is truncated."
            )

    def read(self, start: int, stop: int, out: Array) -> None:
        """Read rows into `out`, converted to its dtype; any number of threads may."""
        if out.dtype == self.dtype and out.flags.c_contiguous:
            self._records.fill(start, out)
        else:
            np.copyto(out, self._records.read(start, stop), casting="unsafe")

    def take(self, rows: Array) -> Array:
        """Return the given rows."""
        return self._records.take(rows)


def read_at(stream: Any, lock: Lock, out: memoryview, at: int) -> int:
    """Fill bytes from position `at` of a file on, from any thread; return how many there were.

    The lock is held where the system can't read by position (Windows): whoever else moves the stream must hold it too.
    """
    done = 0
    while done < len(out):
        if hasattr(os, "preadv"):
            n_bytes = os.preadv(stream.fileno(), [out[done:]], at + done)
        else:
            with lock:
                stream.seek(at + done)
                n_bytes = stream.readinto(out[done:])
        if not n_bytes:
            break
        done += n_bytes
    return done


def file_of_map(X: Any) -> FileSource | None:
    """Return the file behind a C-contiguous np.memmap, or None where it cannot be read in place of the map."""
    pages, path = getattr(X, "_mmap", None), getattr(X, "filename", None)
    if pages is None or path is None or X.mode == "c" or X.ndim != 2 or not X.flags.c_contiguous or 0 in X.shape:
        return None  # private pages may hold what the file does not
    begin = X.offset - X.offset % mmap.ALLOCATIONGRANULARITY
    inside = X.__array_interface__["data"][0] - np.frombuffer(pages, np.uint8).__array_interface__["data"][0]
    try:
        source = FileSource(path, begin + inside, X.shape, X.dtype)
    except (OSError, ValueError):
        return None  # it is gone, or another one has its name
    ends = np.array([0, len(X) // 2, len(X) - 1])
    same = source.take(ends).tobytes() == X[ends].tobytes()
    return source if same else None
