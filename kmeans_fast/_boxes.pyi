from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

def sizes(single: bool, n: int, d: int, k: int, leaf: int) -> tuple[int, int, int, int, int]: ...

class Order:
    def __init__(
        self,
        leaf: int,
        block_rows: int,
        order: NDArray[np.uint32],
        copy: Bytes,
        boxes: Bytes,
        bricks: Bytes,
        leaves: Bytes,
        sorted: NDArray[np.uint16],
    ) -> None: ...
    @property
    def leaf(self) -> int: ...

class Boxes:
    def __init__(
        self,
        order: Order,
        single: bool,
        n_threads: int,
        planes: Bytes,
        work: Bytes,
        moved: NDArray[np.float32],
        last_centroids: NDArray[np.float64],
        counts: NDArray[np.int64],
    ) -> None: ...
    @property
    def n_scored(self) -> int: ...
    def reset(self) -> None: ...
    def begin(self, centroids: NDArray[np.float64], packed: Bytes) -> None: ...
    def finish(self, centroids: NDArray[np.float64]) -> None: ...
    def label(
        self,
        block: NDArray[Any],
        start: int,
        shift: Bytes,
        labels: NDArray[np.int32],
        old_labels: NDArray[np.int32],
        changed: Bytes | None,
    ) -> int: ...
    def relabel(self, i: int, label: int) -> None: ...
