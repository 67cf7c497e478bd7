"""``python -m benchmarks.clusterability``: how often the verdict is right, by kind of data, size and seed.

Prints a Markdown table for docs/choosing_k.md. With ``--dips``: the mean dip of uniform numbers, which
`choosing/_evidence.py` has a formula for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmeans_fast.choosing import Clusterability, clusterability
from kmeans_fast.choosing._dip import dip
from kmeans_fast.datasets import init_board, init_board_gauss

Make = Callable[[int, int], NDArray[Any]]


def _rng(f: Callable[[np.random.Generator, int], NDArray[Any]]) -> Make:
    return lambda N, seed: f(np.random.default_rng(seed), N)


def _board(k: int, d: int, apart: float) -> Make:
    return lambda N, seed: init_board_gauss(N, k, n_features=d, min_separation=apart, random_state=seed)


def _triangle(rng: np.random.Generator, N: int) -> NDArray[Any]:
    return rng.dirichlet([1, 1, 1], N) @ np.array([[0, 0], [1, 0], [0.5, 0.75**0.5]])


def _outliers(rng: np.random.Generator, N: int) -> NDArray[Any]:
    return np.r_[rng.normal(size=(N - N // 50, 2)), rng.uniform(-30, 30, (N // 50, 2))]


NONE: dict[str, Make] = {
    **{
        f"uniform board, d = {d}": lambda N, s, d=d: init_board(N, n_features=d, random_state=s)
        for d in (1, 2, 3, 10, 50)
    },
    "board of one Gaussian": lambda N, s: init_board_gauss(N, 1, random_state=s),
    "one Gaussian, d = 2": _rng(lambda rng, N: rng.normal(size=(N, 2))),
    "one Gaussian, d = 50": _rng(lambda rng, N: rng.normal(size=(N, 50))),
    "one Gaussian, 20 times as long as wide": _rng(lambda rng, N: rng.normal(size=(N, 2)) @ [[10, 10], [0.5, -0.5]]),
    "exponential, d = 2": _rng(lambda rng, N: rng.exponential(size=(N, 2))),
    "uniform triangle": _rng(_triangle),
    "one Gaussian, 2% outliers": _rng(_outliers),
    "uniform integers 0 to 31, d = 2": _rng(lambda rng, N: rng.integers(0, 32, (N, 2))),
    "answers 1 to 5, d = 3": _rng(lambda rng, N: rng.integers(1, 6, (N, 3))),
    "uniform, each point 4 times": _rng(lambda rng, N: np.repeat(rng.random((N // 4, 2)), 4, axis=0)),
}
SOME: dict[str, Make] = {
    **{f"separated, k = {k}": _board(k, 2, 2.0) for k in range(2, 11)},
    **{f"separated, k = {k}, d = {d}": _board(k, d, 2.0) for d in (5, 50) for k in (2, 10)},
    **{f"less apart (1.5), k = {k}": _board(k, 2, 1.5) for k in (2, 5, 10)},
    **{f"overlapping (1.0), k = {k}": _board(k, 2, 1.0) for k in (2, 5, 10)},
}


def verdicts(make: Make, N: int, seeds: int) -> list[Clusterability]:
    return [clusterability(make(N, seed), random_state=seed, n_threads=1) for seed in range(seeds)]


def main() -> None:
    """Print one row a kind of data: how many of the seeds were told to have clusters, and by which test."""
    options = parse()
    if options.dips:
        rng = np.random.default_rng(0)
        for m in (10, 20, 50, 100, 200, 500, 1000, 2000):
            measured = m**0.5 * np.mean([dip(rng.random(m)) for _ in range(4000)])
            print(f"m={m}: mean of sqrt(m) dip {measured:.4f}, formula {0.390 - 0.235 / m**0.5:.4f}")
        return
    print(f"of {options.seeds} seeds, told to have clusters\n")
    print("| data | N | verdict | gap | Hopkins | dip | CPU s |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kinds in (NONE, SOME):
        for name in (name for name in kinds if options.only in name):
            for N in options.samples:
                began = time.process_time()
                found = verdicts(kinds[name], N, options.seeds)
                spent = (time.process_time() - began) / options.seeds
                tests = [
                    sum(e.clustered for f in found for e in f.evidence if e.test == t)
                    for t in ("gap", "hopkins", "dip")
                ]
                row = [name, N, sum(f.has_clusters for f in found), *tests, f"{spent:.2f}"]
                print("| " + " | ".join(map(str, row)) + " |", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clusterability", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--samples", type=int, nargs="+", default=[100, 500, 5000], metavar="N")
    parser.add_argument("--only", default="", metavar="PART", help="kinds of data whose name contains PART")
    parser.add_argument("--dips", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
