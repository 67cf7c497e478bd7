"""Crossings moved onto the walls that they open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.ops import substring

from ._inputs import Floats
from ._lattice import TOUCH, Lattice
from ._sight import Grid

STRETCH = 4.0  # tolerances from its end in which a bridge that crosses a wall is taken to end beyond that wall


@dataclass
class End:
    """Where a crossing is entered; on a wall from all sides but the one that a bridge leads over, `inwards`."""

    place: Grid
    on_wall: bool
    inwards: Grid | None


@dataclass
class Crossing:
    """A point, which has one end, or a bridge between two, of a length in the caller's unit."""

    ends: list[End]
    length: float = 0.0


class Fastener:
    """Moves crossings onto the nearest wall within a tolerance."""

    def __init__(self, lattice: Lattice, walls: Grid, area: Any, tolerance: float) -> None:
        self.lattice, self._allowed = lattice, f"tolerance={tolerance:.6g}"
        self.tree = shapely.STRtree(shapely.linestrings(walls))
        self.area = shapely.transform(shapely.Polygon() if area is None else area, lattice.scale)
        self.reach = max(tolerance / lattice.unit, TOUCH)

    def fasten(self, name: str, vertices: Floats) -> Crossing:
        """Return a point on its wall, or a bridge whose ends lie on walls or on land."""
        track = self.lattice.scale(vertices)
        return self._point(name, track[0]) if len(track) == 1 else self._bridge(name, track)

    def _nearest(self, place: Floats) -> tuple[float, Floats]:
        """Return the distance to the nearest wall, and the point of the grid there."""
        if not len(self.tree.geometries):
            return np.inf, place
        point = shapely.Point(place)
        wall = self.tree.geometries[self.tree.nearest(point)]
        spot = wall.interpolate(wall.project(point))
        return float(wall.distance(point)), np.round(shapely.get_coordinates(spot)[0])

    def _point(self, name: str, place: Floats) -> Crossing:
        distance, spot = self._nearest(place)
        if distance > self.reach:
            apart = f"{distance * self.lattice.unit:.6g}"
            raise ValueError(f"{name} is {apart} from the nearest barrier and must be within {self._allowed}.")
        if self.area.boundary.distance(shapely.Point(spot)) <= TOUCH:
            raise ValueError(f"{name} is a point on the rim of a polygon and must be a line from shore to shore.")
        return Crossing([End(spot.astype(np.int64), True, None)])

    def _bridge(self, name: str, track: Floats) -> Crossing:
        line, moved = shapely.LineString(track), track.copy()
        ends, part = [], min(line.length / 2, STRETCH * self.reach)
        for at, stretch in ((0, substring(line, 0.0, part)), (-1, substring(line, -part, line.length))):
            distance, spot = self._nearest(track[at])
            # The wall near an end is the one it belongs on, unless the bridge crosses a wall right there.
            on_wall = distance <= TOUCH or (distance <= self.reach and not self._meets(stretch))
            if on_wall:
                moved[at] = spot
            elif self.area.contains(shapely.Point(track[at])):
                raise ValueError(f"{name} ends inside a polygon and must end within {self._allowed} of its rim.")
            ends.append((at, on_wall))
        if not any(on_wall for _, on_wall in ends) and not self._meets(line):
            raise ValueError(f"{name} crosses no barrier and must cross one, or end within {self._allowed} of it.")
        grid = np.round(moved).astype(np.int64)
        inwards = {0: grid[1] - grid[0], -1: grid[-2] - grid[-1]}
        length = float(np.hypot(*np.diff(self.lattice.place(moved), axis=0).T).sum())
        return Crossing([End(grid[at], on_wall, inwards[at]) for at, on_wall in ends], length)

    def _meets(self, line: Any) -> bool:
        return len(self.tree.query(line, predicate="intersects")) > 0
