"""Are there clusters at all? Three tests against points without clusters, and one verdict.

`_points.py` prepares a sample, the tests are in `_evidence.py`; this draws references, and judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._random import as_generator
from .._samples import as_samples
from .._validate import as_weight, check_int, check_threads, not_finite
from . import _evidence
from ._points import are_copies, blurred, draw, window

Floats = NDArray[np.float64]

FEWEST_SAMPLES = 10
FEW_DISTINCT, REPEATED = 10, 10  # so few distinct samples, each so often on average, are clusters themselves


@dataclass(frozen=True)
class Evidence:
    """What one test found.

    Attributes
    ----------
    test : str
        "gap", "hopkins" or "dip"; "distinct" where counting distinct samples was enough.
    statistic : float
        Of X: log(W_1 / W_k) at the k that stands out most, Hopkins' statistic, or sqrt(m) times the dip of a viewer's m
        smallest distances (mean over viewers).
    reference : float
        Mean of the statistic over the references.
    p_value : float
        Share of X and its references whose statistic is as large as that of X: 1 / (n_references + 1) at least.
    clustered : bool
        Whether the test speaks for clusters.
    says : str
        The same in words.
    """

    test: str
    statistic: float
    reference: float
    p_value: float
    clustered: bool
    says: str


@dataclass(frozen=True)
class Clusterability:
    """A verdict and its evidence.

    Attributes
    ----------
    has_clusters : bool
    verdict : str
        In a sentence.
    evidence : tuple of Evidence
        What each test found; empty where X is one point many times.
    n_samples, n_used : int
        Samples of X that weigh anything, and how many of them were looked at.
    """

    has_clusters: bool
    verdict: str
    evidence: tuple[Evidence, ...]
    n_samples: int
    n_used: int

    def __repr__(self) -> str:
        """Say the verdict in a line."""
        tests = ", ".join(f"{e.test} p={e.p_value:.2g}" for e in self.evidence)
        return f"Clusterability(has_clusters={self.has_clusters}, {tests or 'no tests'}, n_used={self.n_used})"


def clusterability(
    X: Any,
    *,
    sample_weight: Any = None,
    n_references: int = 19,
    max_samples: int = 2000,
    random_state: Any = None,
    n_threads: int | None = None,
) -> Clusterability:
    """Say whether X has clusters, before any are looked for.

    Three statistics of X are compared with those of uniform points in X's box (its own or that along its principal
    axes, whichever is smaller), each a Monte Carlo test of level 1 / (n_references + 1). X has clusters if all agree:

    - the gap statistic: some k clusters fit X better than one, by more than in any reference;
    - Hopkins' statistic: X is more clumped than any reference;
    - the dip of distances: from samples of X, distances show a valley between near and far that is deeper than in any
      reference, and deeper than the worst distribution with one mode would show.

    One Gaussian is clumped but fails the gap and the dip; a triangle or an outlier can pass the gap but fails the dip;
    a lattice passes the dip but fails the others.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        Real numbers as `kmeans` takes them; at least 10 samples. It is not modified.
    sample_weight : array-like of shape (n_samples,), optional
        0 leaves a sample out. Where a sample of X is drawn, weights are its odds; else they make no difference.
    n_references : int, default 19
        References; more make the tests stricter, and take longer.
    max_samples : int, default 2000
        Of more samples, this many are drawn at random, and only these are read.
    random_state : int, RandomState, Generator or None
        The same value gives the same verdict.
    n_threads : int, optional
        Threads of `kmeans`.

    Returns
    -------
    Clusterability

    Raises
    ------
    TypeError
        For an argument of a wrong kind: sparse X, text.
    ValueError
        For fewer than 10 samples, a value out of range, NaN or infinity among the samples that are read.

    Notes
    -----
    Memory beyond X: 48 max_samples + 6 max_samples min(n_features, 50) + 2 max_samples n_features numbers of 8 bytes
    (a few MB by default), and n_samples numbers where weights are given and a sample is drawn.

    Columns with ties (rounded, or counts) are blurred by half their smallest step: else steps would pass for clusters.
    Of more than 50 features the first 50 principal axes are looked at. Clusters that hold less than some 20 of
    max_samples samples, and such that overlap, are not seen.

    Examples
    --------
    >>> from kmeans_fast import clusterability
    >>> from kmeans_fast.datasets import init_board, init_board_gauss
    >>> clusterability(init_board(500, random_state=0), random_state=0).has_clusters
    False
    >>> clusterability(init_board_gauss(600, 6, random_state=2122), random_state=0).has_clusters
    True
    """
    samples = as_samples(X)
    n_references = check_int(n_references, "n_references", 9)
    max_samples = check_int(max_samples, "max_samples", 100)
    check_threads(n_threads)
    # Not the stream itself: X may well have been drawn from the same seed.
    rng = np.random.default_rng(as_generator(random_state).integers(1 << 63))
    rows, n_samples = draw(samples.n_samples, as_weight(sample_weight, samples.n_samples), max_samples, rng)
    _refuse_few(n_samples, "n_samples")
    points = samples.take(rows)
    if not np.isfinite(points).all():
        row, column = np.argwhere(~np.isfinite(points))[0]
        raise not_finite("X", points[row, column], rows[row], column)
    distinct = np.unique(points, axis=0)
    if len(distinct) <= min(FEW_DISTINCT, len(points) // REPEATED):
        return _few(len(distinct), n_samples, len(points))
    if are_copies(distinct):
        points = distinct
    _refuse_few(len(points), "distinct samples")
    evidence = _test(window(blurred(points, rng)), n_references, rng, n_threads)
    return _judge(evidence, n_samples, len(rows))


def _refuse_few(count: int, what: str) -> None:
    if count < FEWEST_SAMPLES:
        raise ValueError(f"{what}={count} must be >= {FEWEST_SAMPLES}: clusters of fewer can't be told from chance.")


def _test(
    X: Floats, n_references: int, rng: np.random.Generator, n_threads: int | None
) -> tuple[Evidence, Evidence, Evidence]:
    """Compare X with uniform points in its box, by each test."""
    low, high = X.min(axis=0), X.max(axis=0)
    gains = _evidence.gains(X, n_references, rng, n_threads)
    dips, clumps = [], []
    for which in range(n_references + 1):
        points = X if which == 0 else rng.uniform(low, high, X.shape)
        dips.append(_evidence.viewers_dips(points, rng))
        clumps.append(_evidence.hopkins(points, rng))
    return _gap(gains, len(X)), _hopkins(np.array(clumps)), _dip(np.array(dips), len(X))


def _rank(values: Floats) -> tuple[float, int]:
    """Return the p-value of row 0 among all rows, and the scale (column) at which it stands out most.

    Each column is put in units of its spread, row 0 included, so that all rows are treated alike: the rank is exact.
    """
    spread = values.std(axis=0)
    z = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    most = z.max(axis=1)
    return float(np.mean(most >= most[0])), int(z[0].argmax())


def _gap(values: Floats, n_samples: int) -> Evidence:
    p, at = _rank(values)
    k, here, there = _evidence.cluster_numbers(n_samples)[at], float(values[0, at]), float(values[1:, at].mean())
    clustered = p <= 1 / len(values)
    says = (
        "several clusters fit better than one, by more than in uniform points"
        if clustered
        else "no number of clusters fits better than it would fit uniform points"
    )
    figures = f"most at k={k}: log W falls by {here:.3g}, there by {there:.3g}"
    return Evidence("gap", here, there, p, clustered, f"{says} ({figures})")


def _hopkins(values: Floats) -> Evidence:
    p, _ = _rank(values)
    here, there = float(values[0, 0]), float(values[1:].mean())
    clustered = p <= 1 / len(values)
    says = "more clumped than uniform points" if clustered else "no more clumped than uniform points"
    return Evidence("hopkins", here, there, p, clustered, f"{says} (H={here:.3g}, there {there:.3g})")


def _dip(values: Floats, n_samples: int) -> Evidence:
    p, at = _rank(values)
    here, there = float(values[0, at]), float(values[1:, at].mean())
    least = _evidence.unimodal_dips(n_samples)[at]
    clustered = bool(p <= 1 / len(values) and here > least)
    says = "valleys between near and far samples" if clustered else "no valleys between near and far samples"
    m = _evidence.neighbourhoods(n_samples)[at]
    return Evidence(
        "dip", here, there, p, clustered, f"{says} (dip {here:.3g}, there {there:.3g}, of {m} distances each)"
    )


def _few(distinct: int, n_samples: int, n_used: int) -> Clusterability:
    """Judge X by its few distinct samples."""
    if distinct == 1:
        return Clusterability(False, "X has no clusters: all samples are the same point.", (), n_samples, n_used)
    says = f"{distinct} distinct samples, each {n_used / distinct:.3g} times on average"
    evidence = Evidence("distinct", distinct, float("nan"), 0.0, True, says)
    return Clusterability(True, f"X has clusters: only {says}.", (evidence,), n_samples, n_used)


def _judge(evidence: tuple[Evidence, ...], n_samples: int, n_used: int) -> Clusterability:
    """Join the tests: clusters only if all say so."""
    against = [e for e in evidence if not e.clustered]
    where = "" if n_used == n_samples else f" (in {n_used:,} of {n_samples:,} samples)"
    if not against:
        return Clusterability(
            True, f"X has clusters{where}: gap, Hopkins' statistic and dip agree.", evidence, n_samples, n_used
        )
    reasons = "; ".join(f"{e.test}: {e.says}" for e in against)
    return Clusterability(False, f"X has no clusters{where}. {reasons}.", evidence, n_samples, n_used)
