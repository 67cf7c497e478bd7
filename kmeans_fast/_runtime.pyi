from typing import Final

kernels: Final[object]
isa: Final[str]
openmp: Final[bool]
compiler: Final[str]

def runnable_isas() -> tuple[str, ...]: ...
def available_threads() -> int: ...
def choose_threads(n_threads: int | None, work: float) -> int: ...
