"""Reading ahead: the next blocks of X are read and decoded while the kernels work on this one.

Every block is read by a thread of its own, which ends with it: there is no pool to shut down, to lose in a fork or to
forget after an error. A start costs some 50 us beside the milliseconds of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._samples import Source

LOOK_FOR_SIGNALS = 0.2  # seconds; a lock that waits longer hides Ctrl-C on Windows
SAME_KIND = (ValueError, TypeError, MemoryError, EOFError)  # made anew with more of a message


class _Read(Thread):
    """Rows on their way into a buffer."""

    def __init__(self, source: Source, block: int, rows: tuple[int, int], buffer: NDArray[Any]) -> None:
        super().__init__(name=f"kmeans_fast-read-{block}", daemon=True)
        self.source, self.block, self.rows, self.buffer = source, block, rows, buffer
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.source.read(*self.rows, self.buffer)
        except Exception as error:
            self.error = error

    def result(self) -> NDArray[Any]:
        """Wait for the rows; an error of the reader is raised here, and names them."""
        while self.is_alive():
            self.join(LOOK_FOR_SIGNALS)
        if self.error is not None:
            raise _placed(self.error, self.block, *self.rows) from self.error
        return self.buffer


def read_blocks(source: Source, dtype: np.dtype[Any], rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield (first row, block) in order; a block is valid until the next one is asked for.

    A source says by `readers` how many threads may read at a time (default 1); with 0, for what is in memory already,
    blocks are read when they are asked for. Memory: a buffer of `rows` rows, and one more a reader.
    """
    n, d = source.shape
    starts = range(0, n, rows)
    readers = min(getattr(source, "readers", 1), len(starts) - 1)
    buffers = [np.empty((rows, d), dtype) for _ in range(readers + 1)]
    if readers == 0:
        for block, start in enumerate(starts):
            stop = min(start + rows, n)
            values = buffers[0][: stop - start]
            try:
                source.read(start, stop, values)
            except Exception as error:
                raise _placed(error, block, start, stop) from error
            yield start, values
        return

    def job(block: int) -> _Read:
        start = starts[block]
        stop = min(start + rows, n)
        return _Read(source, block, (start, stop), buffers[block % len(buffers)][: stop - start])

    ahead = [job(block) for block in range(readers)]
    for read in ahead:
        read.start()
    try:
        for block, start in enumerate(starts):
            values = ahead.pop(0).result()
            if block + readers < len(starts):  # into the buffer of the block before this one
                ahead.append(job(block + readers))
                ahead[-1].start()
            yield start, values
    finally:
        for read in ahead:  # one that hangs ends by itself
            read.join(LOOK_FOR_SIGNALS)


def _placed(error: Exception, block: int, start: int, stop: int) -> Exception:
    """Return the error with the block and the rows that were read."""
    where = f"while reading block {block} of X, rows {start} to {stop - 1}"
    if isinstance(error, OSError):
        return OSError(error.errno, f"{error.strerror or error} ({where})", error.filename)
    kind = next((kind for kind in SAME_KIND if isinstance(error, kind)), RuntimeError)
    return kind(f"{str(error).rstrip('.')} ({where}).")
