"""KPrototypes: held against the package kmodes, against plain Python, and against hostile input."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("sklearn")

import pandas as pd

from kmeans_fast import KModes, KPrototypes


def mixed(seed: int, n: int, d: int, m: int, k: int, *, whole: bool = False) -> np.ndarray:
    """Draw k groups of d numbers, which may be whole, and then m categories, as objects."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, k, n)
    numbers = rng.normal(size=(k, d))[groups] * 3 + rng.normal(size=(n, d))
    categories = rng.integers(0, 5, (k, m))[groups]
    noise = rng.random((n, m)) < 0.3
    categories[noise] = rng.integers(0, 5, int(noise.sum()))
    X = np.empty((n, d + m), object)
    X[:, :d] = np.round(numbers) if whole else numbers
    X[:, d:] = np.array(list("abcde"))[categories]
    return X


def costs(X: np.ndarray, prototypes: np.ndarray, d: int, gamma: float) -> np.ndarray:
    """Return every distance, by the definition."""
    numbers = (X[:, None, :d].astype(float) - prototypes[None, :, :d].astype(float)) ** 2
    return numbers.sum(axis=2) + gamma * (X[:, None, d:] != prototypes[None, :, d:]).sum(axis=2)


def brute_force(X: np.ndarray, start: np.ndarray, d: int, gamma: float) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Huang's algorithm, each prototype found anew from its members; None where a cluster runs empty."""
    n, k = len(X), len(start)
    prototypes = start.copy()

    def nearest(row: int) -> int:
        return int(costs(X[row : row + 1], prototypes, d, gamma)[0].argmin())

    def most_frequent(cluster: int, f: int) -> Any:
        values = X[member == cluster, f].tolist()
        return min(set(values), key=lambda value: (-values.count(value), value))

    def settle(cluster: int) -> None:
        prototypes[cluster, :d] = X[member == cluster, :d].astype(float).mean(axis=0)

    member = np.array([nearest(row) for row in range(n)])
    if len(np.unique(member)) < k:
        return None
    for j in range(k):
        settle(j)
        prototypes[j, d:] = [most_frequent(j, f) for f in range(d, X.shape[1])]
    cost, n_iter = costs(X, prototypes, d, gamma).min(axis=1).sum(), 0
    while n_iter < 100:
        n_iter, moves, before = n_iter + 1, 0, cost
        for row in range(n):
            new, old = nearest(row), member[row]
            if new == old:
                continue
            moves, member[row] = moves + 1, new
            if not (member == old).any():
                return None
            settle(new)
            settle(old)
            for f in range(d, X.shape[1]):
                values = X[member == new, f].tolist()
                if values.count(X[row, f]) > values.count(prototypes[new, f]):
                    prototypes[new, f] = X[row, f]
                if prototypes[old, f] == X[row, f]:
                    prototypes[old, f] = most_frequent(old, f)
        cost = costs(X, prototypes, d, gamma).min(axis=1).sum()
        if moves == 0 or cost >= before:
            break
    return prototypes, costs(X, prototypes, d, gamma).argmin(axis=1), n_iter


def peer(X: np.ndarray, start: np.ndarray, d: int, gamma: float | None) -> Any:
    """The package kmodes from the same start; None where it tried another, since a cluster was empty."""
    module = pytest.importorskip("kmodes.kprototypes")
    encoded = np.stack([np.searchsorted(np.unique(X[:, f]), start[:, f]) for f in range(d, X.shape[1])], axis=1)
    member = costs(X, start, d, 0.5 * X[:, :d].astype(float).std(axis=0).mean() if gamma is None else gamma).argmin(
        axis=1
    )
    if len(np.unique(member)) < len(start):
        return None
    init = [start[:, :d].astype(float), encoded]
    model = module.KPrototypes(len(start), init=init, n_init=1, gamma=gamma)
    return model.fit(X, categorical=list(range(d, X.shape[1])))


@pytest.mark.parametrize("seed", range(40))
def test_from_the_same_start_labels_prototypes_and_cost_are_those_of_the_package_kmodes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, d, m, k = int(rng.integers(20, 150)), int(rng.integers(1, 6)), int(rng.integers(1, 6)), int(rng.integers(1, 7))
    X = mixed(seed, n, d, m, k)
    start, gamma = X[rng.choice(n, k, replace=False)], None if seed % 2 else float(rng.random() * 3)
    expected = peer(X, start, d, gamma)
    if expected is None:
        pytest.skip("a cluster ran empty, for which kmodes begins anew")
    model = KPrototypes(k, init=start, gamma=gamma).fit(X)
    assert model.labels_.tolist() == expected.labels_.tolist()
    assert model.cluster_centroids_[:, d:].tolist() == expected.cluster_centroids_[:, d:].tolist()
    means = model.cluster_centroids_[:, :d].astype(float)
    assert np.allclose(means, expected.cluster_centroids_[:, :d].astype(float), rtol=1e-12, atol=1e-12)
    assert model.cost_ == pytest.approx(expected.cost_, rel=1e-12)
    assert model.gamma_ == pytest.approx(expected.gamma, rel=1e-14)
    assert model.n_iter_ == expected.n_iter_


@pytest.mark.parametrize("seed", range(15))
def test_from_the_same_start_the_result_is_that_of_plain_python(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = mixed(100 + seed, 70, 3, 3, 4)
    start = X[rng.choice(70, 4, replace=False)]
    expected = brute_force(X, start, 3, 0.75)
    if expected is None:
        pytest.skip("a cluster ran empty")
    model = KPrototypes(4, init=start, gamma=0.75).fit(X)
    assert model.labels_.tolist() == expected[1].tolist()
    assert model.cluster_centroids_[:, 3:].tolist() == expected[0][:, 3:].tolist()
    assert np.allclose(model.cluster_centroids_[:, :3].astype(float), expected[0][:, :3].astype(float))
    assert model.n_iter_ == expected[2]


@pytest.mark.parametrize("init", ["k-means++", "cao", "huang", "random"])
def test_any_number_of_threads_gives_the_same_bits(init: str) -> None:
    X = pd.DataFrame(mixed(1, 20_000, 4, 4, 7)).infer_objects()
    weight = np.random.default_rng(1).random(20_000)
    fits = [
        KPrototypes(7, init=init, n_init=1, random_state=3, n_threads=t).fit(X, sample_weight=weight) for t in (1, 2, 3)
    ]
    for other in fits[1:]:
        assert np.array_equal(fits[0].labels_, other.labels_)
        assert np.array_equal(fits[0].cluster_centroids_, other.cluster_centroids_)
        assert fits[0].epoch_costs_ == other.epoch_costs_


def test_an_integer_weight_is_repetition_and_zero_is_absence() -> None:
    for seed in range(10):
        X = mixed(seed, 200, 2, 3, 3, whole=True)  # of which sums are exact
        weight = np.random.default_rng(seed).integers(0, 4, 200)
        start = X[np.flatnonzero(weight)[:3]]
        weighted = KPrototypes(3, init=start).fit(X, sample_weight=weight)
        repeated = KPrototypes(3, init=start, gamma=weighted.gamma_).fit(np.repeat(X, weight, axis=0))
        assert weighted.gamma_ == pytest.approx(KPrototypes(3, init=start).fit(np.repeat(X, weight, axis=0)).gamma_)
        assert weighted.cluster_centroids_.tolist() == repeated.cluster_centroids_.tolist()
        assert np.repeat(weighted.labels_, weight).tolist() == repeated.labels_.tolist()


def test_columns_of_a_frame_are_sorted_by_their_kind() -> None:
    frame = pd.DataFrame(
        {
            "age": [20, 21, 60, 61],
            "pet": pd.Categorical(["cat", "cat", "dog", "dog"]),
            "income": np.array([1.0, 1.5, 9.0, 9.5], np.float32),
            "member": [True, True, False, False],
            "town": ["A", "A", "B", "B"],
        }
    )
    model = KPrototypes(2, random_state=0).fit(frame)
    rows = sorted(model.cluster_centroids_.tolist())
    assert rows == [[20.5, "cat", 1.25, True, "A"], [60.5, "dog", 9.25, False, "B"]]
    assert model.gamma_ == pytest.approx(0.5 * np.mean([frame["age"].std(ddof=0), frame["income"].std(ddof=0)]))
    assert list(model.to_frame().columns) == ["size", *frame.columns]
    for categorical in (["pet", "member", "town"], [1, 3, -1], [False, True, False, True, True]):
        assert np.array_equal(KPrototypes(2, categorical=categorical, random_state=0).fit(frame).labels_, model.labels_)


def test_polars_frames_are_taken_as_they_are() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"x": [1.0, 2.0, 9.0, 10.0], "c": pl.Series(["a", "a", "b", "b"], dtype=pl.Categorical)})
    model = KPrototypes(2, random_state=0).fit(frame)
    assert sorted(model.cluster_centroids_.tolist()) == [[1.5, "a"], [9.5, "b"]]
    assert model.predict(frame).tolist() == model.labels_.tolist()


def test_gamma_says_what_counts() -> None:
    X = [[0.0, "a"], [0.1, "b"], [5.0, "a"], [5.1, "b"]]
    by_number, by_category = (
        KPrototypes(2, gamma=g, n_init=10, init="random", random_state=0).fit(X) for g in (0.0, 99.0)
    )
    assert by_number.labels_[0] == by_number.labels_[1] != by_number.labels_[2]
    assert by_category.labels_[0] == by_category.labels_[2] != by_category.labels_[1]


def test_numbers_that_never_vary_leave_the_clusters_to_the_categories() -> None:
    X = np.array([[7.0, c] for c in "aabbab"], object)
    model = KPrototypes(2, random_state=0).fit(X)
    assert (model.gamma_, model.cost_) == (1.0, 0.0)
    assert np.array_equal(model.labels_, KModes(2, random_state=0).fit(X).labels_)


def test_labels_prototypes_and_cost_agree_far_from_the_origin() -> None:
    X = mixed(3, 500, 3, 2, 4)
    X[:, :3] += 1e7
    weight = np.random.default_rng(0).random(500)
    model = KPrototypes(4, random_state=0).fit(X, sample_weight=weight)
    expected = costs(X, model.cluster_centroids_, 3, model.gamma_)
    assert np.array_equal(model.labels_, expected.argmin(axis=1))
    assert np.array_equal(model.labels_, model.predict(X))
    assert model.cost_ == pytest.approx((weight * expected.min(axis=1)).sum(), rel=1e-9)
    assert -model.score(X, sample_weight=weight) == model.cost_


@pytest.mark.parametrize(
    ("parameters", "X", "error", "message"),
    [
        ({}, [[1.0, 2.0]] * 4, ValueError, "No column of X is one of categories: name them in categorical=[...]"),
        ({}, [["a", "b"]] * 4, ValueError, "Every column of X (n_features = 2) is one of categories: use KModes"),
        ({"categorical": [5]}, [[1.0, "a"]] * 4, ValueError, "categorical=5 must be >= -2 and < n_features=2."),
        ({"categorical": ["town"]}, [[1.0, "a"]] * 4, ValueError, "categorical='town' must be a position or the name"),
        (
            {"categorical": [True]},
            [[1.0, "a"]] * 4,
            ValueError,
            "categorical has 1 truth values and must have n_feature",
        ),
        (
            {"categorical": [0]},
            [[1.0, "a"]] * 4,
            ValueError,
            "X has 'a' in row 0, column 1, which is no number; name it",
        ),
        ({}, [[1.0, "a"], [None, "b"]], ValueError, "X has NaN in row 1, column 0; fill missing numbers or drop"),
        (
            {"categorical": [1]},
            [["x", "a"], ["", "b"]],
            ValueError,
            "X has 'x' in row 0, column 0, which is no number; name it in categorical=.",
        ),
        (
            {"categorical": [1]},
            pd.DataFrame({"x": [None, "y"], "y": ["a", "b"]}, dtype=object),
            ValueError,
            "X has a missing value in row 0, column 'x'; fill missing numbers or drop such rows first.",
        ),
        ({}, [[1.0, "a"], [np.inf, "b"]], ValueError, "X has inf in row 1, column 0; a number must be finite"),
        ({}, [[1.0, "a"], [2.0, None]], ValueError, "X has a missing value (NaN or None) in row 1, column 1"),
        ({"gamma": -1.0}, [[1.0, "a"]] * 4, ValueError, "'gamma' parameter"),
        ({"n_clusters": 7}, [[1.0, "a"]] * 4, ValueError, "n_clusters=7 must be <= n_samples=4."),
        ({"init": [[1.0, "a"]]}, [[1.0, "a"]] * 4, ValueError, "init has shape (1, 2) and must be (n_clusters"),
        ({"n_clusters": 1, "init": [["x", "a"]]}, [[1.0, "a"]] * 4, ValueError, "init has 'x' in row 0, column 0, wh"),
    ],
)
def test_bad_input_gets_one_sentence(parameters: Any, X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        KPrototypes(**{"n_clusters": 2, **parameters}).fit(X)


def test_predict_checks_columns_and_counts_unknown_categories_as_mismatches() -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0, 8.0, 9.0], "c": list("aabb")})
    model = KPrototypes(2, init=frame.iloc[[0, 3]]).fit(frame)
    assert model.predict(pd.DataFrame({"x": [8.4, 0.0], "c": ["new", "a"]})).tolist() == [1, 0]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["c", "x"]])
    with pytest.raises(ValueError, match="which was not seen in fit"):
        KPrototypes(2, handle_unknown="error").fit(frame).predict(pd.DataFrame({"x": [8.4], "c": ["new"]}))


# X of these checks holds floats; the first column is taken as one of categories.
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "it shuffles the repeated rows: the result goes by their order",
}


def test_scikit_learns_checks_pass() -> None:
    from sklearn.utils.estimator_checks import check_estimator

    model = KPrototypes(n_clusters=3, categorical=[0])
    check_estimator(model, expected_failed_checks=EXPECTED_FAILURES, on_skip=None)
