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
