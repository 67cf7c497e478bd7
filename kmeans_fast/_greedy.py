"""Greedy k-means++: a round draws candidates by squared distance and keeps the one that lowers the total most."""

from __future__ import annotations

from math import isfinite, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _batches, _seeding
from ._problem import Floats, Problem
from ._rounds import Lists, Patches
from ._validate import too_large

MORE_CANDIDATES = 2.0  # times log(k), in the last round beyond 2
PLAIN_ROUNDS = 1 / 8  # of all, at first: with a single candidate
# Proposals drawn at once: a round's times m or FIRST_DRAWS, and no more than MAX_DRAWS.
FIRST_DRAWS, MAX_DRAWS = 4, 2048
MIN_KNOWN = 128  # clusters from which on a first pass gains more from bounds than one more reading of X costs
MASS_ROWS = 1024  # samples whose masses are summed before a draw looks at each
PATCH_FEATURES = 3  # so few coordinates take no more room than lists


def candidates_of_a_round(n_clusters: int) -> int:
    """Return how many samples a greedy round draws to keep the best of them, if every round draws as many."""
    return min(2 + int(log(n_clusters)), _batches.MAX_CANDIDATES)


def candidates_of_rounds(n_clusters: int) -> NDArray[np.intp]:
    """Return how many are drawn with 0, 1, 2 ... chosen: more and more, since late ones cost less and matter more."""
    share = np.arange(n_clusters) / n_clusters
    more = np.rint(MORE_CANDIDATES * log(n_clusters) * share).astype(np.intp)
    return np.where(share < PLAIN_ROUNDS, 1, np.minimum(2 + more, _batches.MAX_CANDIDATES))


def kmeans_plusplus_start(problem: Problem, rng: np.random.Generator) -> Floats:
    """Centroids by greedy k-means++; a first pass with Hamerly's bounds gets what was learnt of the samples."""
    bounded = problem.algorithm == "hamerly" and problem.samples.n_features > PATCH_FEATURES
    if not bounded or problem.n_clusters < MIN_KNOWN or problem.memory.spilled:
        return problem.samples.take(kmeans_plusplus_rows(problem, rng))
    known: list[Any] = []
    start = problem.samples.take(kmeans_plusplus_rows(problem, rng, known=known))
    problem.engine().know(start, *known)
    return start


def kmeans_plusplus_rows(
    problem: Problem, rng: np.random.Generator, n_candidates: int | None = None, known: list[Any] | None = None
) -> NDArray[np.intp]:
    """Rows chosen by greedy k-means++; on lists, `known` gets labels and squared distances.

    With m chosen a round draws 2 + 2 log(k) m / k candidates, one while m < k / 8, or as many as are asked for, with
    probability proportional to the squared distance from the nearest chosen sample (times weight), and keeps the one
    that lowers the total most. Distances are direct differences, so a
    chosen sample is at distance 0 exactly and is never drawn again while others are left.

    Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, whose conclusions
    have the greedy form. Proposals and their rejection are ours.
    """
    before = problem.memory.n_bytes
    k = problem.n_clusters
    greedy = Greedy(problem, rng, np.full(k, n_candidates) if n_candidates else candidates_of_rounds(k))
    rows = greedy.run()
    if known is not None:
        assert isinstance(greedy.rounds, Lists)
        greedy.rounds.settle()
        known += [greedy.rounds.nearest, greedy.rounds.closest]
    vars(greedy.rounds).clear()  # they refer to each other: only the garbage collector would find their arrays
    problem.memory.release(before)
    return rows


class Greedy:
    """The proposals, and the squared distance of each sample to the nearest chosen one.

    Distances only fall. So many proposals are drawn at once, each x with a chance proportional to w D0^2(x), D0 its
    distance of that moment. When its turn comes, x is taken as a candidate if D^2(x) > u D0^2(x), u uniform in [0, 1):
    then it is distributed as w D^2. Given what was drawn from before, a proposal is independent of the others and of
    all that came of them, and each is used once, in order; so the candidates of a round are independent draws from the
    distances of that round, exactly, whether they come from one lot of proposals or from two.
    """

    def __init__(self, problem: Problem, rng: np.random.Generator, wanted: NDArray[np.intp]) -> None:
        self.problem, self.rng, self.wanted, self.m = problem, rng, wanted, 0
        self.dtype, self.single = problem.dtype, problem.dtype == np.float32
        self.chosen, self.taken = np.empty(problem.n_clusters, np.intp), np.empty(wanted[-1], np.intp)
        self.by_value = _order_by_value(problem) if problem.samples.n_samples <= problem.chunk else None
        few = problem.samples.n_features <= PATCH_FEATURES
        self.rounds: Patches | Lists = Patches(self) if few else Lists(self)
        self.mass = problem.memory.empty(-(-len(self.rounds.closest) // MASS_ROWS), np.float64)
        self.forget()

    @property
    def q(self) -> int:
        """Candidates of the round that comes."""
        return int(self.wanted[self.m])

    def forget(self) -> None:
        """Have no proposals: places, u D0^2, D^2 now."""
        self.places, self.bar, self.now = np.empty(0, np.intp), np.empty(0), np.empty(0, self.dtype)

    def run(self) -> NDArray[np.intp]:
        """Choose all."""
        rounds, k = self.rounds, self.problem.n_clusters
        np.minimum(rounds.closest, 1, out=rounds.closest)  # the first one by weight alone
        self.draw(1)
        np.copyto(rounds.closest, np.inf, where=rounds.closest > 0)
        rounds.begin(self.places)
        self.chosen[0], self.m = rounds.rows(self.places)[0], 1
        self.forget()
        while self.m < k:
            if not self._refill():  # fewer distinct samples than clusters: any other sample, each once
                weight, done = self.problem.weight, self.chosen[: self.m]
                every = np.arange(self.problem.samples.n_samples) if weight is None else np.flatnonzero(weight)
                self.chosen[self.m :] = self.rng.choice(np.setdiff1d(every, done), k - self.m, replace=False)
                break
            rounds.play()
        return self.chosen

    def points(self, count: int, padded: int = 0) -> NDArray[Any]:
        """Return the first proposals themselves, and zeros after them."""
        out = np.zeros((max(count, padded), self.problem.samples.n_features), self.dtype)
        out[:count] = self.problem.samples.take(self.rounds.rows(self.places[:count]), self.dtype)
        return out

    def play(self, batch: Any, count: int, threads: int) -> float:
        """Let a batch play rounds with the first `count` proposals; return what a round leaves of the potential."""
        now, n_taken, gain = batch.play(
            self.places, self.bar, count, self.taken, self.wanted, self.m, self.chosen, threads
        )
        taken = self.taken[:n_taken]
        self.bar = np.append(np.full(n_taken, -1.0), self.bar[count:])  # these wait for the others of their round
        self.places = np.append(self.places[taken], self.places[count:])
        self.now = self.rounds.closest[self.places]
        new = self.chosen[self.m : now]
        new[:] = self.rounds.rows(new)
        left: float = max(1.0 - gain / self.total, 1e-3) ** (1 / max(len(new), 1))
        self.total -= gain
        self.m = now
        return left

    def _refill(self) -> bool:
        """Drop proposals that cannot be taken any more, and draw until a round has enough; False if no mass is left."""
        keep = self.bar < self.now
        self.places, self.bar, self.now = self.places[keep], self.bar[keep], self.now[keep]
        while len(self.places) < self.q:
            if not self.draw(len(self.taken) * max(FIRST_DRAWS, self.m)):
                return False
        return True

    def draw(self, count: int) -> bool:
        """Draw more proposals; False if no mass is left."""
        self.rounds.settle()
        count, chunk = min(count, MAX_DRAWS), MASS_ROWS
        closest, weight = self.rounds.closest, self.rounds.weight
        turned = None if self.rounds.in_order else self.by_value
        if turned is not None:
            closest, weight = closest[turned], None if weight is None else weight[turned]
        _seeding.sum_masses(closest, weight, self.mass, chunk, self.problem.threads_for(float(len(closest))))
        self.total = float(np.cumsum(self.mass)[-1])
        if not isfinite(self.total):  # no draw from this would ever end
            raise too_large("X")
        if self.total <= 0.0:
            return False
        uniform, level = self.rng.random(count), self.rng.random(count)
        ascending, drawn, places = uniform.argsort(kind="stable"), np.empty(count, np.intp), np.empty(count, np.intp)
        _seeding.pick(closest, weight, self.mass, chunk, uniform[ascending] * self.total, drawn)
        places[ascending] = drawn if turned is None else turned[drawn]
        now = self.rounds.closest[places]
        self.places, self.bar = np.append(self.places, places), np.append(self.bar, level * now)
        self.now = np.append(self.now, now)
        self.problem.samples.keep(self.rounds.rows(self.places))
        return True


def _order_by_value(problem: Problem) -> NDArray[np.intp]:
    """Sort the samples of a small X (one chunk) by their bytes, any fixed order of values.

    Drawn along it, the start depends neither on the order of X nor on whether a sample is repeated or weighted; a large
    X would pay too much for the sorting.
    """
    (_, block), *_ = problem.blocks(1.0)
    rows = np.ascontiguousarray(block + 0.0)  # -0.0 is 0.0
    return rows.view(f"V{rows.shape[1] * rows.itemsize}").ravel().argsort(kind="stable")
