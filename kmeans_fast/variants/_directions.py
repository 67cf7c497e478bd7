"""Samples as directions: rows divided by their norms, block by block, for clusters in the cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _distances, _runtime, _variants
from .._problem import Floats, Labels
from .._samples import Samples, raise_not_finite

# float32 scores of rows as they are tell cosines apart to 2e-6 while norms lie this close to the radius of the centers.
NORM_RATIO = {"f": 16.0, "d": 1e9}


class Directions:
    """X with the norms of its rows. `unit` reads as rows of norm 1; none is kept."""

    def __init__(self, samples: Samples, n_threads: int | None, name: str = "X") -> None:
        self.samples, self.n_threads = samples, n_threads
        n, d = samples.n_samples, samples.n_features
        self.norms = np.empty(n)
        zeros, origin = np.zeros(n, np.int32), np.zeros((1, d))
        _own_squares(samples, samples.dtype, origin, zeros, self.norms, n_threads)
        np.sqrt(self.norms, out=self.norms)
        if not np.isfinite(self.norms).all():
            raise_not_finite(samples, name)
        if not self.norms.all():
            row = int(np.flatnonzero(self.norms == 0.0)[0])
            raise ValueError(
                f"{name} has only zeros in row {row}, or values whose squares vanish, so it has no direction; "
                "drop such rows first."
            )
        self.unit = Samples(_UnitSource(samples, self.norms, n_threads), samples.original)

    def radius(self) -> float:
        """Return the middle of the norms on a logarithmic scale."""
        return float(np.sqrt(self.norms.min()) * np.sqrt(self.norms.max()))

    def readable(self, radius: float) -> bool:
        """Say whether rows can be scored as they are, against centers of this norm."""
        limit = NORM_RATIO[self.samples.dtype.char]
        return bool(self.norms.max() <= radius * limit and self.norms.min() >= radius / limit)

    def own(self, centers: Any, labels: Labels) -> Floats:
        """Return 1 - cosine of each sample and the center of its label: half a squared distance, so never below 0."""
        out = np.empty(self.samples.n_samples)
        wide = np.ascontiguousarray(centers, np.float64)
        _own_squares(self.unit, np.dtype(np.float64), to_unit(wide), labels, out, self.n_threads)
        return np.multiply(out, 0.5, out=out)


class _UnitSource:
    """Rows of another source, divided by their norms."""

    def __init__(self, samples: Samples, norms: Floats, n_threads: int | None) -> None:
        self.samples, self.inverse, self.n_threads = samples, 1.0 / norms, n_threads
        self.shape, self.dtype = (samples.n_samples, samples.n_features), samples.dtype

    def read(self, start: int, stop: int, out: NDArray[Any]) -> None:
        """Convert rows into `out`."""
        rows, native = out, self.samples.native
        if native is not None and native.dtype == out.dtype:
            rows = native[start:stop]
        else:
            self.samples.source.read(start, stop, out)
        threads = _runtime.choose_threads(self.n_threads, float(out.size))
        _variants.scale_rows(rows, self.inverse[start:stop], out, threads)

    def take(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the given rows."""
        taken: NDArray[np.float64] = self.samples.take(rows) * self.inverse[rows, None]
        return taken


def to_unit(points: Floats, instead: Floats | None = None) -> Floats:
    """Divide rows by their norms; rows of zeros are taken from `instead`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = points / np.abs(points).max(axis=1, keepdims=True)  # whose squares neither vanish nor overflow
        unit: Floats = scaled / np.sqrt(np.einsum("jf,jf->j", scaled, scaled))[:, None]
    if instead is not None:
        unit = np.where(np.isfinite(unit), unit, instead)
    return unit


def _own_squares(
    samples: Samples, dtype: np.dtype[Any], centers: Floats, labels: Labels, out: Floats, n_threads: int | None
) -> None:
    threads = _runtime.choose_threads(n_threads, float(samples.n_samples * samples.n_features))
    rows, chunk = samples.block_rows(dtype, float(samples.n_features), threads), samples.chunk(dtype)
    for start, block in samples.blocks(dtype, rows):
        stop = start + len(block)
        _distances.own_squared_distances(block, centers, labels[start:stop], out[start:stop], chunk, threads)
