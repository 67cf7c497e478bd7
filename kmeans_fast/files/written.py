"""What is written of a result: labels, centroids, summary, a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kmeans_fast._details import outliers
from kmeans_fast._predict import margins, own_distances

from . import outputs
from . import report as told
from .arrays import write_npy
from .clouds import palette
from .outputs import Output
from .points import Points
from .tables import write_table


def write_labels(
    plan: Output | None,
    points: Points,
    labels: npt.NDArray[np.int32],
    centroids: npt.NDArray[Any],
    n_threads: int | None,
    details: bool,
    writer: Any = None,
) -> None:
    """Write one label a point: as a table with ids and distances, an array, the picture, or by `writer` the cloud."""
    if plan is None:
        return
    with plan.open() as stream:
        if writer is not None:
            writer.write(stream, labels, palette(len(centroids)))
        elif plan.form in outputs.IMAGES:
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


def write_centroids(plan: Output | None, centroids: npt.NDArray[Any], feature_names: Sequence[str]) -> None:
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


def write_summary(plan: Output | None, summary: dict[str, Any]) -> None:
    """Write the summary: an object in JSON, elsewhere a table of names and values."""
    if plan is None:
        return
    with plan.open() as stream:
        if plan.form == "json":
            stream.write(json.dumps(summary, indent=1, ensure_ascii=False).encode() + b"\n")
        else:
            write_table(stream, told.table(summary), plan.form)


def draw(
    plan: Output,
    X: Any,
    labels: npt.NDArray[np.int32],
    centroids: npt.NDArray[Any],
    feature_names: Sequence[str],
) -> None:
    """Draw the first two columns of the points."""
    from matplotlib.figure import Figure  # no pyplot: no window system, no global state

    from kmeans_fast import plots

    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.add_subplot()
    plots.clusters(X, labels, centroids, ax=axes)
    axes.set(xlabel=feature_names[0], ylabel=feature_names[1])
    with plan.open() as stream:
        figure.savefig(stream, format=plan.form, dpi=150)
