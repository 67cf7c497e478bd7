from typing import Any

import numpy as np
from numpy.typing import NDArray

def move(
    X: NDArray[Any],
    start: int,
    old_labels: NDArray[np.int32],
    labels: NDArray[np.int32],
    sample_weight: NDArray[np.float64] | None,
    origin: NDArray[np.float64],
    sums: NDArray[np.float64],
    chunk: int,
    n_threads: int,
) -> None: ...
def cut(
    labels: NDArray[np.int32],
    far: NDArray[np.float64],
    limit: float,
    sample_weight: NDArray[np.float64] | None,
    before: NDArray[np.int32],
    out: NDArray[np.int32],
    totals: NDArray[np.float64],
    changed: NDArray[np.int64],
    chunk: int,
    n_threads: int,
) -> None: ...
def collect(far: NDArray[np.float64], floor: float, out: NDArray[np.float64]) -> int: ...
def scale_rows(X: NDArray[Any], factors: NDArray[np.float64], out: NDArray[Any], n_threads: int) -> None: ...
def touched(old_labels: NDArray[np.int32], labels: NDArray[np.int32], flags: NDArray[np.uint8]) -> None: ...
