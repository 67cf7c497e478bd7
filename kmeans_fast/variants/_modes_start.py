"""Where k-modes and k-prototypes begin: rows of X, chosen by their categories, their distances, or at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._problem import Floats
from ._huang import Mixed, Start

Rows = NDArray[np.intp]


def choose_start(problem: Mixed, init: str, rng: np.random.Generator) -> Start:
    """Return the prototypes of a named method; all of them are samples."""
    rows = METHODS[init](problem, rng)
    return Start(problem.codes[rows].astype(np.int64), problem.numbers[rows])


def plusplus(problem: Mixed, rng: np.random.Generator) -> Rows:
    """Draw each next row with a probability in proportion to its distance to those drawn before.

    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007; a mismatch counts as the
    squared distance that it is.
    """
    weight = _weight(problem)
    rows = [_draw(weight, rng)]
    closest = np.full(problem.n_samples, np.inf)
    for _ in range(problem.n_clusters - 1):
        chances = problem.far(rows[-1], closest) * weight
        # Fewer distinct rows than clusters: any row but those that were drawn.
        chances = chances if chances.any() else np.where(np.isin(np.arange(len(weight)), rows), 0.0, weight)
        rows.append(_draw(chances, rng))
    return np.array(rows)


def random_rows(problem: Mixed, rng: np.random.Generator) -> Rows:
    """Draw distinct rows, all alike likely."""
    return rng.choice(np.flatnonzero(_weight(problem)), problem.n_clusters, replace=False)


def huang(problem: Mixed, rng: np.random.Generator) -> Rows:
    """Draw modes by the frequencies of each column, and take the nearest row to each that equals none before it.

    Z. Huang, Data Mining and Knowledge Discovery 2(3), 1998, as the package kmodes reads it.
    """
    problem = categories_alone(problem)
    weight = _weight(problem)
    cumulated = np.cumsum(weight)
    drawn = np.searchsorted(
        cumulated, rng.random((problem.n_clusters, problem.codes.shape[1])) * cumulated[-1], "right"
    )
    taken = np.full(problem.n_samples, np.inf)
    rows: list[int] = []
    for places in drawn:
        mode = np.array([problem.codes[row, f] for f, row in enumerate(places)], np.int64)
        apart = problem.far(0, np.full(problem.n_samples, np.inf), mode=mode)
        apart[weight == 0.0] = np.inf
        free = np.where(taken > 0.0, apart, np.inf)
        rows.append(int(np.argmin(free if np.isfinite(free).any() else apart)))
        problem.far(rows[-1], taken)
    return np.array(rows)


def cao(problem: Mixed, rng: np.random.Generator) -> Rows:
    """Take the densest row, and then the one whose density times distance to those before it is greatest.

    F. Cao, J. Liang, L. Bai, "A new initialization method for categorical data clustering", Expert Systems with
    Applications 36(7), 2009. Nothing is random.
    """
    problem = categories_alone(problem)
    weight, n_columns = _weight(problem), problem.codes.shape[1]
    density = np.zeros(problem.n_samples)
    for f in range(n_columns):
        density += np.bincount(problem.codes[:, f], weight)[problem.codes[:, f]] / weight.sum() / n_columns
    density[weight == 0.0] = 0.0
    rows = [int(np.argmax(density))]
    closest = np.full(problem.n_samples, np.inf)
    for _ in range(problem.n_clusters - 1):
        rows.append(int(np.argmax(problem.far(rows[-1], closest) * density)))
    return np.array(rows)


def categories_alone(problem: Mixed) -> Mixed:
    """Return the same samples without their numbers."""
    if problem.numbers.shape[1] == 0:
        return problem
    none = np.empty((problem.n_samples, 0))
    return Mixed(problem.codes, none, problem.offsets, problem.n_clusters, 1.0, problem.weight, problem.n_threads)


METHODS = {"k-means++": plusplus, "random": random_rows, "huang": huang, "cao": cao}


def _weight(problem: Mixed) -> Floats:
    return np.ones(problem.n_samples) if problem.weight is None else problem.weight


def _draw(chances: Floats, rng: np.random.Generator) -> int:
    """Draw a row; one with no chance is never drawn."""
    cumulated = np.cumsum(chances)
    place = int(np.searchsorted(cumulated, rng.random() * cumulated[-1], "right"))
    return min(place, int(np.flatnonzero(chances)[-1]))
