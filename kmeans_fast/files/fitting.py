"""Points clustered as a command asks for: options checked, k chosen, `kmeans` run, its labels put in order."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

import kmeans_fast
from kmeans_fast import KMeansResult

from .._checkpoint import read as read_checkpoint
from .._seed import METHODS
from . import FileError, Points, choice, read_points
from . import report as told
from ._common import UsageError, listed
from .model import Model, load_model
from .preparation import Preparation

ORDERS = ("size", "position")


@dataclass(frozen=True)
class Fitting:
    """How to cluster; the options of `kmeans`."""

    n_clusters: int | Literal["auto"] | None
    init: str
    n_init: int | None
    max_iter: int
    tol: float
    seed: int
    n_threads: int | None
    order: str | None = None
    k_max: int | None = None
    voxel: float | None = None
    checkpoint: str | None = None
    checkpoint_every: float = 30.0

    def check(self) -> None:
        """Refuse, before the work, options that do not fit together."""
        if self.n_clusters is None and self.init in METHODS:
            raise UsageError("-k is needed: the number of clusters, or auto.")
        if self.n_clusters != choice.AUTO and self.k_max is not None:
            raise UsageError(f"--k-max {self.k_max} needs -k auto.")
        if self.n_clusters == choice.AUTO and self.init not in METHODS:
            raise UsageError(f"--init {self.init} says how many clusters there are; -k auto can't choose.")
        if self.init not in METHODS and not Path(self.init).exists():
            raise UsageError(f"--init {self.init} must be {', '.join(METHODS)} or an existing file.")
        if self.order and self.order not in ORDERS and not Path(self.order).exists():
            raise UsageError(f"--order {self.order} must be {', '.join(ORDERS)} or an existing model file.")


def draw_seed(checkpoint: str | None = None) -> int:
    """Return a new seed, or that of the fit that a checkpoint is of."""
    if checkpoint is not None and Path(checkpoint).exists():
        seed = read_checkpoint(checkpoint)[0].get("random_state")
        if isinstance(seed, int):
            return seed
    return secrets.randbits(32)


def judge(name: str, points: Points, fitting: Fitting, shown: bool) -> tuple[Any, choice.Chosen | None]:
    """Say whether there are clusters, or why that can't be said; with -k auto, how many."""
    if fitting.n_clusters == choice.AUTO:
        with blaming(name):
            chosen = choice.choose(points, fitting.k_max, fitting.seed, fitting.n_threads, shown, choice.SHOWN)
        return chosen.verdict, chosen
    try:
        return kmeans_fast.clusterability(points.X, sample_weight=points.sample_weight, random_state=fitting.seed), None
    except ValueError as error:  # too few samples
        return str(error), None


def fit(
    name: str, points: Points, fitting: Fitting, shown: bool, learnt: Preparation | None = None
) -> tuple[KMeansResult, dict[str, Any]]:
    """Cluster the points of the file `name`; return the result and its summary."""
    order = _read_order(fitting.order, name, points, learnt)
    init: Any = fitting.init
    if init not in METHODS:
        init = np.asarray(read_points(init, like=points.feature_names).X)  # which may be read in blocks
        init = init if learnt is None else learnt.scaled(init)
    started = time.perf_counter()
    chosen: dict[str, Any] = {}
    n_clusters = len(init) if fitting.n_clusters is None else fitting.n_clusters
    if isinstance(n_clusters, str):
        with blaming(name):
            found = choice.choose(points, fitting.k_max, fitting.seed, fitting.n_threads, shown)
        n_clusters, chosen = found.n_clusters, found.told()
    with blaming(name):
        X, weight, cubes = points.X, points.sample_weight, None
        if fitting.voxel is not None:
            X, weight = cubes = kmeans_fast.voxels(X, fitting.voxel, sample_weight=weight)
        result = kmeans_fast.kmeans(
            X,
            n_clusters,
            init=init,
            n_init="auto" if fitting.n_init is None else fitting.n_init,
            max_iter=fitting.max_iter,
            tol=fitting.tol,
            sample_weight=weight,
            random_state=fitting.seed,
            n_threads=fitting.n_threads,
            progress=shown,
            checkpoint=fitting.checkpoint,
            checkpoint_every=fitting.checkpoint_every,
        )
        if cubes is not None:
            result = cubes.expand(result, points.X, points.sample_weight, fitting.n_threads)
    if order is not None:
        result = result.ordered(order)
    return result, told.summarise(
        result,
        input=name,
        version=kmeans_fast.__version__,
        seconds=round(time.perf_counter() - started, 6),
        seed=fitting.seed,
        init=fitting.init,
        order=fitting.order,
        tol=fitting.tol,
        max_iter=fitting.max_iter,
        feature_names=points.feature_names,
        **({} if cubes is None else {"voxel": fitting.voxel, "n_voxels": len(cubes.means)}),
        **({} if learnt is None else {"preparation": learnt.plain()}),
        **chosen,
    )


def _read_order(order: str | None, name: str, points: Points, learnt: Preparation | None) -> Any:
    """Return what `KMeansResult.ordered` takes: a word, or a model's centroids with the columns as in the points."""
    if order is None or order in ORDERS:
        return order
    model = load_model(order)
    if model.preparation is not None or learnt is not None:  # from one scale to its own units, and to the other scale
        centroids = model.centroids
        centroids = Preparation.of(model.preparation).unscaled(centroids) if model.preparation else centroids
        model = replace(model, centroids=learnt.scaled(centroids) if learnt else centroids)
    names = model.feature_names
    if names is not None and points.named:
        if set(names) != set(points.feature_names):
            raise FileError(f"{order} was fitted on {listed(names)}; {name} has {listed(points.feature_names)}.")
        return model.centroids[:, [names.index(feature) for feature in points.feature_names]]
    check_width(order, model, name, points)
    return model.centroids


def check_width(path: str, model: Model, name: str, points: Points) -> None:
    """Refuse points of another number of columns than a model's."""
    fitted = model.centroids.shape[1]
    if points.X.shape[1] != fitted:
        raise FileError(f"{name} has {points.X.shape[1]} columns of points; {path} was fitted on {fitted}.")


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Say which file an array that the kernels refuse came from."""
    try:
        yield
    except (ValueError, TypeError) as error:
        text = str(error)
        raise FileError(text if text.startswith(name) else f"{name}: {text}") from error
