"""Where a distributed run starts: k-means|| or random samples, with numbers that belong to rows, not to workers.

Row i has the uniform number i of a Philox stream whose key is (seed, round): counters make any part of it directly
(J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Draws by weight are races: a row arrives at
-log(u) / w, and the first rows are a sample without replacement (P. Efraimidis and P. Spirakis, "Weighted random
sampling with a reservoir", Information Processing Letters 2006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._kmeans import kmeans
from .._problem import Floats
from .._seed_large import OVERSAMPLING, ROUNDS, Labels, squares_to
from . import _tree
from ._block import Block, Nodes, Survey, join_lists

METHODS = ("k-means||", "random")
LANES = 4  # numbers of one counter of Philox
FIRST, FILL = 0, 1  # the rounds of a key; k-means|| has those from ROUND on
ROUND = 2

Arrival = tuple[float, int, Floats]  # time, row, values
Run = Callable[..., Any]  # _spread.Spread.run


@dataclass(frozen=True)
class Batch:
    """Candidates that were added together."""

    rows: NDArray[np.int64]
    points: Floats


class Nearest:
    """The nearest candidate of each sample of a block, and its squared distance."""

    def __init__(self, block: Block, survey: Survey) -> None:
        self.problem, self.single = block.problem(survey), survey.single
        self.batches: list[NDArray[np.int64]] = []  # their rows
        n = self.problem.samples.n_samples
        self.block, self.first, self.squares, self.label = block, block.first, np.full(n, np.inf), np.zeros(n, np.int32)

    def add(self, batch: Batch) -> None:
        """Add candidates."""
        self.problem.read_in(self.single)
        labels, n_points = Labels(self.problem, batch.points), self.n_points
        for start, squared in squares_to(self.problem, batch.points, labels):
            self.block.go_on()
            here = slice(start, start + len(squared))
            closer = squared < self.squares[here]
            self.squares[here][closer] = squared[closer]
            self.label[here][closer] = labels.out[: len(squared)][closer] + n_points
        rows = batch.rows - self.first
        self.squares[rows[(rows >= 0) & (rows < len(self.squares))]] = 0.0  # where rounding gave one to its neighbour
        self.batches.append(batch.rows)

    @property
    def n_points(self) -> int:
        """Number of candidates."""
        return sum(map(len, self.batches))


def uniform(key: tuple[int, int], first: int, count: int) -> Floats:
    """Numbers in [0, 1) of the rows [first, first + count)."""
    skip = first % LANES
    bits = np.random.Philox(key=np.array(key, np.uint64), counter=first // LANES)
    return np.random.Generator(bits).random(skip + count)[skip:]


def arrivals(block: Block, key: tuple[int, int], count: int) -> list[Arrival]:
    """Return the `count` rows that arrive first."""
    n = block.source.shape[0]
    times = -np.log1p(-uniform(key, block.first, n))
    if block.weight is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            times = np.where(block.weight > 0.0, times / block.weight, np.inf)
    early = np.argsort(times, kind="stable")[:count] if n > count else np.arange(n)
    early = np.sort(early[times[early] < np.inf])
    values = np.asarray(block.source.take(early), np.float64)
    return [(float(times[i]), block.first + int(i), value) for i, value in zip(early, values, strict=True)]


def join_arrivals(results: list[list[Arrival]], count: int) -> list[Arrival]:
    """Return the first `count` of all."""
    return sorted(join_lists(results), key=lambda one: one[:2])[:count]


def potential(block: Block, survey: Survey, batches: tuple[Batch, ...]) -> Nodes:
    """Sum w D^2 by grain, D the distance to the nearest candidate."""
    with block.lock:
        mass = _mass(block, _nearest(block, survey, batches).squares)
        starts = range(0, len(mass), block.grain)
        return _tree.merge(
            [(0, (block.first + start) // block.grain, mass[start : start + block.grain].sum(keepdims=True))]
            for start in starts
        )


def sample(
    block: Block, survey: Survey, batches: tuple[Batch, ...], key: tuple[int, int], scale: float
) -> list[tuple[int, Floats]]:
    """Take each row, independently, with probability min(1, scale w D^2)."""
    with block.lock:
        mass = _mass(block, _nearest(block, survey, batches).squares)
        rows = np.flatnonzero(uniform(key, block.first, len(mass)) < scale * mass)
        values = np.asarray(block.source.take(rows), np.float64)
        return [(block.first + int(row), value) for row, value in zip(rows, values, strict=True)]


def wins(block: Block, survey: Survey, batches: tuple[Batch, ...]) -> Nodes:
    """Sum the weights that each candidate wins, by grain; the block forgets its nearest candidates."""
    nodes: Nodes = []
    with block.lock:
        near = _nearest(block, survey, batches)
        for start in range(0, len(near.label), block.grain):
            here = slice(start, start + block.grain)
            won = np.bincount(near.label[here], None if block.weight is None else block.weight[here], near.n_points)
            _tree.push(nodes, (0, (block.first + start) // block.grain, won.astype(np.float64)))
        block.start = None
    return nodes


def kmeans_parallel(run: Run, survey: Survey, seed: int) -> Floats:
    """Start at what k-means|| finds: its candidates, weighted by what they win, clustered by `kmeans` in this process.

    The rounds are those of `_seed_large.kmeans_parallel_rows`. Source: B. Bahmani, B. Moseley, A. Vattani, R. Kumar and
    S. Vassilvitskii, "Scalable k-means++", VLDB 2012.
    """
    k = survey.n_clusters
    batches = [_batch([arrival[1:] for arrival in _race(run, (seed, FIRST), 1)])]
    for number in range(ROUNDS):
        so_far = tuple(batches)
        mass = float(_tree.total(run(potential, _tree.merge, survey, so_far))[0])
        if mass <= 0.0:
            break
        drawn = run(sample, join_lists, survey, so_far, (seed, ROUND + number), OVERSAMPLING * k / mass)
        if drawn:
            batches.append(_batch(drawn))
    won = _tree.total(run(wins, _tree.merge, survey, tuple(batches)))
    some = np.flatnonzero(won)  # a copy of another candidate has won nothing
    points, rows = (np.concatenate(parts)[some] for parts in zip(*((b.points, b.rows) for b in batches), strict=True))
    if len(points) > k:
        return np.asarray(kmeans(points, k, sample_weight=won[some], random_state=seed, n_threads=1).centroids)
    return _fill(run, points, rows, k, seed)


def random_samples(run: Run, survey: Survey, seed: int) -> Floats:
    """Start at distinct rows, drawn by weight."""
    return np.array([values for _, _, values in _race(run, (seed, FIRST), survey.n_clusters)])


def _race(run: Run, key: tuple[int, int], count: int) -> list[Arrival]:
    result: list[Arrival] = run(arrivals, partial(join_arrivals, count=count), key, count)
    return result


def _fill(run: Run, points: Floats, rows: NDArray[np.int64], k: int, seed: int) -> Floats:
    """Add random rows that are no candidates yet: samples that differ are fewer than clusters, or rounds drew few."""
    taken = set(rows.tolist())
    others = [values for _, row, values in _race(run, (seed, FILL), k) if row not in taken]
    return np.concatenate([points, np.array(others[: k - len(points)]).reshape(-1, points.shape[1])])


def _batch(found: list[tuple[int, Floats]]) -> Batch:
    return Batch(np.array([row for row, _ in found], np.int64), np.array([values for _, values in found]))


def _mass(block: Block, squares: Floats) -> Floats:
    return squares if block.weight is None else squares * block.weight


def _nearest(block: Block, survey: Survey, batches: tuple[Batch, ...]) -> Nearest:
    """Return what the block knows of these candidates; where it was lost, batch after batch is added again."""
    near: Nearest | None = block.start
    given = [batch.rows.tolist() for batch in batches]
    if near is None or [rows.tolist() for rows in near.batches] != given[: len(near.batches)]:
        near = block.start = Nearest(block, survey)
    for batch in batches[len(near.batches) :]:
        near.add(batch)
    return near
