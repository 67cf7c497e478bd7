"""Hartigan's dip: how far a sample is from every distribution with one mode. Knows no clusters.

Source: J. A. Hartigan, P. M. Hartigan, "The dip test of unimodality", The Annals of Statistics 13 (1985); written from
the definition there: convex minorants and concave majorants on a shrinking interval.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

Floats = NDArray[np.float64]

ROUNDING = 1e-12  # of a distribution function: nearer than this, a hull touches it


def dip(x: Floats) -> float:
    """Return the largest distance between the sample's distribution function and the nearest unimodal one.

    Parameters
    ----------
    x : float64 array of shape (n,)
        Finite, in any order, n >= 1.

    Returns
    -------
    float
        From 1 / (2 n) to 1/4. Twice the dip of tied values counts the tie as a jump, as the definition does.

    Notes
    -----
    O(n log n) time for the sort, O(n) memory.
    """
    values, counts = np.unique(x, return_counts=True)
    upper = np.cumsum(counts) / len(x)  # the distribution function after its jumps, and before them
    lower = upper - counts / len(x)
    twice = 1.0 / len(x)
    first, last = 0, len(values) - 1
    while first < last:
        at = slice(first, last + 1)
        below, above = _minorant(values[at], lower[at]), -_minorant(values[at], -upper[at])
        apart = above - below
        widest = int(apart.argmax())
        if apart[widest] <= twice:
            break  # one straight line within this dip joins the hulls: the modal interval
        low, high = _knots(widest, lower[at] - below, above - upper[at])
        # Left of the modal interval the function must be convex, right of it concave.
        outside = (upper[at] - below)[: low + 1].max(), (above - lower[at])[high:].max()
        twice = max(twice, *outside)
        if (low, high) == (0, last - first):
            break
        first, last = first + low, first + high
    return float(twice / 2)


def _minorant(x: Floats, y: Floats) -> Floats:
    """Return the greatest convex minorant of the points (x, y) at each x: its slopes are those of y made to rise."""
    widths = np.diff(x)
    slopes = isotonic_regression(np.diff(y) / widths, weights=widths).x
    return np.concatenate((y[:1], y[0] + np.cumsum(slopes * widths)))


def _knots(widest: int, over_minorant: Floats, under_majorant: Floats) -> tuple[int, int]:
    """Return the knots, of the minorant on the left and the majorant on the right, around the widest gap."""
    if over_minorant[widest] <= ROUNDING:
        knots = np.flatnonzero(under_majorant <= ROUNDING)
        return widest, int(knots[np.searchsorted(knots, widest)])
    knots = np.flatnonzero(over_minorant <= ROUNDING)
    return int(knots[np.searchsorted(knots, widest, side="right") - 1]), widest
