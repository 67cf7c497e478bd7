"""TrimmedKMeans, held against plain NumPy and against outliers that were planted."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from numpy.typing import NDArray
from sklearn.utils.estimator_checks import parametrize_with_checks

from kmeans_fast import KMeans, TrimmedKMeans

Array = NDArray[Any]
TRUTH = np.array([[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6], [0.6, 0.6], [0.0, 0.0]])


def board(seed: int, n: int = 500, n_outliers: int = 25, reach: float = 10.0) -> Array:
    """Five clusters; the last samples lie at least 2 from the middle, in every direction."""
    rng = np.random.default_rng(seed)
    X = rng.normal(TRUTH[np.arange(n) % 5], 0.08)
    angle, radius = rng.uniform(0, 2 * np.pi, n_outliers), rng.uniform(2.0, reach, n_outliers)
    X[n - n_outliers :] = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    return X


def reference(X: Array, start: Array, n_outliers: int, weight: Array | None = None) -> tuple[Array, Array]:
    """Label, leave the farthest out (equal ones together), average; until no label changes."""
    centers, labels = start.astype(np.float64), np.full(len(X), -2)
    weight = np.ones(len(X)) if weight is None else weight
    while True:
        far = ((X.astype(np.float64)[:, None] - centers[None]) ** 2).sum(axis=2)
        new, nearest = far.argmin(axis=1), far.min(axis=1)
        heavier = np.array([weight[nearest >= value].sum() > n_outliers for value in nearest])
        new[~heavier] = -1
        if (new == labels).all():
            return centers, labels
        labels = new
        for j in range(len(centers)):
            mine = labels == j
            centers[j] = (weight[mine, None] * X[mine]).sum(axis=0) / weight[mine].sum()


@parametrize_with_checks([TrimmedKMeans(), TrimmedKMeans(n_clusters=2, n_outliers=3, n_init=2, max_iter=5)])
def test_every_check_of_scikit_learn_passes(estimator: TrimmedKMeans, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_is_that_of_plain_numpy(weighted: bool, dtype: Any) -> None:
    X = (np.round(64 * board(0)) / 64).astype(dtype)
    weight = np.random.default_rng(0).integers(1, 4, len(X)).astype(float) if weighted else None
    model = TrimmedKMeans(5, 40, init=X[:5], tol=0).fit(X, sample_weight=weight)
    centers, labels = reference(X, X[:5], 40, weight)
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_allclose(model.cluster_centers_, centers, rtol=2e-7 if dtype == np.float32 else 1e-13)
    np.testing.assert_array_equal(model.predict(X, outliers=True), labels)
    assert model.predict(X).min() >= 0
    assert model.score(X, sample_weight=weight) == pytest.approx(-model.inertia_)


def test_planted_outliers_are_found_exactly() -> None:
    exact = 0
    for seed in range(100):
        model = TrimmedKMeans(5, 25, random_state=seed).fit(board(seed))
        exact += np.array_equal(np.flatnonzero(model.labels_ == -1), np.arange(475, 500))
    assert exact >= 95


def test_outliers_pull_no_center() -> None:
    X = board(1, reach=1e6)
    trimmed, plain = TrimmedKMeans(5, 25, random_state=0).fit(X), KMeans(5, random_state=0).fit(X)
    for model, good in ((trimmed, True), (plain, False)):
        nearest = np.linalg.norm(TRUTH[:, None] - model.cluster_centers_[None], axis=2).min(axis=1)
        assert (nearest.max() < 0.05) == good
    kept = trimmed.labels_ >= 0
    for j in range(5):
        mean = X[trimmed.labels_ == j].mean(axis=0)
        np.testing.assert_allclose(trimmed.cluster_centers_[j], mean, atol=1e-12)
    far = np.linalg.norm(X - trimmed.cluster_centers_[trimmed.predict(X)], axis=1)
    assert trimmed.threshold_ == pytest.approx(far[kept].max(), rel=1e-12)
    assert far[~kept].min() > trimmed.threshold_


def test_without_outliers_it_is_kmeans() -> None:
    X = board(2)
    trimmed, plain = TrimmedKMeans(5, 0, init=X[:5], tol=0).fit(X), KMeans(5, init=X[:5], tol=0).fit(X)
    np.testing.assert_array_equal(trimmed.labels_, plain.labels_)
    assert trimmed.inertia_ == pytest.approx(plain.inertia_)


def test_a_share_is_of_the_samples_or_of_their_weight() -> None:
    X = board(3)
    assert (TrimmedKMeans(5, 0.05, random_state=0).fit(X).labels_ == -1).sum() == 25
    weight = np.where(np.arange(500) < 475, 1.0, 2.0)
    model = TrimmedKMeans(5, 50 / 525 + 1e-9, random_state=0).fit(X, sample_weight=weight)
    assert np.flatnonzero(model.labels_ == -1).tolist() == list(range(475, 500))


def test_samples_that_are_equally_far_stay_or_go_together() -> None:
    X = [[0.0], [0.0], [0.0], [5.0], [-5.0]]
    assert TrimmedKMeans(1, 1, init=[[0.0]]).fit(X).labels_.tolist() == [0, 0, 0, 0, 0]
    assert TrimmedKMeans(1, 2, init=[[0.0]]).fit(X).labels_.tolist() == [0, 0, 0, -1, -1]


def test_an_integer_weight_is_repetition_and_zero_is_absence() -> None:
    X = board(4, 200, 10)
    weight = np.random.default_rng(3).integers(0, 4, len(X))
    weighted = TrimmedKMeans(4, 20, random_state=0).fit(X, sample_weight=weight)
    repeated = TrimmedKMeans(4, 20, random_state=0).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(np.repeat(weighted.labels_, weight), repeated.labels_)
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, atol=1e-12)


@pytest.mark.parametrize(("d", "k"), [(2, 8), (2, 200), (16, 20)])  # dense, boxes, bounds
def test_the_same_random_state_gives_the_same_bits_for_any_number_of_threads(d: int, k: int) -> None:
    X = np.random.default_rng(0).normal(size=(60_000, d)).astype(np.float32)
    one, four = (TrimmedKMeans(k, 0.02, random_state=5, n_threads=t, max_iter=8).fit(X) for t in (1, 4))
    np.testing.assert_array_equal(one.labels_, four.labels_)
    assert one.cluster_centers_.tobytes() == four.cluster_centers_.tobytes()
    assert (one.inertia_, one.threshold_) == (four.inertia_, four.threshold_)
    assert (one.labels_ == -1).sum() == 1200
    np.testing.assert_array_equal(one.predict(X, outliers=True), one.labels_)


@pytest.mark.parametrize(
    "turn",
    [np.asfortranarray, lambda X: X.astype(">f8"), lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: X.tolist()],
    ids=["fortran", "big-endian", "strided", "list"],
)
def test_every_sort_of_X_gives_the_same_fit(turn: Any) -> None:
    X = board(5)
    X.flags.writeable = False
    expected, model = (TrimmedKMeans(5, 25, random_state=0).fit(data) for data in (X, turn(X)))
    assert model.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    np.testing.assert_array_equal(model.labels_, expected.labels_)


def test_an_empty_cluster_moves_to_the_farthest_sample_that_is_no_outlier() -> None:
    X = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [1e9]])
    model = TrimmedKMeans(2, 1, init=[[0.0], [-1e12]]).fit(X)
    assert model.labels_.tolist() in ([0, 0, 0, 1, 1, -1], [1, 1, 1, 0, 0, -1])


def test_too_many_outliers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n_clusters=5 must be <= n_samples=500 - n_outliers=496\."):
        TrimmedKMeans(5, 496).fit(board(0))
    with pytest.raises(ValueError, match="n_outliers"):
        TrimmedKMeans(5, 1.5).fit(board(0))
    with pytest.raises(ValueError, match=r"n_outliers=600 must be < 500\.0, the sum of sample_weight\."):
        TrimmedKMeans(5, 600).fit(board(0), sample_weight=np.ones(500))


def test_a_fitted_model_can_be_pickled() -> None:
    X = board(6)
    model = TrimmedKMeans(5, 25, random_state=0).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X, outliers=True), model.labels_)
