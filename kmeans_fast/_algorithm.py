"""Which assignment step makes the next pass: dense, dense with bounds made, or pruned by bounds.

Every choice gives the same labels; only time and memory differ.
"""

from __future__ import annotations

from ._lloyd import Lloyd
from ._samples import Samples

DENSE, BOUND, PRUNE = range(3)  # as in src/_lloyd.pyx

ALGORITHMS = ("auto", "lloyd", "yinyang")

# Measured with `make bench`: below these a dense pass is cheaper than looking after bounds.
MIN_FEATURES = 9  # fewer stay in registers, and a score costs no more than a bound
MIN_CLUSTERS = 48
PAYS = 0.9  # share of the distances above which looking after bounds costs more than it saves
MAX_BOUNDS_SHARE_OF_X = 1.0  # "auto" keeps bounds up to the size of X


def wants_bounds(algorithm: str, samples: Samples, n_clusters: int, bounds_bytes: int) -> bool:
    """Say whether a fit keeps bounds."""
    if algorithm != "auto":
        return algorithm == "yinyang"
    x_bytes = samples.n_samples * samples.n_features * samples.dtype.itemsize
    pays = samples.n_features >= MIN_FEATURES and n_clusters >= MIN_CLUSTERS
    return pays and bounds_bytes <= MAX_BOUNDS_SHARE_OF_X * x_bytes


class Schedule:
    """Modes of the passes of one run: bounds that fail again and again are left alone for ever longer."""

    def __init__(self, engine: Lloyd, bounds: bool) -> None:
        self.engine, self.bounds = engine, bounds
        self.rest = self.failures = 0
        self.tried = False

    def next(self) -> int:
        """Return the mode of the next pass."""
        if not self.bounds:
            return DENSE
        if self.rest > 0:
            self.rest -= 1
            return DENSE
        self.tried = self.engine.bounded
        return PRUNE if self.tried else BOUND

    def learn(self, mode: int) -> None:
        """Take in the mode that a pass ended in: BOUND where PRUNE was tried says that bounds did not pay."""
        if mode == PRUNE:
            self.failures = 0
        elif mode == BOUND and self.tried:
            self.failures += 1
            self.rest = 2**self.failures // 4  # 0, 1, 2, 4 ...
