"""Trials of right answers: hostile arrays, instruction sets and algorithms side by side, any number of threads."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Sequence
from typing import Any

import arrays
import numpy as np
from campaign import ROOT, Skipped, Step, Trial, folder

from kmeans_fast import MiniBatchKMeans, _runtime, kmeans, predict, reference
from kmeans_fast._algorithm import ALGORITHMS, fits
from kmeans_fast._seed import METHODS


def _oracle() -> Any:
    """Return the brute force of the tests."""
    spec = importlib.util.spec_from_file_location("kmeans_fast_oracle", ROOT / "tests" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Oracle


def bits(r: Any) -> tuple[bytes, bytes, float]:
    """All that must be the same."""
    return r.labels.tobytes(), r.centroids.tobytes(), r.inertia


def algorithms(d: int) -> list[str]:
    """Return those that take so many features."""
    return [name for name in ALGORITHMS if fits(name, d, 1)]


def hostile(seed: int) -> Step:
    """Any array gives a clustering that agrees with itself by brute force in float64, or the error that is due."""
    warnings.simplefilter("ignore")
    oracle, place = _oracle(), folder()

    def step(case: int) -> None:
        rng = np.random.default_rng([seed, case])
        n, d, k = arrays.shaped(rng)
        X = arrays.typed(rng, arrays.values(rng, n, d))
        if rng.random() < 0.05 and X.dtype.kind == "f":
            X[rng.integers(n), rng.integers(d)] = rng.choice([np.nan, np.inf, -np.inf])
        plain, given = X.astype(np.float64), arrays.laid_out(rng, X, place)
        weight = _weight(rng, n, k)
        algorithm = rng.choice(algorithms(d))
        options: dict[str, Any] = {
            "init": str(rng.choice(METHODS)) if rng.random() < 0.8 else plain[rng.integers(n, size=k)],
            "max_iter": int(rng.choice([1, 2, 5, 300])),
            "tol": float(rng.choice([0.0, 1e-4, 10.0])),
            "quality": "best" if rng.random() < 0.1 else "standard",
            "algorithm": str(algorithm),
            "max_bounds_memory": 1 << 40,
            "n_threads": int(rng.integers(1, 4)),
            "random_state": case,
            "sample_weight": weight,
        }
        options["n_init"] = int(rng.integers(1, 4)) if isinstance(options["init"], str) else 1
        try:
            r = kmeans(given, k, **options)
        except ValueError as error:
            _check_refusal(str(error), plain)
            return
        assert np.isfinite(plain).all(), "NaN or infinity went through"
        assert np.array_equal(np.asarray(given, np.float64), plain), "X was modified"
        oracle.assert_agrees(r, plain, weight)
        assert r.inertia >= 0
        assert (predict(given, r.centroids) == r.labels).all(), "predict gives other labels"

    return step


def _weight(rng: np.random.Generator, n: int, k: int) -> Any:
    kind = rng.integers(6)
    if kind < 3:
        return None
    weight = rng.integers(0, 4, n).astype(float) if kind == 3 else rng.random(n)
    if kind == 4:
        weight *= 10.0 ** rng.uniform(-20, 20)
    return weight if np.count_nonzero(weight) >= k else None


def _check_refusal(message: str, X: Any) -> None:
    """Only NaN, infinity (first row and column named) and squares beyond float64 may be refused."""
    bad = ~np.isfinite(X)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        assert f"row {row}, column {column}" in message, message
        return
    assert "too large" in message, message
    assert np.abs(X).max() > 1e150, message


def differential(dtype: str) -> Any:
    """Every algorithm gives the bits of the dense one, and that the clustering of the reference."""

    def start(seed: int) -> Step:
        wanted = os.environ["KMEANS_FAST_ISA"]
        if _runtime.isa != wanted:
            raise Skipped(f"this machine does not run {wanted}")
        warnings.simplefilter("ignore")
        oracle = _oracle()

        def step(case: int) -> bool | None:
            rng = np.random.default_rng([seed, case])
            n, d, k = arrays.shaped(rng)
            grid = case % 2 == 0
            X = (rng.integers(-4, 5, (n, d)) if grid else rng.standard_normal((n, d))).astype(dtype)
            centroids = X[rng.choice(n, k, replace=False)].astype(float)
            if grid:
                labels, _ = reference.cluster_points(X.astype(float), centroids)
                assert (predict(X, centroids) == labels).all(), "labels on a grid, where every distance is exact"
            options = {"init": centroids, "tol": 0.0, "max_iter": int(rng.choice([1, 3, 30])), "n_threads": 1}
            dense = kmeans(X, k, algorithm="lloyd", **options)
            for algorithm in algorithms(d):
                pruned = kmeans(X, k, algorithm=algorithm, max_bounds_memory=1 << 40, **options)
                assert bits(pruned) == bits(dense), algorithm
            oracle.assert_agrees(dense, X)
            _, labels, inertia, _ = reference.lloyd(X, centroids, options["max_iter"])
            near = abs(dense.inertia - inertia) <= 1e-6 * inertia + 1e-20  # else an early tie moved the centroids
            return bool((dense.labels == labels).all()) and near

        return step

    return start


def _same(figures: Sequence[bool]) -> str:
    share = sum(figures) / max(1, len(figures))
    assert share > 0.9, f"only {share:.1%} end as the reference does"
    return f"{share:.2%} end with the reference's labels, the others after a tie decided otherwise"


def threads(seed: int) -> Step:
    """Hold fits with 1, 2, 3 and 8 threads to the same bits."""

    def step(case: int) -> int:
        rng = np.random.default_rng([seed, case])
        d = int(rng.integers(1, 20))
        algorithm = str(rng.choice(algorithms(d)))
        # Of boxes a thread labels 65536 samples at a time: fewer would be one thread's.
        n = int(rng.integers(4_000, 20_000)) * (10 if algorithm == "boxes" else 1)
        k = int(min(200, max(8, rng.uniform(1.2, 3) * 1e6 / (n * (d + 2)))))
        X = (rng.standard_normal((n, d)) + 4 * rng.standard_normal((k, d))[rng.integers(k, size=n)]).astype(
            rng.choice(["f4", "f8", "f2"])
        )
        options: dict[str, Any] = {
            "init": str(rng.choice(METHODS)),
            "n_init": int(rng.integers(1, 3)),
            "max_iter": int(rng.integers(1, 6)),
            "algorithm": algorithm,
            "max_bounds_memory": 1 << 40,
            "sample_weight": rng.random(n) if rng.random() < 0.3 else None,
            "random_state": case,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = [kmeans(X, k, n_threads=threads, **options) for threads in (1, 2, 3, 8)]
            assert all(bits(r) == bits(results[0]) for r in results), (n, d, k, options)
            batch = {"batch": str(rng.choice(["nested", "random"])), "batch_size": 4096, "max_iter": 1}
            centers = [
                MiniBatchKMeans(k, **batch, n_threads=threads, random_state=case).fit(X).cluster_centers_.tobytes()
                for threads in (1, 2, 3, 8)
            ]
            assert all(c == centers[0] for c in centers), (n, d, k, batch)
        return max(r.n_threads for r in results)

    return step


def _several(figures: Sequence[int]) -> str:
    return f"{sum(f > 1 for f in figures) / max(1, len(figures)):.0%} of the fits used threads"


TRIALS = [
    Trial("hostile arrays", 100_000, hostile),
    *(
        Trial(f"differential {isa} {dtype}", 10_000, differential(dtype), _same, {"KMEANS_FAST_ISA": isa})
        for isa in _runtime.runnable_isas()
        for dtype in ("f4", "f8")
    ),
    Trial("1, 2, 3 and 8 threads", 1_000, threads, _several, {"OMP_WAIT_POLICY": "passive"}),
]
