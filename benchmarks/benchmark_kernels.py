"""One operation at a time: assignment and seeding, ours beside NumPy's and scikit-learn's.

Whole fits are in benchmark_fits.py; the kernels' share of the machine's peak is
``python -m benchmarks --suite peak``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.competitors import COMPETITORS
from kmeans_fast import predict

Data = tuple[NDArray[np.floating], NDArray[np.floating]]
SLOW = 2e8  # n*d*k above which the reference takes seconds
THREADS = 2
SEED = 0


def benchmark_assignment_kmeans_fast(benchmark: BenchmarkFixture, data: Data) -> None:
    benchmark(predict, *data)


def benchmark_assignment_numpy_reference(benchmark: Any, data: Data) -> None:
    reference = pytest.importorskip("kmeans_fast.reference")
    X, centroids = (a.astype(np.float64) for a in data)
    if X.size * len(centroids) > SLOW:
        pytest.skip("the reference would take seconds")
    benchmark.pedantic(reference.cluster_points, (X, centroids), rounds=3)


def benchmark_assignment_scikit_learn(benchmark: BenchmarkFixture, data: Data) -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    X, centroids = data
    model = cluster.KMeans(len(centroids), init=centroids, n_init=1, max_iter=1).fit(X)
    benchmark(model.predict, X)


@pytest.mark.parametrize("name", ["kmeans_fast", "scikit-learn"])
def benchmark_seeding(benchmark: Any, data: Data, name: str) -> None:
    competitor = COMPETITORS[name]()
    if not competitor.available():
        pytest.skip(f"{name} is not installed")
    X, centroids = data
    benchmark.pedantic(competitor.seeding, (X, len(centroids), SEED, THREADS), rounds=3)
