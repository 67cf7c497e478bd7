"""k-means over blocks that may be anywhere: one driver, and engines that carry it.

`fit` with a `LocalEngine` works in this process, with a `DaskEngine` (extra "dask") on a cluster, with the same bits.
`kmeans_fast.dask.KMeans` is the estimator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._engine import Blocks, Engine, EngineLost
from ._fit import Fit, fit, price
from ._local import LocalEngine

if TYPE_CHECKING:
    from ._dask import DaskEngine as DaskEngine

__all__ = ["Blocks", "Engine", "EngineLost", "Fit", "LocalEngine", "fit", "price"]


def __getattr__(name: str) -> Any:
    """Load Dask's engine when it is used."""
    if name != "DaskEngine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from ._dask import DaskEngine
    except ImportError as error:
        raise ImportError(f'DaskEngine needs {error.name}; install it with: pip install "kmeans_fast[dask]"') from None
    return DaskEngine
