"""The one place that allocates: every buffer of a fit is made, counted and refused here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Workspace:
    """Makes arrays and counts their bytes, so that a result can say what it took beyond X."""

    def __init__(self) -> None:
        self.n_bytes = 0
        self.peak = 0

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Allocate an array whose content is undefined; MemoryError where there is no room."""
        array = np.empty(shape, dtype)
        self.n_bytes += array.nbytes
        if self.n_bytes > self.peak:
            self.peak = self.n_bytes
        return array

    def release(self, n_bytes: int) -> None:
        """Say that all but the first `n_bytes` are free again."""
        self.n_bytes = n_bytes
