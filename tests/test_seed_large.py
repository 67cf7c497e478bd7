"""k-means|| and AFK-MC2: probabilities where they can be counted, potentials, and inputs that leave no choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import kmeans
from kmeans_fast._greedy import kmeans_plusplus_rows
from kmeans_fast._problem import Problem
from kmeans_fast._samples import as_samples
from kmeans_fast._seed import seed
from kmeans_fast._seed_large import _Candidates, _walk, afk_mc2_rows, kmeans_parallel_rows

Array = NDArray[Any]
BOTH = {"k-means||": kmeans_parallel_rows, "afk-mc2": afk_mc2_rows}
both = pytest.mark.parametrize("choose", BOTH.values(), ids=BOTH)

X5 = np.array([[0, 0], [1, 0], [0, 2], [3, 3], [-1, 4]], float)
WEIGHTS = [[1, 1, 1, 1, 1], [1, 0, 3, 0.5, 2]]


def problem(X: Array, k: int, weight: Any = None, n_threads: int = 1) -> Problem:
    weight = None if weight is None else np.asarray(weight, np.float64)
    return Problem(as_samples(X), k, weight, n_threads)


def pairs(choose: Any, weight: Any, draws: int, **arguments: Any) -> Array:
    """How often each pair of rows was chosen first and second."""
    task, rng, seen = problem(X5, 2, weight), np.random.default_rng(0), np.zeros((5, 5))
    for _ in range(draws):
        i, j = choose(task, rng, **arguments)
        seen[i, j] += 1
    return seen


def chi_square_over_freedom(observed: Array, expected: Array) -> float:
    some = expected > 0
    assert (observed[~some] == 0).all()
    return float((((observed - expected)[some]) ** 2 / expected[some]).sum() / (some.sum() - 1))


def first_and_squares(weight: Array) -> tuple[Array, Array]:
    return (weight / weight.sum())[:, None], ((X5[:, None] - X5) ** 2).sum(axis=2)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_long_chains_of_afk_mc2_draw_as_k_means_plus_plus_does(weight):
    weight, draws = np.array(weight, float), 4000
    first, squares = first_and_squares(weight)
    expected = draws * first * squares * weight / (squares * weight).sum(axis=1, keepdims=True)
    assert chi_square_over_freedom(pairs(afk_mc2_rows, weight, draws), expected) < 2.0


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_chain_of_one_is_the_distribution_of_proposals(weight):
    weight, draws = np.array(weight, float), 6000
    first, squares = first_and_squares(weight)
    q = 0.5 * squares * weight / (squares * weight).sum(axis=1, keepdims=True) + 0.5 * weight / weight.sum()
    others = (weight > 0) & ~np.eye(5, dtype=bool)  # a proposal on the first sample leaves the choice to chance
    q = others * (q + np.diag(q)[:, None] / others.sum(axis=1, keepdims=True))
    assert chi_square_over_freedom(pairs(afk_mc2_rows, weight, draws, chain=1), draws * first * q) < 2.0


def test_a_chain_moves_with_the_ratio_of_its_proposals():
    assert _walk([1.0, 3.0, 0.5], [0.9, 0.9, 0.9]) == 1
    assert _walk([1.0, 3.0, 0.5], [0.9, 0.9, 0.1]) == 2
    assert _walk([0.0, 0.0, 1.0, 0.0], [0.5, 0.5, 0.5, 0.0]) == 2


@pytest.mark.parametrize("weight", [None, *WEIGHTS])
def test_a_round_of_k_means_parallel_takes_each_sample_with_its_probability(weight):
    task, rng, draws, expected = problem(X5, 2, weight), np.random.default_rng(0), 4000, 1.5
    candidates = _Candidates(task)
    candidates.add(np.array([0, 3]))
    mass = ((X5[:, None] - X5[[0, 3]]) ** 2).sum(axis=2).min(axis=1) * (1.0 if weight is None else np.array(weight))
    chance = np.minimum(1.0, expected * mass / mass.sum())
    seen = np.zeros(5)
    for _ in range(draws):
        seen[candidates.sample(expected, rng)] += 1
    assert (np.abs(seen - draws * chance) <= 4 * np.sqrt(draws * chance * (1 - chance)) + 1e-9).all()


def test_candidates_keep_the_nearest_of_all_that_were_added(blobs, oracle):
    X = blobs(9000, 3, 5, np.float32)
    candidates, rows = _Candidates(problem(X, 5)), np.random.default_rng(0).choice(9000, 60, replace=False)
    for part in (rows[:1], rows[1:20], rows[20:20], rows[20:]):
        candidates.add(part)
    squares = oracle.squares(X, X[rows])
    np.testing.assert_allclose(candidates.closest, squares.min(axis=1), rtol=1e-5, atol=1e-6)
    assert (squares[np.arange(9000), candidates.nearest] <= squares.min(axis=1) + 1e-4).all()
    assert (candidates.closest[rows] == 0).all()


@pytest.mark.parametrize(("n", "d", "k"), [(6000, 2, 50), (4000, 8, 40), (3000, 40, 100)])
def test_potentials_are_what_the_papers_promise(oracle, n, d, k):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)) + 8 * rng.standard_normal((k, d))[rng.integers(k, size=n)]

    def mean(choose: Any, **arguments: Any) -> float:
        rows = (choose(problem(X, k), np.random.default_rng(s), **arguments) for s in range(12))
        return float(np.mean([oracle.squares(X, X[r]).min(axis=1).sum() for r in rows]))

    plain, greedy = mean(kmeans_plusplus_rows, n_candidates=1), mean(kmeans_plusplus_rows)
    assert mean(kmeans_parallel_rows) < 1.1 * greedy  # of its candidates the last step chooses greedily
    assert mean(afk_mc2_rows) < 1.15 * plain


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chosen_rows_are_distinct_and_have_weight_and_distinct_values_while_there_are_any(choose, dtype):
    rng = np.random.default_rng(0)
    for n in (12, 9000):
        for offset in (0.0, 1e5):
            X = (offset + rng.integers(0, 4, (n, 2)) * 0.5).astype(dtype)
            weight = rng.integers(0, 2, n).astype(float) * 1e-3
            weight[:4] = 1.0
            distinct = len(np.unique(X[weight > 0], axis=0))
            for k in (1, 2, distinct, min(distinct + 2, np.count_nonzero(weight))):
                rows = choose(problem(X, k, weight), rng)
                assert rows.dtype == np.intp
                assert len(set(rows.tolist())) == k
                assert (weight[rows] > 0).all()
            if choose is kmeans_parallel_rows:
                assert len(np.unique(X[rows], axis=0)) == min(distinct, k)


@both
def test_equal_samples_and_as_many_clusters_as_samples_are_no_trouble(choose):
    rng = np.random.default_rng(0)
    assert sorted(choose(problem(np.zeros((6, 2)), 6), rng).tolist()) == list(range(6))
    assert len(set(choose(problem(np.zeros((5000, 2)), 9), rng).tolist())) == 9
    for scale in (1e-22, 1e-18, 1.0, 1e18):
        X = (rng.standard_normal((40, 3)) * scale).astype(np.float32)
        assert sorted(choose(problem(X, 40), rng).tolist()) == list(range(40))


@pytest.mark.parametrize("init", BOTH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_start_is_the_same_for_any_number_of_threads_and_any_layout(blobs, init, dtype):
    X = np.round(blobs(30_000, 4, 16, dtype) * 16)
    weight = np.random.default_rng(0).random(len(X))
    for w in (None, weight):
        starts = [seed(problem(X, 60, w, t), init, np.random.default_rng(3)) for t in (1, 2, 3, 8)]
        starts.append(seed(problem(np.asfortranarray(X), 60, w), init, np.random.default_rng(3)))
        for other in starts[1:]:
            np.testing.assert_array_equal(other, starts[0])


@pytest.mark.parametrize("init", BOTH)
def test_they_are_starts_of_a_fit_and_one_suffices(oracle, blobs, KMeans, init):
    X = blobs(2000, 3, 8)
    r = kmeans(X, 8, init=init, random_state=0)
    oracle.assert_agrees(r, X)
    assert len(r.restarts) == 1
    assert r.inertia < 1.2 * kmeans(X, 8, n_init=10, random_state=0).inertia
    assert KMeans(8, init=init, random_state=0).fit(X).inertia_ == pytest.approx(r.inertia)
    assert r.memory <= kmeans(X, 8, init="random", random_state=0).memory + 24 * len(X) + (1 << 20)
