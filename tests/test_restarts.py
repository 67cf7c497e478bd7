"""Restarts side by side are, bit for bit, restarts one after the other."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import KMeansResult, _restarts, kmeans
from kmeans_fast._iterate import Run

Array = NDArray[Any]
Small = tuple[Array, int]


def assert_same(a: KMeansResult, b: KMeansResult) -> None:
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_array_equal(a.centroids, b.centroids)
    np.testing.assert_array_equal(a.inertia_history, b.inertia_history)
    np.testing.assert_array_equal(a.counts, b.counts)
    assert (a.restarts, a.best_restart, a.n_distances) == (b.restarts, b.best_restart, b.n_distances)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Threads that ran restarts."""
    seen: set[int] = set()
    one_by_one = _restarts.one_by_one

    def watched(*arguments: Any) -> Any:
        seen.add(threading.get_ident())
        return one_by_one(*arguments)

    monkeypatch.setattr(_restarts, "one_by_one", watched)
    return seen


@pytest.mark.parametrize("init", ["k-means++", "random", "random-partition", "k-means||"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_bits_are_those_of_one_thread(blobs, threads, init, dtype):
    X = (blobs(8000, 3, 9) * 20).astype(dtype)
    weight = np.random.default_rng(0).random(len(X))
    for w in (None, weight):
        for n_init in (2, 5, 7):
            runs = [
                kmeans(X, 9, init=init, n_init=n_init, random_state=1, sample_weight=w, n_threads=t) for t in (1, 2, 3)
            ]
            for r in runs[1:]:
                assert_same(r, runs[0])
    assert len(threads) > 1


def test_the_generator_is_left_as_one_thread_leaves_it(blobs):
    X, states = blobs(8000, 3, 9), []
    for n_threads in (1, 2):
        rng = np.random.default_rng(0)
        kmeans(X, 9, init="random", random_state=rng, n_threads=n_threads)
        states.append(rng.random())
    assert states[0] == states[1]


def test_a_restart_that_needs_float64_sends_those_after_it_there_too():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((9000, 2)) + 2e3 * rng.integers(-1, 2, (9000, 1))).astype(np.float32)  # two groups far off
    runs = [kmeans(X, 8, init="k-means++", n_init=6, random_state=0, n_threads=t) for t in (1, 2)]
    assert runs[0].compute_dtype == "float64"
    assert_same(runs[1], runs[0])
    assert runs[1].compute_dtype == "float64"


def test_a_failure_in_a_thread_is_raised(blobs, monkeypatch):
    def fails(*_: Any) -> Run:
        raise MemoryError("no room")

    monkeypatch.setattr("kmeans_fast._kmeans.lloyd", fails)
    with pytest.raises(MemoryError, match="no room"):
        kmeans(blobs(8000, 3, 9), 9, init="random", n_threads=2)


def test_a_callback_a_time_limit_a_callable_and_a_tiny_fit_run_alone(blobs, threads):
    X = blobs(8000, 3, 9)
    kmeans(X, 9, init="random", callback=lambda _: False, n_threads=2)
    kmeans(X, 9, init="random", max_time=100, n_threads=2)
    kmeans(X, 9, init=lambda X, k, random_state: X[random_state.choice(len(X), k)], n_threads=2)
    kmeans(X[:100], 9, init="random", n_threads=2)
    kmeans(X, 9, n_threads=2)
    assert not threads


def test_the_first_of_equal_restarts_is_the_best():
    X = np.repeat(np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0]]), 20_000, axis=0)
    for n_threads in (1, 2):
        r = kmeans(X, 3, n_init=4, random_state=0, n_threads=n_threads)
        assert [restart.inertia for restart in r.restarts] == [0.0] * 4
        assert r.best_restart == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_restarts_side_by_side_within_a_second(run_python):
    code = """
import os, signal, threading, time
import numpy as np
from kmeans_fast import kmeans
X = np.random.default_rng(0).standard_normal((20_000, 2)).astype(np.float32)
threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
began = time.perf_counter()
try:
    kmeans(X, 8, init="random", n_init=20_000, random_state=0, n_threads=2)
except KeyboardInterrupt:
    print(time.perf_counter() - began - 0.7)
"""
    assert float(run_python(code)) < 1.0
