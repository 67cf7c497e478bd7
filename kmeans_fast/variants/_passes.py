"""What loops of their own share beside Lloyd's passes: means after a pass, and where empty clusters go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import _iterate
from .._problem import Engine, Floats, Problem


def make_pass(
    problem: Problem, engine: Engine, points: Floats, fresh: bool, means: Floats, assign: bool = True
) -> None:
    """Label every sample, or leave the labels, sum them and set `means`; `fresh` sums all anew, not what changed."""
    _iterate.make_pass(problem, engine, points, fresh, assign)
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
