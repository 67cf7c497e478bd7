"""A result, what the page needs of it computed once, and the names of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from .. import _details, plots
from .._result import KMeansResult
from . import page

EXEMPLARS = 3


class Found:
    """A clustering as the sections and pictures see it."""

    def __init__(self, result: KMeansResult, features: Sequence[str], names: Any) -> None:
        self.result, self.features, self.names = result, features, names
        self.n_samples, self.n_clusters = len(result.labels), len(result.centroids)
        self.distances = result.distances
        self.members = _details.members(result.labels, self.n_clusters)
        self.medians = np.array([np.median(self.distances[rows]) if len(rows) else np.nan for rows in self.members])
        self.flags = result.outliers()
        self.colours = [to_hex(colour) for colour in plots.palette(self.n_clusters)]
        self.swatches = [
            page.Markup(f'<span class="swatch" style="background:{colour}"></span>{label}')
            for label, colour in enumerate(self.colours)
        ]

    def name(self, row: int) -> str:
        """Name a sample."""
        return str(row if self.names is None else self.names[row])

    def typical(self, label: int, count: int = EXEMPLARS) -> NDArray[np.intp]:
        """Rows of the samples nearest to a centroid."""
        rows = self.members[label]
        return rows[_details.nearest(self.distances[rows], count)]

    def times_median(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Distances in medians of the cluster."""
        with np.errstate(divide="ignore", invalid="ignore"):
            times: NDArray[np.float64] = self.distances[rows] / self.medians[self.result.labels[rows]]
        return times

    def farthest(self, count: int) -> NDArray[np.intp]:
        """Rows of the outliers, those that are farthest for their cluster first."""
        rows = np.flatnonzero(self.flags)
        return rows[np.argsort(-self.times_median(rows), kind="stable")[:count]]
