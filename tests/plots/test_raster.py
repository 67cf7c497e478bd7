"""Points counted in pixels: all of them, in the mixed colours of their clusters."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("datashader")
pytest.importorskip("matplotlib")

import matplotlib as mpl

from kmeans_fast import plots
from kmeans_fast.datasets import init_board


def image_of(ax):
    (image,) = ax.images
    return np.asarray(image.get_array())


def test_a_pixel_is_where_its_points_are_in_the_colour_of_their_cluster(ax):
    X, labels = np.array([[0, 0], [4, 0], [0, 4], [4, 4]]), np.array([0, 1, 2, -1])
    assert plots.clusters(X, labels, X[:3], ax, rasterize=True) is ax
    image, colours = image_of(ax), [*plots.OKABE_ITO[:3], plots.OUTLIER]
    assert np.count_nonzero(image[..., 3]) == 4
    for (row, column), colour in zip([(0, 0), (0, -1), (-1, 0), (-1, -1)], colours, strict=True):
        assert mpl.colors.to_hex(image[row, column, :3] / 255) == colour
        assert image[row, column, 3] >= 60
    assert ax.images[0].get_extent() == [0, 4, 0, 4]
    assert ax.get_xlim()[0] < 0 < 4 < ax.get_xlim()[1]  # as much room as dots have
    assert ax.get_aspect() == 1
    assert not ax.lines
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), X[:3])


def test_a_pixel_mixes_its_clusters_by_their_numbers_and_more_points_are_stronger(ax):
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], [4, 400], axis=0)
    labels = np.r_[0, 1, 1, 1, np.zeros(400, int)]
    plots.clusters(X, labels, X[:2], ax, rasterize=True)
    image = image_of(ax).astype(int)
    expected = 255 * (plots.palette(2)[0] + 3 * plots.palette(2)[1]) / 4
    np.testing.assert_allclose(image[0, 0, :3], expected, atol=0.51)
    assert image[-1, -1, 3] > image[0, 0, 3] + 50


def test_blocks_add_up_and_the_pixels_agree_with_a_histogram(ax, monkeypatch):
    from kmeans_fast.plots import _raster

    X = np.random.default_rng(0).normal(size=(20_000, 2)).astype(np.float32)
    labels = np.arange(len(X), dtype=np.int32) % 3
    plots.clusters(X, labels, X[:3], ax, rasterize=True)
    whole = image_of(ax).copy()
    left, right, bottom, top = ax.images[0].get_extent()
    shape = whole.shape[:2]
    counts, _, _ = np.histogram2d(X[:, 1], X[:, 0], shape, ((bottom, top), (left, right)))
    assert ((counts > 0) != (whole[..., 3] > 0)).mean() < 1e-4  # rounding at borders of pixels
    ax.clear()
    monkeypatch.setattr(_raster, "ROWS", 999)
    plots.clusters(X, labels, X[:3], ax, rasterize=True)
    np.testing.assert_allclose(image_of(ax).astype(int), whole, atol=1)  # sums in another order


def test_a_million_and_one_points_are_counted_by_default(ax):
    X = np.zeros((plots.MOST_DOTS + 1, 2), np.float32)
    labels = np.zeros(len(X), np.int32)
    plots.clusters(X[:-1], labels[:-1], ax=ax)
    assert (len(ax.lines), len(ax.images)) == (1, 0)
    plots.clusters(X, labels, ax=ax)
    assert (len(ax.lines), len(ax.images)) == (1, 1)


def test_points_in_a_row_or_in_one_place_have_a_picture(ax):
    for X in ([[0, 1], [2, 1]], [[3, 3], [3, 3]], [[1e8, 0], [1e8, 1]]):
        ax.clear()
        plots.clusters(X, [0, 1], ax=ax, rasterize=True)
        assert image_of(ax)[..., 3].any()
        ax.figure.canvas.draw()


def test_a_nan_is_named_and_a_missing_datashader_too(ax, monkeypatch):
    with pytest.raises(ValueError, match="X contains NaN in row 1, column 0"):
        plots.clusters([[0, 0], [np.nan, 0]], [0, 0], ax=ax, rasterize=True)
    monkeypatch.delitem(sys.modules, "kmeans_fast.plots._raster")
    monkeypatch.setitem(sys.modules, "datashader", None)
    X = init_board(10, random_state=0)
    with pytest.raises(ImportError, match=r'a raster of points needs datashader; .*"kmeans_fast\[dense-plot\]"'):
        plots.clusters(X, np.zeros(10, int), ax=ax, rasterize=True)
