"""Axes to draw on."""

from __future__ import annotations

import pytest


@pytest.fixture
def ax():
    mpl = pytest.importorskip("matplotlib")
    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)
