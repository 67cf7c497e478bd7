"""The engine of this process: blocks are ranges of rows of anything that reads rows, calls run on threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _runtime
from .._samples import ArraySource, Samples, Source, as_samples
from .._validate import as_weight, check_threads
from ._block import Block
from ._engine import Blocks

BLOCK_BYTES = 1 << 26  # of X in one block, about: many for each thread, and few calls


class Rows:
    """Rows [first, stop) of another source."""

    def __init__(self, source: Source, first: int, stop: int) -> None:
        self.source, self.first, self.dtype = source, first, source.dtype
        self.shape, self.readers = (stop - first, source.shape[1]), getattr(source, "readers", 1)

    def read(self, start: int, stop: int, out: NDArray[Any]) -> None:
        """Read from the other source."""
        self.source.read(self.first + start, self.first + stop, out)

    def take(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Take from the other source."""
        return self.source.take(self.first + np.asarray(rows))


class LocalEngine:
    """Calls run here, on `n_threads` threads; X stays where it is, and its rows are read again in every pass."""

    def __init__(self, n_threads: int | None = None) -> None:
        self.n_threads = self.n_calls = _runtime.choose_threads(check_threads(n_threads), 1e12)

    def persist(self, X: Any, weight: Any, grain: Callable[[int], int]) -> Blocks:
        """Cut X into ranges; nothing is read."""
        samples = as_samples(X)
        n, d = samples.n_samples, samples.n_features
        weight, size = as_weight(weight, n), grain(d)
        self.n_calls = min(self.n_threads, getattr(samples.source, "readers", 1) or self.n_threads)
        rows = max(1, BLOCK_BYTES // (size * d * samples.source.dtype.itemsize)) * size
        handles = [
            Block(_part(samples, at, min(at + rows, n)), None if weight is None else weight[at : at + rows], at, size)
            for at in range(0, n, rows)
        ]
        return Blocks(handles, [0, n], d, weight is not None, samples.source.dtype)

    def map(self, function: Callable[..., Any], blocks: Sequence[Any], *shared: Any) -> list[Any]:
        """Call the function for each block."""
        if self.n_calls == 1 or len(blocks) == 1:
            return [function(block, *shared) for block in blocks]
        with ThreadPoolExecutor(min(self.n_calls, len(blocks))) as pool:
            try:
                results = [pool.submit(function, block, *shared) for block in blocks]
                return [result.result() for result in results]
            except BaseException:  # Ctrl-C comes here, not to the threads
                for block in blocks:
                    block.stopped = True
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def reduce(self, handles: Sequence[Any], join: Callable[[list[Any]], Any]) -> Any:
        """Join all."""
        return join(list(handles))


def _part(samples: Samples, start: int, stop: int) -> Source:
    array = samples.source.array if isinstance(samples.source, ArraySource) else None
    return Rows(samples.source, start, stop) if array is None else ArraySource(array[start:stop])
