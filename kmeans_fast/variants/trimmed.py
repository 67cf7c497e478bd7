"""TrimmedKMeans: the farthest samples belong to no cluster and pull no center."""

from __future__ import annotations

from math import floor
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from .._predict import own_distances, predict
from .._problem import Floats, Labels
from .._samples import Samples
from ._base import Run, Variant, weighted_sum
from ._trim import Trim
from ._trim_seeding import trimmed_plusplus


class TrimmedKMeans(Variant):
    """k-means-- (k-means with outliers left out): clusters and outliers at once; needs scikit-learn >= 1.6.

    In every iteration the `n_outliers` samples that lie farthest from their centers are left out of the means; at the
    end they are labelled -1. Samples that are equally far stay or go together, so it may be fewer.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    n_outliers : int or float, default 0.05
        Outliers at most: a number of samples, or a share of them in [0, 1); with weights the weight of the outliers, or
        its share.
    init : {"k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition"}, array-like or callable
        The start, by default "k-means++", here with the farthest samples left out of its draws, on 16384 + 8 n_clusters
        samples at most; the others as for `KMeans`.
    n_init : "auto" or int, default "auto"
        Restarts, of which the one with the lowest objective is kept. "auto" is 10 for "random", "random-partition" and
        a callable, else 1.
    max_iter : int, default 300
        Iterations of a restart at most.
    tol : float, default 1e-4
        Stop when the summed squared shift of the centers is <= tol times the mean variance of the features; 0 goes on
        until no label changes.
    random_state : int, RandomState, Generator or None, default None
        The same value gives the same bits, whatever the number of threads.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow.

    Attributes
    ----------
    cluster_centers_ : array of shape (n_clusters, n_features)
        Means without the outliers: float32 for float32 and float16 X, else float64.
    labels_ : int32 array of shape (n_samples,)
        -1 for outliers; equal to ``predict(X, outliers=True)``.
    threshold_ : float
        Distance to the center beyond which a sample is an outlier: that of the farthest sample in a cluster.
    inertia_ : float
        Weighted sum of the squared distances of all but the outliers.
    n_iter_ : int
        Iterations of the best restart.
    restarts_ : tuple of Restart
        Objective, iterations and end of every restart.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Memory beyond X: that of `KMeans`, and 18 bytes a sample for distances and labels, 8 more while the farthest are
    looked for, 4 for the best of several restarts.

    Source: S. Chawla, A. Gionis, "k-means--: a unified approach to clustering and outlier detection", SIAM
    International Conference on Data Mining 2013.

    Examples
    --------
    >>> from kmeans_fast import TrimmedKMeans
    >>> X = [[0.0], [1.0], [2.0], [10.0], [11.0], [12.0], [500.0]]
    >>> model = TrimmedKMeans(n_clusters=2, n_outliers=1, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.labels_[-1], model.inertia_
    ([1.0, 11.0], -1, 4.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Variant._parameter_constraints | {
        "n_outliers": [Interval(Integral, 0, None, closed="left"), Interval(Real, 0, 1, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        n_outliers: float = 0.05,
        *,
        init: Any = "k-means++",
        n_init: int | str = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        super().__init__(
            n_clusters, init=init, n_init=n_init, max_iter=max_iter, random_state=random_state, n_threads=n_threads
        )
        self.n_outliers = n_outliers
        self.tol = tol

    def predict(self, X: Any, outliers: bool = False) -> Labels:
        """Label each sample with its nearest center, the lowest index where several are.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
        outliers : bool, default False
            Whether samples farther than `threshold_` from it are labelled -1.
        """
        labels = super().predict(X)
        if outliers:
            far = own_distances(X, self.cluster_centers_, labels, self.n_threads)
            labels[far > self.threshold_] = -1
        return labels

    def _problem(self, samples: Samples, weight: Floats | None) -> Trim:
        total = float(samples.n_samples if weight is None else weight.sum())
        is_count = isinstance(self.n_outliers, Integral)
        budget = float(self.n_outliers if is_count else self.n_outliers * total)
        if weight is None:
            budget = floor(budget)
            if self.n_clusters > samples.n_samples - budget:
                raise ValueError(
                    f"n_clusters={self.n_clusters} must be <= n_samples={samples.n_samples} - n_outliers={budget}."
                )
        elif budget >= total:
            raise ValueError(f"n_outliers={self.n_outliers} must be < {total}, the sum of sample_weight.")
        return Trim(samples, self.n_clusters, weight, self.n_threads, budget)

    def _run(self, problem: Trim, rng: np.random.Generator) -> Run:
        if isinstance(self.init, str) and self.init == "k-means++":
            centers = trimmed_plusplus(problem.problem, problem.budget, rng)
        else:
            centers = self._start(problem.problem, rng)
        return problem.descend(centers, self.max_iter, self.tol)

    def _keep(self, run: Run) -> None:
        super()._keep(run)
        self.threshold_ = run.extra

    def _predict(self, samples: Samples) -> Labels:
        return predict(samples, self.cluster_centers_, self.n_threads)

    def _objective(self, samples: Samples, labels: Labels, weight: Floats | None) -> float:
        far = own_distances(samples, self.cluster_centers_, labels, self.n_threads)
        far[far > self.threshold_] = 0.0
        far *= far
        return weighted_sum(far, weight)
