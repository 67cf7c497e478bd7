from typing import Any

import numpy as np
from numpy.typing import NDArray

def work_bytes(single: bool, n_clusters: int, n_features: int) -> int: ...
def packed_bytes(single: bool, n_clusters: int, n_features: int) -> int: ...
def takes_codes() -> bool: ...
def codes_lengths(n_samples: int, n_clusters: int, n_features: int) -> tuple[int, int]: ...
def filter_bytes(single: bool, n_clusters: int, n_features: int) -> tuple[int, int]: ...
def distances(
    X: NDArray[Any],
    points: NDArray[Any],
    out: NDArray[Any],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
) -> None: ...
def own_squared_distances(
    X: NDArray[Any],
    centroids: NDArray[np.float64],
    labels: NDArray[np.int32],
    out: NDArray[np.float64],
    chunk: int,
    n_threads: int,
) -> None: ...
def score_shift(centroids: NDArray[np.float64], shift: NDArray[Any]) -> None: ...
def share_apart(centroids: NDArray[np.float64], gap: float, step: int) -> float: ...
def pack(centroids: NDArray[np.float64], shift: NDArray[Any], packed: NDArray[np.uint8]) -> None: ...
def assign(
    X: NDArray[Any],
    shift: NDArray[Any],
    packed: NDArray[np.uint8],
    k: int,
    labels: NDArray[np.int32],
    work: NDArray[np.uint8],
    chunk: int,
    n_threads: int,
    grid: Any = None,
) -> None: ...
