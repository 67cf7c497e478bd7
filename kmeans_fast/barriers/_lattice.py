"""An integer grid over the map: signs of areas on it are exact (_sight.py)."""

from __future__ import annotations

import numpy as np

from ._inputs import Floats
from ._sight import Grid

BITS = 30  # of the extent; _sight.py allows no more
TOUCH = 4.0  # units of the grid: what is this near to a wall lies on it


class Lattice:
    """An integer grid over everything: unit and origin are such that short binary fractions stay exact."""

    def __init__(self, coordinates: Floats) -> None:
        low, high = coordinates.min(axis=0), coordinates.max(axis=0)
        self.extent = float((high - low).max()) or 1.0
        self.unit = 2.0 ** (np.ceil(np.log2(self.extent)) - BITS)
        self.origin = np.round((low + high) / 2 / self.unit) * self.unit

    def scale(self, coordinates: Floats) -> Floats:
        """Measure in units from the origin, without rounding to the grid."""
        return np.asarray((coordinates - self.origin) / self.unit)

    def snap(self, coordinates: Floats) -> Grid:
        """Round to the grid."""
        return np.round(self.scale(coordinates)).astype(np.int64)

    def place(self, grid: Grid) -> Floats:
        """Return coordinates as the caller has them."""
        return np.asarray(self.origin + self.unit * grid)

    def segments(self, lines: list[Floats]) -> Floats:
        """Return the pieces of lines between their vertices, (m, 2, 2), not yet rounded."""
        pieces = [pairs(self.scale(line)) for line in lines]
        return np.concatenate([np.empty((0, 2, 2)), *pieces])


def pairs(line: Floats) -> Floats:
    """Return each vertex with the next, (n - 1, 2, 2)."""
    return np.stack([line[:-1], line[1:]], axis=1)
