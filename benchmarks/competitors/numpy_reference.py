"""kmeans_fast.reference: pure NumPy, the oracle of the tests; shown on the rows it can finish."""

from __future__ import annotations

from time import perf_counter

from ._base import Array, Competitor, Fit


class NumpyReference(Competitor):
    """``kmeans_fast.reference.lloyd``."""

    name = "NumPy reference"
    package = "numpy"
    module = "kmeans_fast"
    max_work = 1e8
    counts_as_peer = False

    @classmethod
    def available(cls) -> bool:
        if not super().available():
            return False
        try:
            from kmeans_fast.reference import lloyd
        except ImportError:
            return False
        return callable(lloyd)

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        from kmeans_fast.reference import lloyd

        start = perf_counter()
        centroids, _, inertia, done = lloyd(X, init, n_iter)
        return Fit(perf_counter() - start, centroids, done, inertia)
