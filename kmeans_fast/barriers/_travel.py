"""Shortest paths around walls: first legs from the points, the graph of nodes between them, last legs."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from scipy.sparse.csgraph import csgraph_from_dense, dijkstra

from .._validate import check_real
from ._crossings import Fastener
from ._inputs import Floats, as_barriers, as_crossings, as_points
from ._lattice import TOUCH, Lattice
from ._sight import Grid, clear
from ._walls import Edge, Node, cut, noded, nodes

TOLERANCE = 1e-3  # of the extent: a bridge is drawn within 10 m of its river on a map of 10 km
BLOCK = 100  # nodes from which one call finds shortest paths


def travel_distance(
    points: Any,
    barriers: Any,
    crossings: Any = (),
    *,
    to: Any = None,
    tolerance: float | None = None,
    unreachable: str = "error",
) -> Floats:
    """Return walking distances between points, where barriers are crossed at crossings alone.

    Paths are straight but for the ends and corners of barriers, and may run along a barrier. They go round a barrier's
    free end. The result is exact up to 1e-9 of the map's extent.

    Parameters
    ----------
    points : array-like of shape (n, 2)
        Places in plane coordinates (metres, say; not degrees); shapely Points and GeoSeries are places too.
    barriers : shapely geometry, array-like of shape (m, 2), or sequence of these
        Rivers, railways, walls: lines, as geometries or arrays of vertices. They may touch, cross and overlap. A
        Polygon is a lake: nobody walks in it (holes are islands); an array or line that ends where it begins is a wall
        around land.
    crossings : shapely geometry, array-like of shape (c, 2), or sequence of these
        A point opens the nearest barrier, at the nearest place on it; where two barriers cross there, both. A line, or
        an array of two or more vertices, is a bridge, walked from end to end over whatever lies below it; an end on a
        barrier is entered from the side that the bridge does not lead over. A polygon is crossed by lines alone.
    to : array-like of shape (m, 2), optional
        Where to; by default from all points to all points.
    tolerance : float, optional
        How far a point, or the end of a line, may lie from its barrier; by default 1e-3 of the extent. An end is moved
        onto the barrier unless the bridge crosses one less than 4 tolerances away, and in its first half.
    unreachable : {"error", "inf"}, default "error"
        What to do where no path leads.

    Returns
    -------
    float64 array of shape (n, n), or (n, m) with `to`
        Symmetric without `to`, with zeros on the diagonal, and never less than the straight distance.

    Raises
    ------
    TypeError
        For geometries of another kind and things that are not numbers.
    ValueError
        For a point on a barrier (nearer than 4e-9 of the extent) or inside a polygon, a crossing without a barrier,
        points that no path joins (the message names one), NaN and infinity.

    Notes
    -----
    Memory: 8 bytes a pair for the result (n = 10000: 800 MB; with `to` n m) and 2 more to look for points that are cut
    off; 8 s (2 n + m + 3 s), where s counts corners, free ends and crossings. Time grows with (n + s)^2 times the
    barriers that a ray meets; 2000 points and 200 pieces of barriers take a second.

    Shortest paths among obstacles are polygonal, with bends at corners alone: T. Lozano-Perez and M. Wesley, "An
    algorithm for planning collision-free paths among polyhedral obstacles", Communications of the ACM 22 (1979).

    Examples
    --------
    A river along the y axis, with a bridge at its origin:

    >>> from kmeans_fast.barriers import travel_distance
    >>> travel_distance([[-3, 4], [3, 4]], [[0, -10], [0, 10]], [[0, 0]]).tolist()
    [[0.0, 10.0], [10.0, 0.0]]
    """
    starts = as_points(points, "points")
    targets = None if to is None else as_points(to, "to")
    lines, area = as_barriers(barriers)
    spans = as_crossings(crossings)
    if unreachable not in ("error", "inf"):
        raise ValueError(f"unreachable={unreachable!r} must be 'error' or 'inf'.")
    lattice = Lattice(np.concatenate([starts, *lines, *(s for _, s in spans), *([] if to is None else [targets])]))
    tolerance = TOLERANCE * lattice.extent if tolerance is None else check_real(tolerance, "tolerance")
    walls = noded(lattice.segments(lines))
    _check_on_land(starts, "points", lattice, walls, area)
    if targets is not None:
        _check_on_land(targets, "to", lattice, walls, area)
    fastener = Fastener(lattice, walls, area, tolerance)
    fastened = [fastener.fasten(name, vertices) for name, vertices in spans]
    spots = [end.place for crossing in fastened for end in crossing.ends if end.on_wall]
    if spots:
        walls = noded(cut(walls, np.array(spots)))
    bends, edges = nodes(lattice, walls, fastened)
    out = _shortest(lattice, walls, bends, edges, starts, targets)
    if unreachable == "error":
        _check_reached(out, targets is None)
    return out


def _check_on_land(points: Floats, name: str, lattice: Lattice, walls: Grid, area: Any) -> None:
    places = shapely.points(lattice.scale(points))
    on_wall, _ = shapely.STRtree(shapely.linestrings(walls)).query(places, "dwithin", distance=TOUCH)
    wet: Any = [] if area is None else np.flatnonzero(shapely.contains_xy(area, points))
    for rows, what in ((on_wall, "lies on a barrier and must lie on one side of it"), (wet, "lies inside a polygon")):
        if len(rows):
            row = int(np.min(rows))
            raise ValueError(f"{name}[{row}] = {tuple(points[row].tolist())} {what}.")


def _check_reached(travel: Floats, square: bool) -> None:
    """Name a point from which no path leads to others."""
    lost = np.isinf(travel)
    if not lost.any():
        return
    if not square:
        row, column = np.argwhere(lost)[0]
        raise ValueError(f"points[{row}] can't reach to[{column}]: add a crossing, or pass unreachable='inf'.")
    part = (~lost).argmax(axis=1)  # the first point of each part of the map
    main = np.bincount(part).argmax()
    away = np.flatnonzero(part != main)
    raise ValueError(
        f"points[{away[0]}] is cut off by barriers from most others ({len(away)} of {len(part)} points are): add a "
        "crossing, or pass unreachable='inf'."
    )


def _shortest(
    lattice: Lattice, walls: Grid, bends: list[Node], edges: list[Edge], starts: Floats, targets: Floats | None
) -> Floats:
    """Return the lengths of shortest paths, a column a target; without targets the upper triangle, mirrored."""
    ends = starts if targets is None else targets
    on_grid, ends_on_grid = lattice.snap(starts), lattice.snap(ends)
    between = _between(lattice, walls, bends, edges)
    first = _legs(lattice, walls, bends, starts)
    last = first if targets is None else _legs(lattice, walls, bends, ends)
    # From each node to each start: over the nodes that the start sees.
    reach = np.full((len(bends), len(starts)), np.inf)
    for i in range(len(starts)):
        near = np.flatnonzero(np.isfinite(first[:, i]))
        if len(near):
            reach[:, i] = (between[near] + first[near, i, None]).min(axis=0)
    out = np.zeros((len(starts), len(ends)))
    for j in range(len(ends)):
        stop = j if targets is None else len(starts)
        straight = np.hypot(*(starts[:stop] - ends[j]).T)
        near = np.flatnonzero(np.isfinite(last[:, j]))
        seen = clear(ends_on_grid[j], on_grid[:stop], walls)
        column = (reach[near, :stop] + last[near, j, None]).min(axis=0, initial=np.inf)
        out[:stop, j] = np.where(seen, straight, np.maximum(column, straight))
        if targets is None:
            out[j, :stop] = out[:stop, j]
    return out


def _legs(lattice: Lattice, walls: Grid, bends: list[Node], places: Floats) -> Floats:
    """Return the straight distance of each node to each place, (s, n); infinite where the node does not see it."""
    on_grid, out = lattice.snap(places), np.full((len(bends), len(places)), np.inf)
    for row, node in zip(out, bends, strict=True):
        seen = node.sees(on_grid, walls)
        row[seen] = np.hypot(*(places[seen] - lattice.place(node.place)).T)
    return out


def _between(lattice: Lattice, walls: Grid, bends: list[Node], edges: list[Edge]) -> Floats:
    """Return the length of shortest paths between nodes, (s, s)."""
    if not bends:
        return np.empty((0, 0))
    legs = _legs(lattice, walls, bends, lattice.place(np.array([node.place for node in bends])))
    legs = np.maximum(legs, legs.T)  # each must see the other
    for i, j, length in edges:
        legs[i, j] = legs[j, i] = min(legs[i, j], length)
    graph = csgraph_from_dense(legs, null_value=np.inf)
    blocks = np.split(np.arange(len(legs)), range(BLOCK, len(legs), BLOCK))  # Ctrl-C is seen between them
    return np.concatenate([dijkstra(graph, indices=block) for block in blocks])
