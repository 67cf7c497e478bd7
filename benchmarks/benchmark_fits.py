"""Whole fits of ten iterations from the same start, every competitor that is installed.

All run in one process here: quick to repeat while working on a kernel. The published table comes
from ``python -m benchmarks``, where each competitor has a process of its own.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.competitors import COMPETITORS

Data = tuple[NDArray[np.floating], NDArray[np.floating]]
N_ITER, THREADS, ROUNDS = 10, 2, 3
SHOWN = ("kmeans_fast", "kmeans_fast.KMeans", "scikit-learn", "FAISS", "OpenCV", "NumPy reference")


@pytest.mark.parametrize("name", SHOWN)
def benchmark_fit(benchmark: Any, data: Data, name: str) -> None:
    competitor = COMPETITORS[name]()
    X, init = data
    if not competitor.available():
        pytest.skip(f"{name} is not installed")
    if X.size * len(init) > competitor.max_work:
        pytest.skip(f"{name} would take minutes")
    competitor.prepare(X, init, N_ITER, THREADS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ConvergenceWarning: ten iterations are what is asked
        fit = benchmark.pedantic(competitor.fit, (X, init, N_ITER, THREADS), rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["n_iter"] = fit.n_iter
