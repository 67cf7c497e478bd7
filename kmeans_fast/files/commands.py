"""What the commands do: read, fit or predict, write. `kmeans_fast.cli` only names the options."""

from __future__ import annotations

import importlib
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

import kmeans_fast
from kmeans_fast import KMeansResult

from .._checkpoint import read as read_checkpoint
from .._seed import METHODS
from . import FileError, Points, choice, clouds, outputs, preparation, read_points, written
from . import report as told
from ._common import UsageError, listed, need
from .model import Model, load_model, save_model
from .outputs import Output
from .preparation import Preparation, Wish
from .raw import Raw

NOTHING = Wish()
ORDERS = ("size", "position")


@dataclass(frozen=True)
class Reading:
    """How to read an input file; the options of `read_points`."""

    path: str
    columns: Sequence[str] | None = None
    id_column: str | None = None
    weights: str | None = None
    header: bool | None = None
    delimiter: str | None = None
    wish: Wish = NOTHING
    dataset: str | None = None

    @property
    def name(self) -> str:
        """What messages call the file."""
        return "standard input" if self.path == "-" else self.path

    def read(self, like: Sequence[str] | None = None) -> Points:
        """Read it, with the columns of earlier points where `like` names them."""
        return read_points(
            self.path,
            self.columns,
            id_column=self.id_column,
            weights=self.weights,
            like=None if self.columns else like,
            header=self.header,
            delimiter=self.delimiter,
            dataset=self.dataset,
        )

    def prepare(self) -> tuple[Preparation | None, Points]:
        """Read it, and prepare it as is wished; tell what was learnt for it, if anything."""
        return preparation.learn(self._raw(), self.wish) if self.wish else (None, self.read())

    def read_for(self, model: Model) -> Points:
        """Read it as points of a model, prepared as those it was fitted on."""
        if model.preparation is None:
            return self.read(like=model.feature_names)
        learnt = Preparation.of(model.preparation)
        return learnt.apply(self._raw(learnt))

    def _raw(self, like: Preparation | None = None) -> Raw:
        return preparation.read_raw(
            self.path, self.columns, self.id_column, self.weights, self.header, self.delimiter, like, self.dataset
        )


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


def draw_seed(checkpoint: str | None = None) -> int:
    """Return a new seed, or that of the fit that a checkpoint is of."""
    if checkpoint is not None and Path(checkpoint).exists():
        seed = read_checkpoint(checkpoint)[0].get("random_state")
        if isinstance(seed, int):
            return seed
    return secrets.randbits(32)


def cluster(
    reading: Reading,
    fitting: Fitting,
    plans: dict[str, Output | None],
    shown: bool,
    details: bool = False,
    colour: bool = False,
) -> dict[str, Any]:
    """Cluster the points of a file and write what was planned; return the summary.

    Parameters
    ----------
    reading, fitting : Reading, Fitting
    plans : dict of Output
        Keys labels, centroids, summary, model, plot.
    shown : bool
        Whether to draw a progress bar.
    details : bool
        Whether labels are written with margins and outliers.
    colour : bool
        Whether the points of a cloud are coloured by cluster.
    """
    _check_details(details, plans["labels"])
    _check_fitting(fitting)
    if plans["plot"]:
        importlib.import_module("kmeans_fast.plots")  # or fail before the work
    learnt, points = reading.prepare()
    if plans["plot"] and points.X.shape[0] > importlib.import_module("kmeans_fast.plots").MOST_DOTS:
        importlib.import_module("kmeans_fast.plots._raster")
    _check_picture(plans["labels"], points)
    writer = clouds.plan_cloud(plans["labels"], points, colour)
    if plans["plot"] and points.X.shape[1] < 2:
        raise FileError(f"{reading.name} has one column of points; --plot needs two.")
    result, summary = _fit(reading.name, points, fitting, shown, learnt)
    own_units = result.centroids if learnt is None else learnt.unscaled(result.centroids)
    drawn = own_units if points.picture else result.centroids
    written.write_labels(plans["labels"], points, result.labels, drawn, result.n_threads, details, writer)
    written.write_centroids(plans["centroids"], own_units, points.feature_names)
    written.write_summary(plans["summary"], summary)
    if plan := plans["model"]:
        names = points.feature_names if points.named else None
        # Without the time it took: the same fit gives the same bytes.
        lasting = {key: value for key, value in summary.items() if key != "seconds"}
        plain = None if learnt is None else learnt.plain()
        save_model(result, plan.path, feature_names=names, metadata=lasting, preparation=plain, overwrite=plan.force)
    if plan := plans["plot"]:
        seen = clouds.first_two(points.X)
        seen = seen if learnt is None else learnt.unscaled(seen)
        written.draw(plan, seen, result.labels, own_units[:, :2], points.feature_names)
    return summary


def report(reading: Reading, fitting: Fitting, plan: Output, command: str, shown: bool) -> dict[str, Any]:
    """Cluster the points of a file, by default as many as are found, write a page, and return the summary."""
    if fitting.n_clusters is None and fitting.init in METHODS:
        fitting = replace(fitting, n_clusters=choice.AUTO)
    _check_fitting(fitting)
    need("kmeans_fast.choosing", "the report", "choose")  # or fail before the work
    importlib.import_module("kmeans_fast.plots")
    points = reading.read()
    verdict, chosen = _judge(reading.name, points, fitting, shown)
    if chosen is not None:
        fitting = replace(fitting, n_clusters=chosen.n_clusters, k_max=None)
    result, summary = _fit(reading.name, points, fitting, shown)
    page = importlib.import_module("kmeans_fast.report").html(
        points.X,
        result,
        ids=points.ids,
        feature_names=points.feature_names,
        name=Path(reading.name).name,
        verdict=verdict,
        choice=chosen and chosen.choice,
        command=command,
    )
    with plan.open() as stream:
        stream.write(page.encode(errors="replace"))
    return summary | (chosen.told() if chosen else {})


def predict(
    model_path: str,
    reading: Reading,
    plan: Output,
    n_threads: int | None,
    details: bool = False,
    colour: bool = False,
) -> None:
    """Give the points of a file to the centroids of a model and write their labels."""
    _check_details(details, plan)
    if model_path == "-" == reading.path:
        raise UsageError("MODEL and INPUT can't both be standard input.")
    model = load_model(model_path)
    points = reading.read_for(model)
    _check_width(model_path, model, reading.name, points)
    _check_picture(plan, points)
    writer = clouds.plan_cloud(plan, points, colour)
    with _blaming(reading.name):
        labels = kmeans_fast.predict(points.X, model.centroids, n_threads=n_threads)
    drawn = model.centroids
    if points.picture and model.preparation is not None:
        drawn = Preparation.of(model.preparation).unscaled(drawn)
    written.write_labels(plan, points, labels, drawn, n_threads, details, writer)


def _check_fitting(fitting: Fitting) -> None:
    """Refuse, before the work, options that do not fit together."""
    if fitting.n_clusters is None and fitting.init in METHODS:
        raise UsageError("-k is needed: the number of clusters, or auto.")
    if fitting.n_clusters != choice.AUTO and fitting.k_max is not None:
        raise UsageError(f"--k-max {fitting.k_max} needs -k auto.")
    if fitting.n_clusters == choice.AUTO and fitting.init not in METHODS:
        raise UsageError(f"--init {fitting.init} says how many clusters there are; -k auto can't choose.")
    if fitting.init not in METHODS and not Path(fitting.init).exists():
        raise UsageError(f"--init {fitting.init} must be {', '.join(METHODS)} or an existing file.")
    if fitting.order and fitting.order not in ORDERS and not Path(fitting.order).exists():
        raise UsageError(f"--order {fitting.order} must be {', '.join(ORDERS)} or an existing model file.")


def _judge(name: str, points: Points, fitting: Fitting, shown: bool) -> tuple[Any, choice.Chosen | None]:
    """Say whether there are clusters, or why that can't be said; with -k auto, how many."""
    if fitting.n_clusters == choice.AUTO:
        with _blaming(name):
            chosen = choice.choose(points, fitting.k_max, fitting.seed, fitting.n_threads, shown, choice.SHOWN)
        return chosen.verdict, chosen
    try:
        return kmeans_fast.clusterability(points.X, sample_weight=points.sample_weight, random_state=fitting.seed), None
    except ValueError as error:  # too few samples
        return str(error), None


def _fit(
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
        with _blaming(name):
            found = choice.choose(points, fitting.k_max, fitting.seed, fitting.n_threads, shown)
        n_clusters, chosen = found.n_clusters, found.told()
    with _blaming(name):
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
    _check_width(order, model, name, points)
    return model.centroids


def _check_width(path: str, model: Model, name: str, points: Points) -> None:
    fitted = model.centroids.shape[1]
    if points.X.shape[1] != fitted:
        raise FileError(f"{name} has {points.X.shape[1]} columns of points; {path} was fitted on {fitted}.")


def _check_details(details: bool, plan: Output | None) -> None:
    """Refuse, before the work, more columns where there is no table."""
    if details and (plan is None or plan.form not in outputs.TABLES):
        raise UsageError(f"--details needs an --output of {', '.join(outputs.TABLES)}.")


def _check_picture(plan: Output | None, points: Points) -> None:
    """Refuse, before the work, a picture of points that are none."""
    if plan and plan.form in outputs.IMAGES:
        if points.picture is None:
            raise UsageError(f"--output {plan.path} is an image; the input must be one too.")
        if points.X.shape[1] != 3:
            raise UsageError(f"--output {plan.path} needs all of red, green, blue in --columns.")


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Say which file an array that the kernels refuse came from."""
    try:
        yield
    except (ValueError, TypeError) as error:
        text = str(error)
        raise FileError(text if text.startswith(name) else f"{name}: {text}") from error
