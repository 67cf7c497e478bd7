"""kmeans_fast itself, through its function and through its scikit-learn estimator."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from ._base import Array, Competitor, Fit


class KMeansFast(Competitor):
    """``kmeans_fast.kmeans``: NumPy alone."""

    name = "kmeans_fast"
    package = "kmeans_fast"
    module = "kmeans_fast"
    counts_as_peer = False

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        from kmeans_fast import kmeans

        start = perf_counter()
        r = kmeans(X, len(init), init=init, n_init=1, max_iter=n_iter, tol=0, n_threads=n_threads)
        seconds = perf_counter() - start
        detail = {name: getattr(r, name) for name in ("algorithm", "isa", "n_threads", "memory")}
        return Fit(seconds, r.centroids, r.n_iter, r.inertia, detail)

    def default_fit(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        from kmeans_fast import kmeans

        start = perf_counter()
        r = kmeans(X, n_clusters, random_state=seed, n_threads=n_threads)
        seconds = perf_counter() - start
        return Fit(seconds, r.centroids, r.n_iter, r.inertia, {"algorithm": r.algorithm})

    def seeding(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        # No public call stops after seeding: this is what kmeans() does until then, with checks.
        from kmeans_fast._problem import Problem
        from kmeans_fast._samples import as_samples
        from kmeans_fast._seed import seed as choose

        rng = np.random.default_rng(seed)
        start = perf_counter()
        problem = Problem(as_samples(X), n_clusters, None, n_threads)
        centroids = choose(problem, "k-means++", rng)
        return Fit(perf_counter() - start, centroids, None, float("nan"))


class KMeansFastEstimator(Competitor):
    """``kmeans_fast.KMeans``, the drop-in for scikit-learn's; threads by OMP_NUM_THREADS."""

    name = "kmeans_fast.KMeans"
    package = "kmeans_fast"
    module = "kmeans_fast"
    counts_as_peer = False

    @classmethod
    def available(cls) -> bool:
        if not super().available():
            return False
        try:
            from kmeans_fast import KMeans
        except ImportError:  # scikit-learn is missing, or the estimator is
            return False
        return KMeans is not None

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        from kmeans_fast import KMeans

        model = KMeans(len(init), init=init, n_init=1, max_iter=n_iter, tol=0)
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        return Fit(seconds, model.cluster_centers_, model.n_iter_, model.inertia_)

    def default_fit(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        from kmeans_fast import KMeans

        model = KMeans(n_clusters, random_state=seed)
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        return Fit(seconds, model.cluster_centers_, model.n_iter_, model.inertia_)
