"""Rows that something decodes once, in order, kept in a scratch file: LAZ and text cost several passes of k-means."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .._file import Records
from .._memory import FOLDER, scratch_folder

Array = NDArray[Any]


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
