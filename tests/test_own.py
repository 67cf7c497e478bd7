"""Each sample and its own centroid: where empty clusters go, and that everything agrees afterwards."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from kmeans_fast import kmeans, reference


def first_iteration(X, start, weight=None):
    """Centroids after one iteration."""
    seen = []
    kmeans(X, len(start), init=start, sample_weight=weight, max_iter=1, callback=lambda s: seen.append(s.centroids))
    return seen[0]


@pytest.fixture
def crowd():
    """A thousand samples near the origin, a few far off, and a start that leaves clusters 2 and 3 empty."""
    X = np.random.default_rng(0).standard_normal((1000, 2))
    X[700], X[20], X[500] = (50, 0), (0, 40), (30, 30)
    return X, np.array([[-1.0, 0.0], [1.0, 0.0], [-1e3, 0.0], [-1e3, 1.0]])


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
def test_empty_clusters_are_relocated_to_the_farthest_samples(crowd):
    X, start = crowd
    np.testing.assert_array_equal(first_iteration(X, start)[2:], X[[700, 500]])


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
def test_the_relocated_sample_leaves_the_mean_of_its_old_cluster(crowd, oracle):
    X, start = crowd
    labels = oracle.squares(X, start).argmin(axis=1)
    labels[[700, 500]] = 2, 3
    np.testing.assert_allclose(first_iteration(X, start), oracle.means(X, labels, 4), atol=1e-12)


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
def test_a_sample_of_weight_zero_is_never_relocated_to(crowd):
    X, start = crowd
    weight = np.ones(len(X))
    weight[700] = 0
    np.testing.assert_array_equal(first_iteration(X, start, weight)[2:], X[[500, 20]])


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
def test_of_equally_far_samples_the_first_row_is_taken():
    X = np.array([[0.0], [5.0], [-5.0], [0.0], [5.0]])
    centroids = first_iteration(X, np.array([[0.0], [100.0]]))
    np.testing.assert_array_equal(centroids, [[-5 / 3], [5.0]])  # with its copy in the last row


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
def test_one_empty_cluster_relocates_alike_for_weights_and_for_repetition():
    X, start = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([[1.0], [-100.0]])
    weight = np.array([2, 1, 1, 3])
    np.testing.assert_array_equal(first_iteration(X, start, weight), first_iteration(X.repeat(weight, axis=0), start))


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
def test_several_empty_clusters_relocate_alike_for_weights_and_for_repetition():
    X, start = np.array([[0.0], [1.0], [6.0], [9.0]]), np.array([[1.0], [-100.0], [-101.0]])
    weight = np.array([2, 1, 1, 3])
    np.testing.assert_array_equal(first_iteration(X, start, weight), first_iteration(X.repeat(weight, axis=0), start))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_after_relocations_labels_centroids_counts_and_inertia_agree(oracle, dtype, weighted):
    rng = np.random.default_rng(0)
    for _ in range(20):
        X = rng.standard_normal((200, 2)).astype(dtype)
        weight = rng.integers(0, 3, 200).astype(float) if weighted else None
        start = rng.standard_normal((6, 2)) * 30
        r = kmeans(X, 6, init=start, sample_weight=weight, tol=0)
        oracle.assert_agrees(r, X, weight)
        assert r.counts.all()
        assert (np.diff(r.inertia_history) <= 0).all()


def test_relocation_ends_where_the_reference_ends():
    rng = np.random.default_rng(0)
    for _ in range(20):
        X, start = rng.standard_normal((60, 2)), rng.standard_normal((5, 2)) * 10
        r = kmeans(X, 5, init=start, tol=0)
        _, labels, inertia, _ = reference.lloyd(X, start)
        np.testing.assert_array_equal(r.labels, labels)
        assert r.inertia == pytest.approx(inertia, rel=1e-12)


def test_a_fit_cut_short_with_an_empty_cluster_does_not_claim_that_samples_are_alike():
    X = np.random.default_rng(0).standard_normal((300, 1))
    for seed in range(10):
        start = np.random.default_rng(seed).standard_normal((6, 1)) * 30
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            r = kmeans(X, 6, init=start, max_iter=1)
        expected = [] if r.counts.all() else ["the fit ended by max_iter before they were given samples."]
        assert [str(warning.message).partition(": ")[2] for warning in caught] == expected
