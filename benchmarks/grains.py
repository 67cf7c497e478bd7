"""``python benchmarks/grains.py``: what makes sums the same however X is cut, and what it costs.

Either blocks are cut to grains, once a fit, and sums are taken grain by grain in a fixed order; or sums are exact, so
that no order shows. Exact sums in binned form (J. Demmel and H. D. Nguyen, "Parallel reproducible summation", IEEE
Transactions on Computers 2015) add each value in three parts or so: at the least two more update steps a pass.
CPU milliseconds of one thread, the least of some rounds.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np

from kmeans_fast._samples import ArraySource
from kmeans_fast.distributed import _block
from kmeans_fast.distributed._dask import _cut, assemble

CASES = ((1_000_000, 3, 100), (1_000_000, 16, 50), (250_000, 64, 200))
CALLERS_ROWS = 123_457  # of a block of the caller
ROUNDS = 5
EXTRA_UPDATES = 2


def cpu(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
    return 1e3 * min(seconds)


def main() -> None:
    """Print a row a case."""
    print("| n, d, k | rows moved | cutting, once | a pass | one grain alone | its sums | exact: more a pass |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for n, d, k in CASES:
        rng = np.random.default_rng(0)
        centres = 3 * rng.standard_normal((k, d))
        X = rng.standard_normal((n, d)) + centres[rng.integers(k, size=n)]
        grain = _block.grain_rows(d, k)
        bounds = [*range(0, n, CALLERS_ROWS), n]
        cuts = sorted({0, n, *(-(-at // grain) * grain for at in bounds if -(-at // grain) * grain < n)})

        def align(X=X, bounds=bounds, cuts=cuts, grain=grain) -> None:
            for first, stop in itertools.pairwise(cuts):
                rows = [
                    _cut(X[a:b], max(first - a, 0), min(stop, b) - a)
                    for a, b in itertools.pairwise(bounds)
                    if a < stop and b > first
                ]
                assemble(rows, None, first, grain)

        survey = _block.Survey(k, np.zeros(d), 1.0, total_weight=float(n))
        blocks = [_block.Block(ArraySource(X), None, 0, size) for size in (grain, 1 << 30)]
        serials = iter(range(0, 1000, 2))

        def run(block: _block.Block, survey=survey, centres=centres, serials=serials) -> None:
            _block.make_pass(block, _block.Pass(next(serials), survey, False, centres), None)

        passes = [cpu(lambda block=block: run(block)) for block in blocks]
        fit = blocks[0].fit
        assert fit is not None

        def add(fit=fit, centres=centres) -> None:
            fit.engine().begin(centres, True)
            for start, rows in fit.samples.blocks(fit.dtype, fit.step):
                fit.engine().visit(rows, start, False)

        sums, moved = cpu(add), sum(-(-at // grain) * grain - at for at in bounds[1:-1])
        print(
            f"| {n}x{d}x{k} | {100 * moved / n:.1f}% | {cpu(align):.1f} | {passes[0]:.1f} | {passes[1]:.1f} "
            f"| {sums:.1f} | {EXTRA_UPDATES * sums:.1f} |"
        )


if __name__ == "__main__":
    main()
