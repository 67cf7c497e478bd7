"""The public function: restarts, who may stop a fit, random states, and that the parts of a result belong together."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmeans_fast import ClusterWarning, FitState, kmeans
from kmeans_fast._seed import METHODS


def same_bits(a: Any, b: Any) -> bool:
    """Whether two fits are alike in every bit that does not say who computed it."""
    return (
        a.labels.tobytes() == b.labels.tobytes()
        and a.centroids.tobytes() == b.centroids.tobytes()
        and a.inertia_history.tobytes() == b.inertia_history.tobytes()
        and (a.inertia, a.restarts, a.counts.tolist()) == (b.inertia, b.restarts, b.counts.tolist())
    )


# The parts of a result belong together: labels of one restart once came with the centroids of another


@pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")
@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    init=st.sampled_from(METHODS),
    n_init=st.integers(1, 5),
    tol=st.sampled_from([0.0, 1e-4, 0.1]),
    max_iter=st.sampled_from([1, 2, 300]),
    weighted=st.booleans(),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_labels_centroids_counts_and_inertia_agree_at_return(
    oracle, seed, init, n_init, tol, max_iter, weighted, dtype
):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(8, 200), rng.integers(1, 6), rng.integers(1, 9)
    X = rng.standard_normal((n, d)).astype(dtype)
    weight = rng.integers(0, 4, n).astype(float) if weighted else None
    if weighted:
        weight[:k] = 1.0
    r = kmeans(X, k, init=init, n_init=n_init, tol=tol, max_iter=max_iter, sample_weight=weight, random_state=seed)
    oracle.assert_agrees(r, X, weight)
    best = r.restarts[r.best_restart]
    assert (r.inertia, r.n_iter, r.converged, r.stop_reason, 0, 0) == tuple(best)
    assert r.inertia == min(restart.inertia for restart in r.restarts)
    assert len(r.restarts) == n_init
    assert len(r.inertia_history) == r.n_iter <= max_iter
    np.testing.assert_array_equal(r.predict(X), r.labels)


PAIRS = np.array([[0.0], [1.0], [10.0], [11.0], [1000.0], [1001.0]])
GOOD, STUCK = PAIRS[[0, 2, 4]], PAIRS[[0, 4, 5]]  # inertia 1.5; two centroids in the far pair stay there: 101


def test_the_best_restart_is_returned_wherever_it_comes(oracle):
    for place in range(3):
        starts = iter([GOOD if i == place else STUCK for i in range(3)])
        r = kmeans(PAIRS, 3, init=lambda X, k, random_state, starts=starts: next(starts), n_init=3, tol=0)
        assert (r.best_restart, r.inertia) == (place, 1.5)
        assert [restart.inertia for restart in r.restarts] == [1.5 if i == place else 101.0 for i in range(3)]
        oracle.assert_agrees(r, PAIRS)


def test_times_found_counts_the_restarts_that_ended_at_the_best():
    starts = iter([STUCK, GOOD, STUCK, PAIRS[[1, 3, 5]], STUCK[::-1]])
    r = kmeans(PAIRS, 3, init=lambda X, k, random_state: next(starts), n_init=5, tol=0)
    assert (r.best_restart, r.times_found, len(r.restarts)) == (1, 2, 5)


def test_n_init_auto_is_one_for_k_means_plus_plus_and_arrays_and_ten_for_chance(blobs):
    X = blobs()
    start = X[:3]
    expected = {"k-means++": 1, "random": 10, "random-partition": 10}
    for init, count in expected.items():
        assert len(kmeans(X, 3, init=init, random_state=0).restarts) == count
    assert len(kmeans(X, 3, init=start).restarts) == 1
    assert len(kmeans(X, 3, init=lambda X, k, random_state: start).restarts) == 10


def test_an_array_with_several_restarts_runs_once_and_says_so(blobs):
    X = blobs()
    with pytest.warns(RuntimeWarning, match="n_init=4 with an array as init gives the same run each time"):
        assert len(kmeans(X, 3, init=X[:3], n_init=4).restarts) == 1


def test_more_restarts_are_never_worse(blobs):
    X = blobs(400, 2, 12)
    inertia = [kmeans(X, 12, n_init=n, random_state=0).inertia for n in (1, 2, 5, 15)]
    assert inertia == sorted(inertia, reverse=True)
    assert inertia[-1] < inertia[0]


def test_a_number_as_sample_weight_weighs_all_samples_alike(blobs):
    X = blobs()
    one, all_alike = (kmeans(X, 5, sample_weight=w, random_state=0) for w in (2.5, np.full(len(X), 2.5)))
    np.testing.assert_array_equal(one.centroids, all_alike.centroids)
    assert one.inertia == all_alike.inertia


# Determinism


@pytest.mark.parametrize("init", METHODS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_any_number_of_threads_gives_the_same_bits(blobs, init, dtype, weighted):
    # Large enough for eight threads: 500,000 multiply-adds for each.
    X = blobs(45_000, 4, 16, dtype)
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    fits = [
        kmeans(X, 16, init=init, n_init=2, max_iter=6, sample_weight=weight, random_state=1, n_threads=t)
        for t in (1, 2, 3, 8)
    ]
    assert [r.n_threads for r in fits] == [1, 2, 3, 8]
    assert all(same_bits(fits[0], r) for r in fits[1:])


@pytest.mark.parametrize(("n", "d", "k"), [(200_000, 2, 8), (3000, 100, 30), (1500, 300, 64), (9000, 3, 500)])
def test_any_shape_gives_the_same_bits_for_any_number_of_threads(blobs, n, d, k):
    X = blobs(n, d, 8, np.float32)
    fits = [kmeans(X, k, init=X[:k], max_iter=4, n_threads=t) for t in (1, 2, 3, 8)]
    assert [r.n_threads for r in fits] == [1, 2, 3, 8]
    assert all(same_bits(fits[0], r) for r in fits[1:])


def test_relocations_and_far_data_give_the_same_bits_for_any_number_of_threads(blobs):
    X = blobs(30_000, 4, 16, np.float32) + np.float32(3e5)
    start = np.vstack([X[:10], X[:6] * 3]).astype(np.float64)
    fits = [kmeans(X, 16, init=start, max_iter=8, n_threads=t) for t in (1, 2, 3, 8)]
    assert all(same_bits(fits[0], r) for r in fits[1:])


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_start(blobs):
    X = blobs(500, 2, 12)
    assert same_bits(kmeans(X, 12, random_state=5), kmeans(X, 12, random_state=5))
    histories = {kmeans(X, 12, random_state=s).inertia_history[0] for s in range(8)}
    assert len(histories) == 8


def test_a_callback_does_not_change_a_bit(blobs):
    X = blobs(500, 2, 12)
    assert same_bits(kmeans(X, 12, random_state=5), kmeans(X, 12, random_state=5, callback=lambda state: None))
    assert same_bits(kmeans(X, 12, random_state=5), kmeans(X, 12, random_state=5, max_time=1e6))


def test_x_weights_and_start_are_left_as_they_are(blobs):
    X, weight = blobs(), np.random.default_rng(0).random(600)
    start = X[:4].copy()
    kept = X.tobytes(), weight.tobytes(), start.tobytes()
    kmeans(X, 4, init=start, sample_weight=weight)
    kmeans(X, 4, n_init=3, sample_weight=weight)
    assert kept == (X.tobytes(), weight.tobytes(), start.tobytes())


# Who may stop a fit


def test_a_callback_sees_every_iteration_of_every_restart(oracle, blobs):
    X, states = blobs(), []
    r = kmeans(X, 5, init="random", n_init=3, random_state=0, tol=0, max_iter=50, callback=states.append)
    assert all(isinstance(state, FitState) for state in states)
    expected = [(i, 3, j, 50, 600) for i in range(3) for j in range(1, r.restarts[i].n_iter + 1)]
    assert [(s.restart, s.n_init, s.iteration, s.max_iter, s.n_samples) for s in states] == expected
    mine = [s for s in states if s.restart == r.best_restart]
    np.testing.assert_array_equal([s.inertia for s in mine], r.inertia_history)
    assert mine[0].n_changed == 600
    assert mine[-1].n_changed == 0 == mine[-1].centroid_shift or r.stop_reason != "labels unchanged"
    for before, after in itertools.pairwise(mine):
        shift = np.linalg.norm(after.centroids - before.centroids)
        assert after.centroid_shift == pytest.approx(shift, rel=1e-9, abs=1e-12)
        labels = [oracle.squares(X, s.centroids).argmin(axis=1) for s in (before, after)]
        assert after.inertia == pytest.approx(oracle.inertia(X, before.centroids, labels[0]), rel=1e-9)
    times = [s.elapsed for s in states]
    assert times == sorted(times)
    assert times[0] > 0
    assert mine[0].centroids is not mine[1].centroids
    with pytest.raises(AttributeError):
        mine[0].inertia = 0.0


@pytest.mark.parametrize("answer", [True, 1, "yes", np.True_])
def test_a_callback_that_returns_true_stops_the_fit_and_its_result_agrees(oracle, blobs, answer):
    X = blobs(2000, 2, 12)
    r = kmeans(X, 12, random_state=0, n_init=4, tol=0, callback=lambda s: s.iteration == 3 and answer)
    assert (r.stop_reason, r.converged, r.n_iter, len(r.restarts)) == ("callback", False, 3, 1)
    oracle.assert_agrees(r, X)


def test_a_callback_stops_a_fit_also_where_float32_gives_way_to_float64(oracle):
    X = np.random.default_rng(0).standard_normal((2000, 2)).astype(np.float32)
    X[1000:1002] = [1e4, 0.0], [1e4, 1.0]  # the empty clusters go there, too near each other for float32
    start, calls = np.array([[-1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [-30.0, 0.0], [-31.0, 0.0]]), []
    r = kmeans(X, 6, init=start, callback=lambda state: calls.append(state) or True)
    assert (len(calls), r.n_iter, r.stop_reason, r.compute_dtype) == (1, 1, "callback", "float64")
    r = kmeans(X, 6, init=start, max_time=1e-9)
    assert (r.n_iter, r.stop_reason) == (1, "max_time")
    oracle.assert_agrees(r, X)


def test_a_callback_that_stops_a_later_restart_leaves_the_best_so_far(oracle, blobs):
    X = blobs(2000, 2, 12)
    r = kmeans(X, 12, random_state=0, n_init=4, tol=0, callback=lambda s: s.restart == 1)
    assert [restart.stop_reason for restart in r.restarts] == ["labels unchanged", "callback"]
    assert (r.best_restart, r.stop_reason, r.converged) == (0, "labels unchanged", True)
    oracle.assert_agrees(r, X)


def test_an_exception_in_a_callback_comes_through_and_the_next_fit_works(blobs):
    X = blobs()

    def angry(state: FitState) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        kmeans(X, 3, callback=angry)
    assert kmeans(X, 3, random_state=0).converged


def test_changing_the_centroids_in_a_callback_changes_no_fit(blobs):
    X = blobs()
    a = kmeans(X, 5, random_state=0)
    assert same_bits(a, kmeans(X, 5, random_state=0, callback=lambda s: s.centroids.fill(np.nan)))


def test_max_time_returns_the_best_so_far_marked_as_such(oracle, blobs):
    X = blobs(4000, 4, 64)
    began = time.perf_counter()
    r = kmeans(X, 64, random_state=0, n_init=500, tol=0, max_time=0.3, n_threads=1)
    assert time.perf_counter() - began < 3
    assert r.restarts[-1].stop_reason == "max_time"
    assert len(r.restarts) < 500
    assert r.inertia == min(restart.inertia for restart in r.restarts)
    oracle.assert_agrees(r, X)
    first = kmeans(X, 64, random_state=0, tol=0, max_time=1e-9)
    assert (first.n_iter, first.stop_reason, first.converged) == (1, "max_time", False)
    oracle.assert_agrees(first, X)


# What is said of how it ran


def test_the_result_says_what_ran(blobs):
    for algorithm in ("auto", "lloyd"):
        r = kmeans(blobs(dtype=np.float32), 3, algorithm=algorithm)
        assert r.algorithm == "lloyd" or algorithm == "auto"
        assert r.isa in ("scalar", "avx2", "avx512", "neon")
        assert (r.n_threads, r.compute_dtype) == (1, "float32")
        assert 4 * 600 <= r.memory < 100_000
    assert kmeans(blobs(), 3).compute_dtype == "float64"


def test_centroids_are_float32_for_float32_x_unless_that_would_cost_inertia(blobs):
    X = blobs(dtype=np.float32)
    assert kmeans(X, 3).centroids.dtype == np.float32
    assert kmeans(X.astype(np.float16), 3).centroids.dtype == np.float32
    assert kmeans(X.astype(np.float64), 3).centroids.dtype == np.float64
    assert kmeans(np.round(X).astype(int), 3).centroids.dtype == np.float64
    assert kmeans(X + np.float32(1e6), 3).centroids.dtype == np.float64


def test_fewer_distinct_samples_than_clusters_warn_once_in_the_callers_line():
    with pytest.warns(ClusterWarning, match="only 2 distinct samples") as caught:
        kmeans([[0.0], [0.0], [1.0]], 3, n_init=3)
    assert len(caught) == 1
    assert caught[0].filename == __file__
