"""k-means for large point clouds: compiled kernels, scikit-learn's interface, and the questions around it.

Importing this loads NumPy and the extension modules alone; everything else is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._config import get_include, show_config
from ._kmeans import ClusterWarning, FitState, kmeans
from ._predict import predict
from ._result import KMeansResult, Restart
from ._version import __version__

if TYPE_CHECKING:
    from . import datasets as datasets
    from . import files as files
    from . import plots as plots
    from . import reference as reference
    from ._estimator import KMeans as KMeans

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

_SUBMODULES = ("datasets", "files", "plots", "reference")


def __getattr__(name: str) -> Any:
    """Load the lazy names on first use."""
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    if name == "KMeans":
        try:
            return import_module("._estimator", __name__).KMeans
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "sklearn":
                raise
            message = 'KMeans needs scikit-learn; install it with: pip install "kmeans_fast[sklearn]"'
            raise ImportError(message) from None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the lazy names too."""
    return sorted({*globals(), *__all__, *_SUBMODULES, "KMeans"})
