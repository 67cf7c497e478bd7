from typing import Any

import numpy as np
from numpy.typing import NDArray

def panel_size(single: bool) -> int: ...
def seed_round(
    X: NDArray[Any],
    start: int,
    late: NDArray[Any],
    label: int,
    candidates: NDArray[Any],
    closest: NDArray[Any],
    nearest: NDArray[np.int32] | None,
    sample_weight: NDArray[np.float64] | None,
    potential: NDArray[np.float64],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
def sum_masses(
    closest: NDArray[Any],
    sample_weight: NDArray[np.float64] | None,
    mass: NDArray[np.float64],
    chunk: int,
    n_threads: int,
) -> None: ...
def pick(
    closest: NDArray[Any],
    sample_weight: NDArray[np.float64] | None,
    mass: NDArray[np.float64],
    chunk: int,
    targets: NDArray[np.float64],
    rows: NDArray[np.intp],
) -> None: ...
