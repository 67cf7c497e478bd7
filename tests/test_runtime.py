"""What a process may use: instruction sets, threads, and what it must leave as it was."""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Callable

import numpy as np
import pytest

from kmeans_fast import _runtime, kmeans, show_config

ISAS = _runtime.runnable_isas()
needs_openmp = pytest.mark.skipif(not _runtime.openmp, reason="built without OpenMP")

CLUSTER = """
import json, numpy as np, warnings
warnings.simplefilter("ignore")
from kmeans_fast import kmeans, predict
rng = np.random.default_rng(0)
out = []
for dtype in (np.float32, np.float64):
    for d in (1, 2, 3, 7, 8, 9, 40):
        for k in (2, 4, 8, 16, 64):
            # The mean of 2^m centroids on a grid is exact, so a tie is one to every instruction set.
            X, start = rng.integers(-3, 4, (301, d)).astype(dtype), rng.integers(-3, 4, (k, d)).astype(float)
            out.append(predict(X, start).tolist())
            X = rng.integers(-1000, 1000, (301, d)).astype(dtype) + rng.integers(0, 3, (301, 1)) * dtype(4000)
            r = kmeans(X, k, init=X[:k].astype(float), tol=0)
            out.append([r.isa, r.labels.tolist() if d > 1 else None, r.inertia])
            X = rng.standard_normal((301, d)).astype(dtype)
            r = kmeans(X, k, init=X[:k].astype(float), max_iter=3)
            out.append([r.isa, None, r.inertia])
print(json.dumps(out))
"""


@pytest.mark.skipif(len(ISAS) < 2, reason="one instruction set runs here")
def test_every_instruction_set_gives_the_same_clustering(run_python):
    runs = [json.loads(run_python(CLUSTER, KMEANS_FAST_ISA=isa)) for isa in ISAS]
    for isa, run in zip(ISAS, runs, strict=True):
        for mine, first in zip(run, runs[0], strict=True):
            if not isinstance(first[0], str):
                assert mine == first
                continue
            assert mine[0] == isa
            assert mine[1] == first[1]
            assert mine[2] == pytest.approx(first[2], rel=1e-6 if mine[1] is None else 1e-12)


@pytest.mark.parametrize("isa", ISAS)
def test_an_instruction_set_can_be_forced_in_any_case_and_is_named(run_python, isa):
    code = "import kmeans_fast as k; k.show_config(); print(k.kmeans([[0.0], [1.0]], 1).isa)"
    printed = run_python(code, KMEANS_FAST_ISA=f" {isa.upper()} ")
    assert printed.split()[-1] == isa
    assert ("forced by KMEANS_FAST_ISA" in printed) == (isa != ISAS[-1])


@pytest.mark.parametrize("wrong", ["sse9", "avx1024", "0"])
def test_a_wrong_instruction_set_is_an_error_that_names_the_choices(run_python, wrong):
    last = run_python("import kmeans_fast", fails=True, KMEANS_FAST_ISA=wrong).strip().splitlines()[-1]
    assert last == f"ImportError: KMEANS_FAST_ISA={wrong!r} must be one that this machine runs: {', '.join(ISAS)}."


def test_show_config_prints_versions_instruction_set_threads_and_compiler(capsys):
    show_config()
    lines = dict(
        line.split(maxsplit=1) for line in capsys.readouterr().out.replace("instruction set", "isa").splitlines()
    )
    assert set(lines) == {"kmeans_fast", "numpy", "isa", "OpenMP", "threads", "compiler"}
    assert lines["isa"].startswith(_runtime.isa)
    assert lines["numpy"] == np.__version__


# Threads


@pytest.fixture(scope="module")
def large(blobs):
    return blobs(100_000, 4, 8, np.float32)


def threads_of(X, **more):
    return kmeans(X, 8, init=X[:8], max_iter=1, **more).n_threads


@needs_openmp
def test_threads_are_those_asked_for_and_all_by_default(large):
    assert [threads_of(large, n_threads=t) for t in (1, 2, 3, 5)] == [1, 2, 3, 5]
    assert threads_of(large) == _runtime.available_threads()


def test_small_inputs_start_no_threads(blobs):
    for n in (1, 8, 100, 1000):
        X = blobs(max(n, 8), 2, 4)
        assert threads_of(X) == 1
        assert threads_of(X, n_threads=8) == 1


def test_a_small_fit_does_not_create_a_thread(run_python):
    code = """
import os, numpy as np
from kmeans_fast import kmeans, predict
before = len(os.listdir("/proc/self/task"))
X = np.random.default_rng(0).random((1000, 2))
predict(X, kmeans(X, 7, n_threads=8).centroids)
assert len(os.listdir("/proc/self/task")) == before
X = np.random.default_rng(0).random((200_000, 4))
kmeans(X, 16, n_threads=3, max_iter=2)
print(len(os.listdir("/proc/self/task")) - before)
"""
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("no /proc")
    assert int(run_python(code)) == (2 if _runtime.openmp else 0)


@needs_openmp
def test_threadpoolctl_limits_the_threads(large):
    threadpool_limits = pytest.importorskip("threadpoolctl").threadpool_limits
    with threadpool_limits(1):
        assert threads_of(large) == 1
    if _runtime.available_threads() > 1:
        with threadpool_limits(2):
            assert threads_of(large) == 2


@needs_openmp
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_omp_num_threads_is_respected(run_python, limit):
    code = """
import numpy as np
from kmeans_fast import kmeans
X = np.random.default_rng(0).random((100_000, 4))
print(kmeans(X, 8, max_iter=1).n_threads, kmeans(X, 8, max_iter=1, n_threads=4).n_threads)
"""
    printed = run_python(code, OMP_NUM_THREADS=str(limit)).split()
    assert int(printed[0]) == min(limit, _runtime._cpu_quota())
    assert int(printed[1]) == 4


def test_the_quota_of_a_container_is_at_least_one_cpu():
    assert _runtime._cpu_quota() >= 1


# What must stay as it was


def test_import_and_fit_leave_the_floating_point_mode_alone(run_python):
    code = """
import numpy as np
def mode():
    tiny = np.full(64, 1e-310)
    subnormal = np.array([1e-40], np.float32)
    return ((tiny * 1.0).tolist(), (tiny + tiny).tolist(), (subnormal * np.float32(1)).tolist(), 5e-324 * 1.0,
            (np.float64(1) / 3 + np.float64(2) / 3).hex(), np.rint([0.5, 1.5, 2.5]).tolist(), np.geterr())
before = mode()
from kmeans_fast import kmeans, predict
assert mode() == before
X = np.random.default_rng(0).random((100_000, 4), np.float32)
r = kmeans(X, 8, n_threads=2, max_iter=3)
predict(X, r.centroids)
assert mode() == before
assert before[0][0] == 1e-310 and before[3] == 5e-324
# and the workers of the team, which inherit nothing from here
X = np.full((100_000, 4), 1e-310); X[50_000:] = 3e-310
r = kmeans(X * 2.0**1000, 2, random_state=0)
assert sorted(r.counts.tolist()) == [50_000, 50_000]
print("same")
"""
    assert run_python(code).strip() == "same"


def test_importing_takes_no_signal_handler_and_no_fork_of_threads(run_python):
    code = """
import signal, threading
before = [signal.getsignal(s) for s in signal.valid_signals()]
import kmeans_fast
assert before == [signal.getsignal(s) for s in signal.valid_signals()]
print(threading.active_count())
"""
    assert run_python(code).strip() == "1"


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_importing_leaves_the_gil_off(run_python: Callable[..., str]) -> None:
    assert run_python("import sys, kmeans_fast; print(sys._is_gil_enabled())").strip() == "False"
