"""Clusters split in two, again and again, and the tree that remembers how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _predict
from .._problem import Floats
from .._result import KMeansResult
from .._samples import Samples
from ._subset import subset

Rows = NDArray[np.intp]
PREDICT_ROWS = 1 << 17  # that go down the tree together

# One fit of two clusters: samples and their weights in, the result out.
Halve = Callable[[Samples, Any], KMeansResult]


@dataclass(eq=False)
class Leaf:
    """A cluster that is not split, or not yet."""

    center: NDArray[Any]
    inertia: float
    size: int
    rows: Rows | None  # ascending; None: all
    split: int = -1  # the split that it came from, and its side
    side: int = 0
    whole: bool = False  # nothing to split: its samples are the same


@dataclass
class Tree:
    """Of each split the two centers, and where to go on from each: to another split, or to ~label."""

    centers: list[NDArray[Any]] = field(default_factory=list)
    children: list[list[int]] = field(default_factory=list)

    def label(self, samples: Samples, n_threads: int | None) -> NDArray[np.int32]:
        """Send samples down the tree, at each split to the nearer center, left where both are as near."""
        labels = np.zeros(samples.n_samples, np.int32)
        for start, block in samples.blocks(samples.dtype, min(PREDICT_ROWS, samples.n_samples)):
            stack = [(0, np.arange(len(block)))] if self.children else []
            while stack:
                split, rows = stack.pop()
                part = block if len(rows) == len(block) else np.take(block, rows, axis=0)
                sides = _predict.predict(part, self.centers[split], n_threads)
                for side, child in enumerate(self.children[split]):
                    chosen = np.take(rows, np.flatnonzero(sides == side))
                    if child < 0:
                        labels[start + chosen] = ~child
                    elif len(chosen):
                        stack.append((child, chosen))
        return labels


class Bisection:
    """Splits samples until there are k clusters; `leaves` are in the order of the tree."""

    def __init__(
        self, samples: Samples, weight: Floats | None, whole: KMeansResult, halve: Halve, n_threads: int | None
    ) -> None:
        self.samples, self.weight, self.halve, self.n_threads = samples, weight, halve, n_threads
        self.tree, self.leaves = Tree(), [Leaf(whole.centroids[0], whole.inertia, samples.n_samples, None)]

    def grow(self, n_clusters: int, *, by_size: bool, verbose: bool) -> None:
        """Split the leaf of the largest inertia, or of the most samples, the first of equals, while one can be."""
        while len(self.leaves) < n_clusters:
            open_ = [leaf for leaf in self.leaves if not leaf.whole]
            if not open_:
                break
            leaf = max(open_, key=lambda leaf: leaf.size if by_size else leaf.inertia)
            halves = self._split(leaf)
            if halves and verbose:
                sizes, inertia = [half.size for half in halves], sum(half.inertia for half in halves)
                print(f"split {leaf.size} samples into {sizes}: inertia {leaf.inertia:.6g} to {inertia:.6g}")

    def finish(self) -> NDArray[np.int32]:
        """Return the labels, which number the leaves."""
        labels = np.zeros(self.samples.n_samples, np.int32)
        for label, leaf in enumerate(self.leaves):
            if leaf.rows is not None:
                labels[leaf.rows] = label
                self.tree.children[leaf.split][leaf.side] = ~label
        return labels

    def _split(self, leaf: Leaf) -> list[Leaf]:
        rows, weight = leaf.rows, self.weight
        if weight is not None and rows is not None:
            weight = np.take(weight, rows)
        present = leaf.size if weight is None else int(np.count_nonzero(weight))
        leaf.whole = leaf.inertia == 0.0 or present < 2
        if leaf.whole:
            return []
        part = self.samples if rows is None else subset(self.samples, rows)
        result = self.halve(part, weight)
        leaf.whole = not result.counts.all()
        if leaf.whole:
            return []
        squares = _predict.own_distances(part, result.centroids, result.labels, self.n_threads)
        squares *= squares if weight is None else squares * weight
        split, halves = len(self.tree.children), []
        for side, center in enumerate(result.centroids):
            chosen = np.flatnonzero(result.labels == side)  # rows[mask] takes six times as long
            inertia = float(np.take(squares, chosen).sum())
            own = chosen if rows is None else np.take(rows, chosen)
            halves.append(Leaf(center, inertia, len(own), own, split, side))
        self.tree.centers.append(result.centroids)
        self.tree.children.append([-1, -1])
        if leaf.split >= 0:
            self.tree.children[leaf.split][leaf.side] = split
        at = self.leaves.index(leaf)
        self.leaves[at : at + 1] = halves
        return halves
