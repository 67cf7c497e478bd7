"""Who sees whom between walls, decided without rounding: all coordinates are int64 and at most 2^29.

Differences are then at most 2^30, a product 2^60, and every sign below is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int64]  # coordinates on the grid, (..., 2)
Flags = NDArray[np.bool_]
MARGIN = 1e-9  # of angles that only choose what the exact tests look at


def cross(u: Grid, v: Grid) -> NDArray[np.int64]:
    """Return the z of u x v: positive where v lies counterclockwise of u."""
    out: NDArray[np.int64] = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return out


def between(first: Grid, last: Grid, towards: Grid) -> Flags:
    """Say which directions (n, 2) lie strictly between two others, counterclockwise from `first`; equal ones: all."""
    turn = cross(first, last)
    if turn > 0:
        return (cross(first, towards) > 0) & (cross(towards, last) > 0)
    if turn == 0 and first @ last < 0:
        return cross(first, towards) > 0
    behind = (cross(last, towards) >= 0) & (cross(towards, first) >= 0)
    if turn == 0:
        behind &= towards @ first > 0
    return np.logical_not(behind)


def is_wide(first: Grid, last: Grid) -> Flags:
    """Say where the angle counterclockwise from `first` to `last` is half a turn or more: where paths may bend."""
    return cross(first, last) <= 0


def bending(first: Grid, last: Grid, towards: Grid) -> Flags:
    """Say in which directions of a wide sector a shortest path may go on that bends around its corner.

    Where it goes on by an angle a from `first`, it came from an angle b of the sector with |a - b| >= half a turn. Of
    the smooth bank of a river this leaves few directions.
    """
    inside = between(first, last, towards)
    if cross(first, last) == 0 and first @ last > 0:  # the free end of a wall
        return inside
    return inside & ~between(-last, -first, towards)


def clear(here: Grid, targets: Grid, walls: Grid) -> Flags:
    """Say which targets (n, 2) no wall (m, 2, 2) hides from `here`; to pass through the end of a wall counts as hidden.

    Takes time for the walls that rays to the targets may cross: angles choose these, exact signs decide.
    """
    seen = np.ones(len(targets), np.bool_)
    start, end = walls[:, 0] - here, walls[:, 1] - here
    turn = cross(start, end)
    start, end = np.where((turn > 0)[:, None], start, end), np.where((turn > 0)[:, None], end, start)
    start, end = start[turn != 0], end[turn != 0]  # a wall that is seen end on hides nothing
    towards = targets - here
    angle = np.arctan2(towards[:, 1], towards[:, 0])
    order = np.argsort(angle)
    turned = np.concatenate([angle[order], angle[order] + 2 * np.pi])
    low, high = np.arctan2(start[:, 1], start[:, 0]), np.arctan2(end[:, 1], end[:, 0])
    begin = np.searchsorted(turned, low - MARGIN)
    count = np.searchsorted(turned, high + np.where(high < low, 2 * np.pi, 0.0) + MARGIN) - begin
    wall = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(wall)) + np.repeat(begin + count - np.cumsum(count), count)
    target = order[place % max(len(order), 1)]
    a, b, q = start[wall], end[wall], towards[target]
    hidden = (cross(a, q) >= 0) & (cross(q, b) >= 0) & (cross(b - a, q - a) < 0)
    seen[target[hidden]] = False
    return seen
