from typing import Any

import numpy as np
from numpy.typing import NDArray

def sizes(single: bool, n_samples: int, k: int, d: int) -> tuple[int, int, int, int]: ...

class Grid:
    pointer: Any
    def __init__(
        self,
        single: bool,
        k: int,
        d: int,
        bits: int,
        cells: NDArray[np.uint32],
        lists: NDArray[np.uint8],
        work: NDArray[np.uint8],
    ) -> None: ...
    def build(self, packed: NDArray[np.uint8]) -> None: ...
