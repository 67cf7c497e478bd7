"""What all variants share: parameters, samples, restarts, and scikit-learn's methods.

A variant says how a problem is made, how one restart runs, and how samples are labelled; the rest is here.
"""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._iterate import CONVERGED
from .._problem import Floats, Problem
from .._restarts import count_restarts
from .._result import Restart, warn_of_empty_clusters
from .._seed import METHODS, as_start, seed
from .._sklearn_base import generator, with_random_state, wrap
from .._validate import as_weight, check_n_clusters

if TYPE_CHECKING:
    from typing_extensions import Self


class Run(NamedTuple):
    """Where one restart led; its arrays are its own."""

    centers: NDArray[Any]
    labels: NDArray[np.int32]
    inertia: float
    n_iter: int
    stop_reason: str
    extra: Any = None  # what else the variant keeps


class Variant(ClusterMixin, BaseEstimator):
    """Base of the variants.

    A subclass with parameters of its own has them in `__init__` and `_parameter_constraints`, and defines

    - ``_run(problem, rng)``: one restart, a `Run`;
    - ``_predict(samples)``: labels by the fitted centers;
    - ``_objective(samples, labels, weight)``: what a fit makes small;

    and where X is no table of numbers ``_samples(X, reset=...)``, which returns something with ``n_samples``, and
    ``_problem(samples, weight)``, what all restarts share; where a restart leaves more than centers, ``_keep(run)``.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions(set(METHODS)), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 300,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Cluster X.

        Parameters
        ----------
        X : array-like, frame, path or source of shape (n_samples, n_features)
            Any real dtype and layout; files, streams of chunks (docs/sources.md). Read in blocks and not modified.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0.

        Raises
        ------
        TypeError
            For sparse X, text, and other things that are not real numbers.
        ValueError
            For NaN, infinity, wrong shapes, and parameters out of range.

        Warns
        -----
        ConvergenceWarning
            If there are fewer distinct samples than clusters.
        """
        self._validate_params()
        samples = self._samples(X, reset=True)
        weight = as_weight(sample_weight, samples.n_samples)
        check_n_clusters(self.n_clusters, samples.n_samples, weight)
        rng = generator(self.random_state)
        problem = self._problem(samples, weight)
        runs: list[Restart] = []
        best: Run | None = None
        for _ in range(self._count_restarts()):
            run = self._run(problem, rng)
            converged = run.stop_reason in CONVERGED
            runs.append(Restart(run.inertia, run.n_iter, converged, run.stop_reason))
            if best is None or run.inertia < best.inertia:  # the first of equals
                best = run
        assert best is not None
        self.restarts_ = tuple(runs)
        self._keep(best)
        filled, converged = len(np.unique(best.labels[best.labels >= 0])), best.stop_reason in CONVERGED
        warn_of_empty_clusters(filled, self.n_clusters, converged, best.stop_reason, ConvergenceWarning, stacklevel=3)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> NDArray[np.int32]:
        """Cluster X and return the labels."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label each sample with its nearest center, the lowest index where several are: int32, shape (n_samples,).

        X is whatever `fit` takes; with other features, NaN or infinity it is a ValueError, before `fit` NotFittedError.
        """
        check_is_fitted(self)
        return self._predict(self._samples(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the objective of X against the fitted centers, as `inertia_`; X and errors as in `predict`."""
        check_is_fitted(self)
        samples = self._samples(X)
        weight = as_weight(sample_weight, samples.n_samples)
        return -self._objective(samples, self._predict(samples), weight)

    def _run(self, problem: Any, rng: np.random.Generator) -> Run:
        raise NotImplementedError

    def _predict(self, samples: Any) -> NDArray[np.int32]:
        raise NotImplementedError

    def _objective(self, samples: Any, labels: NDArray[np.int32], weight: Floats | None) -> float:
        raise NotImplementedError

    def _keep(self, run: Run) -> None:
        self.cluster_centers_, self.labels_ = run.centers, run.labels
        self.inertia_, self.n_iter_ = run.inertia, run.n_iter

    def _samples(self, X: Any, *, reset: bool = False) -> Any:
        return wrap(self, X, reset=reset)

    def _problem(self, samples: Any, weight: Floats | None) -> Any:
        return Problem(samples, self.n_clusters, weight, self.n_threads)

    def _start(self, problem: Problem, rng: np.random.Generator) -> Floats:
        """Return the centers that a restart begins with, by `init`."""
        init = self.init
        if callable(init):
            return seed(problem, with_random_state(init), rng)
        return seed(problem, init if isinstance(init, str) else as_start(init, problem), rng)

    def _count_restarts(self) -> int:
        return count_restarts(self.n_init, self.init, "standard", stacklevel=4)


def weighted_sum(values: Floats, weight: Floats | None) -> float:
    """Add up an objective's shares of the samples."""
    return float(values.sum() if weight is None else (values * weight).sum())
