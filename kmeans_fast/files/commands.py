"""What the commands do: read, fit or predict, write. `kmeans_fast.cli` only names the options."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import kmeans_fast

from .._atomic import naming
from .._seed import METHODS
from . import FileError, Points, choice, clouds, outputs, preparation, read_points, written
from ._common import UsageError, need
from .fitting import Fitting, blaming, check_width, fit, judge
from .model import Model, load_model, save_model
from .outputs import Output
from .preparation import Preparation, Wish
from .raw import Raw, read_raw

NOTHING = Wish()


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
        with naming(self.name):
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
        how = self.columns, self.id_column, self.weights, self.header, self.delimiter
        with naming(self.name):
            return read_raw(self.path, *how, like, self.dataset)


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
    fitting.check()
    if plans["plot"]:
        importlib.import_module("kmeans_fast.plots")  # or fail before the work
    learnt, points = reading.prepare()
    if plans["plot"] and points.X.shape[0] > importlib.import_module("kmeans_fast.plots").MOST_DOTS:
        importlib.import_module("kmeans_fast.plots._raster")
    _check_picture(plans["labels"], points)
    writer = clouds.plan_cloud(plans["labels"], points, colour)
    if plans["plot"] and points.X.shape[1] < 2:
        raise FileError(f"{reading.name} has one column of points; --plot needs two.")
    result, summary = fit(reading.name, points, fitting, shown, learnt)
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
    fitting.check()
    need("kmeans_fast.choosing", "the report", "choose")  # or fail before the work
    importlib.import_module("kmeans_fast.plots")
    points = reading.read()
    verdict, chosen = judge(reading.name, points, fitting, shown)
    if chosen is not None:
        fitting = replace(fitting, n_clusters=chosen.n_clusters, k_max=None)
    result, summary = fit(reading.name, points, fitting, shown)
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
    check_width(model_path, model, reading.name, points)
    _check_picture(plan, points)
    writer = clouds.plan_cloud(plan, points, colour)
    with blaming(reading.name):
        labels = kmeans_fast.predict(points.X, model.centroids, n_threads=n_threads)
    drawn = model.centroids
    if points.picture and model.preparation is not None:
        drawn = Preparation.of(model.preparation).unscaled(drawn)
    written.write_labels(plan, points, labels, drawn, n_threads, details, writer)


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
