"""Scores of a clustering from its sums alone: none of them looks at X again."""

from __future__ import annotations

import numpy as np

from ._fits import Fits


def calinski_harabasz(fits: Fits, k: int) -> float:
    """Variance between clusters over that within, each by its degrees of freedom; higher is better.

    T. Calinski, J. Harabasz, "A dendrite method for cluster analysis", Communications in Statistics 3 (1974).
    """
    n, within = fits.masses[1].sum(), fits.inertia[k]
    if k == 1 or n <= k:
        return np.nan
    return float(np.inf if within == 0.0 else (fits.inertia[1] - within) / (k - 1) / (within / (n - k)))


def davies_bouldin(fits: Fits, k: int) -> float:
    """Mean over clusters of the worst ratio of two scatters to the distance between; lower is better.

    D. Davies, D. Bouldin, "A cluster separation measure", IEEE Transactions on Pattern Analysis and Machine
    Intelligence 1 (1979).
    """
    if k == 1:
        return np.nan
    centroids, scatter = np.asarray(fits.centroids[k], np.float64), fits.scatter[k]
    distances = np.array([np.linalg.norm(centroids - centroid, axis=1) for centroid in centroids])
    np.fill_diagonal(distances, np.inf)
    return float(((scatter + scatter[:, np.newaxis]) / distances).max(axis=1).mean())


def bic(fits: Fits, k: int) -> float:
    """-2 log likelihood of hard clusters with one common variance, + log(n) parameters; lower is better.

    D. Pelleg, A. Moore, "X-means: extending k-means with efficient estimation of the number of clusters", ICML 2000.
    """
    masses, d = fits.masses[k], fits.samples.n_features
    n = masses.sum()
    if n <= k:
        return np.nan
    with np.errstate(divide="ignore"):
        variance = fits.inertia[k] / (d * (n - k))
        likelihood = (masses * np.log(masses / n)).sum() - d / 2 * (n * np.log(2 * np.pi * variance) + n - k)
    parameters = k * (d + 1)  # means, the variance, and shares that add to 1
    return float(-2 * likelihood + parameters * np.log(n))


def f_of_k(fits: Fits, k: int) -> float:
    """Inertia over what k - 1 clusters let expect of a uniform X; 1 for k = 1, lower is better.

    D. Pham, S. Dimov, C. Nguyen, "Selection of K in K-means clustering", Proceedings of the Institution of Mechanical
    Engineers C 219 (2005).
    """
    if k == 1:
        return 1.0
    share = 1.0 - 3.0 / (4.0 * fits.samples.n_features)
    for _ in range(k - 2):
        share += (1.0 - share) / 6.0
    expected = share * fits.inertia[k - 1]
    return float(fits.inertia[k] / expected) if expected > 0.0 else 1.0
