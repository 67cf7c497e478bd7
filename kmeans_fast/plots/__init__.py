"""Pictures of clusterings with matplotlib: each function takes Axes, draws, and returns them.

No figure is shown, and none is saved unless a path is given.
"""

try:
    import matplotlib as _  # noqa: F401
except ImportError as error:
    raise ImportError('plots needs matplotlib; install it with: pip install "kmeans_fast[plot]"') from error

from ._clusters import clusters
from ._colours import INK, OKABE_ITO, palette
from ._history import convergence
from ._voronoi import voronoi

__all__ = ["INK", "OKABE_ITO", "clusters", "convergence", "palette", "voronoi"]
