"""Some rows of samples as samples: gathered where they are half of X at most, else read block by block from X."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._samples import ArraySource, Samples


class RowsSource:
    """Ascending rows of another source."""

    def __init__(self, samples: Samples, rows: NDArray[np.intp]) -> None:
        self.source, self.rows, self.dtype = samples.source, rows, samples.source.dtype
        self.block_dtype = samples.dtype
        self.shape = (len(rows), samples.n_features)

    def read(self, start: int, stop: int, out: NDArray[Any]) -> None:
        """Convert rows into `out`; a frame is read over their span, not one by one."""
        rows = self.rows[start:stop]
        if isinstance(self.source, ArraySource):
            array = self.source.array
            if array.dtype == out.dtype:  # ten times as fast as array[rows]
                np.take(array, rows, axis=0, out=out, mode="clip")
            else:
                np.copyto(out, np.take(array, rows, axis=0), casting="unsafe")
            return
        first, step = int(rows[0]), len(rows)
        span = np.empty((step, self.shape[1]), self.block_dtype)
        for low in range(first, int(rows[-1]) + 1, step):
            high = min(low + step, int(rows[-1]) + 1)
            inside = slice(*np.searchsorted(rows, (low, high)))
            if inside.start < inside.stop:
                self.source.read(low, high, span[: high - low])
                out[inside] = span[rows[inside] - low]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Gather all rows, for a callable that asks for them."""
        out = np.empty(self.shape, self.dtype if dtype is None else dtype)
        if len(out):
            self.read(0, len(out), out)
        return out

    def take(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the given rows."""
        return self.source.take(self.rows[rows])


def subset(samples: Samples, rows: NDArray[np.intp]) -> Samples:
    """Return ascending rows as samples; a copy of them if they are half of X at most."""
    source = RowsSource(samples, rows)
    out = Samples(source, source)
    if 2 * len(rows) <= samples.n_samples:
        gathered = np.empty(out.source.shape, samples.dtype)
        for start, block in out.blocks(samples.dtype, out.block_rows(samples.dtype, 1.0, 1)):
            gathered[start : start + len(block)] = block
        out = Samples(ArraySource(gathered), gathered)
    out.result_dtype = samples.result_dtype
    return out
