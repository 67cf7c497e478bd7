"""KMedoids against brute force, against the package behind it, and on matrices that are none of distances."""

from __future__ import annotations

import sys
from itertools import combinations
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
kmedoids = pytest.importorskip("kmedoids")

from numpy.testing import assert_allclose, assert_array_equal  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, NotFittedError  # noqa: E402
from sklearn.metrics import pairwise_distances  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from kmeans_fast import KMedoids  # noqa: E402


@parametrize_with_checks([KMedoids(3)])
def test_it_is_an_estimator_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def points(n: int = 200, seed: int = 0, dtype: Any = np.float64) -> Any:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, 2)) + 6 * rng.standard_normal((4, 2))[rng.integers(4, size=n)]).astype(dtype)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "cosine", "chebyshev"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_it_finds_the_best_medoids_of_a_few_samples(metric: str, k: int) -> None:
    for seed in range(3):
        X = points(11, seed)
        distances = pairwise_distances(X, metric=metric)
        best = min(distances[:, list(c)].min(axis=1).sum() for c in combinations(range(11), k))
        model = KMedoids(k, metric=metric, n_init=20, random_state=seed).fit(X)
        assert model.inertia_ == pytest.approx(best)


def test_it_ends_where_the_package_ends() -> None:
    X = points(400)
    distances = pairwise_distances(X)
    start = np.array([3, 77, 200, 391])
    theirs = kmedoids.fasterpam(distances, start.astype(np.uintp), n_cpu=1)
    ours = KMedoids(4, init=start).fit(X)
    assert_array_equal(ours.medoid_indices_, np.sort(theirs.medoids))
    assert ours.inertia_ == pytest.approx(theirs.loss)


@pytest.mark.parametrize("init", ["random", "build"])
def test_labels_medoids_and_inertia_agree(init: str) -> None:
    X = points()
    model = KMedoids(4, init=init, random_state=0).fit(X)
    assert_array_equal(model.cluster_centers_, X[model.medoid_indices_])
    assert_array_equal(model.labels_, pairwise_distances(X, model.cluster_centers_).argmin(axis=1))
    assert_array_equal(model.labels_[model.medoid_indices_], range(4))
    assert_array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == pytest.approx(model.transform(X).min(axis=1).sum())
    assert len(model.restarts_) == (10 if init == "random" else 1)
    assert model.inertia_ == min(run.inertia for run in model.restarts_)
    assert model.get_feature_names_out().tolist() == [f"kmedoids{i}" for i in range(4)]


def test_no_swap_with_another_sample_helps() -> None:
    distances = pairwise_distances(points(60, 3), metric="cityblock")
    model = KMedoids(4, metric="precomputed", n_init=1, random_state=0).fit(distances)
    for j in range(4):
        for other in range(60):
            medoids = model.medoid_indices_.copy()
            medoids[j] = other
            assert distances[:, medoids].min(axis=1).sum() >= model.inertia_ * (1 - 1e-12)


def test_a_callable_metric_and_a_precomputed_matrix_give_the_same() -> None:
    X = points(60)
    by_name = KMedoids(4, metric="minkowski", metric_params={"p": 3}, random_state=0).fit(X)
    by_call = KMedoids(4, metric=lambda a, b: (np.abs(a - b) ** 3).sum() ** (1 / 3), random_state=0).fit(X)
    matrix = pairwise_distances(X, metric="minkowski", p=3)
    given = KMedoids(4, metric="precomputed", random_state=0).fit(matrix)
    assert_array_equal(by_call.medoid_indices_, by_name.medoid_indices_)
    assert_array_equal(given.medoid_indices_, by_name.medoid_indices_)
    new = points(20, 9)
    across = pairwise_distances(new, X, metric="minkowski", p=3)
    assert_array_equal(given.predict(across), by_name.predict(new))
    assert not hasattr(given, "cluster_centers_")


def test_the_same_seed_gives_the_same_bits() -> None:
    X = points()
    a, b = (KMedoids(5, random_state=3).fit(X) for _ in range(2))
    assert_array_equal(a.medoid_indices_, b.medoid_indices_)
    assert a.inertia_ == b.inertia_
    np.random.seed(0)  # noqa: NPY002
    c = clone(a).set_params(random_state=None).fit(X)
    np.random.seed(0)  # noqa: NPY002
    assert_array_equal(c.labels_, KMedoids(5).fit(X).labels_)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "f2", ">f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_of_any_dtype_and_order_is_taken_and_left_as_it_is(dtype: str, order: str) -> None:
    distances = np.round(8 * pairwise_distances(points(50))).astype(dtype)
    X = np.array(distances, order=order)
    X.flags.writeable = False
    model = KMedoids(4, metric="precomputed", random_state=0).fit(X)
    wide = KMedoids(4, metric="precomputed", random_state=0).fit(distances.astype(float))
    assert_array_equal(model.medoid_indices_, wide.medoid_indices_)
    assert_array_equal(X, distances)


def test_a_matrix_of_float32_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    fasterpam = kmedoids.fasterpam
    monkeypatch.setattr(kmedoids, "fasterpam", lambda D, *a, **k: (seen.append(D), fasterpam(D, *a, **k))[1])
    X = pairwise_distances(points(50)).astype("f4")
    KMedoids(3, metric="precomputed", random_state=0).fit(X)
    assert all(np.shares_memory(D, X) for D in seen)


def test_frames_keep_their_names() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(points(50), columns=["x", "y"])
    model = KMedoids(3, random_state=0).fit(frame)
    assert model.feature_names_in_.tolist() == ["x", "y"]
    assert_array_equal(model.predict(frame), model.labels_)
    assert_array_equal(frame.index[model.medoid_indices_], model.medoid_indices_)


def spoiled(place: Any, value: float) -> Any:
    matrix = pairwise_distances(points(6))
    matrix[place] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((3, 4)), r"X has shape \(3, 4\) and must be square for metric='precomputed'\."),
        (spoiled((2, 4), -1), r"X has -1.0 in row 2, column 4; distances must be >= 0\."),
        (spoiled((2, 4), np.nan), r"X has nan in row 2, column 4; distances must be finite\."),
        (spoiled((2, 4), np.inf), r"X has inf in row 2, column 4; distances must be finite; drop points that no path"),
        (spoiled((3, 3), 1), r"X has 1.0 in row 3, column 3; the diagonal must be zero\."),
        (
            spoiled((2, 4), 99),
            r"X has 99.0 in row 2, column 4, but .* in row 4, column 2; distances must be symmetric\.",
        ),
    ],
)
def test_a_matrix_of_no_distances_is_refused(matrix: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        KMedoids(2, metric="precomputed").fit(matrix)


def test_a_matrix_of_python_numbers_is_one_of_float64() -> None:
    distances = pairwise_distances(points(30))
    a, b = (KMedoids(3, metric="precomputed", random_state=0).fit(distances.astype(t)) for t in (float, object))
    assert_array_equal(a.labels_, b.labels_)
    assert a.inertia_ == b.inertia_


def test_rounding_is_no_asymmetry() -> None:
    distances = pairwise_distances(points(50))
    noise = 1 + 1e-7 * np.random.default_rng(0).standard_normal(distances.shape)
    KMedoids(3, metric="precomputed", random_state=0).fit(distances * noise)


def test_a_metric_that_is_none_is_named() -> None:
    def difference(a: Any, b: Any) -> float:
        return float(a[0] - b[0]) - 100.0

    with pytest.raises(ValueError, match=r"^metric='difference' has -.* distances must be >= 0"):
        KMedoids(2, metric=difference).fit(points(6))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 7}, r"n_clusters=7 must be <= n_samples=6"),
        ({"init": [0, 1, 1]}, r"init=\[0, 1, 1\] must be different indices from 0 to 5"),
        ({"init": [0, 1, 6]}, r"init=\[0, 1, 6\] must be different indices from 0 to 5"),
        ({"init": [0, 1]}, r"init has shape \(2,\) and dtype int64 and must hold n_clusters=3 indices"),
        ({"init": "first"}, r"The 'init' parameter of KMedoids must be"),
    ],
)
def test_wrong_parameters_are_named(parameters: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        KMedoids(**{"n_clusters": 3} | parameters).fit(points(6))


def test_predict_of_a_precomputed_fit_wants_distances_to_its_samples() -> None:
    model = KMedoids(2, metric="precomputed", random_state=0).fit(pairwise_distances(points(6)))
    with pytest.raises(ValueError, match=r"^X has shape \(3, 2\) and must be \(n_new, 6\) for metric='precomputed'"):
        model.predict(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"^X has nan in row 0, column 0; distances must be finite"):
        model.predict(np.full((3, 6), np.nan))
    with pytest.raises(NotFittedError):
        KMedoids(2).predict(points(6))


def test_copies_and_too_few_passes_are_warned_of() -> None:
    with pytest.warns(ConvergenceWarning, match=r"^X has only 1 distinct samples, fewer than n_clusters=2"):
        KMedoids(2).fit(np.ones((5, 2)))
    with pytest.warns(ConvergenceWarning, match=r"^No restart ended within max_iter=1 passes"):
        KMedoids(8, max_iter=1, n_init=1, random_state=0).fit(points(400))


def test_without_the_package_an_error_names_it_and_its_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kmedoids", None)
    with pytest.raises(
        ImportError, match=r"^KMedoids needs the package kmedoids \(GPL-3\); install it with: pip install"
    ):
        KMedoids(2).fit(points(6))


def test_distances_of_a_metric_are_transformed() -> None:
    X = points(30)
    model = KMedoids(3, metric="cityblock", random_state=0).fit(X)
    assert_allclose(model.fit_transform(X), pairwise_distances(X, model.cluster_centers_, metric="cityblock"))
