"""KModes: held against the package kmodes, against plain Python, and against hostile input."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("sklearn")

import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from kmeans_fast import KModes


def letters(rng: np.random.Generator, n: int, m: int, n_groups: int, n_categories: int = 6) -> np.ndarray:
    """Draw samples that keep most categories of their group."""
    groups = rng.integers(0, n_categories, (n_groups, m))
    values = groups[rng.integers(0, n_groups, n)]
    noise = rng.random((n, m)) < 0.4
    values[noise] = rng.integers(0, n_categories, int(noise.sum()))
    return np.array(list("abcdefghijklmnop"))[values]


def brute_force(
    X: np.ndarray, start: np.ndarray, max_iter: int = 100
) -> tuple[np.ndarray, np.ndarray, float, int] | None:
    """Huang's algorithm, one line after the other; None where a cluster runs empty."""
    n, k = len(X), len(start)
    modes = [list(row) for row in start]

    def nearest(row: Any) -> int:
        return min(range(k), key=lambda j: (sum(a != b for a, b in zip(row, modes[j], strict=True)), j))

    def most_frequent(cluster: int, f: int) -> Any:
        values = [X[i][f] for i in range(n) if member[i] == cluster]
        return min(set(values), key=lambda value: (-values.count(value), value))

    member = [nearest(row) for row in X]
    if len(set(member)) < k:
        return None
    modes = [[most_frequent(j, f) for f in range(X.shape[1])] for j in range(k)]
    total = lambda: sum(min(sum(a != b for a, b in zip(row, mode, strict=True)) for mode in modes) for row in X)  # noqa: E731
    cost, n_iter = total(), 0
    while n_iter < max_iter:
        n_iter, moves, before = n_iter + 1, 0, cost
        for i, row in enumerate(X):
            new, old = nearest(row), member[i]
            if new == old:
                continue
            moves, member[i] = moves + 1, new
            if old not in member:
                return None
            for f, value in enumerate(row):
                values = [X[r][f] for r in range(n) if member[r] == new]
                if values.count(value) > values.count(modes[new][f]):
                    modes[new][f] = value
                if modes[old][f] == value:
                    modes[old][f] = most_frequent(old, f)
        cost = total()
        if moves == 0 or cost >= before:
            break
    return np.array(modes), np.array([nearest(row) for row in X]), cost, n_iter


def peer(X: np.ndarray, start: np.ndarray, weight: Any = None) -> Any:
    """The package kmodes from the same start; None where a cluster ran empty, which it fills at random."""
    module = pytest.importorskip("kmodes.kmodes")
    encoded = np.stack([np.searchsorted(np.unique(X[:, f]), start[:, f]) for f in range(X.shape[1])], axis=1)
    drawn = []

    class Watched(np.random.RandomState):
        def choice(self, *args: Any, **kwargs: Any) -> Any:
            drawn.append(1)
            return super().choice(*args, **kwargs)

    original = module.check_random_state
    module.check_random_state = lambda seed: Watched(0) if not isinstance(seed, np.random.RandomState) else seed
    try:
        model = module.KModes(len(start), init=encoded, n_init=1).fit(X, sample_weight=weight)
    finally:
        module.check_random_state = original
    return None if drawn else model


@pytest.mark.parametrize("seed", range(60))
def test_from_the_same_start_labels_centroids_and_cost_are_those_of_the_package_kmodes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m, k = int(rng.integers(20, 150)), int(rng.integers(1, 9)), int(rng.integers(1, 7))
    X = letters(rng, n, m, k + 1, int(rng.integers(2, 9)))
    start = X[rng.choice(n, k, replace=False)]
    weight = None if seed % 3 else rng.integers(1, 5, n).tolist()
    expected = peer(X, start, weight)
    if expected is None or len(np.unique(X, axis=0)) <= k:
        pytest.skip("a cluster ran empty, which kmodes fills at random")
    model = KModes(k, init=start).fit(X, sample_weight=weight)
    assert model.labels_.tolist() == expected.labels_.tolist()
    assert model.cluster_centroids_.tolist() == expected.cluster_centroids_.tolist()
    assert model.cost_ == expected.cost_
    assert model.n_iter_ == expected.n_iter_
    assert model.epoch_costs_ == expected.epoch_costs_


@pytest.mark.parametrize("seed", range(20))
def test_from_the_same_start_the_result_is_that_of_plain_python(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    k = int(rng.integers(2, 6))
    X = letters(rng, 60, int(rng.integers(2, 7)), k, 4)
    start = X[rng.choice(60, k, replace=False)]
    expected = brute_force(X, start)
    if expected is None:
        pytest.skip("a cluster ran empty")
    modes, labels, cost, n_iter = expected
    model = KModes(k, init=start).fit(X)
    assert model.cluster_centroids_.tolist() == modes.tolist()
    assert model.labels_.tolist() == labels.tolist()
    assert (model.cost_, model.n_iter_) == (cost, n_iter)


def test_most_of_the_cases_held_against_others_leave_no_cluster_empty() -> None:
    kept = 0
    for seed in range(20):
        rng = np.random.default_rng(1000 + seed)
        k = int(rng.integers(2, 6))
        X = letters(rng, 60, int(rng.integers(2, 7)), k, 4)
        kept += brute_force(X, X[rng.choice(60, k, replace=False)]) is not None
    assert kept >= 15


@pytest.mark.parametrize("n_categories", [200, 300, 70_000])
def test_codes_of_every_width_give_the_same_clusters(n_categories: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (400, 5))
    narrow = KModes(4, init=X[:4]).fit(X)
    # One more column, in which no two samples agree or nearly none do: one more mismatch for each, but for ties.
    wide = np.column_stack([X, np.arange(400) % n_categories])
    if n_categories == 70_000:
        wide = np.vstack([wide, np.column_stack([np.zeros((70_000, 5), int), np.arange(400, 70_400)])])
    model = KModes(4, init=wide[:4]).fit(wide)
    assert model._encoder.dtype == {200: np.uint8, 300: np.uint16, 70_000: np.uint32}[n_categories]
    differs = (wide[:, None, :] != model.cluster_centroids_[None]).sum(axis=2)
    assert np.array_equal(model.labels_, differs.argmin(axis=1))
    assert model.cost_ == differs.min(axis=1).sum()
    assert narrow.cost_ == (X[:, None, :] != narrow.cluster_centroids_[None]).sum(axis=2).min(axis=1).sum()


@pytest.mark.parametrize("init", ["k-means++", "cao", "huang", "random"])
def test_any_number_of_threads_gives_the_same_bits(init: str) -> None:
    rng = np.random.default_rng(1)
    X = letters(rng, 40_000, 8, 5)
    weight = rng.random(40_000)
    fits = [KModes(5, init=init, n_init=2, random_state=3, n_threads=t).fit(X, sample_weight=weight) for t in (1, 2, 3)]
    for other in fits[1:]:
        assert np.array_equal(fits[0].labels_, other.labels_)
        assert np.array_equal(fits[0].cluster_centroids_, other.cluster_centroids_)
        assert fits[0].cost_ == other.cost_
        assert fits[0].epoch_costs_ == other.epoch_costs_


@pytest.mark.parametrize("init", ["k-means++", "cao", "huang", "random"])
def test_an_integer_weight_is_repetition_and_zero_is_absence(init: str) -> None:
    rng = np.random.default_rng(2)
    X, weight = letters(rng, 300, 6, 4), rng.integers(0, 4, 300)
    start = KModes(4, init=init, random_state=0, n_init=1).fit(X, sample_weight=weight).cluster_centroids_
    weighted = KModes(4, init=start).fit(X, sample_weight=weight)
    repeated = KModes(4, init=start).fit(np.repeat(X, weight, axis=0))
    assert weighted.cluster_centroids_.tolist() == repeated.cluster_centroids_.tolist()
    assert weighted.cost_ == repeated.cost_
    assert np.repeat(weighted.labels_, weight).tolist() == repeated.labels_.tolist()


def test_the_start_of_cao_is_that_of_the_package_kmodes() -> None:
    methods = pytest.importorskip("kmodes.util.init_methods")
    from kmodes.util.dissim import matching_dissim

    from kmeans_fast.variants._categories import Encoder, Table
    from kmeans_fast.variants._huang import Mixed
    from kmeans_fast.variants._modes_start import choose_start

    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = letters(rng, 200, 5, 4)
        encoder = Encoder(range(5), "error")
        codes = encoder.fit(Table(X))
        problem = Mixed(codes, np.empty((200, 0)), encoder.offsets(), 7, 1.0)
        expected = methods.init_cao(codes.astype(np.int32), 7, matching_dissim)
        assert choose_start(problem, "cao", rng).modes.tolist() == expected.tolist()


def test_clear_groups_are_found() -> None:
    rng = np.random.default_rng(4)
    groups = np.arange(4)[:, None] * np.ones(8, int)
    truth = rng.integers(0, 4, 500)
    X = np.where(rng.random((500, 8)) < 0.15, rng.integers(0, 4, (500, 8)), groups[truth])
    for init in ("k-means++", "cao", "huang", "random"):
        model = KModes(4, init=init, n_init=10, random_state=0).fit(X)
        assert sorted(model.cluster_centroids_.tolist()) == groups.tolist(), init


def test_every_sort_of_column_keeps_its_categories() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", "b", "a", "b"],
            "kind": pd.Categorical(["x", "y", "x", "y"], categories=["z", "y", "x"]),
            "truth": [True, False, True, False],
            "count": np.array([-1, 300, -1, 300], np.int16),
            "date": pd.to_datetime(["2020-01-01", "2021-01-01"] * 2),
            "float": [0.5, 1.5, 0.5, 1.5],
            "wide": [1, 2**62, 1, 2**62],
        }
    )
    model = KModes(2, random_state=0).fit(frame)
    assert model.cost_ == 0.0
    rows = sorted(model.cluster_centroids_.tolist(), key=lambda row: row[0])
    assert rows[0][:4] == ["a", "x", True, -1]
    assert rows[1][:4] == ["b", "y", False, 300]
    assert [np.datetime64(row[4], "D").item().year for row in rows] == [2020, 2021]
    assert [row[5:] for row in rows] == [[0.5, 1], [1.5, 2**62]]
    assert model.feature_names_in_.tolist() == list(frame.columns)
    table = model.to_frame()
    assert list(table.columns) == ["size", *frame.columns]
    assert table["size"].tolist() == [2, 2]


def test_polars_frames_are_taken_as_they_are() -> None:
    pl = pytest.importorskip("polars")
    values = ["a", "b", "a", "c", "c", "b"]
    frame = pl.DataFrame(
        {"plain": values, "kind": pl.Series(values, dtype=pl.Categorical), "number": [1, 2, 1, 3, 3, 2]}
    )
    model = KModes(3, init="cao").fit(frame)
    assert model.cost_ == 0.0
    assert model.predict(frame).tolist() == model.labels_.tolist()
    assert type(model.to_frame()).__module__.startswith("polars")
    with pytest.raises(ValueError, match=re.escape("X has a missing value (NaN or None) in row 1, column 'plain'")):
        KModes(1).fit(pl.DataFrame({"plain": ["a", None]}))


def test_arrow_tables_are_taken_and_lazy_frames_refused() -> None:
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    table = pa.table({"a": ["x", "y", "x"], "b": [1, 2, 1]})
    model = KModes(2, init="cao").fit(table)
    assert model.cost_ == 0.0
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(TypeError, match="X is a LazyFrame and must be an array or an eager frame"):
        KModes(2).fit(pl.LazyFrame({"a": ["x"]}))


def test_a_missing_value_is_refused_or_a_category() -> None:
    X = pd.DataFrame(
        {"a": ["x", None, "x", "y"], "b": pd.array([1, 2, pd.NA, 1], dtype="Int64"), "c": [1.0, np.nan, 2, 1]}
    )
    message = (
        "X has a missing value (NaN or None) in row 1, column 'a'; fill it or drop the row, or pass missing='category'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        KModes(2).fit(X)
    model = KModes(4, missing="category", random_state=0).fit(X)
    assert model.cost_ == 0.0
    assert model.cluster_centroids_[model.labels_[1]].tolist() == [None, 2, None]
    plain = KModes(2, random_state=0).fit(X.fillna({"a": "x", "b": 1, "c": 0.0}))
    with pytest.raises(ValueError, match="missing value"):
        plain.predict(X)


def test_an_unknown_category_is_a_mismatch_with_every_mode_or_refused() -> None:
    X = np.array([["a", "a"], ["a", "a"], ["b", "b"], ["b", "b"]])
    model = KModes(2, init=X[[0, 2]]).fit(X)
    assert model.predict([["new", "b"], ["a", "new"], ["new", "new"]]).tolist() == [1, 0, 0]
    assert model.score([["new", "b"]]) == -1.0
    strict = KModes(2, init=X[[0, 2]], handle_unknown="error").fit(X)
    with pytest.raises(ValueError, match=re.escape("X has 'new' in row 1, column 0, which was not seen in fit")):
        strict.predict([["a", "b"], ["new", "b"]])


def test_fewer_distinct_samples_than_clusters_end_with_a_warning() -> None:
    X = np.array([["a"], ["b"], ["a"], ["b"], ["a"]])
    for init in ("k-means++", "cao", "huang", "random"):
        with pytest.warns(UserWarning, match="distinct samples"):
            model = KModes(3, init=init, random_state=0).fit(X)
        assert model.cost_ == 0.0
        assert model.n_iter_ < 5


def test_an_empty_cluster_is_filled_from_the_largest() -> None:
    X = letters(np.random.default_rng(0), 200, 5, 3)
    start = np.repeat(X[:1], 3, axis=0)  # two of them get nothing
    model = KModes(3, init=start, random_state=0).fit(X)
    assert len(np.unique(model.labels_)) == 3
    assert model.cost_ < KModes(1).fit(X).cost_


def test_an_empty_cluster_is_filled_by_what_weighs_something() -> None:
    X = letters(np.random.default_rng(0), 200, 5, 3)
    weight = np.where(np.arange(200) % 4 == 0, 1.0, 0.0)
    model = KModes(3, init=np.repeat(X[:1], 3, axis=0), random_state=0).fit(X, sample_weight=weight)
    assert (np.bincount(model.labels_, weight, 3) > 0).all()


def test_max_iter_ends_a_restart_and_says_so() -> None:
    X = letters(np.random.default_rng(1), 2000, 8, 4)
    model = KModes(20, init="random", n_init=1, max_iter=1, random_state=0).fit(X)
    (restart,) = model.restarts_
    assert (restart.n_iter, restart.stop_reason, restart.converged) == (1, "max_iter", False)
    assert len(model.epoch_costs_) == 2


def test_labels_centroids_and_cost_agree() -> None:
    rng = np.random.default_rng(5)
    X, weight = letters(rng, 1000, 7, 5), rng.random(1000)
    model = KModes(6, random_state=0, max_iter=2).fit(X, sample_weight=weight)
    differs = (X[:, None, :] != model.cluster_centroids_[None]).sum(axis=2)
    assert np.array_equal(model.labels_, differs.argmin(axis=1))
    assert np.array_equal(model.labels_, model.predict(X))
    assert model.cost_ == pytest.approx((weight * differs.min(axis=1)).sum(), rel=1e-12)
    assert -model.score(X, sample_weight=weight) == model.cost_


@pytest.mark.parametrize(
    ("parameters", "X", "error", "message"),
    [
        ({"n_clusters": 7}, [["a"]] * 5, ValueError, "n_clusters=7 must be <= n_samples=5."),
        ({"init": [["a"]]}, [["a"]] * 8, ValueError, "init has shape (1, 1) and must be (n_clusters, n_features)"),
        (
            {"n_clusters": 1, "init": [["q"]]},
            [["a"]] * 8,
            ValueError,
            "init has 'q' in row 0, column 0, which is no cat",
        ),
        ({}, ["a", "b"], ValueError, "X has shape (2,) and must be 2-dimensional"),
        ({}, np.empty((0, 3), "U1"), ValueError, "Found array with 0 sample(s)"),
        ({}, [["a", 1], ["b", "c"]], TypeError, "X has column 1 with values of types int, str, which have no order"),
        ({}, np.array([[{}], [{}]]), TypeError, "X has {} in row 0, column 0: a category must be hashable"),
        ({}, [[1.0], [np.inf]], ValueError, "X has inf in column 0; a category must be finite."),
        ({}, [["a"], ["b", "c"]], ValueError, "ragged"),
        ({"init": "nearest"}, [["a"]] * 8, ValueError, "'init' parameter"),
        ({"missing": "drop"}, [["a"]] * 8, ValueError, "'missing' parameter"),
        ({"handle_unknown": 1}, [["a"]] * 8, ValueError, "'handle_unknown' parameter"),
    ],
)
def test_bad_input_gets_one_sentence(parameters: Any, X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        KModes(**{"n_clusters": 2, **parameters}).fit(X)


def test_sparse_x_and_an_unfitted_model_are_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="sparse"):
        KModes(2).fit(sparse.eye(4))
    with pytest.raises(NotFittedError):
        KModes(2).predict([["a"]])


def test_x_is_not_modified_and_may_be_read_only_or_strided() -> None:
    X = letters(np.random.default_rng(6), 100, 6, 3)
    before = X.copy()
    X.flags.writeable = False
    model = KModes(3, init="cao").fit(X)
    assert np.array_equal(X, before)
    for other in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X.tolist(), X.astype(object)):
        assert np.array_equal(KModes(3, init="cao").fit(other).labels_, model.labels_)


def test_it_clones_and_pickles() -> None:
    X = letters(np.random.default_rng(7), 50, 4, 3)
    model = pickle.loads(pickle.dumps(KModes(3, random_state=0).fit(X)))
    assert np.array_equal(model.predict(X), model.labels_)
    assert clone(model).get_params()["random_state"] == 0


# Checks that scikit-learn means for metric spaces.
EXPECTED_FAILURES = {
    "check_clustering": "its blobs are floats that hardly ever repeat, so every sample is a mismatch with every other",
    "check_sample_weight_equivalence_on_dense_data": "it shuffles the repeated rows: the result goes by their order",
}


def test_scikit_learns_checks_pass() -> None:
    from sklearn.utils.estimator_checks import check_estimator

    check_estimator(KModes(n_clusters=3, max_iter=5), expected_failed_checks=EXPECTED_FAILURES, on_skip=None)
