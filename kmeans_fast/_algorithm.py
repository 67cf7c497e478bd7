"""Which assignment step makes the passes: dense, or with Hamerly's bounds.

Both give the same labels, bit for bit; only time and memory differ.
"""

from __future__ import annotations

ALGORITHMS = ("auto", "lloyd", "hamerly", "elkan")

# Fewer features stay in registers: scoring every centroid costs no more than looking after bounds.
MIN_FEATURES = 9
MIN_CLUSTERS = 3

# The filter in 8 bits pays where it saves this many multiply-adds a sample; by measurement.
MIN_FILTERED_WORK = {True: 16384, False: 5120}  # float32, float64
MIN_FILTERED_CLUSTERS = {True: 96, False: 64}
MIN_FILTERED_FEATURES = 16
MAX_FILTERED_FEATURES = 65536  # beyond, sums of products of bytes would leave an int32

GAPS_SHARE = 32  # samples a cluster from which on the distances between centroids cost little beside a pass


def choose(algorithm: str, n_features: int, n_clusters: int) -> str:
    """Return "lloyd" or "hamerly"."""
    if algorithm != "auto":
        return algorithm
    return "hamerly" if n_features >= MIN_FEATURES and n_clusters >= MIN_CLUSTERS else "lloyd"


def filters(single: bool, n_features: int, n_clusters: int) -> bool:
    """Say whether the filter in 8 bits (kmf_filter_tpl.h) costs less than the scores that it saves."""
    return (
        n_features * n_clusters >= MIN_FILTERED_WORK[single]
        and n_clusters >= MIN_FILTERED_CLUSTERS[single]
        and MIN_FILTERED_FEATURES <= n_features <= MAX_FILTERED_FEATURES
    )


def gaps_pay(n_samples: int, n_clusters: int) -> bool:
    """Say whether the distances between centroids cost little beside a pass."""
    return GAPS_SHARE * n_clusters <= n_samples
