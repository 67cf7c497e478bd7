"""Some columns of another source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._samples import Source

Array = NDArray[Any]
ROWS = 1 << 16  # of all columns, read at once where every row is asked for


class Selected:
    """The given columns of a source, by position; the others are read and dropped. Memory: a block of all columns."""

    def __init__(self, source: Source, columns: Sequence[int]) -> None:
        self.source, self.columns, self.dtype = source, list(columns), source.dtype
        self.shape = (source.shape[0], len(self.columns))
        self.readers: int = getattr(source, "readers", 1)
        names = getattr(source, "feature_names", None)
        self.feature_names = None if names is None else [names[i] for i in self.columns]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Read every row, block by block."""
        out = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for start in range(0, len(out), ROWS):
            part = out[start : start + ROWS]
            self.read(start, start + len(part), part)
        return out

    def read(self, start: int, stop: int, out: Array) -> None:
        """Read rows into `out`."""
        rows = np.empty((stop - start, self.source.shape[1]), out.dtype)
        self.source.read(start, stop, rows)
        np.take(rows, self.columns, axis=1, out=out, mode="clip")

    def take(self, rows: Array) -> Array:
        """Return the given rows."""
        return self.source.take(rows)[:, self.columns]
