"""quality="best": never worse than where it goes on from, and out of the minima that Lloyd's algorithm ends in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import FitState, _improve, _kmeans, _watch, kmeans
from kmeans_fast._algorithm import ALGORITHMS, fits
from kmeans_fast.datasets import init_board, init_board_gauss

Array = NDArray[Any]

pytestmark = pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")


def best(X: Any, k: int, **arguments: Any) -> Any:
    return kmeans(X, k, quality="best", **{"random_state": 0} | arguments)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(300, 2, 6), (6000, 3, 40), (3000, 12, 20), (900, 40, 9)])
def test_the_result_agrees_and_is_no_worse_than_lloyds_from_the_same_start(oracle, blobs, shape, dtype):
    n, d, k = shape
    X, weight = blobs(n, d, k, dtype), np.random.default_rng(0).integers(0, 3, n).astype(float)
    for w in (None, weight):
        for s in range(3):
            r = best(X, k, random_state=s, sample_weight=w)
            oracle.assert_agrees(r, X, w)
            assert r.inertia <= kmeans(X, k, random_state=s, sample_weight=w).inertia * (1 + 1e-9)
            assert len(r.inertia_history) == r.n_iter
            assert r.n_distances >= n * k * 2


def test_two_centroids_in_one_cluster_and_one_between_two_are_swapped():
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0.0], [10.0, 0.0], [100.0, 0.0], [110.0, 0.0]])
    X = np.concatenate([m + rng.standard_normal((200, 2)) for m in middles])
    start = [[-1.0, 0.0], [1.0, 0.0], [10.0, 0.0], [105.0, 0.0]]
    stuck, r = kmeans(X, 4, init=start), best(X, 4, init=start)
    assert stuck.inertia > 5 * r.inertia
    assert np.abs(np.sort(r.centroids[:, 0]) - middles[:, 0]).max() < 0.5
    assert r.restarts[0].swaps_tried >= r.restarts[0].swaps_accepted > 0
    assert stuck.restarts[0].swaps_tried == 0


@pytest.mark.parametrize(
    ("X", "k"),
    [
        (init_board_gauss(2000, 20, random_state=20), 20),
        (init_board_gauss(5000, 50, random_state=1), 50),
        (init_board(5000, random_state=1), 50),
    ],
    ids=["20 Gaussians", "50 Gaussians", "uniform"],
)
def test_it_ends_lower_than_the_best_of_ten_restarts(X, k):
    ours = np.mean([best(X, k, random_state=s).inertia for s in range(5)])
    ten = np.mean([kmeans(X, k, n_init=10, random_state=s).inertia for s in range(5)])
    assert ours < 0.998 * ten


def test_many_clear_clusters_are_all_found(blobs):
    rng = np.random.default_rng(0)
    middles = 20 * rng.standard_normal((120, 5))
    X = (middles[rng.integers(120, size=12_000)] + rng.standard_normal((12_000, 5))).astype(np.float32)
    truth = kmeans(X, 120, init=middles).inertia
    assert kmeans(X, 120, init="random", n_init=1, random_state=0).inertia > 1.5 * truth
    assert best(X, 120, init="random", n_init=1).inertia <= truth * (1 + 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_are_the_same_for_any_number_of_threads_and_any_algorithm(blobs, dtype):
    for n, d, k in ((30_000, 3, 30), (9000, 16, 24), (200, 2, 5)):
        X, weight = blobs(n, d, k, dtype), np.random.default_rng(0).random(n)
        for w in (None, weight):
            runs = [best(X, k, sample_weight=w, n_threads=t) for t in (1, 2, 5)]
            runs += [best(X, k, sample_weight=w, algorithm=name) for name in ALGORITHMS[1:] if fits(name, d, 1)]
            for r in runs[1:]:
                np.testing.assert_array_equal(r.labels, runs[0].labels)
                np.testing.assert_array_equal(r.centroids, runs[0].centroids)
                assert r.restarts == runs[0].restarts


def test_samples_of_weight_zero_are_as_if_they_were_not_there():
    rng = np.random.default_rng(0)
    X, weight = rng.standard_normal((400, 2)), rng.integers(0, 2, 400).astype(float)
    X[weight == 0] *= 1000
    r = best(X, 8, sample_weight=weight)
    assert np.abs(r.centroids).max() < 5
    assert r.inertia == pytest.approx(best(X[weight > 0], 8).inertia, rel=1e-9)


def test_an_integer_weight_is_the_same_as_repetition():
    rng = np.random.default_rng(0)
    X, weight = rng.standard_normal((150, 2)), rng.integers(1, 4, 150)
    assert best(X, 6, sample_weight=weight).inertia == pytest.approx(
        best(X.repeat(weight, axis=0), 6).inertia, rel=1e-9
    )


@pytest.mark.parametrize("k", [1, 2, 7, 8, 9, 10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
def test_few_samples_many_copies_and_one_cluster_are_no_trouble(oracle, k, dtype):
    X = np.array([[0, 0], [0, 1], [5, 5], [5, 6], [9, 0], [9, 1], [0, 9], [1, 9], [4, 4], [0, 0]], dtype)
    r = best(X, k)
    oracle.assert_agrees(r, X)
    assert r.inertia <= kmeans(X, k, n_init=20, random_state=1).inertia * (1 + 1e-9) + 1e-12
    copies = np.repeat(X[:3], 20, axis=0)
    assert best(copies, min(k, 3)).inertia == pytest.approx(kmeans(copies, min(k, 3), random_state=0).inertia)
    assert best(copies, 5).inertia == 0.0


def test_data_far_from_the_origin_end_as_well(oracle):
    X = init_board_gauss(1500, 15, random_state=2)
    for dtype in (np.float32, np.float64):
        far = (X + 1000.0).astype(dtype)
        r = best(far, 15)
        oracle.assert_agrees(r, far)
        assert r.inertia <= kmeans(far, 15, random_state=0).inertia * (1 + 1e-9)


def test_every_input_that_a_fit_takes_is_taken(blobs):
    X = blobs(500, 3, 6)
    X = np.round(X * 8)
    expected = best(X, 6)
    for other in (np.asfortranarray(X), X[::-1][::-1], X.astype(">f8"), X.astype(np.int16), X.astype(np.float16)):
        assert best(other, 6).inertia == pytest.approx(expected.inertia, rel=1e-5)


# When it ends


def test_the_callback_sees_iterations_that_count_on_and_ends_the_search_at_the_best_so_far(oracle, blobs):
    X = blobs(3000, 2, 12)
    seen: list[FitState] = []
    whole = best(X, 12, callback=lambda state: seen.append(state) and None)
    assert [state.iteration for state in seen] == list(range(1, len(seen) + 1))
    assert {state.centroids.shape for state in seen} == {(12, 2)}
    assert whole.restarts[0].swaps_tried > 0
    first = kmeans(X, 12, random_state=0)
    for stop in (1, first.n_iter, first.n_iter + 1, first.n_iter + 7, len(seen) - 1):
        r = best(X, 12, callback=lambda state, stop=stop: state.iteration == stop)
        assert r.stop_reason == "callback"
        assert not r.converged
        oracle.assert_agrees(r, X)
        if stop >= first.n_iter:
            assert r.inertia <= first.inertia * (1 + 1e-3)


def test_max_time_ends_the_search(oracle, blobs, monkeypatch):
    X, now = blobs(3000, 2, 12), [0]
    first = kmeans(X, 12, random_state=0)
    for module in (_kmeans, _watch, _improve):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])

    def tick(_: object) -> None:
        now[0] += 1  # a second an iteration

    r = best(X, 12, max_time=first.n_iter + 5, callback=tick)  # into the search
    assert r.stop_reason == "max_time"
    assert now[0] <= first.n_iter + 10
    assert r.inertia <= first.inertia * (1 + 1e-9)
    oracle.assert_agrees(r, X)


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_max_iter_limits_every_descent(blobs, max_iter):
    X, restarts = blobs(2000, 2, 10), []
    r = best(X, 10, max_iter=max_iter, callback=lambda state: restarts.append(state.max_iter) and None)
    assert set(restarts) == {max_iter}
    assert r.restarts[0].n_iter <= max_iter * (2 + r.restarts[0].swaps_accepted)


def test_one_start_is_improved_unless_more_are_asked_for(blobs):
    X = blobs(400, 2, 6)
    assert [len(best(X, 6, init=init).restarts) for init in ("k-means++", "random", "random-partition")] == [1, 1, 1]
    three = best(X, 6, n_init=3)
    assert len(three.restarts) == 3
    assert three.inertia == min(restart.inertia for restart in three.restarts)
    assert all(restart.swaps_tried for restart in three.restarts)


@pytest.mark.parametrize(
    ("d", "dtype", "algorithm", "per_sample"),
    [(3, "f4", "lloyd", 12), (3, "f8", "lloyd", 16), (9, "f4", "hamerly", 28)],
)
def test_memory_beyond_x_is_what_the_readme_says(d, dtype, algorithm, per_sample):
    X = np.random.default_rng(0).random((600_000, d)).astype(dtype)
    r = best(X, 4, init="random", algorithm=algorithm, max_iter=2, n_threads=1)  # k-means++ takes more
    assert per_sample <= r.memory / len(X) <= per_sample + 1


def test_the_estimator_takes_it_too(blobs, KMeans):
    X = blobs(800, 2, 10)
    model = KMeans(10, quality="best", random_state=0).fit(X)
    assert model.result_.restarts[0].swaps_tried > 0
    assert model.inertia_ == pytest.approx(best(X, 10).inertia)
    assert KMeans(10, random_state=0).fit(X).result_.restarts[0].swaps_tried == 0


@pytest.mark.parametrize("quality", ["better", None, 1])
def test_another_quality_is_refused(quality):
    with pytest.raises(ValueError, match=r"quality=.* must be one of 'standard', 'best'"):
        kmeans(np.eye(4), 2, quality=quality)
