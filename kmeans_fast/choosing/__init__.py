"""How many clusters, and whether there are any: what comes after `kmeans` and needs scikit-learn."""

from __future__ import annotations

from ._choice import Choice
from ._choose import choose_k
from ._clusterability import Clusterability, Evidence, clusterability
from ._gap import Gap, gap

__all__ = ["Choice", "Clusterability", "Evidence", "Gap", "choose_k", "clusterability", "gap"]
