"""Round Gaussians of their own widths, begun where k-means ended: their likelihood prices a number of clusters.

k-means draws borders halfway between centroids, so of two clusters of unequal width the narrow one gets a rim of the
wide one. A mixture corrects that, and its integrated completed likelihood (ICL) charges for clusters that overlap: two
halves of one cluster cost more than they explain.

Sources: C. Biernacki, G. Celeux, G. Govaert, "Assessing a mixture model for clustering with the integrated completed
likelihood", IEEE Transactions on Pattern Analysis and Machine Intelligence 22 (2000); the prior that keeps widths from
0: C. Fraley, A. Raftery, "Bayesian regularization for normal mixture estimation and model-based clustering", Journal
of Classification 24 (2007).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_ITER, TOL = 200, 1e-5  # rounds; gain in log likelihood a sample that ends them


class Mixture(NamedTuple):
    """A fitted mixture and what it costs; lower `icl` is better."""

    shares: Floats  # of the samples in each of k components
    means: Floats
    variances: Floats
    likelihood: float  # log, with the prior
    icl: float


def icl_curve(X: Floats, weight: Floats, starts: dict[int, NDArray[Any]]) -> dict[int, float]:
    """Return the ICL of a mixture for each k, -2 log likelihood + log(n) parameters + 2 entropy.

    Each is begun from the labels of k-means, and from the next larger mixture with its closest pair merged; the more
    likely one counts.
    """
    curve: dict[int, float] = {}
    larger: Mixture | None = None
    squares = np.einsum("if,if->i", X, X)
    for k in sorted(starts, reverse=True):
        own = np.zeros((len(X), k))
        own[np.arange(len(X)), starts[k]] = 1.0
        best = _fit(X, squares, weight, own)
        if larger is not None:
            merged = _merge(_responsibilities(X, squares, larger)[0], weight, k)
            best = max(best, _fit(X, squares, weight, merged), key=lambda mixture: mixture.likelihood)
        larger, curve[k] = best, best.icl
    return curve


def _fit(X: Floats, squares: Floats, weight: Floats, own: Floats) -> Mixture:
    """Run expectation-maximisation from responsibilities of shape (n_samples, k)."""
    total, k, d = weight.sum(), own.shape[1], X.shape[1]
    spread = np.average((X - np.average(X, axis=0, weights=weight)) ** 2, axis=0, weights=weight).sum()
    scale = max(spread / d / k ** (2.0 / d), np.finfo(float).tiny)  # of the prior: an inverse gamma of d + 2 degrees
    likelihood = -np.inf
    for _ in range(MAX_ITER):
        mass = weight @ own + 1e-300
        means = ((weight[:, np.newaxis] * own).T @ X) / mass[:, np.newaxis]
        within = np.einsum("ij,ij->j", own, weight[:, np.newaxis] * _squared_distances(X, squares, means))
        variances = (scale + within) / (d * mass + 2.0 * d + 4.0)
        mixture = Mixture(mass / total, means, variances, 0.0, 0.0)
        own, log_density = _responsibilities(X, squares, mixture)
        prior = -((d + 4.0) / 2.0 * np.log(variances) + scale / (2.0 * variances)).sum()
        before, likelihood = likelihood, float(weight @ log_density + prior)
        if likelihood - before <= TOL * total:
            break
    entropy = -float(weight @ np.einsum("ij,ij->i", own, np.log(own + 1e-300)))
    parameters = k * (d + 2) - 1  # means, widths, shares
    icl = -2.0 * float(weight @ log_density) + parameters * np.log(total) + 2.0 * entropy
    return mixture._replace(likelihood=likelihood, icl=icl)


def _squared_distances(X: Floats, squares: Floats, means: Floats) -> Floats:
    distances = squares[:, np.newaxis] - 2.0 * (X @ means.T) + np.einsum("jf,jf->j", means, means)
    positive: Floats = np.maximum(distances, 0.0)
    return positive


def _responsibilities(X: Floats, squares: Floats, mixture: Mixture) -> tuple[Floats, Floats]:
    """Return the share that each component has in each sample, and the log density of each sample."""
    shares, means, variances, *_ = mixture
    logs = _squared_distances(X, squares, means) / (-2.0 * variances)
    logs += np.log(shares) - X.shape[1] / 2.0 * np.log(2.0 * np.pi * variances)
    most = logs.max(axis=1, keepdims=True)
    own = np.exp(logs - most)
    total = own.sum(axis=1, keepdims=True)
    return own / total, (most + np.log(total))[:, 0]


def _merge(own: Floats, weight: Floats, k: int) -> Floats:
    """Merge the two components that share most, until k are left."""
    while own.shape[1] > k:
        mass = weight @ own
        shared = (weight[:, np.newaxis] * own).T @ own / np.minimum.outer(mass, mass)
        np.fill_diagonal(shared, -1.0)
        i, j = sorted(np.unravel_index(shared.argmax(), shared.shape))
        own = np.delete(own, j, axis=1) + np.eye(own.shape[1] - 1)[i] * own[:, [j]]
    return own
