"""What a competitor is: a name, whether it is installed here, and the jobs it can do.

An adapter times the call alone (``time.perf_counter`` around it) and hands back its centroids; the
worker recomputes every inertia from those, so that rows compare. Nothing here chooses or prints.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Fit:
    """Outcome of one job: the seconds of the call alone and where its centroids ended."""

    seconds: float
    centroids: Array  # (n_clusters, n_features)
    n_iter: int | None  # None where the library does not say
    inertia: float  # the competitor's own figure, kept for the record
    detail: dict[str, Any] = field(default_factory=dict)


class Competitor:
    """Base of the adapters; a job that an adapter does not override is left out for it."""

    name: ClassVar[str] = ""
    package: ClassVar[str] = ""  # distribution on the package index, for the version
    module: ClassVar[str] = ""  # what importing it needs
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")
    max_work: ClassVar[float] = float("inf")  # n*d*k above which a run would take minutes
    old_openblas: ClassVar[bool] = False  # its wheel's OpenBLAS may predate this CPU: see machine.py
    note: ClassVar[str] = ""  # what a reader must know to judge the row
    counts_as_peer: ClassVar[bool] = True  # is it in "best of the peers"

    @classmethod
    def available(cls) -> bool:
        """Tell whether the library is installed, without importing it."""
        return importlib.util.find_spec(cls.module) is not None

    @classmethod
    def version(cls) -> str:
        """Version of the installed distribution, "" if it has none."""
        try:
            return importlib.metadata.version(cls.package)
        except importlib.metadata.PackageNotFoundError:
            return ""

    @classmethod
    def can(cls, job: str) -> bool:
        """Tell whether this adapter implements ``job`` ("fit", "default_fit", "quality", "seeding")."""
        return getattr(cls, job) is not getattr(Competitor, job)

    def prepare(self, X: Array, init: Array, n_iter: int, n_threads: int) -> None:
        """Do what must stay outside the timing: set thread pools, compute first labels."""

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        """Run Lloyd's algorithm from ``init`` with tol=0 for up to ``n_iter`` iterations."""
        raise NotImplementedError

    def default_fit(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        """Run ``KMeans(n_clusters).fit(X)`` with every default."""
        raise NotImplementedError

    def quality(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        """Find a low inertia: the best of ten restarts, or what the library has for it."""
        raise NotImplementedError

    def seeding(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        """Choose ``n_clusters`` samples as a start and stop there."""
        raise NotImplementedError


def nearest(X: Array, centroids: Array, chunk: int = 4096) -> NDArray[np.int32]:
    """Return the label of the nearest centroid, computed in float64 a chunk at a time."""
    c = np.asarray(centroids, dtype=np.float64)
    half_norms = 0.5 * np.einsum("jf,jf->j", c, c)
    labels = np.empty(len(X), dtype=np.int32)
    for first in range(0, len(X), chunk):
        block = X[first : first + chunk].astype(np.float64)
        labels[first : first + chunk] = (half_norms - block @ c.T).argmin(axis=1)
    return labels
