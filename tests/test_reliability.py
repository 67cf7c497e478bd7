"""Ctrl-C, forks, threads beside threads: what breaks k-means libraries in the field."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kmeans_fast import _runtime, kmeans, predict
from kmeans_fast._predict import transform

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and forks of POSIX")

INTERRUPT = """
import hashlib, signal, sys, time
import numpy as np
from kmeans_fast import kmeans, predict
X = np.random.default_rng(0).random(({n}, 8), np.float32)
X = np.asfortranarray(X.astype(np.float16)) if {converted} else X
memory = X.T if {converted} else X
before = hashlib.sha256(memory).hexdigest()
start = X[:500].astype(float)
work = dict(
    seeding=lambda: kmeans(X, 500),
    lloyd=lambda: kmeans(X, 500, init=start, tol=0),
    predict=lambda: [predict(X, start) for _ in range(100)],
)["{what}"]
signal.signal(signal.SIGALRM, signal.default_int_handler)
fires_at = time.perf_counter() + 0.7
signal.setitimer(signal.ITIMER_REAL, 0.7)
try:
    work()
except KeyboardInterrupt:
    late = time.perf_counter() - fires_at
else:
    sys.exit("not interrupted")
assert before == hashlib.sha256(memory).hexdigest()
r = kmeans(X[:20_000], 8, random_state=0)
again = kmeans(X[:20_000], 8, random_state=0)
assert r.labels.tobytes() == again.labels.tobytes() and r.converged
print(late)
"""


@posix
@pytest.mark.parametrize("what", ["seeding", "lloyd", "predict"])
@pytest.mark.parametrize("converted", [False, True])
def test_ctrl_c_stops_within_a_second_leaves_x_alone_and_the_next_fit_works(run_python, what, converted):
    late = float(run_python(INTERRUPT.format(n=2_000_000, what=what, converted=converted)))
    assert late < 1.0


@posix
def test_ctrl_c_stops_the_slowest_kernels_within_a_second_too(run_python):
    assert (
        float(run_python(INTERRUPT.format(n=2_000_000, what="lloyd", converted=False), KMEANS_FAST_ISA="scalar")) < 1.0
    )


@posix
def test_sigint_from_outside_ends_the_process_as_python_ends(run_python):
    code = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import numpy as np
from kmeans_fast import kmeans
X = np.random.default_rng(0).random((1_000_000, 8), np.float32)
print("fitting", flush=True)
kmeans(X, 500, init=X[:500], tol=0)
'''], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
assert child.stdout.readline() == "fitting\\n"
time.sleep(0.5)
child.send_signal(signal.SIGINT)
began = time.perf_counter()
_, error = child.communicate(timeout=30)
took = time.perf_counter() - began
assert error.strip().endswith("KeyboardInterrupt"), error
assert child.returncode == -signal.SIGINT, child.returncode
print(took)
"""
    assert float(run_python(code)) < 1.5  # with the end of an interpreter


def test_another_thread_goes_on_while_a_fit_runs(blobs):
    X = blobs(200_000, 8, 10, np.float32)
    done, ticks = threading.Event(), []

    def tick() -> None:
        while not done.wait(0.001):
            ticks.append(None)

    other = threading.Thread(target=tick)
    other.start()
    try:
        for function in (
            lambda: kmeans(X, 100, init=X[:100], max_iter=8, n_threads=1, tol=0),
            lambda: predict(np.concatenate([X] * 4), X[:200], n_threads=1),
            lambda: kmeans(X, 50, max_iter=1, n_threads=1),
        ):
            before = len(ticks)
            function()
            assert len(ticks) > before + 3
    finally:
        done.set()
        other.join()


def bits(r):
    return r.labels.tobytes(), r.centroids.tobytes(), r.inertia


@pytest.mark.parametrize("n_threads", [1, 2, None])
def test_eight_fits_in_eight_threads_are_right(blobs, n_threads):
    X = blobs(20_000, 4, 16, np.float32)

    def one(seed):
        return bits(kmeans(X, 16, random_state=seed, max_iter=10, n_threads=n_threads))

    alone = [one(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == alone


FORK = """
import os, numpy as np
from kmeans_fast import kmeans, predict
X = np.random.default_rng(0).random((100_000, 4), np.float32)
def bits():
    r = kmeans(X, 16, random_state=0, max_iter=8)
    return r.labels.tobytes() + r.centroids.tobytes() + predict(X, r.centroids).tobytes()
def in_child(check):
    child = os.fork()
    if child == 0:
        os._exit(0 if check() else 1)
    return os.waitpid(child, 0)[1] == 0
first = bits()
right = lambda: bits() == first and kmeans(X, 16, max_iter=1, n_threads=2).n_threads == 1
assert in_child(right)
assert in_child(lambda: right() and in_child(right))  # a fork of the fork
assert bits() == first and {threads} == kmeans(X, 16, max_iter=1, n_threads=2).n_threads
print("right")
"""


@posix
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_fit_after_a_fork_after_a_fit_does_not_hang_and_gives_the_same_bits(run_python):
    code = FORK.format(threads=2 if _runtime.openmp else 1)
    assert run_python(code, timeout=60).strip() == "right"


@posix
def test_a_pool_of_forked_processes_fits_in_parallel(run_python):
    code = """
import multiprocessing as mp, numpy as np
from kmeans_fast import kmeans
X = np.random.default_rng(0).random((50_000, 4), np.float32)
def one(seed):
    return kmeans(X, 16, random_state=seed, max_iter=5).inertia
if __name__ == "__main__":
    alone = [one(seed) for seed in range(4)]
    with mp.get_context("fork").Pool(2) as pool:
        assert pool.map(one, range(4)) == alone
    print("right")
"""
    assert run_python(code, timeout=60).strip() == "right"


@posix
def test_a_child_forked_before_any_threads_may_use_them(run_python):
    code = """
import os, numpy as np
from kmeans_fast import kmeans
X = np.random.default_rng(0).random((100_000, 4), np.float32)
child = os.fork()
threads = kmeans(X, 16, max_iter=1, n_threads=2).n_threads
if child == 0:
    os._exit(threads)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), threads)
"""
    expected = "2 2" if _runtime.openmp else "1 1"
    assert run_python(code, timeout=60).strip() == expected


def test_no_function_writes_beyond_its_arrays(blobs):
    """Guard values around labels and outputs: tails of every length."""
    for n in (1, 5, 63, 64, 65, 255, 257, 4095, 4097):
        wide = np.full((n + 2, 3), 7e7, np.float32)
        wide[1:-1] = blobs(n, 3, 4, np.float32)
        X = wide[1:-1]
        labels = predict(X, X[:1])
        assert (labels == 0).all()
        assert transform(X, X[:1]).shape == (n, 1)
        kmeans(X, 1)
        assert (wide[[0, -1]] == np.float32(7e7)).all()


def test_a_workspace_that_cannot_be_had_is_a_memory_error_and_the_next_fit_works():
    X = np.broadcast_to(np.zeros((1, 1), np.int8), (2**46, 1))  # labels alone would take 256 TiB
    with pytest.raises((MemoryError, ValueError, OSError)):
        predict(X, [[0.0], [1.0]])
    assert kmeans([[0.0], [1.0]], 2, random_state=0).inertia == 0.0


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
def test_many_fits_do_not_grow_the_process(blobs):
    X = blobs(20_000, 4, 8, np.float32)

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def fits(count: int) -> None:
        for seed in range(count):
            predict(X, kmeans(X, 8, random_state=seed, max_iter=3).centroids)

    fits(20)
    before = resident()
    fits(60)
    assert resident() - before < 4e6
