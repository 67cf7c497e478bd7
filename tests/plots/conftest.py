"""Axes to draw on."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt


@pytest.fixture
def ax():
    mpl.use("agg")
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)
