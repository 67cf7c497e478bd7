"""SuperKMeans (PDX layout): approximate, float32 only, from a start of its own."""

from __future__ import annotations

from importlib import import_module
from time import perf_counter

import numpy as np

from ._base import Array, Competitor, Fit


class SuperKMeans(Competitor):
    """Flat mode on every sample, early stop off. It cannot be given a start."""

    name = "SuperKMeans"
    package = "superkmeans"
    module = "superkmeans"
    dtypes = ("float32",)
    note = "approximate, own start"
    counts_as_peer = False

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        superkmeans = import_module("superkmeans")
        model = superkmeans.SuperKMeans(
            len(init),
            X.shape[1],
            hierarchical=False,
            iters=n_iter,
            sampling_fraction=1.0,
            max_points_per_cluster=2**31 - 1,
            n_threads=n_threads,
            tol=0.0,
            early_termination=False,
        )
        start = perf_counter()
        centroids = model.train(X)
        seconds = perf_counter() - start
        return Fit(seconds, np.asarray(centroids), len(model.iteration_stats), float("nan"))
