"""The tutorial's boards: seedable points to cluster, in any dimension.

Only points are made here; nothing is read from a disk or a network.
"""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from ._random import as_generator
from ._validate import check_int, check_real

__all__ = ["init_board", "init_board_gauss"]

RandomState = int | np.random.RandomState | np.random.Generator | None

SPREADS = 0.05, 0.5  # the tutorial's range of standard deviations, on a board of half-width 1
PROPOSALS, STARTS = 100, 10_000  # for one more separated center; of a whole board


def init_board(N: int, *, n_features: int = 2, random_state: RandomState = None) -> NDArray[np.float64]:
    """Draw points uniformly from the board [-1, 1]^n_features: data without clusters.

    Parameters
    ----------
    N : int
        Number of points, at least 1.
    n_features : int
        Dimension of the board, at least 1.
    random_state : int, RandomState, Generator or None
        The same int gives the same points.

    Returns
    -------
    X : float64 array of shape (N, n_features)

    Raises
    ------
    ValueError, TypeError
        ``N`` or ``n_features`` is below 1, or not an integer.

    Examples
    --------
    >>> init_board(3, random_state=0).round(2)
    array([[ 0.27, -0.46],
           [-0.92, -0.97],
           [ 0.63,  0.83]])
    """
    shape = check_int(N, "N", 1), check_int(n_features, "n_features", 1)
    return as_generator(random_state).uniform(-1, 1, shape)


@overload
def init_board_gauss(
    N: int,
    k: int,
    *,
    n_features: int = ...,
    min_separation: float | None = ...,
    random_state: RandomState = ...,
    return_labels: Literal[False] = ...,
) -> NDArray[np.float64]: ...
@overload
def init_board_gauss(
    N: int,
    k: int,
    *,
    n_features: int = ...,
    min_separation: float | None = ...,
    random_state: RandomState = ...,
    return_labels: Literal[True],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]: ...
def init_board_gauss(
    N: int,
    k: int,
    *,
    n_features: int = 2,
    min_separation: float | None = None,
    random_state: RandomState = None,
    return_labels: bool = False,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Draw points from k Gaussians cut to the board [-1, 1]^n_features: data with clusters.

    Each Gaussian has its center uniform in the board and one spread, uniform in [0.05, 0.5], for
    all directions. Clusters may overlap, as in the tutorial, unless `min_separation` is given.

    Parameters
    ----------
    N : int
        Number of points, at least ``k``.
    k : int
        Number of Gaussians, at least 1. Their sizes differ by one point at most.
    n_features : int
        Dimension of the board, at least 1.
    min_separation : float, optional
        Every two centers are at least so many times the sum of their two spreads apart: with 2, circles of
        two spreads about the centers do not meet, with 3 hardly a point is nearer to another Gaussian than to its own.
        Gaussians are drawn one after the other and redrawn until they fit; a board that has no room left is begun anew.
    random_state : int, RandomState, Generator or None
        The same int gives the same points.
    return_labels : bool
        Also return which Gaussian each point was drawn from.

    Returns
    -------
    X : float64 array of shape (N, n_features)
        Ordered by Gaussian.
    labels : int32 array of shape (N,)
        Only with ``return_labels=True``.

    Raises
    ------
    ValueError, TypeError
        A number is below 1 or not an integer, ``k`` exceeds ``N``, or so many separated Gaussians do not fit.

    Examples
    --------
    >>> X, labels = init_board_gauss(7, 3, random_state=0, return_labels=True)
    >>> X.shape, labels
    ((7, 2), array([0, 0, 0, 1, 1, 2, 2], dtype=int32))
    """
    N, k = check_int(N, "N", 1), check_int(k, "k", 1)
    n_features = check_int(n_features, "n_features", 1)
    if k > N:
        raise ValueError(f"k={k} must be <= N={N}.")
    rng = as_generator(random_state)
    labels = np.sort(np.arange(N, dtype=np.int32) % k)
    if min_separation is None:
        centers, widths = rng.uniform(-1, 1, (k, n_features)), rng.uniform(*SPREADS, (k, 1))
    else:
        centers, widths = _separated(k, n_features, check_real(min_separation, "min_separation"), rng)
    means = centers[labels]
    spreads = np.broadcast_to(widths[labels], means.shape)
    X = rng.normal(means, spreads)
    # Coordinates of a round Gaussian are independent: redrawing those that left the board gives the
    # law of redrawing whole points, and each has a chance near 1/2 or better in any dimension.
    while (outside := np.abs(X) > 1).any():
        X[outside] = rng.normal(means[outside], spreads[outside])
    return (X, labels) if return_labels else X


def _separated(
    k: int, n_features: int, min_separation: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw centers and spreads, every two of which are far enough apart."""
    for _ in range(STARTS):
        centers, spreads = np.empty((0, n_features)), np.empty((0, 1))
        while len(centers) < k:
            center, spread = rng.uniform(-1, 1, (PROPOSALS, n_features)), rng.uniform(*SPREADS, (PROPOSALS, 1))
            distances = np.linalg.norm(center[:, None] - centers, axis=2)
            fit = (distances >= min_separation * (spread + spreads.T)).all(axis=1)
            if not fit.any():
                break
            centers, spreads = np.vstack([centers, center[fit][:1]]), np.vstack([spreads, spread[fit][:1]])
        else:
            return centers, spreads
    raise ValueError(
        f"min_separation={min_separation:g} leaves no room for k={k} Gaussians on the board; lower one of them."
    )
