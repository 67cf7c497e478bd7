"""Pictures of clusterings with matplotlib: each function takes Axes, draws, and returns them.

No figure is shown, and none is saved unless a path is given.
"""

try:
    import matplotlib as _  # noqa: F401
except ImportError as error:
    raise ImportError('plots needs matplotlib; install it with: pip install "kmeans_fast[plot]"') from error

from ._annotate import annotate
from ._clusters import MOST_DOTS, clusters
from ._colours import INK, OKABE_ITO, OUTLIER, palette
from ._curves import curve, curves
from ._film import film, record
from ._history import convergence
from ._moves import moves
from ._pairs import pairs
from ._silhouette import silhouette
from ._solid import clusters_3d
from ._voronoi import voronoi

__all__ = [
    "INK",
    "MOST_DOTS",
    "OKABE_ITO",
    "OUTLIER",
    "annotate",
    "clusters",
    "clusters_3d",
    "convergence",
    "curve",
    "curves",
    "film",
    "moves",
    "pairs",
    "palette",
    "record",
    "silhouette",
    "voronoi",
]
