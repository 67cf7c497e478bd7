from typing import Any

import numpy as np
from numpy.typing import NDArray

def removal_losses(
    X: NDArray[Any],
    start: int,
    shift: NDArray[Any],
    packed: NDArray[np.uint8],
    sample_weight: NDArray[np.float64] | None,
    losses: NDArray[np.float64],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
