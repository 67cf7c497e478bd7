"""Point clouds on the command line: LAS, LAZ and PLY in, the same with a label a point out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kmeans_fast.sources._las import LasCloud
from kmeans_fast.sources._ply import PlyCloud
from kmeans_fast.sources._selected import Selected

from ._common import FileError, Source, UsageError, listed
from .las import LasRewriter
from .outputs import CLOUDS, Output
from .ply import PlyRewriter
from .points import Columns, Points, choose, default_names

GOLDEN = 0.6180339887498949  # of a turn: any number of first hues lie far apart
COORDINATES = ["x", "y", "z"]


def read_cloud(source: Source, wanted: Columns, kind: str) -> Points:
    """Open a point cloud; its points are read in blocks when they are used.

    Raises
    ------
    FileError
        If it comes by a pipe, is damaged or truncated, or lacks a dimension.
    """
    if source.path is None:
        raise FileError(f"{source.name} can't be read as a point cloud: it must be a file.")
    if wanted.ids is not None:
        raise FileError(f"{source.name} is a point cloud, whose points have no names: leave out --id-column.")
    features = wanted.features
    if features is None or (wanted.like and list(features) == default_names(3)):
        features = COORDINATES
    cloud = _open(source, kind)
    names = cloud.names
    chosen = choose(names, replace(wanted, features=features, like=False), source.name)
    selected = [names[i] for i in chosen.features]
    X = cloud if selected == cloud.feature_names else _open(source, kind, selected)
    if X.shape[0] == 0:
        raise FileError(f"{source.name} is a point cloud without points.")
    weight = None
    if chosen.weights is not None:
        column = Selected(_open(source, kind, [names[chosen.weights]]), [0])
        weight = np.asarray(column, np.float64)[:, 0]
    return Points(X, X.feature_names, sample_weight=weight)


def _open(source: Source, kind: str, select: Sequence[str] | None = None) -> Any:
    try:
        return (LasCloud if kind == "las" else PlyCloud)(str(source.path), select)
    except ValueError as error:
        raise FileError(str(error)) from None


def first_two(X: Any) -> Any:
    """Give the first two columns of an array, or of what is read in blocks as another source."""
    return X[:, :2] if isinstance(X, np.ndarray) else Selected(X, [0, 1])


def plan_cloud(plan: Output | None, points: Points, colour: bool) -> LasRewriter | PlyRewriter | None:
    """Refuse, before the work, a cloud of points that are none, and what can't be written; else say what writes it."""
    if plan is None or plan.form not in CLOUDS:
        if colour:
            raise UsageError(f"--colour needs an --output of {', '.join(CLOUDS)}.")
        return None
    cloud = points.X
    kinds = {LasCloud: ("las", "laz"), PlyCloud: ("ply",)}.get(type(cloud), ())
    if plan.form not in kinds:
        there = f"of {listed(kinds)}" if kinds else "no point cloud"
        raise UsageError(f"--output {plan.path} is a point cloud, and the input is {there}: both must be of one kind.")
    if plan.path == "-":
        raise UsageError(f"--format {plan.form} needs a file, not standard output.")
    if os.path.exists(plan.path) and os.path.samefile(plan.path, cloud.path):
        raise UsageError(f"--output {plan.path} is the input, which is never overwritten.")
    return PlyRewriter(cloud, colour) if plan.form == "ply" else LasRewriter(cloud, plan.form == "laz", colour)


def palette(n_clusters: int) -> npt.NDArray[np.uint8]:
    """Give each cluster a colour: hues by the golden ratio, in six mixtures of strength and lightness."""
    i = np.arange(n_clusters)
    hue = (i * GOLDEN % 1.0)[:, np.newaxis] * 6.0
    pure = np.clip(np.abs((hue + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0, 0.0, 1.0)
    strength, light = np.array([0.85, 0.5, 0.7])[i % 3, np.newaxis], np.array([0.95, 0.65])[i // 3 % 2, np.newaxis]
    mixed: npt.NDArray[Any] = np.rint(255.0 * light * (1.0 - strength * (1.0 - pure)))
    return mixed.astype(np.uint8)
