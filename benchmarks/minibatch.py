"""MiniBatchKMeans beside scikit-learn's, and what coresets lose.

CPU seconds of one thread, in turn; medians over seeds, and mean inertias as a share of those of scikit-learn. "same
samples" is the random scheme with as many batches as scikit-learn made; "same CPU" the best of `nested` with further
seeds, for as long as scikit-learn took.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmeans_fast import MiniBatchKMeans, kmeans
from kmeans_fast.coresets import Coreset

from .cases import Case, make, quick
from .machine import timed

CASES = (
    Case(1_000_000, 2, 100),
    Case(300_000, 32, 256),
    Case(100_000, 128, 1000),
    Case(60_000, 784, 10),
    Case(300_000, 32, 256, "uniform"),
)
SEEDS = 5
CORESET_CASES = (Case(10_000_000, 3, 100), Case(10_000_000, 3, 100, "uniform"))
SIZES = (5_000, 20_000)
CHUNK = 500_000  # rows of an update


def minibatch_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """One row a case."""
    cases = [quick(case) if options.quick else case for case in CASES]
    records = [race(case, options.repeats or SEEDS) for case in cases]
    lines = [
        "| n, d, k | scikit-learn, s | nested, s | x | inertia | same CPU | random, same samples, s | x | inertia |",
        "|---|" + "---:|" * 8,
    ]
    for r in records:
        t, u, v = (r["seconds"][name] for name in ("sklearn", "nested", "random"))
        i, j, w = (r["inertia"][name] for name in ("nested", "same CPU", "random"))
        lines.append(
            f"| {r['case']} | {t:.3g} | {u:.3g} | {t / u:.1f} | {i:.4f} | {j:.4f} | {v:.3g} | {t / v:.1f} | {w:.4f} |"
        )
    return "\n".join(lines), records


def race(case: Case, seeds: int) -> dict[str, Any]:
    """Fit with each seed by everybody in turn."""
    from sklearn.cluster import MiniBatchKMeans as Sklearn
    from threadpoolctl import threadpool_limits

    X, _ = make(case)
    k, n = case.n_clusters, case.n_samples
    seconds: dict[str, list[float]] = {"sklearn": [], "nested": [], "random": []}
    ratio: dict[str, list[float]] = {"nested": [], "same CPU": [], "random": []}
    for s in range(seeds):
        with threadpool_limits(1):
            t, theirs = timed(lambda s=s: Sklearn(k, random_state=s).fit(X))
        u, nested = timed(lambda s=s: MiniBatchKMeans(k, random_state=s, n_threads=1).fit(X))
        epochs = max(1, -(-theirs.n_steps_ * 1024 // n))
        same = {"batch": "random", "max_iter": epochs, "max_no_improvement": None, "n_threads": 1}
        v, random = timed(lambda s=s, same=same: MiniBatchKMeans(k, random_state=s, **same).fit(X))
        best, spent, other = nested.inertia_, u, s
        while spent + u <= t:
            other += 1000
            more, again = timed(lambda other=other: MiniBatchKMeans(k, random_state=other, n_threads=1).fit(X))
            best, spent = min(best, again.inertia_), spent + more
        for name, value in zip(seconds, (t, u, v), strict=True):
            seconds[name].append(value)
        for name, value in zip(ratio, (nested.inertia_, best, random.inertia_), strict=True):
            ratio[name].append(value / theirs.inertia_)
    return {
        "case": case.name,
        "seconds": {name: float(np.median(values)) for name, values in seconds.items()},
        "inertia": {name: float(np.mean(values)) for name, values in ratio.items()},
    }


def coresets_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """One row a case, method and size."""
    cases = [quick(case) if options.quick else case for case in CORESET_CASES]
    records = [record for case in cases for record in losses(case)]
    lines = [
        "| n, d, k | method | points | ns a sample | MB held | fit, s | full fit, s | loss |",
        "|---|---|" + "---:|" * 6,
    ]
    for r in records:
        lines.append(
            f"| {r['case']} | {r['method']} | {r['size']} | {r['ns']:.0f} | {r['MB']:.1f} | {r['fit']:.2f} | "
            f"{r['full']:.2f} | {100 * r['loss']:.2f}% |"
        )
    return "\n".join(lines), records


def losses(case: Case) -> list[dict[str, Any]]:
    """Inertia over X of the fit of a coreset, against that of all of X; both the best of 3 starts."""
    X: NDArray[Any] = make(case)[0]
    k, n, out = case.n_clusters, case.n_samples, []
    fit = {"n_init": 3, "random_state": 0, "n_threads": 1}
    full, whole = timed(lambda: kmeans(X, k, **fit))
    for method in ("lightweight", "sensitivity"):
        for size in SIZES:
            of = k if method == "sensitivity" else None
            coreset = Coreset(size, method, n_clusters=of, random_state=0, n_threads=1)
            held = 0
            began = time.process_time()
            for start in range(0, n, CHUNK):
                coreset.update(X[start : start + CHUNK])
                held = max(held, coreset.n_bytes)
            points, weights = coreset.result()
            spent = time.process_time() - began
            seconds, found = timed(
                lambda points=points, weights=weights: kmeans(points, k, sample_weight=weights, **fit)
            )
            priced = kmeans(X, k, init=found.centroids, max_iter=1, tol=0, n_threads=1).inertia_history[0]
            out.append(
                {"case": case.name, "method": method, "size": size, "ns": 1e9 * spent / n, "MB": held / 1e6}
                | {"fit": seconds, "full": full, "loss": priced / whole.inertia - 1.0}
            )
    return out
