"""Gaussians of their own widths, round or long, begun where k-means ended: they price a number of clusters.

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
TINY = 1e-300  # added before a logarithm


class Mixture(NamedTuple):
    """A fitted mixture: the share of each component in each sample, and what it costs; lower `icl` is better."""

    own: Floats  # (n_samples, k)
    likelihood: float  # log, with the prior
    icl: float


def icl_curve(X: Floats, weight: Floats, starts: dict[int, NDArray[Any]], full: bool = False) -> dict[int, float]:
    """Return the ICL of a mixture for each k, -2 log likelihood + log(n) parameters + 2 entropy.

    Each is begun from the labels of k-means, and from the next larger mixture with its closest pair merged; the more
    likely one counts. Components are round, or with `full` ellipses of any direction.
    """
    curve: dict[int, float] = {}
    larger: Mixture | None = None
    step = (_Full if full else _Round)(X, weight)
    for k in sorted(starts, reverse=True):
        best = _fit(step, np.eye(k)[starts[k]])
        if larger is not None:
            best = max(best, _fit(step, _merge(larger.own, weight, k)), key=lambda mixture: mixture.likelihood)
        larger, curve[k] = best, best.icl
    return curve


def _fit(step: _Round | _Full, own: Floats) -> Mixture:
    """Run expectation-maximisation from responsibilities."""
    weight, total = step.weight, step.weight.sum()
    likelihood = -np.inf
    for _ in range(MAX_ITER):
        mass = weight @ own + TINY
        logs, prior = step.densities(weight[:, np.newaxis] * own, mass)
        logs += np.log(mass / total)
        most = logs.max(axis=1, keepdims=True)
        own = np.exp(logs - most)
        summed = own.sum(axis=1, keepdims=True)
        own /= summed
        of_samples = float(weight @ (most + np.log(summed))[:, 0])
        before, likelihood = likelihood, of_samples + prior
        if likelihood - before <= TOL * total:
            break
    entropy = -float(weight @ np.einsum("ij,ij->i", own, np.log(own + TINY)))
    k = own.shape[1]
    icl = -2.0 * of_samples + (k * step.parameters + k - 1) * np.log(total) + 2.0 * entropy
    return Mixture(own, likelihood, float(icl))


class _Round:
    """Components of one variance for all directions."""

    def __init__(self, X: Floats, weight: Floats) -> None:
        self.X, self.weight, self.d = X, weight, X.shape[1]
        self.squares = np.einsum("if,if->i", X, X)
        self.parameters = self.d + 1  # mean and variance
        self.spread = float(np.trace(_covariance(X, weight))) + 1e-280

    def densities(self, own: Floats, mass: Floats) -> tuple[Floats, float]:
        """Log density of each sample under each component that fits its weighted share `own` best; log prior."""
        X, d = self.X, self.d
        means = (own.T @ X) / mass[:, np.newaxis]
        distances = self.squares[:, np.newaxis] - 2.0 * (X @ means.T) + np.einsum("jf,jf->j", means, means)
        np.maximum(distances, 0.0, out=distances)
        scale = self.spread / d / len(mass) ** (2.0 / d)  # an inverse gamma of d + 2 degrees of freedom
        variances = (scale + np.einsum("ij,ij->j", own, distances)) / (d * mass + 2.0 * d + 4.0)
        prior = -((d + 4.0) / 2.0 * np.log(variances) + scale / (2.0 * variances)).sum()
        return distances / (-2.0 * variances) - d / 2.0 * np.log(2.0 * np.pi * variances), float(prior)


class _Full:
    """Components of any covariance."""

    def __init__(self, X: Floats, weight: Floats) -> None:
        self.X, self.weight, self.d = X, weight, X.shape[1]
        self.parameters = self.d + self.d * (self.d + 1) // 2  # mean and covariance
        self.covariance = _covariance(X, weight)
        self.covariance += (1e-9 * np.trace(self.covariance) + 1e-280) * np.eye(self.d)  # for constant columns

    def densities(self, own: Floats, mass: Floats) -> tuple[Floats, float]:
        """Log density of each sample under each component that fits its weighted share `own` best; log prior."""
        d, logs, prior = self.d, np.empty(own.shape), 0.0
        scale = self.covariance / len(mass) ** (2.0 / d)  # an inverse Wishart of d + 2 degrees of freedom
        for j, share in enumerate(own.T):
            centred = self.X - (share @ self.X) / mass[j]
            root = np.linalg.cholesky((scale + (centred.T * share) @ centred) / (mass[j] + 2.0 * d + 4.0))
            inverse = np.linalg.inv(root)
            log_root = np.log(np.diag(root)).sum()
            turned = centred @ inverse.T
            logs[:, j] = -0.5 * np.einsum("if,if->i", turned, turned) - log_root - d / 2.0 * np.log(2.0 * np.pi)
            prior -= (2.0 * d + 4.0) * log_root + 0.5 * float(np.trace(inverse @ scale @ inverse.T))
        return logs, prior


def _covariance(X: Floats, weight: Floats) -> Floats:
    centred = X - np.average(X, axis=0, weights=weight)
    covariance: Floats = (centred.T * weight) @ centred / weight.sum()
    return covariance


def _merge(own: Floats, weight: Floats, k: int) -> Floats:
    """Merge the two components that share most, until k are left."""
    while own.shape[1] > k:
        mass = weight @ own
        shared = (weight[:, np.newaxis] * own).T @ own / np.minimum.outer(mass, mass)
        np.fill_diagonal(shared, -1.0)
        i, j = sorted(np.unravel_index(shared.argmax(), shared.shape))
        own = np.delete(own, j, axis=1) + np.eye(own.shape[1] - 1)[i] * own[:, [j]]
    return own
