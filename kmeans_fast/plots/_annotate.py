"""Names beside dots, moved until none covers another."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection

from .._need import need
from ._check import Floats, Ints, points
from ._colours import INK

MOST_NAMES = 200
MOST_AVOIDED = 1000  # dots that names try not to cover, besides their own
# The limit is of steps, not of time: the same picture on every machine. Found by trial on 40 names among 300 dots.
FORCES: dict[str, Any] = {
    "force_static": (0.3, 0.5),
    "force_text": (0.4, 0.6),
    "max_move": 30,
    "expand": (1.2, 1.6),
    "iter_lim": 50,
    "prevent_crossings": False,
}
RADII, ANGLES = np.mgrid[12:600:6, 0 : 2 * np.pi : np.pi / 12]  # pixels
RINGS = np.column_stack([(RADII * np.cos(ANGLES)).ravel(), (RADII * np.sin(ANGLES)).ravel()])
NEAR = 0.06  # inches between a dot and its name that need no line


def annotate(X: Any, ids: Any = None, which: Any = None, ax: Axes | None = None, **text: Any) -> Axes:
    """Write the ids of chosen dots beside them, without overlap, a thin line to each that had to move away.

    Draw the dots first: names keep clear of stars and of named dots, of others where there is room, and stay within the
    limits of the Axes. adjustText finds the places, and the nearest free one is taken where it leaves an overlap.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, 2)
    ids : array-like of shape (n_samples,), optional
        Names; by default the index of a pandas X, else row numbers.
    which : array-like, optional
        Rows, or a bool for each sample; by default all. 200 at most.
    ax : Axes, optional
        Where to draw; the current Axes if left out.
    **text
        Properties of `matplotlib.text.Text`, as ``fontsize=9``.

    Returns
    -------
    Axes
        Its ``texts`` end with the names, in the order of ``which``.

    Raises
    ------
    ValueError
        A shape is wrong, a row is not in X, or ``which`` chooses more than 200.
    ImportError
        adjustText is missing.

    Warns
    -----
    UserWarning
        There was no room for all names without overlap.
    """
    adjust_text = need("adjustText", "annotate", "plot").adjust_text
    names = _names(X, ids)
    X = points("X", X)
    if len(names) != len(X):
        raise ValueError(f"ids has {len(names)} entries and must have n_samples={len(X)}.")
    rows = _rows(which, len(X))
    ax = plt.gca() if ax is None else ax
    if len(rows) == 0:
        return ax
    ax.figure.canvas.figure.draw_without_rendering()  # layout and aspect come with drawing, and move everything
    style: dict[str, Any] = {"fontsize": 9, "color": INK, "zorder": 4} | text
    earlier = [text for text in ax.texts if text.get_text()]
    drawn = [ax.text(X[row, 0], X[row, 1], str(names[row]), **style) for row in rows]
    avoid = [X[rows], *_stars(ax), *([X] if len(X) <= MOST_AVOIDED else [])]
    to_data = ax.transData.inverted()
    earlier_boxes = [text.get_window_extent().transformed(to_data) for text in earlier] or None
    x, y = np.concatenate(avoid).T
    adjust_text(drawn, x, y, earlier_boxes, X[rows, 0], X[rows, 1], ax=ax, **FORCES)
    _part(drawn, earlier, X[rows], ax)
    _tie(drawn, X[rows], ax)
    if overlaps := _n_overlaps(drawn + earlier):
        warnings.warn(
            f"{overlaps} of {len(drawn + earlier)} names overlap; choose fewer or a smaller fontsize.", stacklevel=2
        )
    return ax


def _names(X: Any, ids: Any) -> Any:
    if ids is not None:
        return np.asarray(ids)
    index = getattr(X, "index", None)  # a list has a method of that name
    return range(len(X)) if index is None or callable(index) else np.asarray(index)


def _rows(which: Any, n_samples: int) -> Ints:
    rows = np.arange(n_samples) if which is None else np.atleast_1d(np.asarray(which))
    if rows.dtype == bool:
        if rows.shape != (n_samples,):
            raise ValueError(f"which has shape {rows.shape} and must be (n_samples,) = {(n_samples,)}.")
        rows = np.flatnonzero(rows)
    if rows.size == 0:
        return np.empty(0, int)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(f"which has shape {rows.shape} and dtype {rows.dtype} and must be a list of rows or of bools.")
    for row in rows[(rows < 0) | (rows >= n_samples)][:1]:
        raise ValueError(f"which has row {row} and must be >= 0 and < n_samples={n_samples}.")
    if len(rows) > MOST_NAMES:
        raise ValueError(f"which chooses {len(rows)} dots and must choose <= {MOST_NAMES}.")
    return rows


def _stars(ax: Axes) -> list[Floats]:
    return [np.asarray(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection)]


def _part(texts: list[Any], earlier: list[Any], X: Floats, ax: Axes) -> None:
    """Move each name that adjustText left over another to the nearest free place around its dot."""
    low, high = _boxes(texts + earlier)
    for i, (text, dot) in enumerate(zip(texts, ax.transData.transform(X), strict=True)):
        others = np.arange(len(low)) != i
        if not ((low[i] < high[others]) & (low[others] < high[i])).all(axis=1).any():
            continue
        half, centres = (high[i] - low[i]) / 2, dot + RINGS
        inside = ((centres - half > ax.bbox.min) & (centres + half < ax.bbox.max)).all(axis=1)
        corners = (centres - half)[:, None], (centres + half)[:, None]
        free = inside & ~((corners[0] < high[others]) & (low[others] < corners[1])).all(axis=2).any(axis=1)
        if free.any():
            centre = centres[free.argmax()]
            low[i], high[i] = centre - half, centre + half
            text.set(position=ax.transData.inverted().transform(centre), ha="center", va="center")


def _tie(texts: list[Any], X: Floats, ax: Axes) -> None:
    """Draw a line from each dot to its name unless they touch."""
    low, high = _boxes(texts)
    dots = ax.transData.transform(X)
    ends = np.clip(dots, low, high)
    away = np.hypot(*(ends - dots).T) > NEAR * ax.figure.dpi
    ties = np.stack([X, ax.transData.inverted().transform(ends)], axis=1)[away]
    ax.add_collection(LineCollection(list(ties), colors=INK, linewidths=0.6, zorder=2.5), autolim=False)


def _boxes(texts: list[Any]) -> tuple[Floats, Floats]:
    """Return the lower left and upper right corners of the texts, in pixels."""
    boxes = np.array([text.get_window_extent().get_points() for text in texts])
    return boxes[:, 0], boxes[:, 1]


def _n_overlaps(texts: list[Any]) -> int:
    """Count the texts whose box meets that of another."""
    low, high = _boxes(texts)
    meet = ((low[:, None] < high) & (low < high[:, None])).all(axis=2)
    return int((meet.sum(axis=1) > 1).sum())
