"""mlpack: its algorithms are raced once, untimed, and the fastest on the row is measured."""

from __future__ import annotations

from importlib import import_module
from time import perf_counter

import numpy as np

from ._base import Array, Competitor, Fit

ALGORITHMS = ("naive", "hamerly", "elkan", "pelleg-moore", "dualtree")
RACE_WORK = 1e9  # n*d*k above which only the algorithms that can win are raced
LOW_DIMENSION = 8  # trees lose their meaning above it


class Mlpack(Competitor):
    """``mlpack.kmeans``: float64 inside; float32 input is converted before the clock starts."""

    name = "mlpack"
    package = "mlpack"
    module = "mlpack"
    old_openblas = True
    note = "float64 inside; best of its algorithms"

    def prepare(self, X: Array, init: Array, n_iter: int, n_threads: int) -> None:
        self.X64 = np.ascontiguousarray(X, dtype=np.float64)
        self.init64 = np.ascontiguousarray(init, dtype=np.float64)
        low = X.shape[1] <= LOW_DIMENSION
        raced: tuple[str, ...] = ALGORITHMS if low else ALGORITHMS[:3]
        if X.shape[0] * X.shape[1] * len(init) > RACE_WORK:
            raced = ("pelleg-moore", "dualtree") if low else ("naive", "hamerly")
        times = {name: self._run(name, n_iter).seconds for name in raced}
        self.algorithm = min(times, key=lambda name: times[name])

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        return self._run(self.algorithm, n_iter)

    def _run(self, algorithm: str, n_iter: int) -> Fit:
        mlpack = import_module("mlpack")
        init = self.init64.copy()  # the call overwrites it
        start = perf_counter()
        out = mlpack.kmeans(
            input_=self.X64,
            initial_centroids=init,
            clusters=len(init),
            max_iterations=n_iter,
            algorithm=algorithm,
            allow_empty_clusters=True,  # the other choice costs it a variance pass
            labels_only=True,
        )
        seconds = perf_counter() - start
        detail = {"algorithm": algorithm}
        centroids = np.array(out["centroid"])  # a copy: the result lives in the memory of init
        return Fit(seconds, centroids, None, float("nan"), detail)
