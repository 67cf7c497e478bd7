"""The nearest of some places to every point, from Python without Cython: `make` builds the library that this loads."""

from __future__ import annotations

from ctypes import CDLL, c_size_t
from pathlib import Path
from typing import Any

import numpy as np
from numpy.ctypeslib import ndpointer
from numpy.typing import NDArray

library = CDLL(str(Path(__file__).with_name("libnearest.so")))
rows, doubles, integers = (
    ndpointer(np.float64, ndim=2, flags="C"),
    ndpointer(np.float64, ndim=1, flags="C"),
    ndpointer(np.int32, ndim=1, flags="C"),
)
library.nearest_scratch.argtypes = [c_size_t, c_size_t]
library.nearest_scratch.restype = c_size_t
library.nearest.argtypes = [rows, c_size_t, c_size_t, rows, c_size_t, integers, doubles]
library.nearest.restype = None


def nearest(points: NDArray[Any], places: NDArray[Any]) -> NDArray[np.int32]:
    """Return for every row of `points` the number of the nearest row of `places`; ctypes lets go of the GIL."""
    points, places = (np.ascontiguousarray(array, np.float64) for array in (points, places))
    (n, d), k = points.shape, len(places)
    if places.shape[1] != d:
        raise ValueError(f"places.shape={places.shape} must have the {d} features of points.")
    labels, scratch = np.empty(n, np.int32), np.empty(library.nearest_scratch(d, k))
    library.nearest(points, n, d, places, k, labels, scratch)
    return labels


if __name__ == "__main__":
    print(nearest(np.array([[0.0, 1.0], [5.0, 5.0]]), np.array([[4.0, 4.0], [0.0, 0.0]])))
