"""BisectingKMeans against scikit-learn's, and on all sorts of X."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from numpy.testing import assert_allclose, assert_array_equal
from sklearn import cluster
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from kmeans_fast import BisectingKMeans, KMeans
from kmeans_fast._samples import as_samples
from kmeans_fast.variants._subset import subset

# scikit-learn excuses its own from these: a random start draws otherwise from copies than by weight.
BY_CHANCE = {"check_sample_weight_equivalence_on_dense_data": "not the same draws"}


@parametrize_with_checks([BisectingKMeans(3)], expected_failed_checks=lambda _: BY_CHANCE)
def test_it_is_an_estimator_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def points(n: int = 2000, d: int = 2, k: int = 9, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) + 6 * rng.standard_normal((k, d))[rng.integers(k, size=n)]


def squares(X: Any, model: Any) -> Any:
    return ((X - model.cluster_centers_[model.labels_]) ** 2).sum(axis=1)


def test_its_parameters_are_those_of_scikit_learn() -> None:
    theirs, ours = cluster.BisectingKMeans().get_params(), BisectingKMeans().get_params()
    assert ours == theirs | {"n_threads": None}


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
@pytest.mark.parametrize("init", ["random", "k-means++"])
def test_on_clear_clusters_it_splits_as_scikit_learn_does(strategy: str, init: str) -> None:
    centers = np.array([[0, 0], [1, 0], [9, 0], [10, 0], [100, 0], [101, 0], [109, 0], [110, 5]])
    X = np.repeat(centers, 50, axis=0) + 0.01 * np.random.default_rng(0).standard_normal((400, 2))
    parameters = {"init": init, "n_init": 5, "random_state": 0, "bisecting_strategy": strategy}
    for k in (1, 2, 4, 8):
        with threadpool_limits(1):
            theirs = cluster.BisectingKMeans(k, **parameters).fit(X)
        ours = BisectingKMeans(k, **parameters).fit(X)
        assert ours.inertia_ == pytest.approx(theirs.inertia_)
        assert_allclose(np.sort(ours.cluster_centers_, axis=0), np.sort(theirs.cluster_centers_, axis=0))


def test_on_average_it_ends_no_higher_than_scikit_learn() -> None:
    X = points(3000, 2, 20)
    ours = [BisectingKMeans(12, random_state=s).fit(X).inertia_ for s in range(25)]
    with threadpool_limits(1):
        theirs = [cluster.BisectingKMeans(12, random_state=s).fit(X).inertia_ for s in range(25)]
    error = (np.var(ours) / 25 + np.var(theirs) / 25) ** 0.5
    assert np.mean(ours) <= np.mean(theirs) + 2 * error


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_labels_centers_and_inertia_agree_and_predict_follows_the_tree(strategy: str) -> None:
    X = points()
    model = BisectingKMeans(9, random_state=1, bisecting_strategy=strategy).fit(X)
    assert model.labels_.dtype == np.int32
    assert model.inertia_ == pytest.approx(squares(X, model).sum())
    exact = BisectingKMeans(9, random_state=1, bisecting_strategy=strategy, tol=0).fit(X)
    assert_allclose(exact.cluster_centers_, [X[exact.labels_ == j].mean(axis=0) for j in range(9)], atol=1e-9)
    assert_array_equal(model.predict(X), model.labels_)
    assert_array_equal(model.fit_predict(X), model.labels_)
    nearest = model.transform(X).argmin(axis=1)
    assert (nearest != model.labels_).any()  # the tree is not the nearest center
    assert model.score(X) == pytest.approx(-(model.transform(X).min(axis=1) ** 2).sum())
    assert len(model.get_feature_names_out()) == 9


def test_the_next_split_is_of_the_largest_cluster_by_strategy() -> None:
    X = np.concatenate([np.linspace(0, 1, 90), [50, 60], [100]])[:, None]
    parts = {"largest_cluster": [3, 22, 23, 45], "biggest_inertia": [1, 1, 1, 90]}
    for strategy, sizes in parts.items():
        model = BisectingKMeans(4, init="k-means++", n_init=10, random_state=0, bisecting_strategy=strategy).fit(X)
        assert sorted(np.bincount(model.labels_)) == sizes


def test_an_integer_weight_is_a_repetition_and_zero_an_absence() -> None:
    X, weight = points(300), np.random.default_rng(1).integers(0, 4, 300)
    parameters = {"n_clusters": 6, "init": "k-means++", "n_init": 10, "random_state": 0}
    once = BisectingKMeans(**parameters).fit(X, sample_weight=weight)
    copies = BisectingKMeans(**parameters).fit(np.repeat(X, weight, axis=0))
    assert once.inertia_ == pytest.approx((weight * squares(X, once)).sum())
    assert once.inertia_ == pytest.approx(copies.inertia_, rel=0.02)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(n_threads: int) -> None:
    X = points(20000, 5)
    one = BisectingKMeans(7, random_state=3, n_threads=1).fit(X)
    many = BisectingKMeans(7, random_state=3, n_threads=n_threads).fit(X)
    assert_array_equal(one.cluster_centers_, many.cluster_centers_)
    assert_array_equal(one.labels_, many.labels_)
    assert one.inertia_ == many.inertia_


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "f2", "i8", "i2", "u1"])
@pytest.mark.parametrize("layout", ["C", "F", "strided", "frame"])
def test_every_sort_of_X_gives_what_float64_gives_and_is_left_as_it_is(dtype: str, layout: str) -> None:
    values = np.round(4 * points(500, 3) + 100).clip(0, 255).astype(dtype)
    if layout == "frame":
        X: Any = pytest.importorskip("pandas").DataFrame(values.astype(dtype.lstrip(">")), columns=list("abc"))
    else:
        X = np.repeat(values, 2, axis=0)[::2] if layout == "strided" else np.array(values, order=layout)  # type: ignore[call-overload]
        X.flags.writeable = False
    model = BisectingKMeans(6, random_state=0).fit(X)
    wide = BisectingKMeans(6, random_state=0).fit(values.astype(float))
    assert_array_equal(model.labels_, wide.labels_)
    assert_allclose(model.cluster_centers_, wide.cluster_centers_, rtol=1e-6)
    assert model.cluster_centers_.dtype == KMeans(1).fit(X).cluster_centers_.dtype
    assert_array_equal(np.asarray(X), values)
    assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize("frame", [False, True])
def test_a_subset_reads_its_rows_and_copies_half_of_X_at_most(share: float, frame: bool) -> None:
    X = np.random.default_rng(0).random((50000, 3))
    rows = np.flatnonzero(np.random.default_rng(1).random(50000) < share)
    source = pytest.importorskip("pandas").DataFrame(X) if frame else X
    part = subset(as_samples(source), rows)
    assert (part.native is not None) == (share < 0.5)
    for start, block in part.blocks(np.dtype(np.float64), 7000):
        assert_array_equal(block, X[rows[start : start + len(block)]])
    assert_array_equal(part.take([5, 3]), X[rows[[5, 3]]])


def test_a_callable_starts_every_split() -> None:
    sizes = []

    def first_and_last(X: Any, n_clusters: int, random_state: Any) -> Any:
        sizes.append((len(X), n_clusters))
        return X[[0, -1]]

    model = BisectingKMeans(4, init=first_and_last).fit(points(100))
    assert len(sizes) == 3
    assert sizes[0] == (100, 2)
    assert len(model.cluster_centers_) == 4


def test_fewer_distinct_samples_than_clusters_are_warned_of() -> None:
    X = np.repeat([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]], 4, axis=0)
    for strategy in ("biggest_inertia", "largest_cluster"):
        with pytest.warns(ConvergenceWarning, match=r"^X has only 3 distinct samples .* fewer than n_clusters=5"):
            model = BisectingKMeans(5, random_state=0, bisecting_strategy=strategy).fit(X)
        assert len(model.cluster_centers_) == 3
        assert model.inertia_ == 0


def test_splits_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    BisectingKMeans(3, verbose=1, random_state=0).fit(points(100))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("split 100 samples into [")


def test_global_state_is_drawn_from_without_a_seed() -> None:
    X, model = points(200), BisectingKMeans(5)
    np.random.seed(0)  # noqa: NPY002
    first = clone(model).fit(X).labels_
    np.random.seed(0)  # noqa: NPY002
    assert_array_equal(clone(model).fit(X).labels_, first)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 7}, "n_clusters=7 must be <= n_samples=6"),
        ({"bisecting_strategy": "any"}, "The 'bisecting_strategy' parameter of BisectingKMeans must be"),
        ({"init": "k-means||"}, "The 'init' parameter of BisectingKMeans must be"),
    ],
)
def test_wrong_parameters_are_named(parameters: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        BisectingKMeans(**parameters).fit(points(6))


def test_a_long_chain_of_splits_can_be_pickled() -> None:
    X = np.cumsum(np.arange(600.0) ** 3)[:, None]
    model = BisectingKMeans(400, random_state=0).fit(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.labels_)
