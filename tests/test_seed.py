"""Where a run starts: k-means++ against exact probabilities, and the other ways to start."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import _greedy, _rounds, _runtime, kmeans
from kmeans_fast._greedy import kmeans_plusplus_rows
from kmeans_fast._problem import Problem
from kmeans_fast._samples import as_samples
from kmeans_fast._seed import METHODS

Array = NDArray[Any]


def problem(X: Array, k: int, weight: Any = None, n_threads: int = 1) -> Problem:
    weight = None if weight is None else np.asarray(weight, np.float64)
    return Problem(as_samples(X), k, weight, n_threads)


def chance_of_first_two(X: Array, weight: Array) -> Array:
    """p[i, j]: chance that plain k-means++ picks row i, then row j."""
    squares = ((X[:, None] - X) ** 2).sum(axis=2) * weight
    return (weight / weight.sum())[:, None] * squares / squares.sum(axis=1, keepdims=True)


def candidates(k: int, plain: float = 1 / 8) -> list[int]:
    """How many a round draws with 0, 1, 2 ... chosen."""
    return [1 if m / k < plain else 2 + round(2 * np.log(k) * m / k) for m in range(k)]


def chi_square_over_freedom(observed: Array, expected: Array) -> float:
    some = expected > 0
    assert (observed[~some] == 0).all()
    return float((((observed - expected)[some]) ** 2 / expected[some]).sum() / (some.sum() - 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weight", [[1, 1, 1, 1, 1], [1, 0, 3, 0.5, 2]])
def test_plain_k_means_plus_plus_draws_with_its_exact_probabilities(dtype, weight):
    X, weight = np.array([[0, 0], [1, 0], [0, 2], [3, 3], [-1, 4]], dtype), np.array(weight, float)
    task, rng, draws = problem(X, 2, weight), np.random.default_rng(0), 6000
    seen = np.zeros((5, 5))
    for _ in range(draws):
        i, j = kmeans_plusplus_rows(task, rng, n_candidates=1)
        seen[i, j] += 1
    expected = draws * chance_of_first_two(X.astype(float), weight)
    assert chi_square_over_freedom(seen, expected) < 2.0  # chance of more: below 1 in 100


def test_greedy_k_means_plus_plus_keeps_the_best_of_its_candidates():
    X = np.array([[0.0], [1.0], [4.0], [9.0]])
    task, rng, draws, q = problem(X, 2), np.random.default_rng(0), 4000, candidates(2)[1]
    seen = np.zeros((4, 4))
    for _ in range(draws):
        i, j = kmeans_plusplus_rows(task, rng)
        seen[i, j] += 1
    expected = np.zeros((4, 4))
    squares = (X - X.T) ** 2
    for i in range(4):
        p = squares[i] / squares[i].sum()
        left = np.minimum(squares[i], squares).sum(axis=1)
        for pair in itertools.product(range(4), repeat=q):
            expected[i, min(pair, key=lambda j: left[j])] += draws / 4 * np.prod(p[list(pair)])
    assert chi_square_over_freedom(seen, expected) < 2.2


VALUES, WEIGHTS = np.array([0.0, 1.0, 2.7, 5.3, 5.9, 7.1, 11.2]), np.array([1.0, 2.0, 1.3, 0.7, 1.9, 1.1, 0.6])


def chance_of_sets(X: Array, weight: Array, q: list[int]) -> dict[tuple[int, ...], float]:
    """Exact chance that greedy k-means++ with so many candidates a round ends with each set of rows."""
    squares = ((X[:, None] - X) ** 2).sum(axis=2) * weight
    chance = {(i,): weight[i] / weight.sum() for i in range(len(X))}
    for count in q[1:]:
        longer: dict[tuple[int, ...], float] = {}
        for rows, before in chance.items():
            closest = squares[list(rows)].min(axis=0)
            p, left = closest / closest.sum(), np.minimum(closest, squares).sum(axis=1)
            assert len(np.unique(np.round(left[p > 0], 4))) == np.count_nonzero(
                p
            )  # the best is the best whatever rounds
            for drawn in itertools.product(np.flatnonzero(p), repeat=count):
                key = tuple(sorted((*rows, min(drawn, key=lambda j: left[j]))))
                longer[key] = longer.get(key, 0.0) + before * float(np.prod(p[list(drawn)]))
        chance = longer
    return chance


# Few features are seeded on patches of space, others on lists; draws and lists are short or long.
WAYS = {
    "patches": (2, {}),
    "patches, few draws": (3, {"FIRST_DRAWS": 1, "MAX_DRAWS": 1}),
    "lists": (4, {"LIST_BYTES": 1000}),
    "lists, few draws": (9, {"LIST_BYTES": 1000, "FIRST_DRAWS": 1, "MAX_DRAWS": 1}),
    "lists, many features": (33, {"LIST_BYTES": 1000, "MAX_DRAWS": 64}),
    "lists, little room": (4, {"LIST_BYTES": 20}),
    "all of X": (4, {"LIST_BYTES": 0, "LIST_SHARE": 0}),
    "patches, plain at first": (3, {"PLAIN_ROUNDS": 0.6}),
    "lists, plain at first": (4, {"PLAIN_ROUNDS": 0.6, "LIST_BYTES": 1000}),
    "lists, plain at first, few draws": (9, {"PLAIN_ROUNDS": 0.6, "FIRST_DRAWS": 1, "MAX_DRAWS": 1}),
}


@pytest.mark.parametrize("copies", [1, 1500])  # one chunk, drawn from in order of value, and several
@pytest.mark.parametrize("way", WAYS)
def test_greedy_k_means_plus_plus_chooses_each_set_with_its_exact_chance(monkeypatch, way, copies):
    d, settings = WAYS[way]
    for name, value in settings.items():
        monkeypatch.setattr(_greedy if hasattr(_greedy, name) else _rounds, name, value)
    X = (VALUES[:, None] * np.linspace(0.5, 1.5, d)).astype(np.float32)
    k, draws = 4, 2500 if copies == 1 else 2000
    expected = chance_of_sets(X.astype(float), WEIGHTS, candidates(k, float(settings.get("PLAIN_ROUNDS", 1 / 8))))
    task, rng = problem(X.repeat(copies, axis=0), k, WEIGHTS.repeat(copies)), np.random.default_rng(1)
    seen = dict.fromkeys(expected, 0)
    for _ in range(draws):
        seen[tuple(sorted(kmeans_plusplus_rows(task, rng) // copies))] += 1
    often = [key for key in expected if draws * expected[key] >= 5]
    observed = np.array([seen[key] for key in often] + [draws - sum(seen[key] for key in often)])
    chances = np.array([expected[key] for key in often])
    assert chi_square_over_freedom(observed, draws * np.append(chances, 1 - chances.sum())) < 2.2


def plain_potential(X: Array, k: int, rng: np.random.Generator) -> float:
    """Potential after greedy k-means++ in its plainest form."""
    closest = ((X - X[rng.integers(len(X))]) ** 2).sum(axis=1)
    for count in candidates(k)[1:]:
        drawn = rng.choice(len(X), count, p=closest / closest.sum())
        after = np.minimum(closest, ((X[drawn, None] - X) ** 2).sum(axis=2))
        closest = after[after.sum(axis=1).argmin()]
    return float(closest.sum())


@pytest.mark.parametrize("d", [2, 5, 20])
def test_potentials_are_those_of_the_plain_algorithm_in_the_mean(blobs, oracle, d):
    X, k = blobs(6000, d, 25, np.float32), 20
    task, exact = problem(X, k), X.astype(float)
    ours = [
        oracle.squares(X, X[kmeans_plusplus_rows(task, np.random.default_rng(s))]).min(axis=1).sum() for s in range(80)
    ]
    plain = [plain_potential(exact, k, np.random.default_rng(1000 + s)) for s in range(80)]
    error = np.hypot(np.std(ours), np.std(plain)) / 80**0.5
    assert abs(np.mean(ours) - np.mean(plain)) < 3.5 * error


def test_lists_that_find_no_room_are_made_for_fewer_proposals_or_not_at_all(monkeypatch, blobs):
    X, calls, find = blobs(9000, 6, 40, np.float32), itertools.count(), _rounds.Lists._find
    task = problem(X, 40)
    monkeypatch.setattr(_rounds.Lists, "_find", lambda self, count: next(calls) % 3 > 0 and find(self, count))
    assert len(set(kmeans_plusplus_rows(task, np.random.default_rng(0)))) == 40
    monkeypatch.setattr(_rounds.Lists, "_find", lambda self, count: False)
    assert len(set(kmeans_plusplus_rows(task, np.random.default_rng(0)))) == 40
    assert next(calls) > 3


# Boxes about panels of samples take the more, the fewer a panel has.
PATCHES = {"avx512": (21, 40), "avx2": (22, 45), "neon": (25, 57), "scalar": (49, 93)}[_runtime.isa]


@pytest.mark.parametrize(
    ("dtype", "d", "most"), [("f4", 3, PATCHES[0]), ("f8", 3, PATCHES[1]), ("f4", 4, 21), ("f8", 4, 26), ("f4", 96, 57)]
)
def test_seeding_takes_the_memory_that_the_docs_say_and_gives_it_back(dtype, d, most):
    X = np.random.default_rng(0).random((200_000, d)).astype(dtype)
    task = problem(X, 20)
    before = task.memory.n_bytes
    kmeans_plusplus_rows(task, np.random.default_rng(0))
    scratch = 16 * 200_000 if d <= 3 else 1_500_000  # of one thread
    assert task.memory.n_bytes == before
    assert task.memory.peak - before <= most * len(X) + scratch


@pytest.mark.parametrize("d", [1, 3, 4, 9, 40])
def test_the_first_row_and_distances_do_not_depend_on_how_x_is_stored(blobs, d):
    X = blobs(20_000, d, 12, np.float32)
    rows = kmeans_plusplus_rows(problem(X, 12), np.random.default_rng(3))
    for same in (np.asfortranarray(X), X[::-1][::-1], X.astype(">f4")):
        np.testing.assert_array_equal(kmeans_plusplus_rows(problem(same, 12), np.random.default_rng(3)), rows)


@pytest.mark.parametrize("n_candidates", [1, None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_k_means_plus_plus_never_picks_a_chosen_or_weightless_sample_while_others_are_left(dtype, n_candidates):
    rng = np.random.default_rng(0)
    for n in (12, 9000):
        for offset in (0.0, 1e5):
            X = (offset + rng.integers(0, 6, (n, 2)) * 0.1).astype(dtype)
            weight = rng.integers(0, 2, n).astype(float) * 1e-3
            weight[:2] = 1.0
            distinct = len(np.unique(X[weight > 0], axis=0))
            k = min(distinct + 2, np.count_nonzero(weight))
            rows = kmeans_plusplus_rows(problem(X, k, weight), rng, n_candidates)
            assert len(set(rows.tolist())) == k
            assert (weight[rows] > 0).all()
            assert len(np.unique(X[rows[:distinct]], axis=0)) == min(distinct, k)


def test_k_means_plus_plus_survives_potentials_that_rounding_takes_to_zero():
    rng = np.random.default_rng(0)
    for scale in (1e-22, 1e-18, 1e18):
        X = (rng.standard_normal((40, 3)) * scale).astype(np.float32)
        rows = kmeans_plusplus_rows(problem(X, 40), rng)
        assert sorted(rows.tolist()) == list(range(40))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", ["blobs", "far away", "few distinct", "weights", "side by side"])
def test_what_seeding_knows_leaves_every_bit_of_a_fit_as_it_is(monkeypatch, blobs, dtype, case):
    k, rng = 40, np.random.default_rng(0)
    n_threads = 2 if case == "side by side" else 1  # then all starts are drawn before the first run
    X = blobs(20_000 if n_threads == 1 else 1500, 12, 60, dtype)
    if case == "far away":
        X += dtype(1e3)
    if case == "few distinct":
        X = np.ascontiguousarray(X[rng.integers(0, 50, len(X))])
    weight = rng.integers(0, 3, len(X)).astype(float) if case == "weights" else None
    fits = []
    for least in (3, 1000):
        monkeypatch.setattr(_greedy, "MIN_KNOWN", least)
        options = {"algorithm": "hamerly", "n_init": 2, "random_state": 0, "sample_weight": weight, "max_iter": 20}
        fits.append(kmeans(X, k, n_threads=n_threads, **options))
    assert n_threads == 2 or fits[0].n_distances < fits[1].n_distances
    for name in ("labels", "centroids", "inertia_history"):
        np.testing.assert_array_equal(getattr(fits[0], name), getattr(fits[1], name))


def test_k_means_plus_plus_is_as_good_as_scikit_learns(blobs, oracle):
    cluster = pytest.importorskip("sklearn.cluster")
    X = blobs(1500, 5, 30)
    ours, theirs = [], []
    for s in range(25):
        rows = kmeans_plusplus_rows(problem(X, 30), np.random.default_rng(s))
        ours.append(oracle.squares(X, X[rows]).min(axis=1).sum())
        theirs.append(oracle.squares(X, cluster.kmeans_plusplus(X, 30, random_state=s)[0]).min(axis=1).sum())
    assert np.mean(ours) < 1.05 * np.mean(theirs)


def test_weights_count_in_the_start_as_repetition_does():
    rng = np.random.default_rng(0)
    X, weight = rng.standard_normal((50, 2)), rng.integers(0, 4, 50)
    a = X[kmeans_plusplus_rows(problem(X, 6, weight), np.random.default_rng(1))]
    many = X.repeat(weight, axis=0)
    b = many[kmeans_plusplus_rows(problem(many, 6), np.random.default_rng(1))]
    np.testing.assert_array_equal(a, b)


# The other ways


def start_of(X: Array, k: int, init: Any, seed: int, weight: Any = None) -> Array:
    """The inertia of the first iteration tells the start; so do centroids that cannot move: read them by a callable."""
    from kmeans_fast._seed import seed as start

    return start(problem(X, k, weight), init, np.random.default_rng(seed))


def test_random_starts_at_distinct_samples_each_as_often():
    X = np.arange(8.0)[:, None]
    drawn = np.array([start_of(X, 3, "random", s).ravel() for s in range(2000)]).astype(int)
    assert (np.diff(np.sort(drawn, axis=1)) > 0).all()
    assert chi_square_over_freedom(np.bincount(drawn.ravel(), minlength=8), np.full(8, 750.0)) < 2.5


def test_random_never_starts_at_a_sample_of_weight_zero_and_follows_the_weights():
    X, weight = np.arange(5.0)[:, None], np.array([1, 0, 2, 3, 0.0])
    drawn = np.array([start_of(X, 1, "random", s, weight)[0, 0] for s in range(2000)]).astype(int)
    assert chi_square_over_freedom(np.bincount(drawn, minlength=5), 2000 * weight / weight.sum()) < 4
    assert set(start_of(X, 3, "random", 0, weight).ravel()) == {0.0, 2.0, 3.0}


def test_random_partition_starts_near_the_mean_of_all(blobs):
    X = blobs(5000, 2, 4)
    start = start_of(X, 4, "random-partition", 0)
    assert np.abs(start - X.mean(axis=0)).max() < 5 * X.std() / np.sqrt(5000 / 4)
    assert len(np.unique(start, axis=0)) == 4


def test_random_partition_of_few_samples_starts_an_empty_part_at_a_sample():
    X = np.arange(4.0)[:, None]
    for s in range(50):
        assert np.isfinite(start_of(X, 4, "random-partition", s)).all()


def test_an_array_is_used_as_it_is_and_not_changed():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    for make in (np.array, lambda a: np.asfortranarray(a).astype(">f4"), lambda a: np.array(a, int), list):
        init = make([[10.0], [0.0]])
        kept = np.array(init, copy=True)
        r = kmeans(X, 2, init=init)
        assert r.centroids.ravel().tolist() == [10.5, 0.5]
        np.testing.assert_array_equal(init, kept)


def test_a_callable_may_return_a_view_of_x_which_stays_as_it_was(blobs):
    X = blobs(600, 3, 5)
    before = X.tobytes()
    expected = kmeans(X, 5, init=X[:5].copy())
    r = kmeans(X, 5, init=lambda X, k, random_state: X[:k], n_init=2, random_state=0)
    assert X.tobytes() == before
    assert [restart.inertia for restart in r.restarts] == [expected.inertia] * 2
    np.testing.assert_array_equal(r.labels, expected.labels)


def test_a_callable_gets_x_itself_k_and_a_generator_and_is_called_for_every_restart():
    X, calls = np.random.default_rng(0).standard_normal((40, 2)), []

    def start(X_given, k, random_state):
        calls.append((X_given is X, k, random_state.random()))
        return X_given[random_state.choice(len(X_given), k, replace=False)]

    r = kmeans(X, 3, init=start, random_state=7)
    assert len(calls) == len(r.restarts) == 10
    assert {(same, k) for same, k, _ in calls} == {(True, 3)}
    assert len({number for *_, number in calls}) == 10
    assert calls[0][2] == np.random.default_rng(7).random()


@pytest.mark.parametrize("d", [2, 4, 18])
@pytest.mark.parametrize("init", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_start_is_the_same_for_any_number_of_threads(blobs, init, dtype, d):
    X = blobs(30_000, d, 16, dtype)
    weight = np.random.default_rng(0).random(len(X))
    from kmeans_fast._seed import seed as start

    for w in (None, weight):
        starts = [start(problem(X, 16, w, t), init, np.random.default_rng(3)) for t in (1, 2, 3, 8)]
        for other in starts[1:]:
            np.testing.assert_array_equal(other, starts[0])


def test_more_threads_than_a_pass_needs_write_to_no_memory_but_their_own(run_python):
    # A pass against few clusters may be too small for a second thread where a round of the start is not.
    code = """
import gc, numpy as np
from kmeans_fast._problem import Problem
from kmeans_fast._samples import as_samples
from kmeans_fast._seed import METHODS, seed
for d, k in ((1, 1), (1, 4), (2, 2), (2, 3), (3, 2), (6, 2), (12, 1)):
    for kind in (np.float32, np.float64):
        X = np.random.default_rng(0).standard_normal((60_000, d)).astype(kind)
        for init in METHODS:
            task = Problem(as_samples(X), k, None, 4)
            for _ in range(2):
                seed(task, init, np.random.default_rng(0))
            gc.collect()
print("well")
"""
    assert run_python(code, MALLOC_CHECK_="3", MALLOC_PERTURB_="165").split() == ["well"]
