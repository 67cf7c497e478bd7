"""Curves of choose_k: what is drawn, where, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

from kmeans_fast import choose_k  # noqa: E402
from kmeans_fast.datasets import init_board_gauss  # noqa: E402
from kmeans_fast.plots import curve, curves  # noqa: E402


@pytest.fixture(scope="module")
def choice():
    X = init_board_gauss(150, 3, min_separation=3, random_state=0)
    return choose_k(X, 6, n_references=3, n_resamples=3, random_state=0)


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


@pytest.mark.parametrize("method", ["elbow", "gap", "f", "silhouette"])
def test_a_curve_shows_its_values_and_its_suggestion(choice, method):
    ax = plt.figure().add_subplot()
    assert curve(choice, method, ax) is ax
    line, *_, ring = (line for line in ax.lines if len(line.get_xdata()))
    np.testing.assert_array_equal(line.get_xdata(), choice.ks)
    np.testing.assert_array_equal(line.get_ydata(), choice.curves[method])
    best = choice.suggestions[method]
    if best is not None:
        assert ring.get_xdata() == [best]
        assert ax.get_title().endswith(f": {best}")
    assert ax.get_xlabel() == "k"


def test_standard_errors_are_drawn_where_there_are_some(choice):
    assert len(curve(choice, "gap", plt.figure().add_subplot()).collections) == 1
    assert not curve(choice, "f", plt.figure().add_subplot()).collections


def test_all_curves_share_a_figure(choice):
    axes = choice.plot()
    assert len(axes) == len(choice.curves)
    assert {id(ax.figure) for ax in axes} == {id(axes[0].figure)}
    assert len(axes[0].figure.axes) == len(axes)


def test_axes_that_are_given_are_drawn_on(choice):
    _, axes = plt.subplots(1, 2)
    assert curves(choice, ["gap", "elbow"], axes) == list(axes)
    with pytest.raises(ValueError, match=r"axes has 2 entries and must have one a method, 1."):
        curves(choice, "gap", axes)


def test_a_curve_that_was_not_computed_is_named(choice):
    with pytest.raises(ValueError, match="method='xmeans' must be one of 'icl'"):
        curve(choice, "xmeans")
    with pytest.raises(ValueError, match="method='xmeans' must be one of 'icl'"):
        curves(choice, ["gap", "xmeans"])
