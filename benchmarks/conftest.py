"""Fixtures of the pytest-benchmark suites, and the path that they import kmeans_fast from.

The repository root goes last on the path: an uncompiled tree must not hide the installed package.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:] = [p for p in sys.path if p and Path(p).resolve() != ROOT] + [str(ROOT)]

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

import kmeans_fast  # noqa: E402, F401  (first, so that it is the one everybody gets)
from benchmarks.cases import Case, make  # noqa: E402

SHAPES = (
    Case(200_000, 2, 8),
    Case(200_000, 2, 100),
    Case(100_000, 3, 1000),
    Case(200_000, 8, 64),
    Case(60_000, 32, 256),
    Case(20_000, 128, 1000),
    Case(10_000, 768, 256),
    Case(10_000, 784, 10),
    Case(100, 2, 7, "uniform"),
)
Data = tuple[NDArray[np.floating], NDArray[np.floating]]


@pytest.fixture(scope="session", params=SHAPES, ids=lambda case: case.name.replace(" ", "-"))
def data(request: pytest.FixtureRequest) -> Data:
    """X and a start of the same dtype, one shape after the other."""
    return make(request.param)
