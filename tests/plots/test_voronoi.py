"""Cells tile the frame and belong to their centroids."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.collections import PolyCollection

from kmeans_fast import plots, reference
from kmeans_fast.datasets import init_board


def area(polygon) -> float:
    x, y = np.asarray(polygon).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def cells_of(axes) -> list[np.ndarray]:
    (cells,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    return [path.vertices for path in cells.get_paths()]


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
