"""The silhouette for all k in one reading of the distances between samples.

P. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", Journal of
Computational and Applied Mathematics 20 (1987).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._need import need

Floats = NDArray[np.float64]

WORKING_MB = 32  # of distances at once: Ctrl-C is seen between them


def silhouette_curve(X: Floats, weight: Floats, labels: dict[int, NDArray[np.int32]]) -> dict[int, float]:
    """Return the mean silhouette of the samples for each k, nan for k = 1; an integer weight is repetition.

    scikit-learn's `silhouette_score` gives the same, but computes the distances anew for each k.
    """
    indicators = {k: np.eye(k)[own] * weight[:, np.newaxis] for k, own in labels.items() if 1 < k < weight.sum()}
    sums = dict.fromkeys(indicators, 0.0)

    def reduce(distances: Floats, start: int) -> Floats:
        rows = slice(start, start + len(distances))
        for k, indicator in indicators.items():
            values = _silhouettes(distances @ indicator, indicator.sum(axis=0), labels[k][rows])
            sums[k] += float(weight[rows] @ values)
        return distances[:, 0]  # something of the right length has to come back

    chunked = need("sklearn.metrics", "choose_k", "choose").pairwise_distances_chunked
    for _ in chunked(X, reduce_func=reduce, working_memory=WORKING_MB):
        pass
    return {k: sums[k] / float(weight.sum()) if k in sums else np.nan for k in labels}


def _silhouettes(sums: Floats, masses: Floats, labels: NDArray[np.int32]) -> Floats:
    """Silhouettes of samples from their summed distances to each cluster."""
    at = np.arange(len(labels)), labels
    with np.errstate(divide="ignore", invalid="ignore"):
        within = sums[at] / (masses[labels] - 1.0)
        means = np.where(masses > 0.0, sums / masses, np.inf)
        means[at] = np.inf
        nearest = means.min(axis=1)
        values = (nearest - within) / np.maximum(nearest, within)
    return np.where((masses[labels] > 1.0) & np.isfinite(values), values, 0.0)
