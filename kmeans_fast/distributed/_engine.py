"""What carries a fit: a few verbs. Ray or Spark would be one more class of this form, and nothing else would change.

An engine holds blocks of samples where they are, calls functions there and joins what they return. It knows nothing of
k-means. The functions (`_block.py`, `_start.py`) depend on their arguments alone, so a call may be made again, anywhere
and at any time; `join` takes a list of results of neighbouring blocks, in order, and may be called on its own results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


class EngineLost(RuntimeError):
    """The engine is gone and with it the fit; the message says where its last checkpoint is."""


@dataclass
class Blocks:
    """Samples where an engine holds them.

    `handles` stand for objects of `_block.Block`, in the order of their rows, each of whole grains but for the last.
    `bounds` are the first rows of the caller's own blocks, for messages, and at last the number of rows.
    """

    handles: Sequence[Any]
    bounds: Sequence[int]
    n_features: int
    weighted: bool
    dtype: np.dtype[Any]


class Engine(Protocol):
    """The verbs."""

    def persist(self, X: Any, weight: Any, grain: Callable[[int], int]) -> Blocks:
        """Hold X and its weights in blocks of whole grains, of grain(n_features) rows."""

    def map(self, function: Callable[..., Any], blocks: Sequence[Any], *shared: Any) -> Sequence[Any]:
        """Call ``function(block, *shared)`` for each block, where it is; return a handle of each result."""

    def reduce(self, handles: Sequence[Any], join: Callable[[list[Any]], Any]) -> Any:
        """Join results, neighbours first, and return the one that is left."""
