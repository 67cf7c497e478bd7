"""Trials of living beside others: Ctrl-C, forks, threads."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, sleep
from typing import Any

import numpy as np
from answers import bits
from campaign import Skipped, Step, Trial

from kmeans_fast import kmeans, predict

SECOND, MOST, SHARE = 1.0, 0.2, 0.99  # all stop within the first, this share within the other

# Waits for a delay on its input, sends SIGINT to its parent and answers with the moment on the common clock.
SENDER = """
import os, signal, struct, sys, time
while line := sys.stdin.buffer.read(8):
    time.sleep(struct.unpack("d", line)[0])
    now = time.perf_counter()
    os.kill(os.getppid(), signal.SIGINT)
    sys.stdout.buffer.write(struct.pack("d", now))
    sys.stdout.buffer.flush()
"""


def _long_fits() -> list[Callable[[], object]]:
    """Fits that take far longer than they are left, one for each way through the code."""
    rng = np.random.default_rng(0)
    X = rng.random((1_000_000, 8), np.float32)
    many, wide = rng.random((2_000_000, 3), np.float32), rng.random((20_000, 500))
    half, start = np.asfortranarray(X[:400_000].astype(np.float16)), X[:300].astype(float)
    small = X[:3000]
    from kmeans_fast import KMeans

    return [
        lambda: kmeans(X, 300, random_state=0),
        lambda: kmeans(many, 2000, init="random", random_state=0),
        lambda: kmeans(X, 300, init=start, tol=0, algorithm="lloyd"),
        lambda: kmeans(X, 300, init=start, tol=0, algorithm="hamerly"),
        lambda: kmeans(X[:100_000], 300, init=start, tol=0, algorithm="elkan", max_bounds_memory=1 << 30),
        lambda: kmeans(X, 300, init=start, tol=0, algorithm="boxes", max_bounds_memory=1 << 30),
        lambda: kmeans(wide, 400, init="random", random_state=0),
        lambda: kmeans(half, 200, init="k-means||", random_state=0),
        lambda: kmeans(small, 30, n_init=1000, random_state=0),
        lambda: kmeans(X[:50_000], 50, quality="best", random_state=0),
        lambda: predict(X, start),
        lambda: KMeans(200, random_state=0).fit(half),
    ]


def interrupts(seed: int) -> Step:
    """Ctrl-C at a random moment stops a fit at once; X is as it was, and the next fit is right."""
    if sys.platform == "win32":
        raise Skipped("it needs POSIX")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.simplefilter("ignore")
    fits, rng = _long_fits(), np.random.default_rng(seed)
    Y = rng.random((2000, 3))
    expected, before = bits(kmeans(Y, 5, random_state=0)), hashlib.sha256(Y).digest()
    sender = subprocess.Popen([sys.executable, "-c", SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert sender.stdin is not None
    assert sender.stdout is not None

    def step(case: int) -> tuple[float, int]:
        fit = fits[case % len(fits)]
        caught = 0.0
        try:
            sender.stdin.write(struct.pack("d", rng.uniform(0.0, 0.15)))
            sender.stdin.flush()
            while True:
                fit()
        except KeyboardInterrupt:
            caught = perf_counter()
        late = caught - struct.unpack("d", sender.stdout.read(8))[0]
        assert bits(kmeans(Y, 5, random_state=0)) == expected, "the next fit"
        assert hashlib.sha256(Y).digest() == before, "X was modified"
        assert late < SECOND, f"{late:.3f} s after SIGINT, fit {case % len(fits)}"
        return late, case % len(fits)

    return step


def _latencies(figures: Sequence[tuple[float, int]]) -> str:
    if not figures:
        return ""
    late = np.array([late for late, _ in figures])
    soon, most = float(np.mean(late < MOST)), max(figures)
    said = (
        f"{soon:.1%} within {MOST * 1e3:.0f} ms; median {np.median(late) * 1e3:.0f}, most {most[0] * 1e3:.0f} ms "
        f"in fit {most[1]}"
    )
    assert soon >= SHARE or len(late) < 100, said
    return said


def forks(seed: int) -> Step:
    """Fit, fork, fit in both: no hang, and the same bits."""
    if not hasattr(os, "fork"):
        raise Skipped("it needs fork")
    warnings.simplefilter("ignore")
    X = np.random.default_rng(seed).random((10_000, 4), np.float32)

    def fit(case: int) -> bytes:
        r = kmeans(X, 32, random_state=case, max_iter=2, n_threads=2)
        return r.labels.tobytes() + r.centroids.tobytes() + predict(X, r.centroids, n_threads=2).tobytes()

    def step(case: int) -> None:
        expected = fit(case)
        child = os.fork()
        if child == 0:
            right = False
            try:
                right = fit(case) == expected
            finally:
                os._exit(0 if right else 1)
        assert fit(case) == expected, "the parent, beside its child"
        deadline = perf_counter() + 20
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if perf_counter() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise AssertionError("the child hangs")
            sleep(0.0005)
        assert done[1] == 0, f"the child ended with status {done[1]}"

    return step


def together(seed: int) -> Step:
    """Eight fits in eight threads are those of one after the other."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(seed)
    pool, tables = ThreadPoolExecutor(8), [rng.random((3000, d), np.float32) for d in (1, 2, 3, 4, 5, 9, 16, 40)]
    ready = threading.Barrier(8)

    def fit(at: int, case: int) -> Any:
        return bits(kmeans(tables[at], 16, random_state=case, max_iter=5, n_threads=1 + at % 3))

    def at_once(at: int, case: int) -> Any:
        ready.wait()
        return fit(at, case)

    def step(case: int) -> None:
        results = list(pool.map(at_once, range(8), [case] * 8))
        assert results == [fit(at, case) for at in range(8)]

    return step


# Threads that wait do not spin: several teams share few cores here, and time slices would be spent on waiting.
PATIENT = {"OMP_WAIT_POLICY": "passive"}

TRIALS = [
    Trial("interrupts", 1_000, interrupts, _latencies),
    Trial("fit, fork and fit", 1_000, forks, environment=PATIENT),
    Trial("eight fits in eight threads", 1_000, together, environment=PATIENT),
]
