"""Runs recorded, shown as films, and their beginnings and ends."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.collections import PathCollection
from matplotlib.quiver import Quiver
from PIL import Image

from kmeans_fast import kmeans, plots, reference
from kmeans_fast.datasets import init_board

START = np.array([[-0.8, -0.8], [-0.4, -0.8], [-0.8, -0.4]])


@pytest.fixture(scope="module")
def board():
    return init_board(200, random_state=4)


@pytest.fixture(scope="module")
def frames(board):
    return plots.record(board, 3, init=START, max_iter=4)


@pytest.mark.parametrize("init", ["k-means++", "random", "random-partition", "k-means||", START])
def test_a_record_is_the_run_of_kmeans(board, init):
    result = kmeans(board, 3, init=init, n_init=1, random_state=7)
    frames = plots.record(board, 3, init=init, random_state=7)
    assert frames.shape == (1 + result.n_iter, 3, 2)
    np.testing.assert_array_equal(frames[-1], result.centroids)
    labels, _ = reference.cluster_points(board, frames[0])  # one step of plain Lloyd leads to the second frame
    means = [board[np.asarray(labels) == j].mean(axis=0) for j in range(3)]
    np.testing.assert_allclose(frames[1], means)


def test_a_record_begins_at_the_start_that_was_given_or_drawn(board, frames):
    np.testing.assert_array_equal(frames[0], START)
    drawn = plots.record(board, 3, init=lambda X, n_clusters, random_state: START, max_iter=2)
    np.testing.assert_array_equal(drawn[:2], frames[:2])
    for row in plots.record(board, 3, random_state=1)[0]:
        assert (board == row).all(axis=1).any()


def test_a_bad_argument_of_a_record_has_the_message_of_kmeans(board):
    with pytest.raises(ValueError, match=r"n_clusters=201 must be <= n_samples=200\."):
        plots.record(board, 201)
    with pytest.raises(ValueError, match="init='nonsense' must be one of"):
        plots.record(board, 3, init="nonsense")


def test_a_gif_has_a_picture_a_frame_and_holds_the_last(board, frames, ax, tmp_path):
    ax.figure.set(figwidth=3, figheight=3)
    plots.film(board, frames, tmp_path / "run.gif", ax=ax, fps=4)
    with Image.open(tmp_path / "run.gif") as gif:
        assert (gif.format, gif.n_frames) == ("GIF", len(frames))
        durations, pictures = [], []
        for i in range(gif.n_frames):
            gif.seek(i)
            durations.append(gif.info["duration"])
            pictures.append(np.asarray(gif.convert("RGB")))
    assert durations[:-1] == [250] * (len(frames) - 1)
    assert durations[-1] > 4 * 250
    assert all((a != b).any() for a, b in pairwise(pictures))


def test_each_picture_shows_stars_labels_ways_and_inertia_in_one_frame(board, frames, ax):
    limits = set()
    film = plots.film(board, frames, ax=ax)
    for i, centroids in enumerate(frames):
        film._func(i)
        (marks,) = (c for c in ax.collections if isinstance(c, PathCollection))
        np.testing.assert_array_equal(marks.get_offsets(), centroids)
        labels, _ = reference.cluster_points(board, centroids)
        dots, ways = ax.lines[:3], ax.lines[3:]
        for j, line in enumerate(dots):
            np.testing.assert_array_equal(np.transpose(line.get_data()), board[labels == j])
        for j, way in enumerate(ways):
            np.testing.assert_array_equal(np.transpose(way.get_data()), frames[: i + 1, j])
        inertia = ((board - centroids[labels]) ** 2).sum()
        assert ax.get_title() == (f"iteration {i}" if i else "start") + f": inertia {inertia:.4g}"
        limits.add((*ax.get_xlim(), *ax.get_ylim()))
    assert len(limits) == 1
    film._draw_was_started = True  # it need not be saved


def test_a_page_has_every_picture_and_asks_nothing_of_the_network(board, frames, ax, tmp_path):
    ax.figure.set(figwidth=2, figheight=2)
    plots.film(board, frames, str(tmp_path / "run.html"), ax=ax)
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("data:image/png;base64,") >= len(frames)
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<link" not in page
    assert "&#9654;" in page
    assert '<i class="fa' not in page


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, F: plots.film(X, F, "run.mp4"), r"path='run.mp4' must end in .gif or .html"),
        (lambda X, F: plots.film(X, F[0]), r"frames has shape \(3, 2\) and must be \(n_frames, n_clusters, 2\)"),
        (lambda X, F: plots.film(X, [F[0], F[0, :1]]), "frames must have the same number of centroids each"),
        (lambda X, F: plots.film(X, F * np.nan), "frames contains NaN"),
        (lambda X, F: plots.film(X[:, :1], F), r"X has shape \(200, 1\) and must be \(n, 2\)\.$"),
        (lambda X, F: plots.film(X, F, fps=0), "fps=0 must be finite and > 0"),
        (lambda X, F: plots.moves(F[0], F[0, :2]), "start has 3 centroids and must have as many as end, 2"),
    ],
)
def test_bad_arguments_are_named(board, frames, call, message):
    with pytest.raises(ValueError, match=message):
        call(board, frames)


def test_moves_lead_from_each_start_to_its_end(board, frames, ax):
    result = kmeans(board, 3, init=START)
    assert plots.moves(START, result, ax) is ax
    (arrows,) = (c for c in ax.collections if isinstance(c, Quiver))
    np.testing.assert_array_equal(arrows.XY, START)
    np.testing.assert_allclose(arrows.XY + np.column_stack([arrows.U, arrows.V]), result.centroids)
    circles, marks = (c for c in ax.collections if isinstance(c, PathCollection))
    np.testing.assert_array_equal(circles.get_offsets(), START)
    np.testing.assert_allclose(circles.get_facecolor()[:, :3], plots.palette(3))
    np.testing.assert_array_equal(marks.get_offsets(), result.centroids)
