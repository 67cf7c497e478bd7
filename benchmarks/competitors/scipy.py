"""SciPy's ``kmeans2``: one thread, kept small because a large row would take minutes."""

from __future__ import annotations

import warnings
from importlib import import_module
from time import perf_counter

import numpy as np

from ._base import Array, Competitor, Fit


class Scipy(Competitor):
    """Lloyd from a matrix of centroids; it always does every iteration."""

    name = "SciPy"
    package = "scipy"
    module = "scipy"
    max_work = 1e9
    note = "one thread"

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        kmeans2 = import_module("scipy.cluster.vq").kmeans2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty cluster keeps its centroid
            start = perf_counter()
            centroids, _ = kmeans2(X, init, iter=n_iter, minit="matrix")
            seconds = perf_counter() - start
        return Fit(seconds, np.asarray(centroids), n_iter, float("nan"))
