"""Labels and distances against given centroids, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _distances, _runtime
from ._algorithm import grid_pays
from ._engines import make_grid
from ._memory import Workspace, memory_limit
from ._problem import float32_resolves, score_shift
from ._samples import Samples, as_samples, raise_not_finite
from ._validate import as_centroids, check_threads

MARGIN_BYTES = 1 << 22  # distances to all centroids that are in memory at once

SUMMED = 1 << 20  # squares that are summed at once


def predict(X: Any, centroids: Any, n_threads: int | None = None) -> NDArray[np.int32]:
    """Label each sample with its nearest centroid; ties go to the lowest index.

    Parameters
    ----------
    X : array-like, frame, path or source of shape (n_samples, n_features)
        Read in blocks, never copied whole; memory beyond X is 4 bytes a sample (a scratch file of them where that is
        more than KMEANS_FAST_MEMORY, docs/scale.md), and with up to 3 features, where it pays, a grid: 1 to 6.5 KB
        (float64: 2 to 13) a cluster and 16 MB at most.
    centroids : array-like of shape (n_clusters, n_features)
    n_threads : int, optional
        Threads at most; all that are available by default.

    Returns
    -------
    labels : int32 array of shape (n_samples,)

    Raises
    ------
    ValueError
        If shapes do not match, or a value is NaN or infinite.
    """
    samples, centroids = _checked(X, centroids)
    n_threads = check_threads(n_threads)
    k, d = centroids.shape
    dtype: np.dtype[Any] = samples.dtype
    if dtype == np.float32 and not float32_resolves(centroids):
        dtype = np.dtype(np.float64)
    threads = _runtime.choose_threads(n_threads, samples.n_samples * float(k * (d + 2)))
    single, chunk = dtype == np.float32, samples.chunk(dtype)
    shift = score_shift(centroids, dtype)
    packed = np.empty(_distances.packed_bytes(single, k, d), np.uint8)
    work = np.empty(_distances.work_bytes(single, k, d) * threads, np.uint8)
    _distances.pack(centroids, shift, packed)
    grid = None
    if grid_pays(samples.n_samples, d, k, threads):
        grid = make_grid(single, samples.n_samples, k, d, np.empty)
        grid.build(packed)
    memory = Workspace(samples.n_samples, memory_limit(samples.is_stream))
    labels = memory.empty(samples.n_samples, np.int32)
    for start, block in memory.dropping(finite_blocks(samples, dtype, float(k * (d + 2)), threads)):
        out = labels[start : start + len(block)]
        _distances.assign(block, shift, packed, k, out, work, chunk, threads, grid)
    return labels


def transform(X: Any, centroids: Any, n_threads: int | None = None) -> NDArray[Any]:
    """Distance of each sample to each centroid, shape (n_samples, n_clusters), in the dtype of the result.

    Mapped from a scratch file where it takes more than KMEANS_FAST_MEMORY (docs/scale.md).
    """
    samples, centroids = _checked(X, centroids)
    k, d = centroids.shape
    dtype = samples.result_dtype
    # Far from the origin float32 would move the centroids themselves: then float64 until the distances are known.
    wide = np.dtype(np.float64) if not np.array_equal(centroids.astype(dtype), centroids) else dtype
    points = np.ascontiguousarray(centroids, wide)
    threads = _runtime.choose_threads(check_threads(n_threads), samples.n_samples * float(k * (d + 2)))
    work = np.empty(_distances.work_bytes(wide == np.float32, k, d) * threads, np.uint8)
    memory = Workspace(samples.n_samples, memory_limit(samples.is_stream))
    out = memory.empty((samples.n_samples, k), dtype)
    chunk = samples.chunk(wide)
    for start, block in memory.dropping(finite_blocks(samples, wide, float(k * (d + 2)), threads)):
        step = len(block) if wide == dtype else chunk * threads
        for row in range(0, len(block), step):
            part = block[row : row + step]
            rows = out[start + row : start + row + len(part)]
            computed = rows if wide == dtype else np.empty(rows.shape)
            _distances.distances(part, points, computed, work, chunk, threads)
            if computed is not rows:
                rows[...] = computed
    return out


def own_distances(X: Any, centroids: Any, labels: NDArray[np.int32], n_threads: int | None) -> NDArray[np.float64]:
    """Distance of each sample to the centroid of its label, by direct differences in float64."""
    samples, centroids = _checked(X, centroids)
    memory = Workspace(samples.n_samples, memory_limit(samples.is_stream))
    out = memory.empty(samples.n_samples, np.float64)
    threads = _runtime.choose_threads(check_threads(n_threads), samples.n_samples * float(samples.n_features))
    rows = samples.block_rows(samples.dtype, float(samples.n_features), threads)
    for start, block in memory.dropping(samples.blocks(samples.dtype, rows)):
        stop = start + len(block)
        _distances.own_squared_distances(
            block, centroids, labels[start:stop], out[start:stop], samples.chunk(samples.dtype), threads
        )
        np.sqrt(out[start:stop], out=out[start:stop])
    return out


def inertia(X: Any, centroids: Any, weight: NDArray[np.float64] | None, n_threads: int | None) -> float:
    """Weighted sum of squared distances to the nearest centroids."""
    squared = own_distances(X, centroids, predict(X, centroids, n_threads), n_threads)
    total = 0.0
    for start in range(0, len(squared), SUMMED):
        part = squared[start : start + SUMMED] ** 2
        total += float((part if weight is None else part * weight[start : start + SUMMED]).sum())
    return total


def margins(X: Any, centroids: Any, labels: NDArray[np.int32], n_threads: int | None) -> NDArray[np.float64]:
    """How much farther than the centroid of its label the next one is, in float64; inf for one centroid alone."""
    samples, centroids = _checked(X, centroids)
    k, d = centroids.shape
    out = np.full(samples.n_samples, np.inf)
    if k == 1:
        return out
    dtype: np.dtype[Any] = np.dtype(np.float64)
    threads = _runtime.choose_threads(check_threads(n_threads), samples.n_samples * float(k * (d + 2)))
    work = np.empty(_distances.work_bytes(False, k, d) * threads, np.uint8)
    chunk = samples.chunk(dtype)
    rows = min(max(MARGIN_BYTES // (8 * k), threads), samples.n_samples)  # of one table of distances
    table = np.empty((rows, k))
    for first, block in samples.blocks(dtype, samples.block_rows(dtype, float(k * (d + 2)), threads)):
        for start in range(0, len(block), rows):
            part = block[start : start + rows]
            done = slice(first + start, first + start + len(part))
            mine, at = table[: len(part)], (np.arange(len(part)), labels[done])
            _distances.distances(part, centroids, mine, work, min(chunk, -(-len(part) // threads)), threads)
            own = mine[at]
            mine[at] = np.inf
            np.subtract(mine.min(axis=1), own, out=out[done])
    np.maximum(out, 0.0, out=out)  # labels are nearest up to rounding
    return out


def _checked(X: Any, centroids: Any) -> tuple[Samples, NDArray[np.float64]]:
    samples, centroids = as_samples(X), as_centroids(centroids)
    if samples.n_features != centroids.shape[1]:
        raise ValueError(f"X has {samples.n_features} features and must have {centroids.shape[1]}, as the centroids.")
    return samples, centroids


def finite_blocks(
    samples: Samples, dtype: np.dtype[Any], work_per_row: float, n_threads: int
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Give (first row, block) of X, and refuse NaN and infinity."""
    rows = samples.block_rows(dtype, work_per_row, n_threads)
    floats = samples.source.dtype.kind == "f"
    for start, block in samples.blocks(dtype, rows):
        # A sum is finite unless a value is not, or the values are huge: only then look closer.
        with np.errstate(over="ignore", invalid="ignore"):
            suspect = floats and not np.isfinite(np.add.reduce(block, axis=None))
        if suspect and not np.isfinite(block).all():
            raise_not_finite(samples)
        yield start, block
