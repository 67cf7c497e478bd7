"""Sums in one fixed order, however the terms are spread: a binary tree over numbered leaves.

Leaf i is node (0, i), and nodes (h, 2 i) and (h, 2 i + 1) add up to (h + 1, i). Whoever holds a run of leaves adds what
belongs together and passes on the few nodes that lack a neighbour, at most two a level. Any cut of the leaves into
runs, and any order of merging neighbouring runs, ends in the same additions, so in the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Node = tuple[int, int, Floats]  # height, place in its level, sum


def push(nodes: list[Node], node: Node) -> None:
    """Add the node that follows those of a run, and every sum that it completes."""
    while nodes and _are_pair(nodes[-1], node):
        height, place, left = nodes.pop()
        node = height + 1, place // 2, left + node[2]
    nodes.append(node)


def merge(runs: Iterable[list[Node]]) -> list[Node]:
    """Join neighbouring runs, in order; none is changed."""
    joined: list[Node] = []
    for run in runs:
        for node in run:
            push(joined, node)
    return joined


def total(nodes: list[Node]) -> Floats:
    """Sum of all leaves: the nodes that found no neighbour are added from the last to the first."""
    return reduce(lambda right, left: left + right, [value for _, _, value in reversed(nodes)])


def _are_pair(left: Node, right: Node) -> bool:
    return left[0] == right[0] and left[1] % 2 == 0 and right[1] == left[1] + 1
