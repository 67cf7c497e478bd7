"""Which assignment step makes the passes: dense, or with Hamerly's bounds.

Both give the same labels, bit for bit; only time and memory differ.
"""

from __future__ import annotations

ALGORITHMS = ("auto", "lloyd", "hamerly")

# Fewer features stay in registers: scoring every centroid costs no more than looking after bounds.
MIN_FEATURES = 9
MIN_CLUSTERS = 3


def choose(algorithm: str, n_features: int, n_clusters: int) -> str:
    """Return "lloyd" or "hamerly"."""
    if algorithm != "auto":
        return algorithm
    return "hamerly" if n_features >= MIN_FEATURES and n_clusters >= MIN_CLUSTERS else "lloyd"
