"""scikit-learn-intelex (oneDAL): scikit-learn's interface over Intel's kernels."""

from __future__ import annotations

from importlib import import_module
from time import perf_counter

from ._base import Array, Competitor, Fit


class ScikitLearnIntelex(Competitor):
    """``sklearnex.cluster.KMeans``; its TBB pool is told the number of threads."""

    name = "sklearnex"
    package = "scikit-learn-intelex"
    module = "sklearnex"

    def prepare(self, X: Array, init: Array, n_iter: int, n_threads: int) -> None:
        import_module("daal4py").daalinit(nthreads=n_threads)

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        KMeans = import_module("sklearnex.cluster").KMeans
        model = KMeans(len(init), init=init, n_init=1, max_iter=n_iter, tol=0, algorithm="lloyd")
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        return Fit(seconds, model.cluster_centers_, model.n_iter_, model.inertia_)

    def default_fit(self, X: Array, n_clusters: int, seed: int, n_threads: int) -> Fit:
        KMeans = import_module("sklearnex.cluster").KMeans
        model = KMeans(n_clusters, random_state=seed)
        start = perf_counter()
        model.fit(X)
        seconds = perf_counter() - start
        return Fit(seconds, model.cluster_centers_, model.n_iter_, model.inertia_)
