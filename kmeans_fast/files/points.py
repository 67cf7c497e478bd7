"""The points of one input file, and which of its columns they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._common import FileError, listed


@dataclass(frozen=True)
class Columns:
    """The columns a caller asks for, by name.

    Attributes
    ----------
    features : sequence of str or None
        The features, in this order; None takes every column that has no other part.
    ids, weights : str or None
        The columns that name and weigh the points.
    like : bool
        Whether `features` are those of earlier points: a file that names no columns then gives all
        of its columns, as many as those.
    """

    features: Sequence[str] | None = None
    ids: str | None = None
    weights: str | None = None
    like: bool = False


class Chosen(NamedTuple):
    """The same columns by position."""

    features: list[int]
    ids: int | None
    weights: int | None


@dataclass(frozen=True, eq=False)
class Points:
    """What was read from one file.

    Attributes
    ----------
    X : ndarray or sources.Source, of shape (n_samples, n_features)
        The points; read-only where the file is mapped, a source where it is read in blocks.
    feature_names : list of str
        One name a feature; ``x0``, ``x1`` ... where the file names none.
    named : bool
        Whether the names come from the file.
    ids : array of length n_samples or None
        The id column: a pyarrow array from a table, a NumPy array from a .npy file.
    sample_weight : ndarray of shape (n_samples,) or None
    picture : Any
        What `images` needs to draw the picture again; None for other files.
    """

    X: Any
    feature_names: list[str]
    named: bool = True
    ids: Any = None
    sample_weight: npt.NDArray[Any] | None = None
    picture: Any = field(default=None, repr=False)


def default_names(count: int) -> list[str]:
    """Return the names of columns that have none, scikit-learn's: x0, x1 ..."""
    return [f"x{i}" for i in range(count)]


def choose(names: Sequence[str], wanted: Columns, source: str, named: bool = True) -> Chosen:
    """Find the wanted columns among the names that a file has, or was given where `named` is false.

    Raises
    ------
    FileError
        If one is missing, or its name stands for several columns, or no feature is left.
    """
    special = [name for name in (wanted.ids, wanted.weights) if name is not None]
    others = [name for name in names if name not in special]
    features = others if wanted.features is None else list(wanted.features)
    if wanted.like:
        unnamed = features == default_names(len(features)) and not set(features) <= set(names)
        if not named or unnamed:  # no names to go by on one side
            if len(others) != len(features):
                raise FileError(
                    f"{source} has {len(others)} columns of points and must have {len(features)}: {listed(features)}."
                )
            features = others
    asked = [*features, *special]
    count = Counter(names)
    missing = [name for name in asked if name not in count]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise FileError(f"{source} has no {noun} {listed(missing)}; its columns are {listed(names)}.")
    twice = [name for name in dict.fromkeys(asked) if count[name] > 1]
    if twice:
        raise FileError(f"{source} has more than one column called {listed(twice)}.")
    again = [name for name, times in Counter(asked).items() if times > 1]
    if again:
        raise FileError(f"{source}: {listed(again)} can't be used twice.")
    if not features:
        raise FileError(f"{source} has no column left for the points.")
    place = {name: i for i, name in enumerate(names)}
    return Chosen(
        [place[name] for name in features],
        None if wanted.ids is None else place[wanted.ids],
        None if wanted.weights is None else place[wanted.weights],
    )


def points_of_array(array: npt.NDArray[Any], wanted: Columns, source: str) -> Points:
    """Make points of a .npy or .npz array, viewed rather than copied where that is possible.

    Raises
    ------
    FileError
        If the array isn't 1-D (one feature) or 2-D, or holds nothing, or as `choose`.
    """
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.size == 0:  # a width that no value takes up may be any number
        raise FileError(f"{source} has shape {array.shape} and must be (n_samples >= 1, n_features >= 1).")
    names = default_names(array.shape[1])
    features, ids, weights = choose(names, wanted, source, named=False)
    run = slice(features[0], features[0] + len(features))
    neighbours = features == list(range(run.start, run.stop))
    return Points(
        array[:, run if neighbours else features],
        [names[i] for i in features],
        named=False,
        ids=None if ids is None else array[:, ids],
        sample_weight=None if weights is None else array[:, weights],
    )
