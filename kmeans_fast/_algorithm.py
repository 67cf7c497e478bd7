"""Which assignment step makes the next pass: dense, dense with bounds made, or pruned by bounds.

Every choice gives the same labels; only time and memory differ.
"""

from __future__ import annotations

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
    """Modes of the passes of one run: bounds that did not pay are left alone for twice as many passes each time."""

    def __init__(self, bounds: bool) -> None:
        self.bounds, self.bounded = bounds, False
        self.rest, self.patience = 0, 1

    def next(self) -> int:
        """Return the mode of the next pass."""
        if not self.bounds:
            return DENSE
        if self.bounded:
            return PRUNE
        if self.rest > 0:
            self.rest -= 1
            return DENSE
        self.bounded = True
        return BOUND

    def learn(self, mode: int, share: float) -> None:
        """Take in what share of the distances a pass computed."""
        if mode == PRUNE and share > PAYS:
            self.bounded = False
            self.rest, self.patience = self.patience - 1, 2 * self.patience
