"""Coresets: a few weighted points whose k-means inertia is about that of all, gathered in one pass over a stream.

Samples fill a leaf; a full leaf is drawn down to `size` weighted points; eight such nodes are drawn down to one of the
next level (merge and reduce). What is held is `FAN_IN` nodes a level and one leaf: it grows with the logarithm of n.
"""

from __future__ import annotations

from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _distances, _runtime
from ._iterate import label
from ._predict import finite_blocks
from ._problem import Floats, Problem
from ._random import as_generator
from ._samples import Samples, as_samples
from ._seed import seed
from ._seed_sample import lightweight_shares
from ._validate import as_weight, check_choice, check_int, check_threads

METHODS = ("lightweight", "sensitivity")
FAN_IN = 8  # nodes of a level that make one of the next: each level adds an error, each node takes memory
LEAF_ROWS = 1 << 16  # at the least, and FAN_IN times the size


class Node(NamedTuple):
    """Weighted points that stand for some part of the stream."""

    points: NDArray[Any]
    weights: Floats


class Coreset:
    """A weighted summary of a stream for k-means; chunks come in by `update`, other parts by `merge`.

    Parameters
    ----------
    size : int
        Points of the summary, at most. Some 50 to 200 for each cluster that is looked for.
    method : {"lightweight", "sensitivity"}, default "lightweight"
        "lightweight" draws samples half evenly and half by their squared distance to the mean of their leaf, in three
        passes over it. "sensitivity" draws by the share that a sample may have in any inertia, bounded by `n_clusters`
        centroids of k-means++; better where clusters differ much in size or lie close, and k times the work.
    n_clusters : int, optional
        For "sensitivity" alone, which needs it.
    part : int, default 0
        Number of this part of the data: parts of one random_state draw independently, and are then merged.
    random_state : int, RandomState, Generator or None
        The same value, `part` and order of rows give the same bits, however the rows are cut into chunks and whatever
        the number of threads. ``a.merge(b)`` and ``b.merge(a)`` differ in their draws: merge parts in one order.
    n_threads : int, optional
        Threads at most; all that are available by default.

    Attributes
    ----------
    n_samples : int
        Rows seen.
    n_bytes : int
        Bytes held.

    Notes
    -----
    Memory: a leaf of max(65536, 8 size) samples (twice that while it is drawn down), and 8 nodes of `size` points for
    each power of 8 that the leaves make up: 1e9 samples of 3 features in float32 with size=20000 hold less than 24 MB.
    Draws are systematic: one random number, and evenly spaced steps along the cumulated shares, in the order of the
    samples ("sensitivity": of their clusters), which are unbiased as independent ones are, and vary less.

    Sources: O. Bachem, M. Lucic and A. Krause, "Scalable k-Means Clustering via Lightweight Coresets", KDD 2018; the
    same, "Practical Coreset Constructions for Machine Learning" (2017), algorithm 2 for "sensitivity"; S. Har-Peled and
    S. Mazumdar, "On coresets for k-means and k-median clustering", STOC 2004, for merge and reduce.

    Examples
    --------
    >>> import numpy as np
    >>> from kmeans_fast import kmeans
    >>> from kmeans_fast.coresets import Coreset
    >>> rng, coreset = np.random.default_rng(0), Coreset(500, random_state=0)
    >>> for _ in range(20):  # chunks of a stream
    ...     coreset = coreset.update(rng.normal(rng.choice([-5.0, 0.0, 5.0], (10_000, 1)), 0.5))
    >>> points, weights = coreset.result()
    >>> r = kmeans(points, 3, sample_weight=weights, random_state=0)
    >>> np.sort(r.centroids.ravel()).round(0).tolist(), len(points) <= 500, coreset.n_samples
    ([-5.0, 0.0, 5.0], True, 200000)
    """

    def __init__(
        self,
        size: int,
        method: str = "lightweight",
        *,
        n_clusters: int | None = None,
        part: int = 0,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.size = check_int(size, "size", 1)
        check_choice(method, "method", METHODS)
        if method == "sensitivity":
            n_clusters = check_int(n_clusters, "n_clusters", 1, self.size)
        self.method, self.n_clusters = method, n_clusters
        self.part = check_int(part, "part", 0)
        self.n_threads = check_threads(n_threads)
        self.n_samples, self.n_chunks = 0, 0
        self._entropy = int(as_generator(random_state).integers(2**63))
        self._levels: list[list[Node]] = []
        self._drawn: list[int] = []  # nodes made so far of each level: the key of the next
        self._leaf: Node | None = None
        self._filled = 0

    def update(self, X: Any, sample_weight: Any = None) -> Coreset:
        """Take in a chunk, any X that `kmeans` takes, a file larger than memory among them; return the coreset itself.

        Raises
        ------
        ValueError
            For NaN, infinity, or another number of features; it names the chunk, counted from 0, and nothing of it is
            taken in.
        """
        try:
            samples = as_samples(X)
            weight = as_weight(sample_weight, samples.n_samples)
            self._check_features(samples.n_features)
            for _ in finite_blocks(samples, samples.dtype, float(samples.n_features), 1):
                pass
        except ValueError as error:
            raise ValueError(f"Chunk {self.n_chunks}: {error}") from None
        for start, block in self._blocks(samples):
            self._fill(block, None if weight is None else weight[start : start + len(block)])
        self.n_samples += samples.n_samples
        self.n_chunks += 1
        return self

    def merge(self, other: Coreset) -> Coreset:
        """Take in another part, which stays as it is; return the coreset itself.

        Raises
        ------
        ValueError
            The parts differ in size, method, n_clusters or features.
        """
        for name in ("size", "method", "n_clusters"):
            if getattr(self, name) != getattr(other, name):
                raise ValueError(f"{name}={getattr(other, name)!r} of the other coreset must be {getattr(self, name)}.")
        for node in other._nodes():
            self._check_features(node.points.shape[1])
        for level, nodes in enumerate(other._levels):
            for node in nodes:
                self._add(node, level)
        if other._filled:
            self._add(self._draw(other._rest(), 0), 0)
        self.n_samples += other.n_samples
        self.n_chunks += other.n_chunks
        return self

    def result(self) -> tuple[NDArray[Any], Floats]:
        """Return points of shape (<= size, n_features) and their weights, for ``kmeans(points, sample_weight=...)``.

        float32 for X that float32 holds, else float64. The coreset can go on; before any samples: ValueError.
        """
        nodes = self._nodes()
        if not nodes:
            raise ValueError("The coreset has seen no samples; call update first.")
        whole = _joined(nodes)
        if len(whole.weights) > self.size:
            whole = self._reduce(whole, self._key(len(self._levels), self.n_samples))
        return whole.points, whole.weights

    @property
    def n_bytes(self) -> int:
        """Bytes held."""
        held = [node for nodes in self._levels for node in nodes] + ([] if self._leaf is None else [self._leaf])
        return sum(node.points.nbytes + node.weights.nbytes for node in held)

    def _nodes(self) -> list[Node]:
        return [node for nodes in self._levels for node in nodes] + ([self._rest()] if self._filled else [])

    def _rest(self) -> Node:
        assert self._leaf is not None
        return Node(self._leaf.points[: self._filled], self._leaf.weights[: self._filled])

    def _blocks(self, samples: Samples) -> Any:
        return samples.blocks(samples.dtype, samples.block_rows(samples.dtype, float(samples.n_features), 1))

    def _check_features(self, n_features: int) -> None:
        for node in self._nodes()[:1]:
            if n_features != (expected := node.points.shape[1]):
                raise ValueError(f"X has {n_features} features and must have {expected}, as what came before.")

    def _fill(self, block: NDArray[Any], weight: Floats | None) -> None:
        """Copy samples into the leaf, and draw it down whenever it is full."""
        rows = max(LEAF_ROWS, FAN_IN * self.size)
        if self._leaf is None:
            self._leaf = Node(np.empty((rows, block.shape[1]), block.dtype), np.empty(rows))
        if self._leaf.points.dtype.itemsize < block.dtype.itemsize:
            self._leaf = self._leaf._replace(points=self._leaf.points.astype(block.dtype))
        start = 0
        while start < len(block):
            stop = min(start + rows - self._filled, len(block))
            into = slice(self._filled, self._filled + stop - start)
            self._leaf.points[into] = block[start:stop]
            self._leaf.weights[into] = 1.0 if weight is None else weight[start:stop]
            self._filled, start = into.stop, stop
            if self._filled == rows:
                self._add(self._draw(self._leaf, 0), 0)
                self._filled = 0

    def _add(self, node: Node, level: int) -> None:
        """Put a node at its level; eight of them make one of the next."""
        while len(self._levels) <= level:
            self._levels.append([])
        self._levels[level].append(node)
        if len(self._levels[level]) == FAN_IN:
            whole, self._levels[level] = _joined(self._levels[level]), []
            self._add(self._draw(whole, level + 1), level + 1)

    def _draw(self, node: Node, level: int) -> Node:
        """Reduce a node to one of the given level, with that node's own random numbers."""
        while len(self._drawn) <= level:
            self._drawn.append(0)
        self._drawn[level] += 1
        return self._reduce(node, self._key(level, self._drawn[level]))

    def _key(self, level: int, number: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=(self.part, level, number)))

    def _reduce(self, node: Node, rng: np.random.Generator) -> Node:
        """Draw `size` of the points by their shares, with weights that keep every sum right on average."""
        there = np.flatnonzero(node.weights)
        if len(there) < len(node.weights) or len(there) <= self.size:
            node = Node(node.points[there], node.weights[there])
        if len(there) <= self.size:
            return node
        order = None
        if self.method == "lightweight":
            total = float(node.weights.sum())
            mean = node.weights @ node.points / total
            near = np.zeros(len(there), np.int32)
            share = squared_distances(node.points, mean[np.newaxis], near, self.n_threads)
            lightweight_shares(share, node.weights, total, float(node.weights @ share))
        else:
            assert self.n_clusters is not None
            share, labels = sensitivity_shares(node, self.n_clusters, rng, self.n_threads)
            order = labels.argsort(kind="stable")  # steps go through each cluster in turn
        expected = np.cumsum(share if order is None else share[order])
        scale = self.size / float(expected[-1])
        times = np.diff(np.floor(expected * scale + rng.random()), prepend=0.0)
        at = np.flatnonzero(times)
        rows = at if order is None else order[at]
        return Node(node.points[rows], times[at] * node.weights[rows] / (scale * share[rows]))


def sensitivity_shares(
    node: Node, k: int, rng: np.random.Generator, n_threads: int | None
) -> tuple[Floats, NDArray[np.int32]]:
    """Return w times the bound on the sensitivity of each point, and its centroid of k-means++.

    The bound is a f / F + 2 a F_c / (W_c F) + 4 W / W_c, with f the squared distance to centroid c, F and F_c the mean
    of these over all and their sum over its cluster, W and W_c the weights, and a = 16 (log k + 2).
    """
    points, weights = node
    problem = Problem(as_samples(points), min(k, len(points)), weights, n_threads, "lloyd")
    centroids = seed(problem, "k-means++", rng)
    problem.refine(centroids)
    label(problem, centroids)
    labels = problem.labels
    far = squared_distances(points, centroids, labels, n_threads)
    total, within = float(weights.sum()), np.bincount(labels, weights, len(centroids))
    sums = np.bincount(labels, weights * far, len(centroids))
    mean, factor = float(sums.sum()) / total, 16.0 * (log(k) + 2.0)
    filled = np.maximum(within, np.finfo(float).tiny)
    mean = mean if mean > 0.0 else 1.0
    share = factor * far / mean + (2.0 * factor * sums / (filled * mean) + 4.0 * total / filled)[labels]
    return share * weights, labels


def squared_distances(
    points: NDArray[Any], centroids: Floats, labels: NDArray[np.int32], n_threads: int | None
) -> Floats:
    """Return |x - c|^2 of each point and the centroid of its label."""
    out = np.empty(len(points))
    samples, threads = as_samples(points), _runtime.choose_threads(n_threads, float(points.size))
    _distances.own_squared_distances(points, centroids, labels, out, samples.chunk(samples.dtype), threads)
    return out


def _joined(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    return Node(np.concatenate([node.points for node in nodes]), np.concatenate([node.weights for node in nodes]))
