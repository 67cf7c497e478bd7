"""Pruned passes give what dense ones give, bit for bit, and compute less."""

from __future__ import annotations

import numpy as np
import pytest

from kmeans_fast import kmeans


def blobs(n, d, k, seed, dtype):
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 2, (k, d))
    return (centres[rng.integers(k, size=n)] + rng.normal(0, 0.6, (n, d))).astype(dtype)


def uniform(n, d, k, seed, dtype):
    return np.random.default_rng(seed).random((n, d)).astype(dtype)


def grid(n, d, k, seed, dtype):
    """Few integer coordinates: many samples are equally far from several centroids."""
    return np.random.default_rng(seed).integers(0, 3, (n, d)).astype(dtype)


def far(n, d, k, seed, dtype):
    return (blobs(n, d, k, seed, np.float64) + 1e4).astype(dtype)


def outlier(n, d, k, seed, dtype):
    X = blobs(n, d, k, seed, dtype)
    X[n // 2] = 1e6
    return X


@pytest.mark.parametrize("make", [blobs, uniform, grid, far, outlier])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "d", "k"), [(3001, 9, 50), (5000, 16, 60), (2500, 40, 97), (1500, 250, 33), (4000, 70, 5)]
)
def test_bounds_give_the_labels_of_the_dense_run(make, dtype, n, d, k):
    X = make(n, d, k, 1, dtype)
    start = X[np.random.default_rng(2).choice(n, k, replace=False)]
    dense = kmeans(X, k, init=start, tol=0, max_iter=40, algorithm="lloyd")
    pruned = kmeans(X, k, init=start, tol=0, max_iter=40, algorithm="yinyang")
    assert (pruned.algorithm, dense.algorithm) == ("yinyang", "lloyd")
    assert np.array_equal(pruned.labels, dense.labels)
    assert pruned.centroids.tobytes() == dense.centroids.tobytes()
    assert pruned.inertia_history.tobytes() == dense.inertia_history.tobytes()
    assert (pruned.n_iter, pruned.inertia, pruned.stop_reason) == (dense.n_iter, dense.inertia, dense.stop_reason)


def test_bounds_hold_after_an_empty_cluster_was_relocated():
    X = blobs(3000, 12, 60, 3, np.float32)
    start = X[:60].copy()
    start[::7] = 1e3  # these win no sample
    dense = kmeans(X, 60, init=start, tol=0, algorithm="lloyd")
    pruned = kmeans(X, 60, init=start, tol=0, algorithm="yinyang")
    assert pruned.counts.all()
    assert np.array_equal(pruned.labels, dense.labels)


def test_a_converging_run_computes_a_fraction_of_the_distances():
    X = blobs(20000, 32, 64, 5, np.float32)
    result = kmeans(X, 64, init=X[:64], tol=0, algorithm="yinyang")
    passes = result.n_iter + 1
    assert result.n_distances < 0.7 * passes * len(X) * 64


def test_the_dense_run_counts_every_distance():
    X = uniform(5000, 3, 40, 0, np.float32)
    result = kmeans(X, 40, init=X[:40], tol=0, max_iter=7, algorithm="lloyd")
    assert result.n_distances == (result.n_iter + 1) * len(X) * 40


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_bounds_count_and_decide_the_same_for_any_number_of_threads(n_threads):
    X = blobs(30000, 16, 80, 7, np.float32)
    one = kmeans(X, 80, init=X[:80], max_iter=12, tol=0, algorithm="yinyang", n_threads=1)
    many = kmeans(X, 80, init=X[:80], max_iter=12, tol=0, algorithm="yinyang", n_threads=n_threads)
    assert many.centroids.tobytes() == one.centroids.tobytes()
    assert many.n_distances == one.n_distances


def test_auto_keeps_bounds_where_they_pay_and_only_in_the_room_of_x():
    wide = blobs(4000, 64, 100, 0, np.float32)
    assert kmeans(wide, 100, init=wide[:100], max_iter=2).algorithm == "yinyang"
    flat = uniform(4000, 2, 100, 0, np.float32)
    assert kmeans(flat, 100, init=flat[:100], max_iter=2).algorithm == "lloyd"
    many = uniform(4000, 10, 900, 0, np.float32)
    assert kmeans(many, 900, init=many[:900], max_iter=2).algorithm == "lloyd"
