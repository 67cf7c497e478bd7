"""k-means for large point clouds: compiled kernels, scikit-learn's interface, and the questions around it.

Importing this loads NumPy and the extension modules alone; everything else is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._config import get_include, show_config
from ._kmeans import kmeans
from ._predict import predict
from ._result import ClusterWarning, KMeansResult, Restart
from ._version import __version__
from ._watch import FitState

if TYPE_CHECKING:
    from . import barriers as barriers
    from . import choosing as choosing
    from . import coresets as coresets
    from . import dask as dask
    from . import datasets as datasets
    from . import distributed as distributed
    from . import files as files
    from . import plots as plots
    from . import reference as reference
    from . import report as report
    from . import sources as sources
    from ._estimator import KMeans as KMeans
    from ._voxels import Voxels as Voxels
    from ._voxels import voxels as voxels
    from .choosing import choose_k as choose_k
    from .choosing import clusterability as clusterability
    from .variants.bisecting import BisectingKMeans as BisectingKMeans
    from .variants.kmedians import KMedians as KMedians
    from .variants.kmedoids import KMedoids as KMedoids
    from .variants.kmodes import KModes as KModes
    from .variants.kprototypes import KPrototypes as KPrototypes
    from .variants.minibatch import MiniBatchKMeans as MiniBatchKMeans
    from .variants.spherical import SphericalKMeans as SphericalKMeans
    from .variants.trimmed import TrimmedKMeans as TrimmedKMeans

# Without the lazy names: `from kmeans_fast import *` must not need the extras.
__all__ = [
    "ClusterWarning",
    "FitState",
    "KMeansResult",
    "Restart",
    "__version__",
    "get_include",
    "kmeans",
    "predict",
    "show_config",
]

_SUBMODULES = (
    "barriers",
    "choosing",
    "coresets",
    "dask",
    "datasets",
    "distributed",
    "files",
    "plots",
    "reference",
    "report",
    "sources",
)
# Public names that wait until they are used: where each is, and the extra that brings what the module needs.
_LAZY = {
    "BisectingKMeans": ("variants.bisecting", "sklearn"),
    "KMeans": ("_estimator", "sklearn"),
    "choose_k": ("choosing", "choose"),
    "KMedoids": ("variants.kmedoids", "sklearn"),
    "KModes": ("variants.kmodes", "sklearn"),
    "KPrototypes": ("variants.kprototypes", "sklearn"),
    "clusterability": ("choosing", "choose"),
    "KMedians": ("variants.kmedians", "sklearn"),
    "MiniBatchKMeans": ("variants.minibatch", "sklearn"),
    "SphericalKMeans": ("variants.spherical", "sklearn"),
    "TrimmedKMeans": ("variants.trimmed", "sklearn"),
    "Voxels": ("_voxels", ""),
    "voxels": ("_voxels", ""),
}
_EXTRAS = {"": {}, "sklearn": {"sklearn": "scikit-learn"}, "choose": {"sklearn": "scikit-learn", "scipy": "scipy"}}


def __getattr__(name: str) -> Any:
    """Load the lazy names on first use."""
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _LAZY[name]
    try:
        return getattr(import_module(f".{module}", __name__), name)
    except ModuleNotFoundError as error:
        package = _EXTRAS[extra].get((error.name or "").partition(".")[0])
        if package is None:
            raise
        message = f'{name} needs {package}; install it with: pip install "kmeans_fast[{extra}]"'
        raise ImportError(message) from None


def __dir__() -> list[str]:
    """List the lazy names too."""
    return sorted({*globals(), *__all__, *_SUBMODULES, *_LAZY})
