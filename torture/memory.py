"""Trials of memory that runs out: every allocation of a fit, one after the other, is refused."""

from __future__ import annotations

import ctypes
import errno
import gc
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from answers import bits
from campaign import Exhausted, Skipped, Step, Trial, folder

from kmeans_fast import KMeans, MiniBatchKMeans, kmeans, predict
from kmeans_fast._algorithm import ALGORITHMS
from kmeans_fast._seed import METHODS

MEMORY = 1  # of shim.c
ROUNDS = 4  # sweeps of all allocations; the first two may fill caches, the others must leave no more
LEAK = 64 << 10

# What others say in place of MemoryError, and nobody above them can know better.
EXCUSED = (
    "without setting an exception",  # NumPy's reductions return NULL and set nothing
    "without exception set",  # the same, seen by an extension module
    "can't allocate lock",  # Python's locks
    "can't allocate read lock",
    "can't start new thread",  # Python's threads
    "initialization error",  # OpenSSL, in hashlib
    "not able to copy ctx",
)


MALLINFO = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uord", "ford", "keep")


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in MALLINFO]


def _in_use() -> int:
    """Bytes that malloc has given and not got back."""
    gc.collect()
    info = ctypes.CDLL(None).mallinfo2
    info.restype = _Mallinfo
    now = info()
    return int(now.uord + now.hblkhd)


def _model(model: Any, X: Any) -> tuple[bytes, bytes]:
    fitted = model.fit(X)
    return fitted.cluster_centers_.tobytes(), fitted.labels_.tobytes()


def _fits() -> dict[str, Callable[[], Any]]:
    rng = np.random.default_rng(0)
    X, half = rng.random((3000, 3), np.float32), rng.random((600, 12)).astype(np.float16)
    far = (1e6 + rng.standard_normal((500, 2))).astype(np.float32)
    weight = rng.random(3000)
    one: dict[str, Any] = {"random_state": 0, "max_iter": 4, "n_threads": 1}
    common = one | {"max_bounds_memory": 1 << 30}
    path = folder() / "fit.ckpt"
    kmeans(half, 9, n_init=2, checkpoint=path, callback=lambda state: state.restart == 1, **common)
    halted = path.read_bytes()

    def saved(begun: bytes | None, every: float) -> Any:
        """Fit from a checkpoint or without, and save."""
        path.unlink(missing_ok=True)
        if begun is not None:
            path.write_bytes(begun)
        return bits(kmeans(half, 9, n_init=2, checkpoint=path, checkpoint_every=every, **common))

    return {
        **{
            name: lambda name=name: bits(kmeans(X, 9, algorithm=name, sample_weight=weight, **common))
            for name in ALGORITHMS[1:]
        },
        **{init: lambda init=init: bits(kmeans(half, 9, init=init, n_init=2, **common)) for init in METHODS},
        "best": lambda: bits(kmeans(X, 9, quality="best", **common)),
        "float64 later": lambda: bits(kmeans(far, 6, **common)),
        "KMeans": lambda: _model(KMeans(9, **one), half),
        "mini-batches, nested": lambda: _model(MiniBatchKMeans(9, batch_size=64, **one), X),
        "mini-batches, random": lambda: _model(MiniBatchKMeans(9, batch="random", batch_size=64, **one), X),
        "checkpoint, saved": lambda: saved(None, 0.0),
        "checkpoint, resumed": lambda: saved(halted, 1e9),
        "predict": lambda: predict(half, half[:9]).tobytes(),
    }


def starving(seed: int) -> Step:
    """Where an allocation fails there is a MemoryError or the right answer; nothing leaks and the next fit is right."""
    warnings.simplefilter("ignore")
    library = ctypes.CDLL(None)
    if not hasattr(library, "torture_arm"):
        raise Skipped("shim.c is not loaded")
    library.torture_disarm.restype = ctypes.c_long
    fits = _fits()
    expected = {name: fit() for name, fit in fits.items()}
    in_use: list[int] = []  # after each round
    count: Counter[str] = Counter()
    # Where the sweep is: round, fit and allocation.
    todo = ((turn, name) for turn in range(ROUNDS) for name in fits)
    now: dict[str, Any] = {"at": next(todo), "nth": 0}

    def step(case: int) -> Counter[str] | None:
        (turn, name), nth = now["at"], now["nth"]
        library.torture_arm(MEMORY, nth, errno.ENOMEM)
        try:
            came, what = fits[name](), "right"
        except MemoryError:
            came, what = expected[name], "MemoryError"
        except (SystemError, RuntimeError, ValueError, OSError) as error:
            if getattr(error, "errno", 0) != errno.ENOMEM and not str(error).endswith(EXCUSED):
                raise
            came, what = expected[name], "other"
        finally:
            seen = library.torture_disarm()
            now["nth"] += 1
        assert came == expected[name], f"{name}, allocation {nth}: another answer"
        if seen > nth:
            count[what] += 1
        else:  # none was left to refuse
            assert fits[name]() == expected[name], f"{name}: the next fit"
            now["at"], now["nth"] = next(todo, (None, "")), 0
            if now["at"][0] != turn:
                in_use.append(_in_use())
            if now["at"][0] is None:
                raise Exhausted(in_use[-1] - in_use[1])
        return count if case == 0 else None  # one figure for all: one a case would count as a leak

    return step


def _refused(figures: list[Any]) -> str:
    if not figures:
        return ""
    count, *grown = figures
    said = (
        f"{count['MemoryError']} MemoryErrors, {count['right']} went on without and were right, "
        f"{count['other']} other errors of NumPy and Python"
    )
    for n_bytes in grown:
        assert n_bytes < LEAK, f"{n_bytes} bytes more in use after {ROUNDS - 2} more sweeps"
        said += f"; no leak: {n_bytes} bytes more in use after {ROUNDS - 2} further sweeps"
    return said


TRIALS = [Trial("failing allocations", 1, starving, _refused, preload=True, exhaustive=True)]
