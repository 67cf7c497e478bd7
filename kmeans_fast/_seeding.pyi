from typing import Any

import numpy as np
from numpy.typing import NDArray

def panel_size(single: bool) -> int: ...
def potentials(
    X: NDArray[Any],
    start: int,
    candidates: NDArray[Any],
    closest: NDArray[Any],
    sample_weight: NDArray[np.float64] | None,
    potential: NDArray[np.float64],
    improved: NDArray[np.uint32],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
def update_closest(
    X: NDArray[Any],
    start: int,
    candidate: NDArray[Any],
    improved: NDArray[np.uint32] | None,
    mask: int,
    closest: NDArray[Any],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
