from typing import Any

import numpy as np
from numpy.typing import NDArray

def assign(
    X: NDArray[Any],
    start: int,
    points: NDArray[Any],
    sample_weight: NDArray[np.float64] | None,
    labels: NDArray[np.int32],
    totals: NDArray[np.float64],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
def own_distances(
    X: NDArray[Any],
    centers: NDArray[np.float64],
    labels: NDArray[np.int32],
    out: NDArray[np.float64],
    chunk: int,
    n_threads: int,
) -> None: ...
def seed_round(
    X: NDArray[Any],
    start: int,
    late: NDArray[Any] | None,
    candidates: NDArray[Any],
    closest: NDArray[Any],
    sample_weight: NDArray[np.float64] | None,
    potential: NDArray[np.float64],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
def group(
    labels: NDArray[np.int32],
    sample_weight: NDArray[np.float64] | None,
    places: NDArray[np.int64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    n_threads: int,
) -> None: ...
def medians(
    X: NDArray[Any],
    first: int,
    last: int,
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    sample_weight: NDArray[np.float64] | None,
    clusters: NDArray[np.int64],
    centers: NDArray[Any],
    offset: int,
    values: NDArray[Any],
    weights: NDArray[np.float64],
    n_threads: int,
) -> None: ...
