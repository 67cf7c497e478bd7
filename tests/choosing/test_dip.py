"""Hartigan's dip, held against its definition."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from numpy.typing import NDArray
from scipy.optimize import linprog

from kmeans_fast.choosing._dip import dip


def by_definition(x: NDArray[np.float64]) -> float:
    """Solve for the nearest unimodal distribution function, for each place of its mode: linear programmes."""
    x = np.sort(x)
    n = len(x)
    best = 1.0
    for mode in range(n):
        # Unknown: G left of each x, the same but for the mode, where it may jump; and the distance.
        left, right, rows, bounds = np.arange(n), np.arange(n), [], []
        right = np.where(left >= mode, left + 1, left)
        left = np.where(left > mode, left + 1, left)

        def row(**entries: float) -> NDArray[np.float64]:
            out = np.zeros(n + 2)
            for name, value in entries.items():
                out[int(name[1:])] += value
            return out

        D = n + 1
        for i in range(n):
            rows += [row(**{f"g{right[i]}": -1, f"d{D}": -1}), row(**{f"g{left[i]}": 1, f"d{D}": -1})]
            bounds += [-(i + 1) / n, i / n]
        slopes = [(right[i], left[i + 1], x[i + 1] - x[i]) for i in range(n - 1)]
        for i in range(n - 2):
            if i + 1 == mode:
                continue
            (a, b, w), (c, d, v) = slopes[i], slopes[i + 1]
            sign = 1 if i + 1 < mode else -1  # convex: slopes rise; concave: they fall
            one, two = row(**{f"g{b}": 1 / w}), row(**{f"g{a}": 1 / w})
            three, four = row(**{f"g{d}": 1 / v}), row(**{f"g{c}": 1 / v})
            rows.append(sign * (one - two - three + four))
            bounds.append(0.0)
        rows += [row(**{f"g{j}": 1}) - row(**{f"g{j + 1}": 1}) for j in range(n)]
        bounds += [0.0] * n
        solved = linprog(row(**{f"d{D}": 1}), np.array(rows), bounds, bounds=[(0, 1)] * (n + 2))
        best = min(best, solved.fun)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_the_dip_is_the_distance_to_the_nearest_unimodal_distribution(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = [rng.random(9), rng.normal(size=9), np.r_[rng.random(5), 3 + rng.random(4)], rng.exponential(size=9)][seed % 4]
    assert dip(x) == pytest.approx(by_definition(x), abs=1e-7)


def test_the_dip_has_its_bounds() -> None:
    assert dip(np.arange(50.0)) == pytest.approx(1 / 100)
    assert dip(np.array([3.0])) == dip(np.full(7, 2.0)) * 7 == pytest.approx(1 / 2)
    two = np.r_[np.linspace(0, 1e-6, 500), np.linspace(1, 1 + 1e-6, 500)]
    assert dip(two) == pytest.approx(1 / 4, abs=2e-3)


def test_the_dip_knows_no_scale_place_direction_or_order() -> None:
    x = np.random.default_rng(0).normal(size=200)
    for other in (x[::-1], -x, 1e-6 * x, 1e6 * x + 1e6):
        assert dip(other) == pytest.approx(dip(x), abs=1e-9)


def test_ties_count_as_jumps() -> None:
    assert dip(np.repeat([0.0, 1.0, 2.0, 3.0], 25)) == pytest.approx(1 / 8)
