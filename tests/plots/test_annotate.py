"""Names stand beside their dots, and none covers another."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

import pandas as pd
from matplotlib.collections import LineCollection

from kmeans_fast import plots
from kmeans_fast.datasets import init_board


def overlaps(texts) -> int:
    boxes = [text.get_window_extent() for text in texts]
    return sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def draw(ax, n=60, k=3):
    X = init_board(n, random_state=0)
    plots.clusters(X, np.arange(n) % k, X[:k], ax)
    return X


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_names_of_chosen_dots_do_not_overlap_and_stay_inside(ax, layout):
    ax.figure.set_layout_engine(layout)
    ax.set_title("a layout moves everything when it is drawn")
    X = draw(ax)
    ids = [f"customer {i}" for i in range(60)]
    assert plots.annotate(X, ids, range(0, 60, 3), ax) is ax
    assert [text.get_text() for text in ax.texts] == ids[::3]
    ax.figure.canvas.draw()
    assert overlaps(ax.texts) == 0
    for text in ax.texts:
        box = text.get_window_extent()
        assert ax.bbox.padded(1).contains(*box.min)
        assert ax.bbox.padded(1).contains(*box.max)


def test_names_of_dots_in_one_place_part_and_are_tied_to_it(ax):
    X = np.zeros((6, 2))
    plots.clusters(X, np.zeros(6, int), ax=ax)
    ax.set(xlim=(-1, 1), ylim=(-1, 1))
    plots.annotate(X, list("abcdef"), ax=ax)
    assert overlaps(ax.texts) == 0
    ties = next(c for c in ax.collections if isinstance(c, LineCollection))
    segments = np.array(ties.get_segments())
    assert len(segments) > 0
    np.testing.assert_array_equal(segments[:, 0], 0)


def test_a_second_round_of_names_keeps_clear_of_the_first(ax):
    X = draw(ax)
    plots.annotate(X, which=range(12), ax=ax)
    plots.annotate(X, [f"no. {i}" for i in range(60)], range(6, 18), ax, style="italic")
    assert len(ax.texts) == 24
    assert overlaps(ax.texts) == 0
    assert ax.texts[-1].get_style() == "italic"


def test_names_come_from_the_index_of_a_frame_else_from_the_row(ax):
    X = pd.DataFrame({"x": [0, 1, 2], "y": [0, 2, 1]}, index=["Ada", "Bo", "Cy"])
    plots.annotate(X, which=[True, False, True], ax=ax)
    plots.annotate(X.to_numpy(), which=1, ax=ax)
    plots.annotate(X.to_numpy().tolist(), which=[2], ax=ax)
    assert [text.get_text() for text in ax.texts] == ["Ada", "Cy", "1", "2"]
    assert plots.annotate(X, which=[], ax=ax) is ax


def test_the_same_call_gives_the_same_places(ax):
    X = draw(ax)
    plots.annotate(X, which=range(0, 60, 5), ax=ax)
    first = [text.get_position() for text in ax.texts]
    for text in list(ax.texts):
        text.remove()
    plots.annotate(X, which=range(0, 60, 5), ax=ax)
    assert [text.get_position() for text in ax.texts] == first


def test_too_little_room_is_told(ax):
    X = np.zeros((12, 2))
    with pytest.warns(UserWarning, match="of 12 names overlap; choose fewer or a smaller fontsize"):
        plots.annotate(X, ["a name that takes half of the picture"] * 12, ax=ax, fontsize=20)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": ["a"]}, "ids has 1 entries and must have n_samples=300"),
        ({"which": [300]}, "which has row 300 and must be >= 0 and < n_samples=300"),
        ({"which": [True, False]}, r"which has shape \(2,\) and must be \(n_samples,\) = \(300,\)"),
        ({"which": [0.5]}, "which has shape .* and dtype float64 and must be"),
        ({}, "which chooses 300 dots and must choose <= 200"),
    ],
)
def test_bad_choices_are_named(ax, options, message):
    with pytest.raises(ValueError, match=message):
        plots.annotate(np.zeros((300, 2)), ax=ax, **options)


def test_a_missing_adjust_text_is_named(ax, monkeypatch):
    monkeypatch.setitem(sys.modules, "adjustText", None)
    with pytest.raises(ImportError, match=r'annotate needs adjustText; .*"kmeans_fast\[plot\]"'):
        plots.annotate([[0, 0]], ax=ax)
