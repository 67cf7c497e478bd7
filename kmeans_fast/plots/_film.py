"""A run of k-means, recorded and shown iteration by iteration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes

from .._kmeans import kmeans
from .._predict import own_distances, predict
from .._problem import Problem
from .._samples import as_samples
from .._seed import METHODS, seed
from .._validate import as_weight
from .._watch import FitState
from ._check import Floats, points, samples_of
from ._clusters import clusters
from ._colours import INK

HOLD = 4  # times that the last picture is shown
MOST_MEGABYTES = 200.0  # of an HTML page
# matplotlib's player takes the icons of its buttons from the network; these are letters of every font.
ICONS = {
    "fa fa-minus": "&minus;",
    "fa fa-fast-backward": "|&lt;",
    "fa fa-step-backward": "&lt;",
    "fa fa-play fa-flip-horizontal": "&#9664;",
    "fa fa-pause": "||",
    "fa fa-play": "&#9654;",
    "fa fa-step-forward": "&gt;",
    "fa fa-fast-forward": "&gt;|",
    "fa fa-plus": "+",
}


def record(X: Any, n_clusters: int, *, init: Any = "k-means++", random_state: Any = None, **options: Any) -> Floats:
    """Run `kmeans` once and return the centroids of its start and of each iteration.

    Parameters
    ----------
    X, n_clusters, init, random_state
        As for `kmeans`, and the run is that of ``kmeans(..., n_init=1)``.
    **options
        Others of `kmeans`: ``max_iter``, ``tol``, ``sample_weight``, ``n_threads``.

    Returns
    -------
    float64 array of shape (1 + n_iter, n_clusters, n_features)

    Raises
    ------
    ValueError, TypeError
        As `kmeans`.
    """
    frames: list[Floats] = []

    def begin(X: Any, n_clusters: int, random_state: Any) -> Floats:
        if callable(init):
            start = np.array(init(X, n_clusters, random_state=random_state), np.float64)
        else:
            samples = as_samples(X)
            weight = as_weight(options.get("sample_weight"), samples.n_samples)
            start = seed(Problem(samples, n_clusters, weight, options.get("n_threads")), init, random_state)
        frames.append(start.copy())  # the fit writes on its start
        return start

    def each(state: FitState) -> None:
        frames.append(state.centroids)

    drawn = callable(init) or (isinstance(init, str) and init in METHODS)  # if not, kmeans knows what to do or to say
    start = begin if drawn else init
    result = kmeans(X, n_clusters, init=start, n_init=1, random_state=random_state, callback=each, **options)
    if not drawn:
        frames.insert(0, np.array(init, np.float64))
    return np.array([*frames[:-1], result.centroids], np.float64)


class Film(FuncAnimation):
    """An animation whose page needs nothing but itself, and whose GIF needs no other program."""

    def save(self, filename: Any, writer: Any = None, *args: Any, **kwargs: Any) -> None:
        """Write a file as matplotlib does, a GIF by pillow unless told otherwise."""
        gif = str(filename).lower().endswith(".gif")
        super().save(filename, "pillow" if writer is None and gif else writer, *args, **kwargs)

    def to_jshtml(self, *args: Any, **kwargs: Any) -> str:
        """Return matplotlib's player, with letters in place of icons from the network."""
        with mpl.rc_context({"animation.embed_limit": MOST_MEGABYTES}):
            page = re.sub(r"<link[^>]*>", "", super().to_jshtml(*args, **kwargs))
        return re.sub(r'<i class="(fa [^"]*)"></i>', lambda icon: ICONS.get(icon[1], icon[1].split("-")[-1]), page)


def film(
    X: Any, frames: Any, path: str | Path | None = None, *, ax: Axes | None = None, fps: float = 2.0
) -> FuncAnimation:
    """Show how centroids wandered, a picture a frame: dots by their nearest centroid, stars, and the ways behind them.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, 2)
    frames : array-like of shape (n_frames, n_clusters, 2)
        Centroids before the first iteration and after each, as `record` returns them.
    path : str or Path, optional
        Where to write the film: ``.gif`` (pillow), or ``.html``, a page with a player that stands alone.
    ax : Axes, optional
        Where to draw, a picture at a time; the current Axes if left out.
    fps : float
        Pictures a second.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Keep it until it is shown or saved.

    Raises
    ------
    ValueError
        A shape is wrong, a number is not finite, or ``path`` has another ending.

    Notes
    -----
    Memory: that of `clusters`, and the pictures, some 20 to 100 kB each.

    Examples
    --------
    ``film(X, record(X, 5, init="random", random_state=0), "run.gif")``
    """
    samples_of("X", X)
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps={fps} must be finite and > 0.")
    steps = _steps(frames)
    target = None if path is None else Path(path)
    if target and target.suffix.lower() not in (".gif", ".html"):
        raise ValueError(f"path={str(path)!r} must end in .gif or .html.")
    axes: Any = plt.gca() if ax is None else ax

    def draw(i: int) -> None:
        limits = axes.get_xlim(), axes.get_ylim()
        axes.clear()
        labels = predict(X, steps[i])
        clusters(X, labels, steps[i], axes)
        axes.plot(*steps[: i + 1].transpose(2, 0, 1), color=INK, lw=1, zorder=2.5)
        inertia = float((own_distances(X, steps[i], labels, None) ** 2).sum())
        axes.set_title(f"start: inertia {inertia:.4g}" if i == 0 else f"iteration {i}: inertia {inertia:.4g}")
        if drawn:  # the first picture sets the limits of all
            axes.set(xlim=limits[0], ylim=limits[1])
        drawn.append(i)

    drawn: list[int] = []
    order = [*range(len(steps)), *[len(steps) - 1] * HOLD]
    made = Film(axes.figure, draw, order, init_func=lambda: None, interval=1000 / fps)
    if target and target.suffix.lower() == ".gif":
        made.save(target)
    elif target:
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>k-means</title>{made.to_jshtml()}</html>'
        target.write_text(page, encoding="utf-8")
    return made


def _steps(frames: Any) -> Floats:
    """Check the frames: as many centroids in each."""
    try:
        steps = np.asarray(frames, np.float64)
    except ValueError:
        raise ValueError("frames must have the same number of centroids each.") from None
    if steps.ndim != 3 or 0 in steps.shape or steps.shape[2] != 2:
        raise ValueError(f"frames has shape {steps.shape} and must be (n_frames, n_clusters, 2).")
    points("frames", steps.reshape(-1, 2))
    return steps
