"""Points counted in pixels by datashader, block by block: X is never copied whole.

Each pixel has the mean colour of its points, as datashader mixes categories, from sums of red, green and blue: a count
a label and pixel would take n_clusters times the memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    import datashader as ds
    import pandas as pd
    from datashader import transfer_functions as tf
except ImportError as error:
    message = 'a raster of points needs datashader; install it with: pip install "kmeans_fast[dense-plot]"'
    raise ImportError(message) from error

from .._samples import Samples, raise_not_finite
from ._check import Floats, Ints

ROWS = 1 << 18  # of a block: 21 MB with its colours
FAINTEST = 60  # of 255: a pixel with one point is seen
COLOURS = "red", "green", "blue"
SUMS = ds.summary(count=ds.count(), **{colour: ds.sum(colour) for colour in COLOURS})


def raster(samples: Samples, labels: Ints, colours: Floats, ax: Any) -> None:
    """Draw one image of all points in the pixels of `ax`; the last colour is that of label -1."""
    low, high = _span(samples)
    width, height = _pixels(ax, high - low)
    canvas = ds.Canvas(width, height, (low[0], high[0]), (low[1], high[1]))
    sums = np.zeros((4, height, width))
    for start, block in samples.blocks(np.dtype(np.float64), ROWS):
        mixed = zip(COLOURS, colours[labels[start : start + len(block)]].T, strict=True)
        frame = pd.DataFrame({"x": block[:, 0], "y": block[:, 1], **dict(mixed)})
        counted = canvas.points(frame, "x", "y", agg=SUMS)
        sums += np.nan_to_num([counted[name] for name in ("count", *COLOURS)])
    alpha = tf.shade(counted["count"].copy(data=sums[0].astype(np.uint32)), cmap="black", min_alpha=FAINTEST)
    image = np.empty((height, width, 4), np.uint8)
    image[..., :3] = np.moveaxis(255 * sums[1:] / np.maximum(sums[0], 1), 0, 2).round()
    image[..., 3] = alpha.data >> 24
    drawn = ax.imshow(image, extent=(low[0], high[0], low[1], high[1]), origin="lower", aspect=ax.get_aspect())
    drawn.sticky_edges.x[:], drawn.sticky_edges.y[:] = [], []
    ax.autoscale_view()


def _span(samples: Samples) -> tuple[Floats, Floats]:
    """Return the corners of the box around all points."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for _, block in samples.blocks(np.dtype(np.float64), ROWS):
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))  # NaN stays
    if not np.isfinite([low, high]).all():
        raise_not_finite(samples)
    flat = np.where(high > low, 0.0, np.maximum(1e-3 * np.abs(low), 0.5))  # points in a row have a width too
    return low - flat, high + flat


def _pixels(ax: Any, span: Floats) -> tuple[int, int]:
    """Return width and height of the box in pixels of the screen, square ones where units are."""
    window = ax.get_window_extent()
    pixels = np.array([window.width, window.height])
    if ax.get_aspect() != "auto":
        pixels = span * (pixels / span).min()
    width, height = np.clip(pixels.round().astype(int), 1, 4096)
    return int(width), int(height)
