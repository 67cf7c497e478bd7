"""Preparation before clustering: missing values filled in, texts made numbers, columns brought to one scale.

scikit-learn's transformers learn it (SimpleImputer, OneHotEncoder, StandardScaler, in this order). What they learnt is
kept as plain numbers, which a model file carries, and `predict` does the same to other points with them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ._common import FileError, listed, need
from .points import Points
from .raw import Column, Raw

IMPUTE = ("mean", "median", "most_frequent")
MOST_CATEGORIES = 256  # of a column of texts: one with more names its rows, and would fill the memory

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wish:
    """What is to be done; the options of the command line."""

    standardize: bool = False
    one_hot: bool = False
    impute: str | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return self.standardize or self.one_hot or self.impute is not None


@dataclass(frozen=True)
class Rule:
    """What one column of a file becomes.

    Attributes
    ----------
    name : str
    fill : float, str or None
        What stands for a missing value; None refuses it.
    categories : tuple of str or None
        Of a column of texts: each becomes a column of 0 and 1.
    """

    name: str
    fill: float | str | None = None
    categories: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check what may come from a file."""
        texts = self.categories is not None
        fills = str if texts else float
        if not isinstance(self.name, str) or not (self.fill is None or isinstance(self.fill, fills)):
            raise ValueError(f"the rule of column {self.name!r} is damaged.")
        if texts and not (self.categories and all(isinstance(text, str) for text in self.categories)):
            raise ValueError(f"the categories of column {self.name!r} must be texts.")

    @property
    def features(self) -> list[str]:
        """Names of what it becomes."""
        return [self.name] if self.categories is None else [f"{self.name}_{text}" for text in self.categories]

    def apply(self, column: Column, place: Any) -> Floats:
        """Return the features of a column, shape (n_samples, n_features).

        Raises
        ------
        FileError
            For a missing value without a fill, a text where numbers are expected, an unknown category.
        """
        values, missing = column.values, column.missing
        if column.is_text != (self.categories is not None):
            kind, other = ("texts", "numbers") if column.is_text else ("numbers", "texts")
            raise FileError(f"{place(0)}, column {self.name!r} holds {kind} and must hold {other}.")
        if missing.any():
            if self.fill is None:
                row = int(missing.argmax())
                raise FileError(f"{place(row)}, column {self.name!r}: missing value; fill it in (cluster --impute).")
            values = np.where(missing, self.fill, values)
        if self.categories is None:
            return values[:, np.newaxis]
        hot = values[:, np.newaxis] == np.array(self.categories, object)
        unknown = ~hot.any(axis=1)
        if unknown.any():
            row = int(unknown.argmax())
            raise FileError(
                f"{place(row)}, column {self.name!r}: {values[row]!r} was not there when the model was fitted; it must "
                f"be one of {listed(self.categories)}."
            )
        return np.asarray(hot, np.float64)


@dataclass(frozen=True)
class Preparation:
    """What was learnt: rules for the columns, and the scale of the features they become.

    Attributes
    ----------
    rules : tuple of Rule
    mean, scale : float64 array of shape (n_features,) or None
        None leaves the units as they are.
    """

    rules: tuple[Rule, ...]
    mean: Floats | None = None
    scale: Floats | None = None

    @property
    def columns(self) -> list[str]:
        """Columns that it is applied to."""
        return [rule.name for rule in self.rules]

    @property
    def feature_names(self) -> list[str]:
        """Names of the features that come out."""
        return [name for rule in self.rules for name in rule.features]

    def apply(self, found: Raw) -> Points:
        """Make points of columns; memory: that of the columns, twice."""
        parts = [rule.apply(column, found.place) for rule, column in zip(self.rules, found.columns, strict=True)]
        X = self.scaled(np.concatenate(parts, axis=1))
        return Points(X, self.feature_names, found.named, found.ids, found.sample_weight, found.picture)

    def scaled(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Bring features in their own units to the common scale."""
        return X if self.mean is None or self.scale is None else (X - self.mean) / self.scale

    def unscaled(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Bring features, such as centroids, back to their own units; an indicator's is the share of its category."""
        if self.mean is None or self.scale is None:
            return X
        width = X.shape[1]
        return X * self.scale[:width] + self.mean[:width]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        rules = [{"name": r.name, "fill": r.fill, "categories": r.categories} for r in self.rules]
        arrays = (None if array is None else array.tolist() for array in (self.mean, self.scale))
        return {"rules": rules, **dict(zip(("mean", "scale"), arrays, strict=True))}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Preparation:
        """Rebuild it from `plain`, which may be nonsense written on purpose.

        Raises
        ------
        ValueError, TypeError, KeyError
        """
        rules = []
        for rule in plain["rules"]:
            categories = None if rule["categories"] is None else tuple(rule["categories"])
            rules.append(Rule(rule["name"], rule["fill"], categories))
        mean, scale = (None if plain[key] is None else np.array(plain[key], np.float64) for key in ("mean", "scale"))
        made = cls(tuple(rules), mean, scale)
        for array in (mean, scale):
            if array is not None and (array.shape != (len(made.feature_names),) or not np.isfinite(array).all()):
                raise ValueError("mean and scale must be finite numbers, one a feature.")
        if (mean is None) != (scale is None) or (scale is not None and not (scale > 0).all()):
            raise ValueError("scale must be positive, and come with a mean.")
        return made


def learn(found: Raw, wish: Wish) -> tuple[Preparation, Points]:
    """Learn from the columns of a file what is wished for, and apply it.

    Raises
    ------
    FileError
        For a column that the wish has no way with: missing values without ``impute``, nothing but missing values, texts
        without ``one_hot`` or too many of them.
    """
    made = Preparation(tuple(_rule(column, wish, found.place) for column in found.columns))
    points = made.apply(found)
    if not wish.standardize:
        return made, points
    scaler = need("sklearn.preprocessing", "--standardize", "sklearn").StandardScaler()
    scaler.fit(points.X, sample_weight=found.sample_weight)
    made = replace(made, mean=scaler.mean_, scale=scaler.scale_)
    return made, replace(points, X=made.scaled(points.X))


def _rule(column: Column, wish: Wish, place: Any) -> Rule:
    missing, values, where = column.missing, column.values, f"column {column.name!r}"
    if missing.all():
        raise FileError(f"{place(0)}, {where} has missing values only; leave it out of --columns.")
    if column.is_text and not wish.one_hot:
        row = int((~missing).argmax())
        raise FileError(
            f"{place(row)}, {where}: {values[row]!r} is not a number; --one-hot takes texts, --columns chooses the "
            "columns to use."
        )
    fill = None
    if wish.impute is not None:
        strategy = "most_frequent" if column.is_text else wish.impute
        empty = None if column.is_text else np.nan
        imputer = need("sklearn.impute", "--impute", "sklearn").SimpleImputer(strategy=strategy, missing_values=empty)
        fill = imputer.fit(values[:, np.newaxis]).statistics_[0]
    if not column.is_text:
        return Rule(column.name, None if fill is None else float(fill))
    encoder = need("sklearn.preprocessing", "--one-hot", "sklearn").OneHotEncoder()
    known = tuple(encoder.fit(values[~missing][:, np.newaxis]).categories_[0].tolist())
    if len(known) > MOST_CATEGORIES:
        raise FileError(
            f"{place(0)}, {where} holds {len(known)} different texts, which must be <= {MOST_CATEGORIES} for "
            "--one-hot; --id-column takes a column of names, --columns leaves it out."
        )
    return Rule(column.name, fill, known)
