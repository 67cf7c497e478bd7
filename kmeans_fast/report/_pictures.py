"""The picture of the clusters: in one dimension a histogram, in two the dots, in more their principal plane."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from .. import plots
from .._samples import Samples
from . import page
from ._found import Found

MOST_DOTS, MOST_NUMBERS = 100_000, 10_000_000  # samples drawn, and numbers that they may have in all
BLOCK = 1 << 20  # numbers in memory at once
AXES_FROM = 1000  # samples that give the principal axes: with thousands of features more would take seconds
MOST_NAMES, FAR_NAMES, LONGEST_NAME = 20, 5, 24  # typical samples, far samples, characters
COLUMNS = 3  # of curves
FLATTEST = 0.2  # height by width of a picture with one scale for both axes
ORDER = ("first", "second")

Floats = NDArray[np.float64]


def clusters(samples: Samples, found: Found) -> tuple[str, str]:
    """Draw some of the samples; return the picture's address and its caption (markup)."""
    named = _to_name(found)
    rows = np.arange(samples.n_samples)
    most = min(MOST_DOTS, MOST_NUMBERS // samples.n_features + 1)
    if len(rows) > most:
        rows = np.union1d(np.random.default_rng(0).choice(rows, most, replace=False), named)
    X, labels, centroids = _take(samples, rows), found.result.labels[rows], found.result.centroids.astype(np.float64)
    if samples.n_features == 1:
        figure, said = _histogram(X[:, 0], labels, centroids[:, 0], found)
    else:
        names, said = found.features, "Stars are the centroids."
        if samples.n_features > 2:
            X, centroids, names = _principal_plane(X, centroids)
            said += " This is the plane in which the samples spread most; other directions are not seen here."
        figure, axes = _dots(X, labels, centroids, names)
        if axes.get_aspect() == "auto":
            said += " The axes have different scales."
        if len(named):
            _write_names(axes, X, np.searchsorted(rows, named), [found.name(row) for row in named])
            said += " Names: the sample nearest to each centroid, and the farthest samples."
    if len(rows) < samples.n_samples:
        said += f" {len(rows):,} of {samples.n_samples:,} samples are drawn."
    return page.svg(figure), said


def _to_name(found: Found) -> NDArray[np.intp]:
    """Choose the rows that get a name: one near each centroid, and some that are far from theirs."""
    if found.n_clusters > MOST_NAMES:
        return np.empty(0, np.intp)
    typical = [found.typical(label, 1) for label in range(found.n_clusters)]
    return np.unique(np.concatenate([*typical, found.farthest(FAR_NAMES)]))


def _write_names(axes: Any, X: Floats, rows: NDArray[np.intp], names: Sequence[str]) -> None:
    ids = np.full(len(X), "", object)
    ids[rows] = [name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…" for name in names]
    halo = [withStroke(linewidth=2.5, foreground="white")]  # so that names are read on dots, too
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # names that overlap, glyphs that the font lacks
        plots.annotate(X, ids, rows, axes, parse_math=False, path_effects=halo)


def _dots(X: Floats, labels: NDArray[np.int32], centroids: Floats, names: Sequence[str]) -> tuple[Figure, Any]:
    """Draw dots with one scale for both axes, unless the picture were a line."""
    wide, high = np.ptp(X, axis=0)
    even = FLATTEST * wide <= high <= wide / FLATTEST
    figure = Figure(figsize=(7.5, 7.5 * min(1.0, high / wide) + 0.5 if even and wide else 5), layout="constrained")
    axes = figure.subplots()
    plots.clusters(X, labels, centroids, axes, rasterize=False)
    if not even:
        axes.set_aspect("auto")
    _name_axes(axes, *names)
    return figure, axes


def curves(choice: Any) -> str:
    """Draw the curves of `choose_k` side by side; return the picture's address."""
    rows = -(-len(choice.curves) // COLUMNS)
    figure = Figure(figsize=(2.9 * COLUMNS, 2.3 * rows), layout="constrained")
    places = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for spare in places[len(choice.curves) :]:
        spare.remove()
    plots.curves(choice, axes=places[: len(choice.curves)])
    return page.svg(figure)


def _take(samples: Samples, rows: NDArray[np.intp]) -> Floats:
    """Read the given rows, block by block: one by one a frame would take its time."""
    out = np.empty((len(rows), samples.n_features))
    step = min(max(BLOCK // samples.n_features, 1), samples.n_samples)
    for start, block in samples.blocks(np.dtype(np.float64), step):
        inside = slice(*np.searchsorted(rows, (start, start + len(block))))
        out[inside] = block[rows[inside] - start]
    return out


def _name_axes(axes: Any, x: str, y: str) -> None:
    """Name the axes; a dollar sign in a name is no formula."""
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)


def _histogram(x: Floats, labels: NDArray[np.int32], centroids: Floats, found: Found) -> tuple[Figure, str]:
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    axes = figure.subplots()
    groups = [x[labels == label] for label in range(len(centroids))]
    axes.hist(groups, bins=min(60, max(10, len(x) // 5)), stacked=True, color=found.colours)
    for centroid in centroids:
        axes.axvline(centroid, color=plots.INK, lw=0.8)
    _name_axes(axes, found.features[0], "samples")
    return figure, "Lines are the centroids."


def _principal_plane(X: Floats, centroids: Floats) -> tuple[Floats, Floats, list[str]]:
    """Project on the first two principal axes, each turned so that its largest coordinate is positive."""
    middle = X.mean(axis=0)
    some = X if len(X) <= AXES_FROM else X[np.random.default_rng(0).choice(len(X), AXES_FROM, replace=False)]
    _, lengths, axes = np.linalg.svd(some - middle, full_matrices=len(X) == 1)
    axes = axes[:2] * np.sign(axes[[0, 1], np.abs(axes[:2]).argmax(axis=1)])[:, None]
    squares = np.append(lengths, 0.0) ** 2
    shares = squares[:2] / max(squares.sum(), np.finfo(float).tiny)
    names = [
        f"{which} principal axis ({share:.0%} of the variance)" for which, share in zip(ORDER, shares, strict=True)
    ]
    return (X - middle) @ axes.T, (centroids - middle) @ axes.T, names
