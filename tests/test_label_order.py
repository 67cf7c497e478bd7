"""Labels in a stable order: by size, by position, as in an earlier fit."""

from __future__ import annotations

import pickle
import re
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from kmeans_fast import ClusterWarning, KMeans, kmeans
from kmeans_fast.files import load_model, save_model

MIDDLES = np.array([[10.0, 0.0], [0.0, 10.0], [20.0, 20.0], [0.0, 0.0]])
SIZES = (20, 50, 20, 30)


def board(middles=MIDDLES, sizes=SIZES, seed=0):
    noise = np.random.default_rng(seed).uniform(-1, 1, (sum(sizes), 2))
    return np.repeat(middles, sizes, axis=0) + noise


def near(r, expected):
    np.testing.assert_allclose(r.centroids, expected, atol=1)


@pytest.fixture(params=range(3))
def fitted(request):
    X = board()
    return X, kmeans(X, 4, random_state=request.param, n_init=5)


def test_by_size_the_largest_comes_first_and_equal_ones_by_position(fitted, oracle):
    X, r = fitted
    ordered = r.ordered("size")
    assert ordered.counts.tolist() == [50, 30, 20, 20]
    near(ordered, MIDDLES[[1, 3, 0, 2]])
    oracle.assert_agrees(ordered, X)


def test_by_position_the_first_feature_decides_then_the_next():
    grid = np.array([[1.0, 5.0], [1.0, -5.0], [0.0, 9.0]])
    r = kmeans(grid.repeat(3, axis=0), 3, init=grid).ordered("position")
    np.testing.assert_array_equal(r.centroids, grid[[2, 1, 0]])
    np.testing.assert_array_equal(r.labels, np.repeat([2, 1, 0], 3))


def test_matched_to_an_earlier_fit_every_cluster_keeps_its_label(fitted, oracle):
    _, r = fitted
    earlier = r.ordered("size")
    moved = board(MIDDLES + np.array([1.5, -1]), (60, 10, 40, 30), seed=7)
    for seed in range(3):
        later = kmeans(moved, 4, random_state=seed, n_init=5).ordered(earlier)
        near(later, earlier.centroids + np.array([1.5, -1]))
        oracle.assert_agrees(later, moved)


def test_new_clusters_get_the_next_free_labels_the_largest_first(fitted):
    _, r = fitted
    earlier = r.ordered("position")
    more = np.concatenate([MIDDLES, [[40.0, 0.0], [-40.0, 0.0]]])
    later = kmeans(board(more, (*SIZES, 5, 70)), 6, random_state=1, n_init=9).ordered(earlier)
    near(later, np.concatenate([earlier.centroids, [[-40, 0], [40, 0]]]))


def test_clusters_that_are_gone_are_warned_of_and_later_labels_move_down(fitted):
    X, r = fitted
    earlier = r.ordered("position")
    gone = int(np.argmin(earlier.counts))
    fewer = kmeans(X[earlier.labels != gone], 3, random_state=0, n_init=5)
    message = rf"^1 of the 4 earlier clusters have no counterpart among 3 \(labels {gone}\): higher labels moved down"
    with pytest.warns(ClusterWarning, match=message) as caught:
        later = fewer.ordered(earlier)
    assert caught[0].filename == __file__
    near(later, np.delete(earlier.centroids, gone, axis=0))


def test_an_earlier_fit_may_be_an_estimator_a_model_file_or_centroids(fitted, tmp_path):
    X, r = fitted
    earlier = r.ordered("size")
    save_model(earlier, tmp_path / "m")
    model = KMeans(4, init=earlier.centroids).fit(X)
    for by in (model, load_model(tmp_path / "m"), earlier.centroids, earlier.centroids.tolist()):
        np.testing.assert_array_equal(r.ordered(by).labels, earlier.labels)


def test_everything_else_stays_and_predict_gives_the_new_labels(fitted):
    X, r = fitted
    ordered = r.ordered("size")
    assert (ordered.inertia, ordered.restarts, ordered.n_iter) == (r.inertia, r.restarts, r.n_iter)
    assert ordered.labels.dtype == np.int32
    np.testing.assert_array_equal(ordered.predict(X), ordered.labels)
    np.testing.assert_array_equal(ordered.distances, r.distances)
    np.testing.assert_array_equal(np.bincount(ordered.labels), ordered.counts)
    again = pickle.loads(pickle.dumps(ordered)).ordered("position").ordered("size")
    np.testing.assert_array_equal(again.labels, ordered.labels)
    np.testing.assert_array_equal(again.distances, r.distances)
    np.testing.assert_array_equal(r.predict(X), r.labels)  # r itself is as it was


def test_the_estimator_gives_a_copy_in_order(fitted):
    X, _ = fitted
    model = KMeans(4, n_init=5, random_state=0).fit(X)
    kept = model.labels_.copy()
    ordered = model.ordered("size")
    assert ordered.result_.counts.tolist() == [50, 30, 20, 20]
    np.testing.assert_array_equal(ordered.labels_, ordered.predict(X))
    own = ordered.transform(X)[np.arange(len(X)), ordered.labels_]
    np.testing.assert_allclose(own, ordered.result_.distances, rtol=1e-12)
    np.testing.assert_array_equal(model.labels_, kept)
    assert (ordered.get_params(), ordered.inertia_) == (model.get_params(), model.inertia_)


def test_one_cluster_and_equal_centroids_are_ordered_too():
    assert kmeans([[1.0], [2.0]], 1).ordered("size").counts.tolist() == [2]
    with pytest.warns(UserWarning, match="distinct"):
        r = kmeans([[0.0], [0.0], [1.0]], 3, random_state=0)
    for by in ("size", "position", r):
        ordered = r.ordered(by)
        assert sorted(ordered.counts.tolist()) == [0, 1, 2]
        np.testing.assert_array_equal(np.bincount(ordered.labels, minlength=3), ordered.counts)


@pytest.mark.parametrize(
    ("by", "kind", "message"),
    [
        ("age", ValueError, "by='age' must be 'size', 'position' or an earlier fit."),
        (np.zeros((2, 3)), ValueError, "by has 3 features and must have n_features=2."),
        (np.array([[np.nan, 0.0]]), ValueError, "by has nan in row 0, column 0; it must be finite."),
        (np.zeros(2), ValueError, "by has shape (2,) and must be (n_clusters >= 1, n_features >= 1)."),
        (None, ValueError, "by has shape () and must be (n_clusters >= 1, n_features >= 1)."),
        (KMeans(3), TypeError, "by must be an array of numbers"),
    ],
)
def test_what_is_no_order_is_refused_in_one_sentence(by, kind, message):
    with pytest.raises(kind, match=rf"^{re.escape(message)}"):
        kmeans(board(), 4, random_state=0).ordered(by)


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    r = kmeans(board(), 4, random_state=0)
    with pytest.raises(ImportError, match=r'^matching to an earlier fit needs scipy; .*"kmeans_fast\[sklearn\]"$'):
        r.ordered(r)
    r.ordered("size")
