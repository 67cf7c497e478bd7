"""What loops of their own share with Lloyd's: a pass of the engine, and where empty clusters go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._problem import Engine, Floats, Problem

MOVED_MUCH = 1 / 3  # past this share of changed labels it is cheaper to sum every sample afresh
STALLED = 3  # iterations without a lower objective: rounding goes round in circles


def make_pass(problem: Problem, engine: Engine, points: Floats, fresh: bool, means: Floats) -> None:
    """Label every sample and sum it, and set `means`; `fresh` sums all anew instead of what changed."""
    engine.begin(points, fresh)
    for start, block in problem.blocks():
        engine.visit(block, start)
    engine.finish(means)


def sum_afresh(problem: Problem, engine: Engine, points: Floats, means: Floats) -> None:
    """Set `means` anew by the labels that samples have."""
    engine.begin(points, True)
    for start, block in problem.blocks():
        engine.visit(block, start, False)
    engine.finish(means)


def farthest_rows(far: Floats, weight: Floats | None, count: int) -> NDArray[np.intp]:
    """Return up to `count` rows, those with the largest values > 0; of equal ones the lowest. Changes `far`.

    Copies of a sample are as far as it is, so the rows are distinct samples; others that are as far wait for the next
    time.
    """
    if weight is not None:
        far[weight == 0.0] = 0.0
    rows: list[int] = []
    while len(rows) < count and far.max() > 0.0:
        rows.append(int(far.argmax()))
        far[far == far[rows[-1]]] = 0.0
    return np.array(rows, np.intp)
