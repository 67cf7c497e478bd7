"""What the commands do: read, fit or predict, write. `kmeans_fast.cli` only names the options."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import kmeans_fast
from kmeans_fast._details import outliers
from kmeans_fast._predict import margins, own_distances

from . import FileError, Points, outputs, read_points, report
from ._common import UsageError, listed
from .arrays import write_npy
from .model import Model, load_model, save_model
from .outputs import Output
from .tables import write_table

SEEDINGS = ("k-means++", "k-means||", "afk-mc2", "random", "random-partition")
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
        )


@dataclass(frozen=True)
class Fitting:
    """How to cluster; the options of `kmeans`."""

    n_clusters: int | None
    init: str
    n_init: int | None
    max_iter: int
    tol: float
    seed: int
    n_threads: int | None
    order: str | None = None


def cluster(
    reading: Reading, fitting: Fitting, plans: dict[str, Output | None], shown: bool, details: bool = False
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
    """
    _check_details(details, plans["labels"])
    if fitting.n_clusters is None and fitting.init in SEEDINGS:
        raise UsageError("-k is needed: the number of clusters.")
    if fitting.init not in SEEDINGS and not Path(fitting.init).exists():
        raise UsageError(f"--init {fitting.init} must be {', '.join(SEEDINGS)} or an existing file.")
    if fitting.order and fitting.order not in ORDERS and not Path(fitting.order).exists():
        raise UsageError(f"--order {fitting.order} must be {', '.join(ORDERS)} or an existing model file.")
    if plans["plot"]:
        importlib.import_module("kmeans_fast.plots")  # or fail before the work
    points = reading.read()
    _check_picture(plans["labels"], points)
    if plans["plot"] and points.X.shape[1] < 2:
        raise FileError(f"{reading.name} has one column of points; --plot needs two.")
    order = _read_order(fitting.order, reading.name, points)
    init: Any = fitting.init
    if init not in SEEDINGS:
        init = read_points(init, like=points.feature_names).X
    started = time.perf_counter()
    with report.progress(shown) as callback, _blaming(reading.name):
        result = kmeans_fast.kmeans(
            points.X,
            len(init) if fitting.n_clusters is None else fitting.n_clusters,
            init=init,
            n_init="auto" if fitting.n_init is None else fitting.n_init,
            max_iter=fitting.max_iter,
            tol=fitting.tol,
            sample_weight=points.sample_weight,
            random_state=fitting.seed,
            n_threads=fitting.n_threads,
            callback=callback,
        )
    if order is not None:
        result = result.ordered(order)
    summary = report.summarise(
        result,
        input=reading.name,
        version=kmeans_fast.__version__,
        seconds=round(time.perf_counter() - started, 6),
        seed=fitting.seed,
        init=fitting.init,
        order=fitting.order,
        tol=fitting.tol,
        max_iter=fitting.max_iter,
        feature_names=points.feature_names,
    )
    _write_labels(plans["labels"], points, result.labels, result.centroids, result.n_threads, details)
    _write_centroids(plans["centroids"], result.centroids, points.feature_names)
    _write_summary(plans["summary"], summary)
    if plan := plans["model"]:
        names = points.feature_names if points.named else None
        # Without the time it took: the same fit gives the same bytes.
        lasting = {key: value for key, value in summary.items() if key != "seconds"}
        save_model(result, plan.path, feature_names=names, metadata=lasting, overwrite=plan.force)
    _draw(plans["plot"], points, result)
    return summary


def predict(model_path: str, reading: Reading, plan: Output, n_threads: int | None, details: bool = False) -> None:
    """Give the points of a file to the centroids of a model and write their labels."""
    _check_details(details, plan)
    if model_path == "-" == reading.path:
        raise UsageError("MODEL and INPUT can't both be standard input.")
    model = load_model(model_path)
    points = reading.read(like=model.feature_names)
    _check_width(model_path, model, reading.name, points)
    _check_picture(plan, points)
    with _blaming(reading.name):
        labels = kmeans_fast.predict(points.X, model.centroids, n_threads=n_threads)
    _write_labels(plan, points, labels, model.centroids, n_threads, details)


def _read_order(order: str | None, name: str, points: Points) -> Any:
    """Return what `KMeansResult.ordered` takes: a word, or a model's centroids with the columns as in the points."""
    if order is None or order in ORDERS:
        return order
    model = load_model(order)
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
        raise FileError(f"{name}: {error}") from error


def _write_labels(
    plan: Output | None,
    points: Points,
    labels: npt.NDArray[np.int32],
    centroids: npt.NDArray[Any],
    n_threads: int | None,
    details: bool,
) -> None:
    """Write one label a point: as a table with ids and distances, an array, or the picture."""
    if plan is None:
        return
    with plan.open() as stream:
        if plan.form in outputs.IMAGES:
            from .images import write_image

            write_image(stream, points.picture, labels, centroids, plan.form)
        elif plan.form == "npy":
            write_npy(stream, labels.reshape(points.picture.shape) if points.picture else labels)
        else:
            ids = np.arange(len(labels)) if points.ids is None else points.ids
            distances = own_distances(points.X, centroids, labels, n_threads)
            table = {"id": ids, "label": labels, "distance": distances}
            if details:
                table["margin"] = margins(points.X, centroids, labels, n_threads)
                table["outlier"] = outliers(distances, labels, centroids)
            write_table(stream, table, plan.form)


def _write_centroids(plan: Output | None, centroids: npt.NDArray[Any], feature_names: Sequence[str]) -> None:
    """Write one row a cluster, which `--init` reads again."""
    if plan is None:
        return
    with plan.open() as stream:
        if plan.form == "npy":
            write_npy(stream, centroids)
            return
        table: dict[str, Any] = {"label": np.arange(len(centroids))}
        # A feature that is itself called label takes the column: the order of the rows is enough.
        table.update(zip(feature_names, centroids.T, strict=True))
        write_table(stream, table, plan.form)


def _write_summary(plan: Output | None, summary: dict[str, Any]) -> None:
    """Write the summary: an object in JSON, elsewhere a table of names and values."""
    if plan is None:
        return
    with plan.open() as stream:
        if plan.form == "json":
            stream.write(json.dumps(summary, indent=1, ensure_ascii=False).encode() + b"\n")
        else:
            write_table(stream, report.table(summary), plan.form)


def _draw(plan: Output | None, points: Points, result: Any) -> None:
    """Draw the first two columns of the points."""
    if plan is None:
        return
    from matplotlib.figure import Figure  # no pyplot: no window system, no global state

    from kmeans_fast import plots

    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.add_subplot()
    plots.clusters(points.X[:, :2], result.labels, result.centroids[:, :2], ax=axes)
    axes.set(xlabel=points.feature_names[0], ylabel=points.feature_names[1])
    with plan.open() as stream:
        figure.savefig(stream, format=plan.form, dpi=150)
