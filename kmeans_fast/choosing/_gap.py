"""The gap statistic: log inertia of X against that of references without clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _runtime
from .._random import as_generator
from .._restarts import WORTH_A_THREAD
from .._samples import Samples, as_samples
from .._validate import as_weight, check_choice, check_int, check_threads
from ._ks import as_ks
from ._parallel import Stopped, side_by_side
from ._sweep import Sweep

Floats = NDArray[np.float64]

REFERENCES = ("uniform", "pca")
BLOCK = 1 << 20  # numbers drawn at once: Ctrl-C is seen between them
ROWS = 1 << 16  # of X looked at once for its box


@dataclass(frozen=True, eq=False)
class Gap:
    """The curves of a gap statistic, one entry a k.

    Attributes
    ----------
    ks : tuple of int
    gap : float64 array of shape (n_ks,)
        Mean log inertia of the references minus the log inertia of X; inf where X lies on k points.
    standard_error : float64 array of shape (n_ks,)
        Of `gap`: the deviation of the references times sqrt(1 + 1 / n_references).
    log_inertia : float64 array of shape (n_ks,)
    reference_log_inertia : float64 array of shape (n_references, n_ks)
    """

    ks: tuple[int, ...]
    gap: Floats
    standard_error: Floats
    log_inertia: Floats
    reference_log_inertia: Floats

    @property
    def best_k(self) -> int:
        """Smallest k with gap(k) >= gap(next k) - standard_error(next k); the largest of `ks` if there is none."""
        enough = self.gap[:-1] >= self.gap[1:] - self.standard_error[1:]
        return self.ks[int(enough.argmax()) if enough.any() else -1]


def gap(
    X: Any,
    ks: Any,
    *,
    inertia: Any = None,
    references: str = "uniform",
    n_references: int = 20,
    quality: str = "auto",
    sample_weight: Any = None,
    random_state: Any = None,
    n_threads: int | None = None,
    tick: Callable[[], object] | None = None,
) -> Gap:
    """Compare the inertia of X with that of samples without clusters, for each number of clusters.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        What `kmeans` takes.
    ks : int, range or iterable of int
        Numbers of clusters; an int k_max is 1 to k_max. Neighbours are compared, so they should leave none out.
    inertia : array-like of shape (n_ks,), optional
        Inertia of X for each k, if it is known; else X is clustered.
    references : {"uniform", "pca"}, default "uniform"
        Uniform in the box of X along its features, or along its principal axes.
    n_references : int, default 20
    quality : {"auto", "standard", "best"}, default "auto"
        How well X and references are clustered; see `kmeans`. "auto" is "best" up to 20 000 samples: there a local
        minimum shows beside the deviation of the references.
    sample_weight : array-like of shape (n_samples,), optional
    random_state : int, RandomState, Generator or None
        The same value gives the same bits, whatever the number of threads.
    n_threads : int, optional
        References run side by side over so many threads.
    tick : callable, optional
        Called after each reference.

    Returns
    -------
    Gap

    Raises
    ------
    TypeError, ValueError
        For a bad X as `kmeans`; a k out of 1 to n_samples; names and numbers out of range.

    Notes
    -----
    Memory: a reference and what `kmeans` takes for it for each thread, 4 bytes a number (float32: a reference lies
    about 0 and is turned into its own axes, which no inertia notices).

    Source: R. Tibshirani, G. Walther, T. Hastie, "Estimating the number of clusters in a data set via the gap
    statistic", Journal of the Royal Statistical Society B 63 (2001).

    Examples
    --------
    >>> from kmeans_fast.choosing import gap
    >>> from kmeans_fast.datasets import init_board
    >>> gap(init_board(500, random_state=0), 5, random_state=0).best_k
    1
    """
    samples = as_samples(X)
    weight = as_weight(sample_weight, samples.n_samples)
    ks = as_ks(ks, samples.n_samples, None if weight is None else int(np.count_nonzero(weight)))
    check_choice(references, "references", REFERENCES)
    n_references = check_int(n_references, "n_references", 2)
    rng, n_threads = as_generator(random_state), check_threads(n_threads)
    if inertia is None:
        fits = Sweep(samples, ks[-1], weight, rng, n_threads, quality).fits(ks)
        inertia = [fit.inertia for fit in fits]
    ks = ks[: len(inertia)]
    sides = box_sides(samples, weight, references)
    seeds = rng.integers(1 << 63, size=n_references)

    def one(i: int, stop: Event) -> Floats:
        rng = np.random.default_rng(seeds[i])
        reference = as_samples(_uniform(samples.n_samples, sides, rng, stop))
        fits = Sweep(reference, ks[-1], weight, rng, 1, quality, stop).fits(ks)
        found = [fit.inertia for fit in fits]
        return np.array(found + [0.0] * (len(ks) - len(found)))

    work = float(samples.n_samples * samples.n_features * ks[-1])
    workers = _runtime.choose_threads(n_threads, work * n_references) if work >= WORTH_A_THREAD else 1
    return _summary(ks, np.asarray(inertia, np.float64), np.array(side_by_side(one, n_references, workers, tick)))


def _summary(ks: tuple[int, ...], inertia: Floats, references: Floats) -> Gap:
    with np.errstate(divide="ignore", invalid="ignore"):
        own, theirs = np.log(inertia), np.log(references)
        value = np.where(inertia == 0.0, np.inf, theirs.mean(axis=0) - own)
        error = theirs.std(axis=0) * (1.0 + 1.0 / len(references)) ** 0.5
    return Gap(ks, value, np.where(np.isfinite(error), error, 0.0), own, theirs)


def box_sides(samples: Samples, weight: Floats | None, references: str) -> Floats:
    """Lengths of the box of X along its features or its principal axes, float64 of shape (n_features,)."""
    d = samples.n_features
    axes = np.eye(d)
    if references == "pca":
        middle = samples.take([samples.n_samples // 2])[0]  # of the sums, for their digits
        first, second, total = np.zeros(d), np.zeros((d, d)), 0.0
        for rows, w in _weighted(samples, weight):
            centred = rows - middle
            first, second = first + w @ centred, second + (centred.T * w) @ centred
            total += w.sum()
        axes = np.linalg.eigh(second / total - np.outer(first, first) / total**2)[1]
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    for rows, w in _weighted(samples, weight):
        turned = rows[w > 0.0] @ axes if references == "pca" else rows[w > 0.0]
        if len(turned):
            low, high = np.minimum(low, turned.min(axis=0)), np.maximum(high, turned.max(axis=0))
    sides: Floats = high - low
    return sides


def _weighted(samples: Samples, weight: Floats | None) -> Any:
    for start, block in samples.blocks(np.dtype(np.float64), ROWS):
        yield block, np.ones(len(block)) if weight is None else weight[start : start + len(block)]


def _uniform(n_samples: int, sides: Floats, rng: np.random.Generator, stop: Event) -> NDArray[np.float32]:
    """Draw a reference about the origin."""
    X = np.empty((n_samples, len(sides)), np.float32)
    flat, scale = X.reshape(-1), sides.astype(np.float32)
    for start in range(0, flat.size, BLOCK):
        if stop.is_set():
            raise Stopped
        rng.random(dtype=np.float32, out=flat[start : start + BLOCK])
    X -= np.float32(0.5)
    X *= scale
    return X
