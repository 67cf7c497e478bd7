"""Arguments of the pictures: an error is one sentence with name, value and rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def plane(name: str, value: ArrayLike) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name}.shape={array.shape} must be (n, 2).")
    return array
