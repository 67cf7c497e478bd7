"""Rows of a plain array in a file, read into buffers: a memory map would keep what it touched in the process."""

from __future__ import annotations

import errno
import mmap
import os
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

READERS = 2  # one does not saturate memory, and the kernels want the processors


class FileSource:
    """A C-contiguous array of shape (n, d) that begins `offset` bytes into a file, of any real dtype.

    The file stays open, so that one put in its place does not show. Memory: a buffer in the dtype of the file where
    that is not what is asked for.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is shorter than the array.
    """

    readers = READERS

    def __init__(self, path: str | os.PathLike[str], offset: int, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self.path, self.offset, self.shape, self.dtype = os.fspath(path), offset, shape, dtype
        self.row_bytes = shape[1] * dtype.itemsize
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - for as long as the source lives
        self._lock = Lock()
        size, needed = os.fstat(self._file.fileno()).st_size, offset + shape[0] * self.row_bytes
        if size < needed:
            raise ValueError(
                f"{self.path} has {size} bytes and must have {needed} for {shape[0]} rows; it is truncated."
            )

    def read(self, start: int, stop: int, out: NDArray[Any]) -> None:
        """Read rows into `out`, converted to its dtype; any number of threads may."""
        if out.dtype == self.dtype and out.flags.c_contiguous:
            self._fill(start, out)
        else:
            values = np.empty((stop - start, self.shape[1]), self.dtype)
            self._fill(start, values)
            np.copyto(out, values, casting="unsafe")

    def take(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the given rows."""
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        for i, row in enumerate(rows.tolist()):
            self._fill(row, out[i : i + 1])
        return out

    def _fill(self, row: int, values: NDArray[Any]) -> None:
        data = values.view(np.uint8).reshape(-1).data
        there = read_at(self._file, self._lock, data, self.offset + row * self.row_bytes)
        if there < len(data):
            row += there // self.row_bytes
            raise OSError(errno.EIO, f"the file has no row {row}, which it had when work began", self.path)


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
