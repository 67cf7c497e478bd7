"""What KModes and KPrototypes share: tables in, codes and numbers through Huang's algorithm, prototypes out."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .._frames import narwhals
from .._problem import Floats, Labels
from ._base import Run, Variant
from ._categories import Encoder, Table
from ._huang import Mixed, Start, descend
from ._modes_start import METHODS, choose_start

if TYPE_CHECKING:
    from typing_extensions import Self


class MixedVariant(Variant):
    """Base of both. A subclass defines ``_find_columns(table)`` and ``_find_gamma(numbers, weight)``."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Variant._parameter_constraints,
        "init": [StrOptions(set(METHODS)), "array-like"],
        "missing": [StrOptions({"error", "category"})],
        "handle_unknown": [StrOptions({"error", "mismatch"})],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 100,
        missing: str = "error",
        handle_unknown: str = "mismatch",
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        super().__init__(
            n_clusters, init=init, n_init=n_init, max_iter=max_iter, random_state=random_state, n_threads=n_threads
        )
        self.missing = missing
        self.handle_unknown = handle_unknown

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Cluster X.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Categories are strings, integers, truth values, dates or other objects that can be hashed and have an order
            within a column; categoricals of pandas and polars are taken as they are.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0: an integer weight is the same as repetition, 0 the same as absence.

        Raises
        ------
        TypeError
            For sparse X, and for columns whose values have no order.
        ValueError
            For missing values (see `missing`), infinity, wrong shapes, and parameters out of range.

        Warns
        -----
        ConvergenceWarning
            If there are fewer distinct samples than clusters.
        """
        return super().fit(X, sample_weight=sample_weight)

    @property
    def cost_(self) -> float:
        """The same as ``inertia_``."""
        return self.inertia_

    def to_frame(self) -> Any:
        """Return the prototypes as a frame, in the library of X or else pandas: one row a cluster, first its size."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", [f"x{f}" for f in range(self.n_features_in_)])
        sizes = np.bincount(self.labels_, minlength=len(self.cluster_centroids_))
        first = "size" if "size" not in names else "cluster size"
        columns = {first: sizes, **dict(zip(names, self._centroid_columns, strict=True))}
        lists = {name: column.tolist() for name, column in columns.items()}
        return narwhals().from_dict(lists, backend=self._backend).to_native()

    def _find_columns(self, table: Table) -> list[int]:
        raise NotImplementedError

    def _find_gamma(self, numbers: Floats, weight: Floats | None) -> float:
        raise NotImplementedError

    def _samples(self, X: Any, *, reset: bool = False) -> Table:
        table = Table(X)
        validate_data(self, table.original, reset=reset, skip_check_array=True)
        if reset:
            categorical = self._find_columns(table)
            self._encoder = Encoder(categorical, self.missing)
            self._numeric = [f for f in range(table.n_features) if f not in set(categorical)]
            self._backend = "polars" if type(X).__module__.startswith("polars") else "pandas"
        return table

    def _problem(self, samples: Table, weight: Floats | None) -> Mixed:
        codes, numbers = self._encoder.fit(samples), samples.numbers(self._numeric)
        self.gamma_ = self._find_gamma(numbers, weight)
        return self._mixed(codes, numbers, weight)

    def _mixed(self, codes: NDArray[Any], numbers: Floats, weight: Floats | None) -> Mixed:
        offsets = self._encoder.offsets()
        return Mixed(codes, numbers, offsets, self.n_clusters, self.gamma_, weight, self.n_threads)

    def _run(self, problem: Mixed, rng: np.random.Generator) -> Run:
        named = isinstance(self.init, str)
        start = choose_start(problem, self.init, rng) if named else self._given_start()
        return descend(problem, start, self.max_iter, rng)

    def _given_start(self) -> Start:
        table = Table(self.init, "init")
        if (table.n_samples, table.n_features) != (self.n_clusters, self.n_features_in_):
            shape, rule = (table.n_samples, table.n_features), (self.n_clusters, self.n_features_in_)
            raise ValueError(f"init has shape {shape} and must be (n_clusters, n_features) = {rule}.")
        codes = self._encoder.transform(table, "which is no category of X.")
        return Start(codes.astype(np.int64), table.numbers(self._numeric))

    def _count_restarts(self) -> int:
        if isinstance(self.init, str) and self.init == "cao":  # nothing in it is random
            return 1
        return super()._count_restarts()

    def _keep(self, run: Run) -> None:
        means, costs = run.extra
        self._fitted_at = Start(run.centers, means)
        columns: list[NDArray[Any]] = [np.empty(0)] * self.n_features_in_
        for f, column in zip(self._encoder.columns, self._encoder.decode(run.centers), strict=True):
            columns[f] = column
        for position, f in enumerate(self._numeric):
            columns[f] = means[:, position]
        self._centroid_columns = columns
        same = len({column.dtype for column in columns}) == 1
        self.cluster_centroids_ = np.empty((self.n_clusters, len(columns)), columns[0].dtype if same else object)
        for f, column in enumerate(columns):
            self.cluster_centroids_[:, f] = column
        self.labels_, self.inertia_, self.n_iter_, self.epoch_costs_ = run.labels, run.inertia, run.n_iter, costs

    def _fitted(self, table: Table, weight: Floats | None = None) -> Mixed:
        refusal = ""
        if self.handle_unknown == "error":
            refusal = "which was not seen in fit; handle_unknown='mismatch' counts it as a mismatch with every mode."
        problem = self._mixed(self._encoder.transform(table, refusal), table.numbers(self._numeric), weight)
        problem.prototypes.place(*self._fitted_at)
        return problem

    def _predict(self, samples: Table) -> Labels:
        problem = self._fitted(samples)
        problem.assign(problem.members)
        return problem.members

    def _objective(self, samples: Table, labels: Labels, weight: Floats | None) -> float:
        return self._fitted(samples, weight).assign(labels)
