"""FAISS: ``faiss.Kmeans`` on every sample (its subsampling is off), float32 only."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from ._base import Array, Competitor, Fit


class Faiss(Competitor):
    """One run from the given start; FAISS does all iterations, it has no test of convergence."""

    name = "FAISS"
    package = "faiss-cpu"
    module = "faiss"
    dtypes = ("float32",)
    old_openblas = True

    def prepare(self, X: Array, init: Array, n_iter: int, n_threads: int) -> None:
        import faiss

        faiss.omp_set_num_threads(n_threads)

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        import faiss

        model = faiss.Kmeans(
            X.shape[1],
            len(init),
            niter=n_iter,
            nredo=1,
            max_points_per_centroid=2**31 - 1,  # no subsampling
            min_points_per_centroid=1,
        )
        start = perf_counter()
        model.train(X, init_centroids=init)
        seconds = perf_counter() - start
        objective = np.asarray(model.obj)
        return Fit(seconds, np.asarray(model.centroids), len(objective), float(objective[-1]))
