"""k-means over blocks that may be anywhere: one driver, and engines that carry it.

`fit` with a `LocalEngine` works in this process, with a `DaskEngine` (extra "dask") on a cluster, with the same bits.
`kmeans_fast.dask.KMeans` is the estimator.
"""

from ._engine import Blocks, Engine, EngineLost
from ._fit import Fit, fit, price
from ._local import LocalEngine

__all__ = ["Blocks", "Engine", "EngineLost", "Fit", "LocalEngine", "fit", "price"]
