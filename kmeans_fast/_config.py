"""What was built and what runs: for bug reports, and for packages that compile against the kernels."""

from __future__ import annotations

import os

import numpy as np

from . import _runtime
from ._version import __version__


def get_include() -> str:
    """Return the folder of ``kmf.h``, for a C compiler's ``-I``; ``kmf.pxd`` lies in the package's own folder."""
    package = os.path.dirname(os.path.abspath(__file__))  # pathlib would be half a tenth of `import kmeans_fast`
    installed = os.path.join(package, "include", "kmf")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "src", "kmf")


def show_config() -> None:
    """Print versions, instruction set, threads and compiler."""
    forced = "" if _runtime.isa == _runtime.runnable_isas()[-1] else " (forced by KMEANS_FAST_ISA)"
    rows = {
        "kmeans_fast": __version__,
        "numpy": np.__version__,
        "instruction set": f"{_runtime.isa}{forced}; this machine runs {', '.join(_runtime.runnable_isas())}",
        "OpenMP": "yes" if _runtime.openmp else "no: one thread",
        "threads": str(_runtime.available_threads()),
        "compiler": _runtime.compiler,
    }
    for name, value in rows.items():
        print(f"{name:16} {value}")
