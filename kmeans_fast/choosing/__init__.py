"""How many clusters, and whether there are any: what comes after `kmeans` and needs scikit-learn."""

from __future__ import annotations

from ._clusterability import Clusterability, Evidence, clusterability
from ._gap import Gap, gap

__all__ = ["Clusterability", "Evidence", "Gap", "clusterability", "gap"]
