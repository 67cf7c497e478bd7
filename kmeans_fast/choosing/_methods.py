"""The methods of choose_k: each turns the fits into a curve over k and a suggestion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._need import need
from . import _scores
from ._fits import Fits
from ._gap import gap
from ._mixture import icl_curve
from ._silhouette import silhouette_curve
from ._stability import stability_curve

Floats = NDArray[np.float64]
Ks = tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """What repeating methods have to know."""

    n_references: int
    n_resamples: int
    max_samples: int | None
    quality: str
    n_threads: int | None
    seed: int  # so that a curve does not depend on which others are drawn
    tick: Callable[[], object]


class Curve(NamedTuple):
    """The value of each k, the k it suggests, and standard errors."""

    values: Floats
    best_k: int | None
    errors: Floats | None = None


Method = Callable[[Fits, Ks, Settings], Curve]


def _highest(ks: Ks, values: Floats) -> int | None:
    """Return the k of the highest value, the smallest of equals; None where no k has a value."""
    return None if np.isnan(values).all() else ks[int(np.nanargmax(values))]


def _lowest(ks: Ks, values: Floats) -> int | None:
    return _highest(ks, -values)


def _score(
    score: Callable[[Fits, int], float], best: Callable[[Ks, Floats], int | None], fits: Fits, ks: Ks, _: Settings
) -> Curve:
    values = np.array([score(fits, k) for k in ks])
    return Curve(values, best(ks, values))


def _icl(full: bool, fits: Fits, ks: Ks, _: Settings) -> Curve:
    found = icl_curve(fits.X, fits.sample_weight, {k: fits.sample_labels[k] for k in ks}, full)
    values = np.array([found[k] for k in ks])
    return Curve(values, _lowest(ks, values))


def _silhouette(fits: Fits, ks: Ks, _: Settings) -> Curve:
    found = silhouette_curve(fits.X, fits.sample_weight, {k: fits.sample_labels[k] for k in ks})
    values = np.array([found[k] for k in ks])
    return Curve(values, _highest(ks, values))


def _elbow(fits: Fits, ks: Ks, _: Settings) -> Curve:
    """Find where the inertia bends most (V. Satopaa and others, "Finding a 'kneedle' in a haystack", ICDCS 2011)."""
    inertia = np.array([fits.inertia[k] for k in ks])
    if len(ks) < 3 or inertia[0] == inertia[-1]:
        return Curve(inertia, None)
    locator = need("kneed", "choose_k", "choose").KneeLocator
    knee = locator(list(ks), inertia, curve="convex", direction="decreasing").knee
    return Curve(inertia, None if knee is None else int(knee))


def _gap(references: str, fits: Fits, ks: Ks, settings: Settings) -> Curve:
    found = gap(
        fits.samples,
        ks,
        inertia=[fits.inertia[k] for k in ks],
        references=references,
        n_references=settings.n_references,
        quality=settings.quality,
        sample_weight=fits.weight,
        random_state=settings.seed,
        n_threads=settings.n_threads,
        tick=settings.tick,
    )
    return Curve(found.gap, found.best_k, found.standard_error)


def _stability(fits: Fits, ks: Ks, settings: Settings) -> Curve:
    values, errors = stability_curve(
        fits,
        ks,
        settings.max_samples,
        settings.n_resamples,
        settings.quality,
        np.random.default_rng(settings.seed),
        settings.n_threads,
        settings.tick,
    )
    return Curve(values, _highest(ks, values), errors)


METHODS: dict[str, Method] = {
    "icl": partial(_icl, False),
    "icl_full": partial(_icl, True),
    "silhouette": _silhouette,
    "davies_bouldin": partial(_score, _scores.davies_bouldin, _lowest),
    "calinski_harabasz": partial(_score, _scores.calinski_harabasz, _highest),
    "f": partial(_score, _scores.f_of_k, _lowest),
    "bic": partial(_score, _scores.bic, _lowest),
    "elbow": _elbow,
    "gap": partial(_gap, "uniform"),
    "gap_pca": partial(_gap, "pca"),
    "stability": _stability,
}
DECIDES = "icl"  # right most often: docs/choosing_k.md
