"""What is drawn: artists, their colours, places and limits."""

from __future__ import annotations

import sys
from importlib import import_module
from io import BytesIO
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection, PolyCollection

from kmeans_fast import plots, reference
from kmeans_fast.datasets import init_board, init_board_gauss

# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB: what a red-blind eye sees.
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)


@pytest.fixture
def ax():
    mpl.use("agg")
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def area(polygon) -> float:
    x, y = np.asarray(polygon).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def cells_of(axes) -> list[np.ndarray]:
    (cells,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    return [path.vertices for path in cells.get_paths()]


def linear(colours):
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("k", [1, 2, 8, 9, 30, 100, 1000])
def test_palette_has_one_valid_colour_a_cluster(k):
    colours = plots.palette(k)
    assert colours.shape == (k, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert len(np.unique(colours.round(6), axis=0)) == k


def test_palette_starts_with_okabe_and_ito_and_is_empty_for_no_clusters():
    assert [mpl.colors.to_hex(c) for c in plots.palette(8)] == list(plots.OKABE_ITO)
    np.testing.assert_array_equal(plots.palette(3), plots.palette(8)[:3])
    assert plots.palette(0).shape == (0, 3)


def test_palette_is_told_apart_by_a_red_blind_eye():
    seen = linear(plots.palette(8)) @ PROTANOPIA.T
    gaps = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(8, 1)]
    assert gaps.min() > 0.05
    red_and_green = linear(np.array([[0.84, 0.15, 0.16], [0.30, 0.45, 0.14]])) @ PROTANOPIA.T
    assert np.linalg.norm(red_and_green[0] - red_and_green[1]) < 0.1  # the measure sees the trouble


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


@pytest.mark.parametrize("k", [1, 2, 3, 40, 300])
def test_voronoi_cells_tile_the_frame_and_belong_to_their_centroid(ax, k):
    centroids = init_board(k, random_state=k)
    assert plots.voronoi(centroids, ax, bounds=(-2, 1, -1, 3)) is ax
    cells = cells_of(ax)
    assert sum(area(cell) for cell in cells) == pytest.approx(12)
    assert ax.get_xlim() == (-2, 1)
    assert ax.get_ylim() == (-1, 3)
    for j, cell in enumerate(cells):
        inside = cell[:-1].mean(axis=0)[None]  # a mean of corners is in a convex cell
        assert reference.cluster_points(inside, centroids)[0][0] == j
        corner_distances = np.linalg.norm(cell[:, None] - centroids, axis=2)
        np.testing.assert_allclose(corner_distances[:, j], corner_distances.min(axis=1))


def test_voronoi_cells_have_the_colours_of_the_dots(ax):
    plots.voronoi(init_board(12, random_state=0), ax, stars=False)
    (cells,) = ax.collections
    np.testing.assert_allclose(cells.get_facecolor()[:, :3], plots.palette(12))


def test_voronoi_takes_lines_of_centroids_repeated_ones_and_ones_outside_the_frame(ax):
    centroids = [[-0.5, 0], [0.5, 0], [0.5, 0], [5, 0], [1.4, 0]]
    plots.voronoi(centroids, ax)
    areas = [area(cell) if len(cell) else 0 for cell in cells_of(ax)]
    np.testing.assert_allclose(areas, [2, 1.9, 0, 0, 0.1])


def test_convergence_draws_the_inertia_of_each_iteration(ax):
    plots.convergence(SimpleNamespace(inertia_history=np.array([9.0, 5.0, 4.0])), ax)
    np.testing.assert_array_equal(np.transpose(ax.lines[0].get_data()), [[1, 9], [2, 5], [3, 4]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", "inertia")
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


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


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.clusters(np.zeros((4, 3)), [0] * 4, [[0, 0]]), r"X.shape=\(4, 3\) must be"),
        (lambda: plots.clusters([[0, 0]], [0], [0, 0]), r"centroids.shape=\(2,\) must be \(n, 2\)"),
        (lambda: plots.clusters([[0, 0]], [0, 0], [[0, 0]]), r"labels.shape=\(2,\) must be"),
        (lambda: plots.clusters([[0, 0]], [1], [[0, 0]]), "labels must be >= 0 and < n_clusters=1"),
        (lambda: plots.clusters([[0, 0]], [-1], [[0, 0]]), "labels must be >= 0"),
        (lambda: plots.voronoi([[0, 0]], bounds=(1, 1, 0, 1)), r"bounds=\(1, 1, 0, 1\) must be"),
    ],
)
def test_bad_arguments_are_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
