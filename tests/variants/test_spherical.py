"""SphericalKMeans, held against the cosine in float64."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from kmeans_fast import SphericalKMeans

Array = NDArray[Any]


def unit(X: Array) -> Array:
    X = X.astype(np.float64)
    X = X / np.abs(X).max(axis=1, keepdims=True)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def cosines(X: Array, centers: Array) -> Array:
    return unit(X) @ unit(centers).T


def cloud(n: int = 3000, d: int = 6, spread: float = 1.0, dtype: Any = np.float64, seed: int = 0) -> Array:
    """Directions about 8 of them, with norms from 1 to e^spread."""
    rng = np.random.default_rng(seed)
    X = unit(rng.normal(size=(8, d))[rng.integers(8, size=n)] + 0.4 * rng.normal(size=(n, d)))
    return (X * np.exp(spread * rng.random((n, 1)))).astype(dtype)


def assert_labels_are_the_largest_cosine(X: Array, model: SphericalKMeans, slack: float) -> None:
    found = cosines(X, model.cluster_centers_)
    mine = found[np.arange(len(X)), model.labels_]
    assert (found.max(axis=1) - mine).max() <= slack
    assert np.mean(found.argmax(axis=1) == model.labels_) > 0.998
    np.testing.assert_allclose(model.inertia_, (1.0 - mine).sum(), rtol=1e-9, atol=1e-12 * len(X))
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1.0, rtol=3e-7)


def exceptions(estimator: SphericalKMeans) -> dict[str, str]:
    return {"check_estimators_dtypes": "its integers have rows of zeros, which have no direction and are refused"}


@parametrize_with_checks(
    [SphericalKMeans(), SphericalKMeans(n_clusters=2, n_init=2, max_iter=5)], expected_failed_checks=exceptions
)
def test_every_check_of_scikit_learn_passes(estimator: SphericalKMeans, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("d", [1, 2, 3, 6, 20, 200])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_label_is_that_of_the_largest_cosine(d: int, spread: float, dtype: Any) -> None:
    X = cloud(1000, d, spread, dtype)
    model = SphericalKMeans(min(7, 2 * d), random_state=0).fit(X)
    assert_labels_are_the_largest_cosine(X, model, 1e-5 if dtype == np.float32 else 1e-13)
    assert model.cluster_centers_.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-17, 1e17])
def test_hostile_rows_are_labelled_by_their_direction(scale: float, dtype: Any) -> None:
    X = cloud(2000, 5)
    X[::3] *= scale  # beside each other
    X[1::7] += 20.0  # nearly parallel
    X = X.astype(dtype)
    model = SphericalKMeans(12, random_state=0).fit(X)
    assert_labels_are_the_largest_cosine(X, model, 1e-5 if dtype == np.float32 else 1e-13)


def test_centers_are_the_mean_directions_and_labels_stay() -> None:
    X = cloud()
    weight = np.random.default_rng(0).random(len(X))
    model = SphericalKMeans(8, tol=0, random_state=1).fit(X, sample_weight=weight)
    assert model.restarts_[0].stop_reason == "labels unchanged"
    sums = np.array([weight[model.labels_ == j] @ unit(X)[model.labels_ == j] for j in range(8)])
    np.testing.assert_allclose(model.cluster_centers_, unit(sums), rtol=0, atol=1e-12)
    expected = (weight * (1 - cosines(X, model.cluster_centers_).max(axis=1))).sum()
    assert model.inertia_ == pytest.approx(expected, rel=1e-12)
    assert model.score(X, sample_weight=weight) == pytest.approx(-expected, rel=1e-12)


def test_the_length_of_a_row_does_not_matter() -> None:
    X = cloud(spread=0.0)
    powers = 2.0 ** np.random.default_rng(1).integers(-3, 4, (len(X), 1))
    start = X[:8]
    one, other = SphericalKMeans(8, init=start).fit(X), SphericalKMeans(8, init=3.0 * start).fit(X * powers)
    np.testing.assert_array_equal(one.labels_, other.labels_)
    np.testing.assert_allclose(one.cluster_centers_, other.cluster_centers_, atol=1e-12)


def test_an_integer_weight_is_repetition_and_zero_is_absence() -> None:
    X = cloud(200)
    weight = np.random.default_rng(3).integers(0, 4, len(X))
    weighted = SphericalKMeans(4, random_state=0).fit(X, sample_weight=weight)
    repeated = SphericalKMeans(4, random_state=0).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_array_equal(np.repeat(weighted.labels_, weight), repeated.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-12)


@pytest.mark.parametrize("spread", [1.0, 30.0])
@pytest.mark.parametrize("d", [3, 16])
def test_the_same_random_state_gives_the_same_bits_for_any_number_of_threads(spread: float, d: int) -> None:
    X = cloud(40_000, d, spread, np.float32)
    one, four = (SphericalKMeans(30, random_state=5, n_threads=t, max_iter=8).fit(X) for t in (1, 4))
    np.testing.assert_array_equal(one.labels_, four.labels_)
    assert one.cluster_centers_.tobytes() == four.cluster_centers_.tobytes()
    assert one.inertia_ == four.inertia_


@pytest.mark.parametrize(
    "turn",
    [np.asfortranarray, lambda X: X.astype(">f8"), lambda X: np.repeat(X, 2, axis=0)[::2], lambda X: X.tolist()],
    ids=["fortran", "big-endian", "strided", "list"],
)
def test_every_sort_of_X_gives_the_same_fit(turn: Any) -> None:
    X = cloud()
    X.flags.writeable = False
    expected, model = (SphericalKMeans(5, random_state=0).fit(data) for data in (X, turn(X)))
    assert model.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    np.testing.assert_array_equal(model.labels_, expected.labels_)


def test_integers_and_half_precision_are_taken() -> None:
    X = np.random.default_rng(0).integers(1, 100, (500, 4))
    for dtype in (np.uint8, np.int64, np.float16):
        model = SphericalKMeans(4, random_state=0).fit(X.astype(dtype))
        assert_labels_are_the_largest_cosine(X, model, 1e-5)


def test_an_empty_cluster_moves_to_the_farthest_sample() -> None:
    X = np.array([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [0.0, 1.0]])
    model = SphericalKMeans(2, init=[[1.0, 0.1], [-1.0, -1.0]]).fit(X)
    assert np.bincount(model.labels_).tolist() == [3, 1]


def test_fewer_directions_than_clusters_are_told() -> None:
    X = np.outer(np.arange(1.0, 401.0), [1.0, 2.0])
    X[::2] = [3.0, 0.0]
    with pytest.warns(ConvergenceWarning, match="fewer than n_clusters=4"):
        model = SphericalKMeans(4, random_state=0).fit(X)
    assert model.inertia_ == pytest.approx(0.0, abs=1e-12)


def test_a_row_of_zeros_is_refused_with_what_to_do() -> None:
    X = cloud(20)
    X[3] = 0.0
    with pytest.raises(ValueError, match=r"X has only zeros in row 3.*drop such rows first\."):
        SphericalKMeans(2).fit(X)
    model = SphericalKMeans(2).fit(cloud(20))
    with pytest.raises(ValueError, match="zeros in row 3"):
        model.predict(X)
    with pytest.raises(ValueError, match="init has a row of zeros"):
        SphericalKMeans(2, init=np.zeros((2, 6))).fit(cloud(20))
    X[3], X[5, 1] = 1.0, np.inf
    for call in (model.fit, model.predict):
        with pytest.raises(ValueError, match="infinity in row 5, column 1"):
            call(X)


def test_a_fitted_model_can_be_pickled() -> None:
    X = cloud(500)
    model = SphericalKMeans(3, random_state=0).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.labels_)
