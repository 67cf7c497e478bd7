"""kmeans_fast itself, through its function and through its scikit-learn estimator."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from ._base import Array, Competitor, Fit


class _Ours(Competitor):
    """What all of them share."""

    package = "kmeans_fast"
    module = "kmeans_fast"
    counts_as_peer = False


class KMeansFast(_Ours):
    """``kmeans_fast.kmeans``: NumPy alone."""

    name = "kmeans_fast"

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        from kmeans_fast import kmeans

        start = perf_counter()
        r = kmeans(X, len(init), init=init, n_init=1, max_iter=n_iter, tol=0, n_threads=n_threads)
        seconds = perf_counter() - start
        detail = {name: getattr(r, name) for name in ("algorithm", "isa", "n_threads", "memory", "n_distances")}
        return Fit(seconds, r.centroids, r.n_iter, r.inertia, detail)

    def default_fit(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return _fit(X, n_clusters, seed, n_threads)

    def quality(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return _fit(X, n_clusters, seed, n_threads, n_init=10)

    def seeding(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return _seed(X, n_clusters, seed, n_threads, "k-means++")


class KMeansFastBest(_Ours):
    """``kmeans(..., quality="best")`` beside the best of ten restarts."""

    name = "kmeans_fast quality=best"

    def quality(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return _fit(X, n_clusters, seed, n_threads, quality="best")


class _Start(_Ours):
    """Another way to start; the name ends with it."""

    def seeding(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        return _seed(X, n_clusters, seed, n_threads, self.name.split()[-1])


class KMeansFastParallel(_Start):
    """``init="k-means||"``."""

    name = "kmeans_fast k-means||"


class KMeansFastChains(_Start):
    """``init="afk-mc2"``."""

    name = "kmeans_fast afk-mc2"


class KMeansFastRandom(_Start):
    """``init="random"``: what a start costs and is worth without any seeding."""

    name = "kmeans_fast random"


class KMeansFastEstimator(_Ours):
    """``kmeans_fast.KMeans``, the drop-in for scikit-learn's; threads by OMP_NUM_THREADS."""

    name = "kmeans_fast.KMeans"

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


def _fit(X: Array, n_clusters: int, seed: int, n_threads: int, **arguments: Any) -> Fit:
    from kmeans_fast import kmeans

    start = perf_counter()
    r = kmeans(X, n_clusters, random_state=seed, n_threads=n_threads, **arguments)
    return Fit(perf_counter() - start, r.centroids, r.n_iter, r.inertia, {"algorithm": r.algorithm})


def _seed(X: Array, n_clusters: int, seed: int, n_threads: int, init: str) -> Fit:
    # No public call stops after seeding: this is what kmeans() does until then, with checks.
    from kmeans_fast._problem import Problem
    from kmeans_fast._samples import as_samples
    from kmeans_fast._seed import seed as choose

    rng = np.random.default_rng(seed)
    start = perf_counter()
    problem = Problem(as_samples(X), n_clusters, None, n_threads)
    centroids = choose(problem, init, rng)
    return Fit(perf_counter() - start, centroids, None, float("nan"))
