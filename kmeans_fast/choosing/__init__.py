"""How many clusters, and whether there are any: what comes after `kmeans` and needs scikit-learn."""

from __future__ import annotations

from ._gap import Gap, gap

__all__ = ["Gap", "gap"]
