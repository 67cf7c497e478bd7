"""Labels of new samples, and of those of the fit, against brute force."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmeans_fast import kmeans, predict
from kmeans_fast._predict import transform

SOME = settings(max_examples=60, deadline=None, derandomize=True)


@SOME
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3, 4, 7, 8, 9, 16, 31, 64, 200]), st.integers(1, 70))
def test_labels_on_a_grid_are_those_of_brute_force_with_ties_to_the_lowest(oracle, seed, d, k):
    rng = np.random.default_rng(seed)
    X, centroids = rng.integers(-3, 4, (rng.integers(1, 150), d)), rng.integers(-3, 4, (k, d))
    squares = oracle.squares(X, centroids)
    mean = centroids.mean(axis=0)
    exact = bool((mean * 16 == np.round(mean * 16)).all())  # then scores about it round nothing: ties are ties
    for dtype in (np.int8, np.float16, np.float32, np.float64):
        labels = predict(X.astype(dtype), centroids)
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(squares[np.arange(len(X)), labels], squares.min(axis=1))
        if exact:
            np.testing.assert_array_equal(labels, squares.argmin(axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tie_on_a_grid_goes_to_the_lowest_index_whatever_the_mean_of_the_centroids(oracle, dtype):
    rng = np.random.default_rng(0)
    for k in (3, 5, 6, 7):
        X, centroids = rng.integers(-3, 4, (300, 3)).astype(dtype), rng.integers(-3, 4, (k, 3))
        np.testing.assert_array_equal(predict(X, centroids), oracle.squares(X, centroids).argmin(axis=1))


@pytest.mark.parametrize("d", [1, 2, 3, 8, 9, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_ties_go_to_the_lowest_index_in_every_tile_and_lane(dtype, d):
    # Centroids in pairs, mean zero: each sample at 0 is as far from all, each at +-1 nearest to the first of a pair.
    k = 100
    centroids = np.zeros((k, d))
    centroids[:, 0] = np.tile([1.0, -1.0], k // 2)
    X = np.zeros((301, d), dtype)
    X[:, 0] = np.arange(301) % 3 - 1
    np.testing.assert_array_equal(predict(X, centroids), np.where(X[:, 0] == -1, 1, 0))


@pytest.mark.parametrize("n", [1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1009])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_samples_is_labelled_to_the_last(oracle, n, dtype):
    rng = np.random.default_rng(n)
    for d, k in ((1, 3), (2, 13), (5, 12), (11, 25)):
        X, centroids = rng.standard_normal((n, d)).astype(dtype), rng.standard_normal((k, d))
        np.testing.assert_array_equal(predict(X, centroids), oracle.squares(X, centroids).argmin(axis=1))


@pytest.mark.parametrize(("d", "k"), [(2, 1000), (3, 5000), (64, 700), (700, 40)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_more_centroids_than_a_cache_holds_are_all_seen(oracle, d, k, dtype):
    rng = np.random.default_rng(0)
    centroids = rng.standard_normal((k, d))
    order = rng.permutation(k)[:300]
    X = (centroids[order] + 1e-3 * rng.standard_normal((len(order), d))).astype(dtype)
    np.testing.assert_array_equal(predict(X, centroids), oracle.squares(X, centroids).argmin(axis=1))


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.sampled_from([np.float16, np.float32, np.float64]), st.sampled_from([0, 1e3, 1e6]))
def test_predict_gives_the_labels_of_the_fit_also_after_pickling(seed, dtype, offset):
    rng = np.random.default_rng(seed)
    shift = min(offset, 1e3) if dtype == np.float16 else offset
    X = (rng.standard_normal((rng.integers(10, 400), rng.integers(1, 6))) + shift).astype(dtype)
    r = kmeans(X, int(rng.integers(1, 9)), random_state=seed, max_iter=int(rng.choice([1, 300])))
    np.testing.assert_array_equal(predict(X, r.centroids), r.labels)
    again = pickle.loads(pickle.dumps(r))
    np.testing.assert_array_equal(again.predict(X), r.labels)
    np.testing.assert_array_equal(predict(X, again.centroids.tolist()), r.labels)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
def test_any_number_of_threads_gives_the_same_labels_and_distances(blobs, dtype):
    X, centroids = (blobs(40_000, 5, 9) * 50).astype(dtype), blobs(33, 5, 9, seed=1) * 50
    for function in (predict, transform):
        results = [function(X, centroids, n_threads=t).tobytes() for t in (1, 2, 3, 8)]
        assert len(set(results)) == 1


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e8])
def test_float32_far_from_the_origin_is_labelled_as_float64_is(blobs, offset):
    X, centroids = (blobs(2000, 3, 5) + offset).astype(np.float32), blobs(9, 3, 5, seed=1) + offset
    a, b = predict(X, centroids), predict(X.astype(np.float64), centroids)
    squares = ((X.astype(np.float64)[:, None] - centroids) ** 2).sum(axis=2)
    rows = np.arange(len(X))
    np.testing.assert_allclose(squares[rows, a], squares[rows, b], rtol=1e-4)
    assert squares[rows, a].sum() == pytest.approx(squares.min(axis=1).sum(), rel=1e-6)


@pytest.mark.parametrize(
    "outlier",
    [1e3, 1e6, 1e8],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_far_centroid_takes_no_digits_from_the_near_ones(oracle, dtype, outlier):
    X = np.random.default_rng(0).standard_normal((2000, 2)).astype(dtype)
    centroids = np.array([[0.0, 0.0], [1.0, 0.0], [outlier, outlier]])
    squares = oracle.squares(X, centroids)
    wrong = predict(X, centroids) != squares.argmin(axis=1)
    near_tie = np.abs(squares[:, 0] - squares[:, 1]) < 1e-3
    assert not (wrong & ~near_tie).any()


def test_a_zero_row_and_a_single_centroid_are_no_special_case():
    np.testing.assert_array_equal(predict(np.zeros((5, 3)), np.ones((1, 3))), np.zeros(5))
    np.testing.assert_array_equal(predict([[0.0]], [[1.0], [-1.0], [0.5]]), [2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transform_gives_every_distance(oracle, blobs, dtype):
    X, centroids = blobs(500, 7, 4, dtype), blobs(6, 7, 4, seed=1)
    expected = np.sqrt(oracle.squares(X, centroids))
    np.testing.assert_allclose(transform(X, centroids), expected, rtol=1e-5 if dtype == np.float32 else 1e-12)
    assert transform(X, centroids).dtype == dtype
