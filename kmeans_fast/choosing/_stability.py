"""Stability: whether two halves of X lead to the same clusters.

T. Lange, V. Roth, M. Braun, J. Buhmann, "Stability-based validation of clustering solutions", Neural Computation 16
(2004); agreement is the adjusted Rand index, which chance leaves at 0 for every k (L. Hubert, P. Arabie, "Comparing
partitions", Journal of Classification 2, 1985).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import numpy as np
from numpy.typing import NDArray

from .. import _runtime
from .._need import need
from .._predict import predict
from .._restarts import WORTH_A_THREAD
from .._samples import as_samples
from ._fits import Fits, sample_rows
from ._parallel import side_by_side
from ._sweep import Sweep

Floats = NDArray[np.float64]


def stability_curve(
    fits: Fits,
    ks: tuple[int, ...],
    most: int | None,
    n_resamples: int,
    quality: str,
    rng: np.random.Generator,
    n_threads: int | None,
    tick: Callable[[], object],
) -> tuple[Floats, Floats]:
    """Return the mean agreement for each k and its standard error; nan for k = 1 and where halves are too small.

    Each of `n_resamples` times X, or at most 2 `most` rows of it, is cut in two; both halves are clustered, and both
    clusterings label the sample of `fits`.
    """
    samples, weight = fits.samples, fits.weight
    adjusted_rand_score = need("sklearn.metrics", "choose_k", "choose").adjusted_rand_score
    everyone = samples.take(fits.rows)
    seeds = rng.integers(1 << 63, size=n_resamples)

    def one(i: int, stop: Event) -> Floats:
        rng = np.random.default_rng(seeds[i])
        rows = rng.permutation(sample_rows(samples.n_samples, weight, most and 2 * most, rng))
        labels = [_label(part, rng, stop) for part in (rows[::2], rows[1::2])]
        pairs = [[half.get(k) for half in labels] for k in ks]
        return np.array([np.nan if a is None or b is None else adjusted_rand_score(a, b) for a, b in pairs])

    def _label(rows: NDArray[np.intp], rng: np.random.Generator, stop: Event) -> dict[int, NDArray[np.int32]]:
        able = [k for k in ks if 1 < k <= len(rows)]
        if not able:
            return {}
        part = as_samples(samples.take(rows := np.sort(rows), samples.dtype))
        own = None if weight is None else weight[rows]
        found = Sweep(part, able[-1], own, rng, 1, quality, stop).fits(able)
        return {fit.k: predict(everyone, fit.centroids, n_threads=1) for fit in found}

    work = float(len(everyone) * samples.n_features * ks[-1])
    workers = _runtime.choose_threads(n_threads, work * n_resamples) if work >= WORTH_A_THREAD else 1
    found = np.array(side_by_side(one, n_resamples, workers, tick))
    return found.mean(axis=0), found.std(axis=0) / n_resamples**0.5
