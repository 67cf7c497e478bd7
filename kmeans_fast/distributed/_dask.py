"""The engine of Dask: futures on blocks that stay on their workers; a few small tasks a pass, no array graph.

The scheduler knows how each block and each result was made, so what a lost worker held is made again elsewhere. A
worker short of memory spills blocks as it does any result.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import dask
import distributed
import numpy as np
from numpy.typing import NDArray

from .._samples import ArraySource
from ._block import Block, join_lists
from ._engine import Blocks, EngineLost

FAN_IN = 8  # results joined by one task
HELD = 4  # values that calls share: a pass needs the one before
PATIENCE = 1.0  # seconds between two looks at whether the scheduler is still there


class DaskEngine:
    """Calls are tasks of a `distributed.Client`; by default of the current one."""

    def __init__(self, client: distributed.Client | None = None) -> None:
        self.client = distributed.default_client() if client is None else client
        self._held: list[tuple[Any, Any]] = []

    def persist(self, X: Any, weight: Any, grain: Callable[[int], int]) -> Blocks:
        """Compute X where its blocks are, and cut them to grains: only rows between a border and the next grain move.

        Rows of the caller's blocks may be unknown until then. X and weights may have different blocks.
        """
        n_features, dtype = columns_and_dtype(X)
        size = grain(n_features)
        parts, bounds = self._parts(X, dtype)
        weights = None if weight is None else self._parts(weight, np.dtype(np.float64))
        n = bounds[-1]
        if n == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape=(0, {n_features})) while a minimum of 1 is required."
            )
        if weights is not None and weights[1][-1] != n:
            raise ValueError(f"sample_weight has shape ({weights[1][-1]},) and must be (n_samples,) = ({n},).")
        cuts = sorted({min(-(-bound // size) * size, n) for bound in bounds})
        handles = []
        for first, stop in itertools.pairwise(cuts):
            rows = self._slices(parts, bounds, first, stop)
            mass = None if weights is None else self._slices(*weights, first, stop)
            handles.append(self.client.submit(assemble, rows, mass, first, size, pure=False))
        return Blocks(handles, bounds, n_features, weights is not None, dtype)

    def map(self, function: Callable[..., Any], blocks: Sequence[Any], *shared: Any) -> Sequence[Any]:
        """Submit a task a block; what they share is a task's result too, so a worker fetches it once."""
        held = [[self._hold(one)] * len(blocks) for one in shared]
        futures: Sequence[Any] = self.client.map(function, blocks, *held, pure=False)
        return futures

    def _hold(self, value: Any) -> Any:
        """Return the task that gives a value to workers: that of before, where it was shared not long ago."""
        for known, future in self._held:
            if known is value and not isinstance(value, np.ndarray):  # an array may have changed since
                return future
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):  # it is no graph
            future = self.client.submit(_same, value, pure=False)
        self._held = [*self._held[1 - HELD :], (value, future)]
        return future

    def reduce(self, handles: Sequence[Any], join: Callable[[list[Any]], Any]) -> Any:
        """Join neighbours by tasks, level after level; the last result alone comes here."""
        level = list(handles)
        while True:
            groups = [level[i : i + FAN_IN] for i in range(0, len(level), FAN_IN)]
            level = self.client.map(join, groups, pure=False)
            if len(level) == 1:
                return self._result(level[0])

    def _parts(self, collection: Any, dtype: np.dtype[Any]) -> tuple[Sequence[Any], list[int]]:
        """Compute the blocks of a collection where they are; return them, their first rows, and at last all rows."""
        parts = self.client.compute([dask.delayed(as_rows)(part, dtype) for part in parts_of(collection)])
        lengths = self.reduce(self.client.map(_length, parts, pure=False), join_lists)
        return parts, [0, *np.cumsum(lengths).tolist()]

    def _slices(self, parts: Sequence[Any], bounds: list[int], first: int, stop: int) -> list[Any]:
        """Rows [first, stop) of all: whole parts, and pieces cut where they are."""
        pieces = []
        at = int(np.searchsorted(bounds, first, side="right")) - 1
        while at < len(parts) and bounds[at] < stop:
            a, b = max(first - bounds[at], 0), min(stop, bounds[at + 1]) - bounds[at]
            if b > a:
                whole = a == 0 and b == bounds[at + 1] - bounds[at]
                pieces.append(parts[at] if whole else self.client.submit(_cut, parts[at], a, b, pure=False))
            at += 1
        return pieces

    def _result(self, future: Any) -> Any:
        """Wait for a result, but not for a scheduler that is gone."""
        while True:
            try:
                return future.result(timeout=PATIENCE)
            except distributed.TimeoutError:  # before Python 3.11 not the built-in one
                if future.status == "error":
                    raise
                if self.client.status != "running":
                    raise EngineLost("the connection to Dask's scheduler is lost") from None
            except (distributed.CancelledError, distributed.comm.CommClosedError) as error:
                raise EngineLost(f"Dask's scheduler gave up the fit: {error}") from error


def columns_and_dtype(X: Any) -> tuple[int, np.dtype[Any]]:
    """Return what a collection says of itself without being computed."""
    if is_frame(X):
        dtypes = list(X.dtypes)
        for column, dtype in zip(X.columns, dtypes, strict=True):
            if getattr(dtype, "kind", "O") not in "fiub":
                raise TypeError(f"X has column {column!r} of type {dtype} and must have numbers alone.")
        return len(dtypes), frame_dtype(X)
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape} and must be 2-dimensional (n_samples, n_features).")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X has dtype {X.dtype} and must hold real numbers.")
    return int(X.shape[1]), X.dtype


def frame_dtype(frame: Any) -> np.dtype[Any]:
    """Return the dtype that columns are read in, as `kmeans` reads them."""
    return np.dtype(np.float32 if all(dtype == np.float32 for dtype in frame.dtypes) else np.float64)


def is_frame(X: Any) -> bool:
    """Say whether a collection is a dask DataFrame."""
    return hasattr(X, "npartitions") and hasattr(X, "columns")


def parts_of(X: Any) -> list[Any]:
    """Return the blocks of a collection as delayed objects, rows whole."""
    if is_frame(X) or not hasattr(X, "chunks"):
        return list(X.to_delayed())
    return list(rows_whole(X).to_delayed().ravel())


def rows_whole(X: Any) -> Any:
    """Return a dask array whose blocks have all columns."""
    return X.rechunk({1: -1}) if X.ndim == 2 and len(X.chunks[1]) > 1 else X


def as_rows(part: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Turn a block, of samples or of their weights, into an array of that dtype; a missing value becomes NaN."""
    if hasattr(part, "to_numpy"):
        part = part.to_numpy(dtype, na_value=np.nan)
    return np.asarray(part, dtype)


def assemble(rows: list[NDArray[Any]], weight: list[NDArray[np.float64]] | None, first: int, grain: int) -> Block:
    """Make a block of neighbouring pieces; a single one is not copied."""
    X = rows[0] if len(rows) == 1 else np.concatenate(rows)
    mass = None if weight is None else np.ascontiguousarray(np.concatenate(weight))
    return Block(ArraySource(X), mass, first, grain)


def _cut(rows: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
    """Return some rows: a copy of few of them, so that the rest can go, else a view."""
    piece = rows[start:stop]
    return piece.copy() if 2 * len(piece) < len(rows) else piece


def _same(value: Any) -> Any:
    return value


def _length(part: Any) -> list[int]:
    return [len(part)]
