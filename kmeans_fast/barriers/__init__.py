"""Distances that go round rivers and railways, and over bridges."""

from __future__ import annotations

try:
    import scipy
    import shapely
except ImportError as error:
    raise ImportError(
        'barriers needs SciPy and shapely; install them with: pip install "kmeans_fast[barriers]"'
    ) from error

from ._travel import travel_distance

__all__ = ["travel_distance"]
del scipy, shapely
