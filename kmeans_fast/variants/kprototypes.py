"""KPrototypes: clusters of samples in numbers and categories."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from .._problem import Floats
from ._categories import Table
from ._mixed import MixedVariant


class KPrototypes(MixedVariant):
    """k-prototypes: k-means on the columns of numbers and k-modes on those of categories, at once.

    The distance is the squared Euclidean one of the numbers plus `gamma` for each category that differs. A prototype
    has the means of its samples and their most frequent categories, the first in sorted order where several are. This
    is Huang's own iteration, which visits samples in order and lets each that moves change the prototypes at once:
    labels, prototypes and cost are those of the package kmodes from the same start, up to rounding and whatever the
    number of threads. It differs where a cluster runs empty, which a random sample of the largest one fills, and with
    weights, which here count as repetition.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    categorical : "auto" or list of int, str or bool, default "auto"
        Which columns are categories: positions, names, or one truth value a column. "auto" takes the columns of a
        frame, or of an array of objects, that do not hold numbers.
    gamma : float, optional
        What a mismatch costs. By default half the mean standard deviation of the numbers, Huang's advice; scale the
        numbers alike first, as for k-means.
    init : {"k-means++", "cao", "huang", "random"} or array-like of shape (n_clusters, n_features)
        The start: samples drawn by their distance to those before; the dense and distant ones of Cao et al., in which
        nothing is random, or samples near to modes drawn by frequency (Huang), both by categories alone; any samples;
        or rows as those of X.
    n_init : "auto" or int, default "auto"
        Restarts, of which the one with the lowest cost is kept. "auto" is 10 for "huang" and "random", else 1.
    max_iter : int, default 100
        Passes of a restart at most. It ends when no sample moves or the cost does not fall.
    missing : {"error", "category"}, default "error"
        What None, NaN and pandas.NA are among categories: an error, or a category of their own, the last one. Among
        numbers they are always an error.
    handle_unknown : {"mismatch", "error"}, default "mismatch"
        What a category is in `predict` that was not seen in `fit`: a mismatch with every mode, or an error.
    random_state : int, RandomState, Generator or None, default None
        The same value gives the same bits, whatever the number of threads.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow. They label ahead where samples rest.

    Attributes
    ----------
    cluster_centroids_ : array of shape (n_clusters, n_features)
        The prototypes, in the order of the columns of X. `to_frame` has them with their names.
    labels_ : int32 array of shape (n_samples,)
        Equal to ``predict(X)``.
    inertia_, cost_ : float
        Weighted sum of the distances of samples to their prototypes.
    gamma_ : float
        What a mismatch costs.
    epoch_costs_ : list of float
        The cost at the start and after each pass of the best restart.
    n_iter_ : int
        Passes of the best restart.
    restarts_ : tuple of Restart
        Cost, passes and end of every restart.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Memory beyond X: that of `KModes` for the categories, and 8 bytes for each number: columns of a frame lie apart, and
    the algorithm reads them row by row. Everything is computed in float64.

    Sources: Z. Huang, "Extensions to the k-means algorithm for clustering large data sets with categorical values",
    Data Mining and Knowledge Discovery 2(3), 1998; Z. Huang, "Clustering large data sets with mixed numeric and
    categorical values", PAKDD 1997.

    Examples
    --------
    >>> from kmeans_fast import KPrototypes
    >>> X = [[1.0, "cat"], [2.0, "cat"], [9.0, "dog"], [10.0, "dog"]]
    >>> model = KPrototypes(n_clusters=2, init="cao").fit(X)
    >>> model.cluster_centroids_.tolist(), model.labels_.tolist()
    ([[1.5, 'cat'], [9.5, 'dog']], [0, 0, 1, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MixedVariant._parameter_constraints,
        "categorical": [StrOptions({"auto"}), "array-like"],
        "gamma": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        categorical: Any = "auto",
        gamma: float | None = None,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 100,
        missing: str = "error",
        handle_unknown: str = "mismatch",
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        super().__init__(
            n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            missing=missing,
            handle_unknown=handle_unknown,
            random_state=random_state,
            n_threads=n_threads,
        )
        self.categorical = categorical
        self.gamma = gamma

    def _find_columns(self, table: Table) -> list[int]:
        if isinstance(self.categorical, str):
            columns = [f for f in range(table.n_features) if not table.holds_numbers(f)]
        else:
            columns = _positions(list(self.categorical), table)
        if not columns:
            raise ValueError(
                "No column of X is one of categories: name them in categorical=[...], or use KMeans where there are "
                "none."
            )
        if len(columns) == table.n_features:
            raise ValueError(
                f"Every column of X (n_features = {table.n_features}) is one of categories: use KModes, or name those "
                "that are in categorical=[...]."
            )
        return columns

    def _find_gamma(self, numbers: Floats, weight: Floats | None) -> float:
        if self.gamma is not None:
            return float(self.gamma)
        mean = np.average(numbers, axis=0, weights=weight)
        deviation = np.sqrt(np.average((numbers - mean) ** 2, axis=0, weights=weight))
        # Where no number tells samples apart, categories do.
        return float(0.5 * deviation.mean()) or 1.0


def _positions(given: list[Any], table: Table) -> list[int]:
    """Turn positions, names or truth values into positions in order."""
    names, n_features = list(table.names), table.n_features
    if given and all(isinstance(item, (bool, np.bool_)) for item in given):
        if len(given) != n_features:
            raise ValueError(f"categorical has {len(given)} truth values and must have n_features={n_features}.")
        return [f for f, yes in enumerate(given) if yes]
    columns = set()
    for item in given:
        if isinstance(item, Integral):
            if not -n_features <= int(item) < n_features:
                raise ValueError(f"categorical={item} must be >= {-n_features} and < n_features={n_features}.")
            columns.add(int(item) % n_features)
        elif item in names:
            columns.add(names.index(item))
        else:
            raise ValueError(f"categorical={item!r} must be a position or the name of a column of X.")
    return sorted(columns)
