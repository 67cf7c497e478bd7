from typing import Any

import numpy as np
from numpy.typing import NDArray

def summary(
    parts: NDArray[np.float64], largest: NDArray[np.float64], total_weight: float
) -> tuple[float, float, float]: ...
def survey(
    X: NDArray[Any],
    start: int,
    origin: NDArray[np.float64],
    sample_weight: NDArray[np.float64] | None,
    parts: NDArray[np.float64],
    largest: NDArray[np.float64],
    chunk: int,
    n_threads: int,
) -> None: ...
