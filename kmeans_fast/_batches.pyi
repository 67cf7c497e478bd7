from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

ENTRIES: int
MAX_CANDIDATES: int

def work_bytes(single: bool, n: int, m: int, q: int, d: int) -> int: ...
def filter_pack(points: Floats, shift: NDArray[Any], filter: Bytes, largest: float) -> bool: ...
def quarter_squares(
    chosen: NDArray[Any],
    points: NDArray[Any],
    n: int,
    between: NDArray[Any],
    least: NDArray[Any],
    quarter: NDArray[Any],
    work: Bytes,
    n_threads: int,
) -> None: ...

class Batch:
    def __init__(
        self,
        single: bool,
        closest: NDArray[Any],
        nearest: NDArray[np.int32],
        sample_weight: Floats | None,
        work: Bytes,
        size: int,
        d: int,
        n_threads: int,
    ) -> None: ...
    def play(
        self, places: Rows, bar: Floats, n: int, taken: Rows, wanted: Rows, m: int, chosen: Rows, n_threads: int
    ) -> tuple[int, int, float]: ...

class Lists(Batch):
    @property
    def n_used(self) -> int: ...
    def keep(
        self,
        distances: Bytes,
        rows: NDArray[np.uint32],
        next: NDArray[np.int32],
        ends: NDArray[np.int32],
        used: Rows,
        listed: Floats,
        gains: Floats,
    ) -> None: ...
    def begin(
        self,
        points: NDArray[Any],
        n: int,
        packed: Bytes,
        filter: Bytes | None,
        shift: NDArray[Any],
        between: NDArray[Any],
        least: NDArray[Any],
        quarter: NDArray[Any],
        largest: float,
    ) -> None: ...
    def find(self, X: NDArray[Any], start: int, n_threads: int) -> bool: ...

class Patches(Batch):
    def keep(self, panels: Bytes, boxes: Bytes, tops: Bytes, order: NDArray[np.uint32], gains: Floats) -> None: ...
    def weigh(self, weight: NDArray[Any]) -> None: ...
    def patch(self, X: NDArray[Any], start: int, given: NDArray[np.uint32] | None, n_threads: int) -> None: ...
    def propose(self, points: NDArray[Any]) -> None: ...
    def choose(self, p: int) -> None: ...
