from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._boxes import Boxes
from ._memory import Workspace

RIVALS: int

def movers_bytes(single: bool, k: int, d: int) -> int: ...
def scratch_bytes(single: bool, k: int, d: int, n_slices: int, n_threads: int, n_old: int, work: int) -> int: ...

class Lloyd:
    @property
    def n_changed(self) -> int: ...
    rounding: bool
    @property
    def n_empty(self) -> int: ...
    @property
    def inertia(self) -> float: ...
    @property
    def centroid_shift(self) -> float: ...
    def __init__(
        self,
        single: bool,
        fused: bool,
        chunk: int,
        strip: int,
        n_threads: int,
        finish_threads: int,
        total_squares: float,
        labels: NDArray[np.int32],
        sample_weight: NDArray[np.float64] | None,
        origin: NDArray[np.float64],
        sums: NDArray[np.float64],
        totals: NDArray[np.float64],
        scratch: NDArray[np.uint8],
        n_old: int,
    ) -> None: ...
    def keep_bounds(
        self,
        upper: NDArray[np.float32],
        lower: NDArray[np.float32],
        moved: NDArray[np.float32],
        near: NDArray[np.float32],
        rivals: NDArray[np.int32] | None,
        gaps: NDArray[np.float32] | None,
        last_centroids: NDArray[np.float64],
        rows: NDArray[np.uint8],
        mover: NDArray[np.int32],
        movers: NDArray[np.uint8],
        filter: NDArray[np.uint8] | None,
        gaps_threads: int,
    ) -> None: ...
    def keep_elkan(
        self,
        bounds: NDArray[np.float32],
        apart: NDArray[np.float32],
        drift: NDArray[np.float32],
        way: NDArray[np.float64],
    ) -> None: ...
    @property
    def upper_bounds(self) -> NDArray[np.float32] | None: ...
    def keep_pages(self, memory: Workspace) -> None: ...
    def keep_codes(
        self,
        codes: NDArray[np.int32],
        centroids: NDArray[np.int32],
        origin: NDArray[np.uint8],
        farthest: float,
        total_weight: float,
    ) -> None: ...
    def drop_codes(self) -> None: ...
    def keep_grid(self, grid: Any) -> None: ...
    def keep_boxes(self, boxes: Boxes, marks: NDArray[np.uint8], old_labels: NDArray[np.int32]) -> None: ...
    def know(self, centroids: NDArray[np.float64], nearest: NDArray[np.int32], squares: NDArray[Any]) -> None: ...
    def reset(self) -> None: ...
    def count_distances(self) -> int: ...
    def begin(self, centroids: NDArray[np.float64], all_new: bool) -> None: ...
    def visit(self, block: NDArray[Any], start: int, assign: bool = True) -> None: ...
    def relabel(self, row: NDArray[Any], i: int, label: int) -> None: ...
    def finish(self, new_centroids: NDArray[np.float64]) -> None: ...
    def iterate(
        self,
        block: NDArray[Any],
        centroids: NDArray[np.float64],
        new_centroids: NDArray[np.float64],
        max_iter: int,
        limit: float,
        history: list[float],
    ) -> int: ...
