"""What X looks like before anything is done with it: a line for each feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .._samples import Samples
from . import page

MOST_FEATURES = 20
BINS = 24
WIDTH, HEIGHT = 120, 26  # of a histogram, in pixels
BLOCK = 1 << 20  # values in memory at once


def section(samples: Samples, features: Sequence[str]) -> page.Markup:
    """Show range, mean, spread and histogram of the first 20 features."""
    shown = min(len(features), MOST_FEATURES)
    low, high, mean, spread = _moments(samples, shown)
    counts = _histograms(samples, low, high)
    rows = [
        (page.name(feature), _bars(count), *(f"{value:.5g}" for value in values))
        for feature, *values, count in zip(features, low, mean, high, spread, counts, strict=False)
    ]
    said = f"{samples.n_samples:,} samples, {samples.source.dtype}; nothing is missing."
    parts = [page.table(["feature", "histogram", "least", "mean", "most", "st. dev."], rows, words=(0,))]
    if shown < len(features):
        parts.append(page.note(f"The first {shown} of {len(features):,} features."))
    return page.section("Data", said, *parts)


def _blocks(samples: Samples, shown: int) -> Iterator[NDArray[np.float64]]:
    rows = max(BLOCK // samples.n_features, 1)
    for _, block in samples.blocks(np.dtype(np.float64), min(rows, samples.n_samples)):
        yield block[:, :shown]


def _moments(samples: Samples, shown: int) -> tuple[NDArray[np.float64], ...]:
    """Least, most, mean and standard deviation of each feature; sums are of differences from the first sample."""
    low, high = np.full(shown, np.inf), np.full(shown, -np.inf)
    total, squares = np.zeros(shown), np.zeros(shown)
    first = samples.take([0])[0, :shown]
    for block in _blocks(samples, shown):
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        total += (block - first).sum(axis=0)
        squares += np.square(block - first).sum(axis=0)
    mean = total / samples.n_samples
    return low, high, first + mean, np.sqrt(np.maximum(squares / samples.n_samples - mean**2, 0.0))


def _histograms(samples: Samples, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int64]:
    counts = np.zeros((len(low), BINS), np.int64)
    for block in _blocks(samples, len(low)):
        for f in np.flatnonzero(low < high):
            counts[f] += np.histogram(block[:, f], BINS, (low[f], high[f]))[0]
    return counts


def _bars(counts: NDArray[np.int64]) -> page.Markup:
    """Draw a histogram as one path; a feature with one value has none."""
    if not counts.any():
        return page.Markup("one value")
    step = WIDTH / len(counts)
    heights = np.ceil(counts / counts.max() * HEIGHT * 10) / 10
    path = "".join(f"M{i * step:g} {HEIGHT}v{-height:g}h{step - 0.5:g}v{height:g}z" for i, height in enumerate(heights))
    return page.Markup(
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="histogram"><path fill="#0072b2" d="{path}"/></svg>'
    )
