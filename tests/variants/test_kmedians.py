"""KMedians, held against plain NumPy."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from kmeans_fast import KMeans, KMedians

Array = NDArray[Any]


def distances(X: Array, centers: Array) -> Array:
    return np.abs(X.astype(np.float64)[:, None, :] - centers.astype(np.float64)[None]).sum(axis=2)


def lower_median(values: Array, weight: Array) -> Any:
    order = values.argsort(kind="stable")
    return values[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)]


def reference(X: Array, start: Array, weight: Array | None = None) -> tuple[Array, Array, float]:
    """Alternate until no label changes; no cluster may run empty."""
    centers, labels = start.astype(np.float64), np.full(len(X), -1)
    weight = np.ones(len(X)) if weight is None else weight
    while True:
        new = distances(X, centers).argmin(axis=1)
        if (new == labels).all():
            return centers, labels, float((weight * distances(X, centers).min(axis=1)).sum())
        labels = new
        for j in range(len(centers)):
            for f in range(X.shape[1]):
                centers[j, f] = lower_median(X[labels == j, f], weight[labels == j])


def board(n: int = 600, d: int = 3, dtype: Any = np.float64, seed: int = 0) -> Array:
    """Multiples of 1/8 in 5 clusters: all sums are exact and ties are real."""
    rng = np.random.default_rng(seed)
    return (np.round(8 * rng.normal(rng.integers(0, 12, (5, d))[rng.integers(5, size=n)], 1.0)) / 8).astype(dtype)


def spread(X: Array) -> Array:
    """Five distinct samples from end to end of the first feature."""
    distinct = np.unique(X, axis=0)
    return distinct[np.linspace(0, len(distinct) - 1, 5).astype(int)]


@parametrize_with_checks([KMedians(), KMedians(n_clusters=2, n_init=2, max_iter=5)])
def test_every_check_of_scikit_learn_passes(estimator: KMedians, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("d", [1, 2, 5, 40])
def test_a_fit_is_that_of_plain_numpy(d: int, weighted: bool, dtype: Any) -> None:
    X = board(d=d, dtype=dtype)
    start = spread(X)
    weight = np.random.default_rng(1).integers(1, 4, len(X)).astype(float) if weighted else None
    model = KMedians(5, init=start).fit(X, sample_weight=weight)
    centers, labels, inertia = reference(X, start, weight)
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.cluster_centers_, centers)
    assert model.cluster_centers_.dtype == dtype
    assert model.inertia_ == pytest.approx(inertia, rel=1e-14)
    np.testing.assert_array_equal(model.predict(X), labels)
    assert model.score(X, sample_weight=weight) == pytest.approx(-inertia, rel=1e-14)


def test_the_median_of_an_even_number_is_the_lower_one() -> None:
    model = KMedians(1, init=[[0.0]]).fit([[4.0], [1.0], [3.0], [2.0]])
    assert model.cluster_centers_.tolist() == [[2.0]]
    model = KMedians(1, init=[[0.0]]).fit([[4.0], [1.0], [3.0], [2.0]], sample_weight=[3.0, 1.0, 1.5, 0.0])
    assert model.cluster_centers_.tolist() == [[4.0]]


def test_ties_go_to_the_lowest_index() -> None:
    model = KMedians(2, init=[[1.0, 1.0], [3.0, 1.0]]).fit([[2.0, 1.0], [1.0, 1.0], [3.0, 1.0]])
    assert model.labels_.tolist() == [0, 0, 1]
    assert model.cluster_centers_.tolist() == [[1.0, 1.0], [3.0, 1.0]]
    assert model.predict([[2.0, 0.0], [2.0, 5.0]]).tolist() == [0, 0]


def test_an_integer_weight_is_repetition_and_zero_is_absence() -> None:
    X = board(200)
    weight = np.random.default_rng(3).integers(0, 4, len(X))
    weighted = KMedians(4, random_state=0).fit(X, sample_weight=weight)
    repeated = KMedians(4, random_state=0).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    np.testing.assert_array_equal(np.repeat(weighted.labels_, weight), repeated.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-14)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_random_state_gives_the_same_bits_for_any_number_of_threads(init: str, weighted: bool) -> None:
    X = np.random.default_rng(0).normal(size=(60_000, 3)).astype(np.float32)
    weight = np.random.default_rng(1).random(len(X)) if weighted else None
    one, four = (
        KMedians(12, init=init, n_init=1, random_state=5, n_threads=t, max_iter=8).fit(X, sample_weight=weight)
        for t in (1, 4)
    )
    np.testing.assert_array_equal(one.labels_, four.labels_)
    assert one.cluster_centers_.tobytes() == four.cluster_centers_.tobytes()
    assert one.inertia_ == four.inertia_


@pytest.mark.parametrize(
    "turn",
    [
        lambda X, path: np.asfortranarray(X),
        lambda X, path: X.astype(">f8"),
        lambda X, path: np.repeat(X, 2, axis=0)[::2],
        lambda X, path: (np.save(path / "X.npy", X), np.load(path / "X.npy", mmap_mode="r"))[1],
        lambda X, path: pytest.importorskip("pandas").DataFrame(X),
        lambda X, path: X.astype(np.float16),
        lambda X, path: X.tolist(),
    ],
    ids=["fortran", "big-endian", "strided", "memory-mapped", "frame", "float16", "list"],
)
def test_every_sort_of_X_gives_the_same_fit(turn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kmeans_fast.variants._medians.COLUMN_BYTES", 600 * 8 * 2)  # columns come two at a time
    X = board()
    X.flags.writeable = False
    start = spread(X)
    expected, model = KMedians(5, init=start).fit(X), KMedians(5, init=start).fit(turn(X, tmp_path))
    np.testing.assert_array_equal(model.cluster_centers_, expected.cluster_centers_)
    np.testing.assert_array_equal(model.labels_, expected.labels_)


def test_an_empty_cluster_moves_to_the_farthest_sample() -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0], [40.0]])
    model = KMedians(2, init=[[0.0], [1e6]]).fit(X)
    assert sorted(model.cluster_centers_.ravel().tolist()) == [1.0, 40.0]
    assert np.bincount(model.labels_).min() > 0


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_fewer_distinct_samples_than_clusters_are_told(init: str) -> None:
    X = np.repeat([[0.0, 1.0], [5.0, 5.0], [9.0, 2.0]], 400, axis=0)
    with pytest.warns(ConvergenceWarning, match="only 3 distinct samples"):
        model = KMedians(6, init=init, random_state=0).fit(X)
    assert model.inertia_ == 0.0


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_float32_far_from_the_origin_or_of_any_size_is_float64s(scale: float) -> None:
    X = (board(dtype=np.float32) + 1e5) * np.float32(scale)
    start = spread(X)
    single, double = KMedians(5, init=start).fit(X), KMedians(5, init=start.astype(float)).fit(X.astype(float))
    agree = np.mean(single.labels_ == double.labels_)
    assert agree == 1.0
    assert single.inertia_ == pytest.approx(double.inertia_, rel=1e-12)
    np.testing.assert_array_equal(single.predict(X), single.labels_)


def test_not_a_number_is_named() -> None:
    X = board()
    X[7, 1] = np.nan
    with pytest.raises(ValueError, match="NaN in row 7, column 1"):
        KMedians(3).fit(X)
    with pytest.raises(ValueError, match="NaN in row 7, column 1"):
        KMedians(3).fit(board()).predict(X)


def test_a_fitted_model_can_be_pickled_and_cloned() -> None:
    X = board()
    model = KMedians(3, random_state=0).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.labels_)
    assert clone(model).get_params() == model.get_params()


def test_medians_stay_where_far_outliers_pull_means_away() -> None:
    errors = {KMeans: [], KMedians: []}
    for seed in range(10):
        X, truth = outlying_board(seed)
        for variant, found in errors.items():
            centers = variant(5, n_init=5, random_state=seed).fit(X).cluster_centers_
            found.append(np.abs(truth[:, None] - centers[None]).sum(axis=2).min(axis=1).mean())
    assert np.median(errors[KMedians]) < 0.2 * np.median(errors[KMeans])


def outlying_board(seed: int) -> tuple[Array, Array]:
    """Five clusters, and 5% of samples far off on one side."""
    rng = np.random.default_rng(seed)
    truth = np.array([[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6], [0.6, 0.6], [0.0, 0.0]])
    X = rng.normal(truth[rng.integers(5, size=1000)], 0.08)
    X[:50] += rng.uniform(0.5, 3.0, (50, 2))
    return X, truth
