"""What is drawn: artists, their colours, places and limits."""

from __future__ import annotations

import sys
from importlib import import_module
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection

from kmeans_fast import plots
from kmeans_fast.datasets import init_board, init_board_gauss


def test_clusters_draws_every_point_once_in_the_colour_of_its_cluster(ax):
    X, labels = init_board_gauss(300, 5, random_state=0, return_labels=True)
    labels = np.random.default_rng(0).permutation(labels)
    assert plots.clusters(X, labels, X[:5], ax) is ax
    assert len(ax.lines) == 5
    for j, line in enumerate(ax.lines):
        np.testing.assert_array_equal(np.transpose(line.get_data()), X[labels == j])
        np.testing.assert_allclose(mpl.colors.to_rgb(line.get_color()), plots.palette(5)[j])
        assert line.get_rasterized()
        assert (line.get_linestyle(), line.get_marker()) == ("None", "o")
    assert ax.get_aspect() == 1


def test_clusters_marks_the_centroids_with_stars_above_the_dots(ax):
    X = init_board(50, random_state=0)
    plots.clusters(X, np.zeros(50, dtype=int), X[:3], ax)
    (stars,) = (c for c in ax.collections if isinstance(c, PathCollection))
    np.testing.assert_array_equal(stars.get_offsets(), X[:3])
    assert len(stars.get_paths()[0].vertices) == 11  # ten corners, closed
    assert stars.get_zorder() > max(line.get_zorder() for line in ax.lines)


def test_dots_shrink_with_their_number_unless_a_size_is_given(ax):
    sizes = []
    for n in (10, 1000, 100_000):
        plots.clusters(np.zeros((n, 2)), np.zeros(n, dtype=int), [[0.0, 0.0]], ax)
        sizes.append(ax.lines[-1].get_markersize())
    assert sizes[0] > sizes[1] > sizes[2] > 0.5
    plots.clusters(np.zeros((3, 2)), [0, 0, 0], [[0.0, 0.0]], ax, size=7)
    assert ax.lines[-1].get_markersize() == 7


def test_functions_draw_on_the_current_axes_by_default(ax):
    plt.sca(ax)
    assert plots.clusters([[0.0, 0.0]], [0], [[0.0, 0.0]]) is ax
    assert plots.voronoi([[0.0, 0.0]]) is ax
    assert plots.convergence(SimpleNamespace(inertia_history=[1.0])) is ax


def test_pictures_can_be_saved_as_vectors_with_the_dots_as_pixels(ax):
    X = init_board(20_000, random_state=0)
    plots.clusters(X, np.zeros(len(X), dtype=int), X[:1], ax)
    file = BytesIO()
    ax.figure.savefig(file, format="svg")
    assert b"<image" in file.getvalue()
    assert len(file.getvalue()) < 400_000


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "kmeans_fast.plots")
    with pytest.raises(ImportError, match=r'^plots needs matplotlib; .*"kmeans_fast\[plot\]"$'):
        import_module("kmeans_fast.plots")


def test_outliers_are_grey_crosses_under_the_dots(ax):
    X = init_board(40, random_state=1)
    labels = np.arange(40) % 4 - 1
    plots.clusters(X, labels, X[:3], ax)
    crosses, *dots = ax.lines
    np.testing.assert_array_equal(np.transpose(crosses.get_data()), X[labels == -1])
    assert (crosses.get_marker(), crosses.get_color()[0]) == ("x", pytest.approx(0.4))
    assert crosses.get_markeredgewidth() > 0
    assert [mpl.colors.to_hex(line.get_color()) for line in dots] == list(plots.OKABE_ITO[:3])


def test_without_centroids_there_are_no_stars_and_labels_say_how_many_clusters(ax):
    plots.clusters([[0, 0], [1, 1], [2, 0]], [2, 0, 2], ax=ax)
    assert len(ax.lines) == 3
    assert not ax.collections


def test_frames_and_other_dtypes_are_drawn_as_they_are(ax):
    pl = pytest.importorskip("polars")
    X = init_board(30, random_state=2)
    for form in (pd.DataFrame(X), pl.DataFrame(X), X.astype(">f8"), X.tolist(), np.asfortranarray(X)):
        plots.clusters(form, np.zeros(30, int), X[:1].tolist(), ax)
        np.testing.assert_array_equal(np.transpose(ax.lines[-1].get_data()), X)
    before = X.copy()
    plots.clusters(X, np.zeros(30, int), X[:1], ax)
    np.testing.assert_array_equal(X, before)


def test_space_is_drawn_with_the_stars_above_the_dots():
    X = np.random.default_rng(0).normal(size=(60, 3))
    labels = np.arange(60) % 3 - 1
    figure = plt.figure()
    space = plots.clusters_3d(X, labels, X[:2], figure.add_subplot(projection="3d"))
    drawn = [np.transpose(line.get_data_3d()) for line in space.lines]
    for j, found in zip((-1, 0, 1), drawn, strict=True):
        np.testing.assert_array_equal(found, X[labels == j])
    figure.canvas.draw()
    (marks,) = space.collections
    np.testing.assert_array_equal(np.transpose(marks._offsets3d), X[:2])
    assert not space.computed_zorder
    assert marks.get_zorder() > max(line.get_zorder() for line in space.lines)
    plt.close(figure)


def test_space_shows_a_share_of_too_many_points():
    figure = plt.figure()
    X = np.random.default_rng(0).normal(size=(150_000, 3))
    space = plots.clusters_3d(X, np.zeros(len(X), int))
    assert len(space.lines[0].get_data_3d()[0]) == 100_000
    plt.close(figure)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: plots.clusters(np.zeros((4, 3)), [0] * 4, [[0, 0]]),
            r"X has shape \(4, 3\) and must be \(n, 2\); plots.pairs draws more features",
        ),
        (lambda: plots.clusters(np.zeros((0, 2)), [], [[0, 0]]), r"0 sample\(s\) \(shape=\(0, 2\)\)"),
        (lambda: plots.clusters([[0, 0]], [0], [0, 0]), r"centroids has shape \(2,\) and must be 2-dimensional"),
        (lambda: plots.clusters([[0, 0]], [0, 0], [[0, 0]]), r"labels has shape \(2,\) and must be \(n_samples,\)"),
        (lambda: plots.clusters([[0, 0]], [1], [[0, 0]]), "labels has 1 and must be >= 0 and < n_clusters=1"),
        (lambda: plots.clusters([[0, 0]], [-2], [[0, 0]]), "labels has -2 and must be"),
        (lambda: plots.clusters([[0, np.nan]], [0], [[0, 0]]), "X contains NaN in row 0, column 1"),
        (lambda: plots.clusters_3d([[0, 0]], [0], [[0, 0]]), r"X has shape \(1, 2\) and must be \(n, 3\)\.$"),
        (lambda: plots.voronoi([[0, 0]], bounds=(1, 1, 0, 1)), r"bounds=\(1, 1, 0, 1\) must be"),
        (lambda: plots.convergence([]), r"inertia_history has shape \(0,\) and must be \(n_iter,\)"),
    ],
)
def test_bad_arguments_are_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_labels_that_are_no_integers_and_flat_axes_for_space_are_refused(ax):
    with pytest.raises(TypeError, match="labels has dtype float64 and must be integers"):
        plots.clusters([[0, 0]], [0.0])
    with pytest.raises(TypeError, match="must be made with projection='3d'"):
        plots.clusters_3d([[0, 0, 0]], [0], ax=ax)
