"""Barriers as walls on a fine grid, and the places where paths may bend.

Shapely puts all lines on an integer grid and cuts them where they meet ("snap rounding"; Hobby, "Practical segment
intersection with finite precision output", Computational Geometry 13, 1999). Walls then share ends or nothing. Around
each end they bound sectors; a node is one sector of half a turn or more, where a shortest path may bend, or several
sectors that a crossing opens to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from ._crossings import Crossing, End
from ._inputs import Floats
from ._lattice import Lattice, pairs
from ._sight import Flags, Grid, bending, between, clear, is_wide


@dataclass
class Node:
    """A place where paths may bend, with the sectors that it looks into, as pairs of directions; None: all round."""

    place: Grid
    sectors: list[tuple[Grid, Grid]] | None
    is_open: bool  # paths come in by a crossing, too, and may go on anywhere

    def sees(self, targets: Grid, walls: Grid) -> Flags:
        """Say which targets lie where a path may go on, and behind no wall."""
        if self.sectors is None:
            return clear(self.place, targets, walls)
        look = between if self.is_open else bending
        seen = np.any([look(*sector, targets - self.place) for sector in self.sectors], axis=0)
        seen[seen] = clear(self.place, targets[seen], walls)
        return np.asarray(seen)


Edge = tuple[int, int, float]  # from, to, length in the caller's unit


def noded(segments: Floats) -> Grid:
    """Round segments to the grid and cut them where they meet, each piece once."""
    if not len(segments):
        return np.empty((0, 2, 2), np.int64)
    union = shapely.union_all(shapely.linestrings(segments), grid_size=1.0)
    pieces = [pairs(shapely.get_coordinates(line)) for line in shapely.get_parts(union)]
    walls = np.concatenate(pieces).astype(np.int64) if pieces else np.empty((0, 2, 2), np.int64)
    return np.asarray(walls[(walls[:, 0] != walls[:, 1]).any(axis=1)])


def cut(walls: Grid, spots: Floats) -> Floats:
    """Cut each spot's nearest wall there."""
    lines, points = shapely.linestrings(walls), shapely.points(spots)
    _, nearest = shapely.STRtree(lines).query_nearest(points, all_matches=False)
    along = shapely.line_locate_point(lines[nearest], points, normalized=True)
    owner = np.concatenate([np.arange(len(walls)), np.arange(len(walls)), nearest])
    along = np.concatenate([np.zeros(len(walls)), np.ones(len(walls)), along])
    order = np.lexsort((along, owner))
    places = np.concatenate([walls[:, 0], walls[:, 1], spots])[order]
    inside = np.diff(owner[order]) == 0
    return np.asarray(pairs(places.astype(np.float64))[inside])


def nodes(lattice: Lattice, walls: Grid, crossings: list[Crossing]) -> tuple[list[Node], list[Edge]]:
    """Return the nodes, and the edges that sight does not tell: along each side of a wall, and over bridges.

    Sector h lies counterclockwise of half h of a wall; halves h and h + m, modulo 2 m, are one wall from both ends.
    """
    starts = np.concatenate([walls[:, 0], walls[:, 1]])
    towards = np.concatenate([walls[:, 1], walls[:, 0]]) - starts
    following, preceding = _around(starts, towards)
    group, is_open = np.arange(len(starts)), np.zeros(len(starts), np.bool_)
    opened = [_open(starts, towards, following, group, is_open, end) for crossing in crossings for end in crossing.ends]
    kept = is_open | is_wide(towards, towards[following])
    used, node_of = np.unique(group[kept], return_inverse=True)
    index = np.full(len(starts), -1)
    index[kept] = node_of
    found = []
    for g in used:
        members = np.flatnonzero(group == g)
        found.append(Node(starts[g], [(towards[h], towards[following[h]]) for h in members], bool(is_open[g])))
    other = preceding[np.roll(np.arange(len(starts)), len(walls))]  # the same side of the wall at its other end
    lengths = lattice.unit * np.hypot(*towards.T.astype(np.float64))
    both = np.flatnonzero((index >= 0) & (index[other] >= 0))
    edges = [(int(index[h]), int(index[other[h]]), float(lengths[h])) for h in both]
    at = iter(opened)
    for crossing in crossings:
        ends = []
        for end in crossing.ends:
            sector = next(at)
            if sector is None:
                found.append(Node(end.place, None, True))
            ends.append(len(found) - 1 if sector is None else int(index[sector]))
        if len(ends) == 2:
            edges.append((ends[0], ends[1], crossing.length))
    return found, edges


def _around(starts: Grid, towards: Grid) -> tuple[Any, Any]:
    """Return, for each half of a wall, the next one around their common end, counterclockwise, and the one before."""
    _, vertex = np.unique(starts, axis=0, return_inverse=True)
    vertex = vertex.ravel()
    order = np.lexsort((np.arctan2(towards[:, 1], towards[:, 0]), vertex))
    first = np.searchsorted(vertex[order], vertex[order])  # where each vertex begins in the order
    last = np.append(np.diff(vertex[order]) != 0, True)[: len(order)]
    following = np.empty(len(order), np.intp)
    following[order] = np.where(last, order[first], np.roll(order, -1))
    preceding = np.empty_like(following)
    preceding[following] = np.arange(len(order))
    return following, preceding


def _open(starts: Grid, towards: Grid, following: Any, group: Any, is_open: Any, end: End) -> int | None:
    """Open the sectors at the end of a crossing to each other, but not the one that a bridge leads over."""
    if not end.on_wall:
        return None
    sectors = np.flatnonzero((starts == end.place).all(axis=1))
    if end.inwards is not None:
        over = [bool(between(towards[h], towards[following[h]], end.inwards)) for h in sectors]
        if not all(over):
            sectors = sectors[~np.array(over)]
    joined = np.isin(group, group[sectors])
    group[joined] = group[joined].min()
    is_open |= joined
    return int(sectors[0])
