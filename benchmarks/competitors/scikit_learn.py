"""scikit-learn's Lloyd: the baseline of every ratio.

Its OpenMP and BLAS threads come from the environment that the worker is started with.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from ._base import Array, Competitor, Fit


class ScikitLearn(Competitor):
    """``sklearn.cluster.KMeans`` and ``sklearn.cluster.kmeans_plusplus``."""

    name = "scikit-learn"
    package = "scikit-learn"
    module = "sklearn"

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        from sklearn.cluster import KMeans

        model = KMeans(len(init), init=init, n_init=1, max_iter=n_iter, tol=0, algorithm="lloyd")
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        return Fit(seconds, model.cluster_centers_, model.n_iter_, model.inertia_)

    def default_fit(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return self._fit(X, n_clusters, seed)

    def quality(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return self._fit(X, n_clusters, seed, n_init=10)

    def _fit(self, X: Array, n_clusters: int, seed: int, **parameters: int) -> Fit:
        from sklearn.cluster import KMeans

        model = KMeans(n_clusters, random_state=seed, **parameters)
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        return Fit(seconds, model.cluster_centers_, model.n_iter_, model.inertia_)

    def seeding(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        from sklearn.cluster import kmeans_plusplus

        start = perf_counter()
        centroids, _ = kmeans_plusplus(X, n_clusters, random_state=seed)
        return Fit(perf_counter() - start, np.asarray(centroids), None, float("nan"))
