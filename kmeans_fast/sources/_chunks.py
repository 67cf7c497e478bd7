"""Any re-iterable of chunks: a list of arrays, or a class whose __iter__ starts anew each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from .._samples import Source, as_samples, is_frame
from ._parts import Parts
from ._paths import opener_of

Layout = tuple[int, list[str] | None]  # number of columns, and their names
SEVERAL_PASSES = "the fit needs several passes: give a list of arrays, or an object whose __iter__ starts anew."


class Chunks(Parts):
    """Rows of chunks one after the other; what is in memory of them is the caller's, here one chunk at a time.

    Parameters
    ----------
    chunks : iterable
        Of whatever `kmeans` takes as X: arrays, frames, files. It must give the same chunks each time; a list is read
        by position. Chunks without rows are passed over.

    Raises
    ------
    TypeError
        If it can be read once alone, as a generator; or a chunk holds no real numbers.
    ValueError
        If a chunk has another number of columns, or other names, than the first.

    Notes
    -----
    The number of rows is found in one pass, which reads no chunk that is a file.
    """

    def __init__(self, chunks: Any, name: str = "X") -> None:
        self.chunks, self.name = chunks, name
        self.by_position = isinstance(chunks, Sequence)
        if not self.by_position and _is_one_shot(chunks):
            raise TypeError(f"{name} is a {type(chunks).__name__}, which can be read once alone; {SEVERAL_PASSES}")
        self._left: Iterator[Any] = iter(())
        self._next = 0  # the chunk that `_left` gives next
        lengths: list[int] = []
        first: Layout | None = None  # of the first chunk with rows
        dtypes: set[np.dtype[Any]] = set()
        for i, chunk in enumerate(chunks):
            shape: tuple[int, ...] = getattr(chunk, "shape", ())
            if len(shape) == 2 and shape[0] == 0:
                lengths.append(0)
                continue
            source = self._wrap(i, chunk)
            layout = source.shape[1], getattr(source, "feature_names", None)
            first = first or layout
            if layout != first:
                self._refuse(i, sum(lengths), layout, first)
            lengths.append(source.shape[0])
            dtypes.add(source.dtype)
        if first is None:
            raise ValueError(f"{name} has {len(lengths)} chunks and no rows; a minimum of 1 is required.")
        super().__init__(lengths, first[0], np.result_type(*dtypes), first[1])

    def place(self, row: int) -> str:
        """Name chunk and row in it, both counted from 0."""
        part = self._part_of(row)
        return f"chunk {part}, row {row - self.starts[part]} of it"

    def _refuse(self, i: int, row: int, layout: Layout, first: Layout) -> None:
        (other, others), (width, names) = layout, first
        what, was = (f"{other} columns", width) if width != other else (f"the columns {others}", names)
        raise ValueError(
            f"{self.name} has {what} in chunk {i}, whose first row is row {row}, and {was} in the chunks before; "
            "all must have the same."
        )

    def _wrap(self, i: int, chunk: Any) -> Source:
        return as_samples(chunk, f"chunk {i} of {self.name}").source

    def _open(self, part: int) -> Iterator[Source]:
        if self.by_position:
            chunk = self.chunks[part]
        else:
            if part < self._next or self._next == 0:
                self._left, self._next = iter(self.chunks), 0
            skipped = part - self._next
            self._next = 0  # unless this succeeds
            given = list(islice(self._left, skipped, skipped + 1))
            if not given:
                raise ValueError(f"{self.name} gave more chunks at first; {SEVERAL_PASSES}")
            chunk, self._next = given[0], part + 1
        source = self._wrap(part, chunk)
        expected = (int(self.starts[part + 1] - self.starts[part]), self.shape[1])
        if source.shape != expected:
            raise ValueError(
                f"{self.name} has shape {source.shape} in chunk {part}, which had {expected} at first; "
                "it must give the same chunks each time."
            )
        yield source


def is_chunks(X: Any) -> bool:
    """Say whether X is an iterable of tables, and not a table of rows."""
    if hasattr(X, "__len__") and hasattr(X, "__getitem__"):
        if not isinstance(X, (list, tuple)) and (hasattr(X, "shape") or hasattr(X, "keys")):
            return False
        try:
            first = X[0]
        except (IndexError, KeyError, TypeError):
            return False
        return _is_table(first)
    known = isinstance(X, (set, frozenset)) or hasattr(X, "__array__") or hasattr(X, "keys") or hasattr(X, "shape")
    return hasattr(X, "__iter__") and not known


def _is_table(chunk: Any) -> bool:
    return is_frame(chunk) or len(getattr(chunk, "shape", None) or ()) == 2 or opener_of(chunk) is not None


def _is_one_shot(chunks: Any) -> bool:
    first = iter(chunks)
    return first is chunks or first is iter(chunks)
