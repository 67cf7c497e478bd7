"""What the tests of the core share: oracles that know nothing of the package, and code run in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[Any]

# A shell starts a background job with Ctrl-C ignored, and children inherit that; here and there it must be as usual.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the two files of tests/kmf first: they take minutes, one a worker, and the others run behind them."""
    items.sort(key=lambda item: item.path.parent.name != "kmf")


class Oracle:
    """Brute force by (x - c)^2 in float64 and sums without rounding."""

    @staticmethod
    def squares(X: Any, centroids: Any) -> Array:
        """Squared distance of each sample to each centroid."""
        X, centroids = np.asarray(X, np.float64), np.asarray(centroids, np.float64)
        return np.stack([((X - c) ** 2).sum(axis=1) for c in centroids], axis=1)

    @classmethod
    def inertia(cls, X: Any, centroids: Any, labels: Array, weight: Any = None) -> float:
        """Weighted sum of squared distances of the samples to the centroids of their labels."""
        own = ((np.asarray(X, np.float64) - np.asarray(centroids, np.float64)[labels]) ** 2).sum(axis=1)
        return fsum((own if weight is None else own * np.asarray(weight, np.float64)).tolist())

    @staticmethod
    def means(X: Any, labels: Array, n_clusters: int, weight: Any = None) -> Array:
        """Weighted mean of the samples of each cluster, by exact sums; NaN for one without weight."""
        X = np.asarray(X, np.float64)
        weight = np.ones(len(X)) if weight is None else np.asarray(weight, np.float64)
        out = np.full((n_clusters, X.shape[1]), np.nan)
        for j in range(n_clusters):
            mine = (labels == j) & (weight > 0)
            if mine.any():
                total = fsum(weight[mine].tolist())
                out[j] = [fsum((weight[mine] * column).tolist()) / total for column in X[mine].T]
        return out

    @classmethod
    def assert_agrees(cls, r: Any, X: Any, weight: Any = None) -> None:
        """Labels are nearest, and labels, centroids, counts and inertia belong together."""
        X = np.asarray(X, np.float64)
        k, rows = len(r.centroids), np.arange(len(X))
        np.testing.assert_array_equal(r.counts, np.bincount(r.labels, minlength=k))
        squares = cls.squares(X, r.centroids)
        # A score rounds by some eps of the squared distances from the centroids' mean.
        around = np.asarray(r.centroids, np.float64).mean(axis=0)
        reach = ((X - around) ** 2).sum(axis=1) + ((r.centroids - around) ** 2).sum(axis=1).max()
        slack = 16 * np.finfo(r.compute_dtype).eps * reach
        assert (squares[rows, r.labels] <= squares.min(axis=1) + slack).all()
        exact = cls.inertia(X, r.centroids, r.labels, weight)
        assert abs(r.inertia - exact) <= 1e-9 * exact
        if r.stop_reason == "labels unchanged":
            means = cls.means(X, r.labels, k, weight)
            some = ~np.isnan(means[:, 0])
            spread = np.abs(X).max(axis=0) if len(X) == 1 else np.ptp(X, axis=0)
            eps = np.finfo(r.centroids.dtype).eps
            room = 4 * eps * np.abs(means[some]) + 1e-9 * spread + np.finfo(r.centroids.dtype).smallest_subnormal
            assert (np.abs(r.centroids[some] - means[some]) <= room).all()


@pytest.fixture(scope="session")
def oracle() -> type[Oracle]:
    return Oracle


@pytest.fixture(name="KMeans", scope="session")
def estimator() -> Any:
    """Return the estimator; a test of the core that takes it is skipped where scikit-learn is missing."""
    pytest.importorskip("sklearn")
    from kmeans_fast import KMeans

    return KMeans


@pytest.fixture(scope="session")
def run_python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run code in a process of its own, outside the sources, and return what it printed."""
    folder: Path = tmp_path_factory.mktemp("process")

    def run(code: str, timeout: float = 60, fails: bool = False, **environment: str) -> str:
        env = {**os.environ, **environment}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=env, timeout=timeout, text=True, capture_output=True
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture(scope="session")
def blobs() -> Callable[..., Array]:
    """Overlapping blobs, so that a fit takes many iterations."""

    def make(n: int = 600, d: int = 3, k: int = 5, dtype: Any = np.float64, seed: int = 0) -> Array:
        rng = np.random.default_rng(seed)
        return (rng.standard_normal((n, d)) + 3 * rng.standard_normal((k, d))[rng.integers(k, size=n)]).astype(dtype)

    return make
