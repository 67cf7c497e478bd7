"""The oracle itself, against sums by ``math.fsum`` and every partition of few points."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import fsum, inf, isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kmeans_fast.reference import (
    BLOCK,
    cluster_points,
    find_centers,
    has_converged,
    lloyd,
    reevaluate_centers,
)

grid_boards = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 2), elements=st.integers(-2, 2).map(float)))
grid_starts = st.integers(1, 6).flatmap(lambda k: arrays(np.float64, (k, 2), elements=st.integers(-3, 3).map(float)))


def squared_distance(x, c) -> float:
    return fsum((a - b) ** 2 for a, b in zip(x.tolist(), c.tolist(), strict=True))


def partitions(n: int, k: int) -> Iterator[list[int]]:
    """Every way to put n points into at most k clusters, the clusters numbered as they appear."""

    def extend(labels: list[int]) -> Iterator[list[int]]:
        if len(labels) == n:
            yield labels
        else:
            for j in range(min(k, max(labels, default=-1) + 2)):
                yield from extend([*labels, j])

    return extend([])


def partition_inertia(X, labels) -> float:
    total = []
    for j in set(labels):
        points = [x for x, label in zip(X.tolist(), labels, strict=True) if label == j]
        for values in zip(*points, strict=True):
            mean = fsum(values) / len(values)
            total += [(value - mean) ** 2 for value in values]
    return fsum(total)


@pytest.mark.parametrize(("n", "k", "seed"), [(7, 2, 0), (8, 3, 1), (9, 4, 2), (10, 3, 3)])
def test_best_of_all_starts_is_the_best_of_all_partitions(n, k, seed):
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    best = min(partition_inertia(X, labels) for labels in partitions(n, k))
    found = min(lloyd(X, X[list(start)])[2] for start in combinations(range(n), k))
    assert isclose(found, best, rel_tol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_result_is_a_local_optimum_by_exact_sums(seed):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(60, 3)), rng.uniform(0.1, 2, 60)
    centroids, labels, inertia, n_iter = lloyd(X, X[:5], sample_weight=weights)
    assert n_iter < 300
    for x, label in zip(X, labels, strict=True):
        distances = [squared_distance(x, c) for c in centroids]
        assert distances[label] == min(distances)
    for j, c in enumerate(centroids):
        mine = labels == j
        for f in range(3):
            mean = fsum(weights[mine] * X[mine, f]) / fsum(weights[mine])
            assert isclose(c[f], mean, rel_tol=1e-12)
    exact = fsum(w * squared_distance(x, centroids[j]) for w, x, j in zip(weights, X, labels, strict=True))
    assert isclose(inertia, exact, rel_tol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_labels_inertia_and_iterations_are_those_of_scikit_learn(seed):
    cluster = pytest.importorskip("sklearn.cluster")
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(500, 4)), rng.uniform(0.1, 2, 500)
    centroids, labels, inertia, n_iter = lloyd(X, X[:7], sample_weight=weights)
    theirs = cluster.KMeans(7, init=X[:7], n_init=1, tol=0).fit(X, sample_weight=weights)
    np.testing.assert_array_equal(labels, theirs.labels_)
    np.testing.assert_allclose(centroids, theirs.cluster_centers_, rtol=1e-10)
    assert isclose(inertia, theirs.inertia_, rel_tol=1e-12)
    assert n_iter == theirs.n_iter_


def test_max_iter_bounds_the_passes_and_labels_follow_the_last_centroids():
    X = np.random.default_rng(0).normal(size=(300, 2))
    centroids, labels, inertia, n_iter = lloyd(X, X[:6], max_iter=2)
    nearest, distances = cluster_points(X, centroids)
    assert n_iter == 2
    assert not has_converged(reevaluate_centers(X, labels, centroids, np.ones(300)), centroids)
    np.testing.assert_array_equal(labels, nearest)
    assert inertia == distances.sum()


def test_start_that_is_already_converged_counts_one_iteration():
    X = np.array([[0.0], [2.0], [10.0], [12.0]])
    assert lloyd(X, [[1.0], [11.0]])[3] == 1


def test_ties_go_to_the_lowest_index():
    labels, _ = cluster_points(np.array([[0.0, 0.0]]), np.array([[1.0, 0], [0, 1], [-1, 0]]))
    assert labels.tolist() == [0]
    labels, _ = cluster_points(np.array([[0.0], [5.0]]), np.array([[9.0], [5.0], [5.0]]))
    assert labels.tolist() == [1, 1]


def test_blocks_do_not_change_labels_or_distances():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    centroids = X[: BLOCK // 3 // 300]  # about 300 rows a block
    labels, distances = cluster_points(X, centroids)
    for i in range(0, 1000, 97):
        one_label, one_distance = cluster_points(X[i : i + 1], centroids)
        assert (labels[i], distances[i]) == (one_label[0], one_distance[0])


def test_empty_cluster_is_relocated_to_the_farthest_point():
    X = np.array([[0.0], [1.0], [2.0], [50.0]])
    centroids, labels, inertia, _ = lloyd(X, [[1.0], [1000.0]])
    assert centroids.tolist() == [[1.0], [50.0]]
    assert labels.tolist() == [0, 0, 0, 1]
    assert inertia == 2.0


def test_empty_clusters_go_to_distinct_points_of_positive_weight():
    X = np.array([[0.0], [0.0], [9.0], [9.0], [10.0], [99.0]])
    start = [[0.0], [-500.0], [-600.0]]
    centroids, labels, inertia, _ = lloyd(X, start, sample_weight=[1, 1, 1, 1, 1, 0])
    assert centroids.tolist() == [[0.0], [10.0], [9.0]]
    assert labels.tolist() == [0, 0, 2, 2, 1, 1]
    assert inertia == 0.0


def test_empty_cluster_stays_when_there_are_fewer_distinct_points_than_clusters():
    X = np.array([[1.0, 1.0]] * 3 + [[2.0, 2.0]] * 2)
    centroids, labels, inertia, n_iter = lloyd(X, [[1.0, 1], [2, 2], [7, 7], [2, 2]])
    assert centroids.tolist() == [[1, 1], [2, 2], [7, 7], [2, 2]]
    assert (labels.tolist(), inertia, n_iter) == ([0, 0, 0, 1, 1], 0.0, 1)


@given(grid_boards, grid_starts)
def test_every_run_ends_with_as_many_clusters_as_the_points_allow(X, start):
    centroids, labels, _, n_iter = lloyd(X, start)
    assert n_iter < 300
    assert np.isfinite(centroids).all()
    assert len(set(labels.tolist())) == min(len(start), len(np.unique(X, axis=0)))


@given(grid_boards, grid_starts)
def test_inertia_never_rises(X, start):
    values = [lloyd(X, start, max_iter=m)[2] for m in range(8)]
    assert all(b <= a * (1 + 1e-12) for a, b in zip([inf, *values], values, strict=False))


@given(grid_boards, grid_starts, st.data())
def test_integer_weights_equal_repetition_and_weight_zero_equals_absence(X, start, data):
    weights = data.draw(arrays(np.int64, len(X), elements=st.integers(0, 3)))
    weights[0] = max(weights[0], 1)
    weighted = lloyd(X, start, sample_weight=weights)
    repeated = lloyd(np.repeat(X, weights, axis=0), start)
    np.testing.assert_array_equal(weighted[0], repeated[0])
    np.testing.assert_array_equal(np.repeat(weighted[1], weights), repeated[1])
    assert weighted[2:] == pytest.approx(repeated[2:])


def test_find_centers_repeats_itself_and_reaches_a_local_optimum():
    X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    centroids, labels = find_centers(X, 5, random_state=1)
    again, _ = find_centers(X.tolist(), 5, random_state=1)
    np.testing.assert_array_equal(centroids, again)
    np.testing.assert_array_equal(lloyd(X, centroids)[1], labels)
    assert lloyd(X, centroids)[3] == 1


def test_arguments_are_not_changed():
    X, start = np.arange(12.0).reshape(6, 2), np.zeros((2, 2))
    X.flags.writeable = start.flags.writeable = False
    lloyd(X, start)
