"""SphericalKMeans: clusters of directions, by the cosine."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from .._predict import predict
from .._problem import Floats, Labels
from .._samples import Samples
from ._base import Run, Variant, weighted_sum
from ._directions import Directions, to_unit
from ._sphere import Sphere


class SphericalKMeans(Variant):
    """Spherical k-means: clusters of directions, each about its mean direction; needs scikit-learn >= 1.6.

    A sample is in the cluster of the center with the largest cosine, whatever its length; a center is the sum of its
    samples, each divided by its norm, made a unit vector. A row of zeros has no direction and is refused.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition"}, array-like or callable
        The start, by default "k-means++", on the rows divided by their norms; an array is divided by its own.
    n_init : "auto" or int, default "auto"
        Restarts, of which the one with the lowest objective is kept. "auto" is 10 for "random", "random-partition" and
        a callable, else 1.
    max_iter : int, default 300
        Iterations of a restart at most.
    tol : float, default 1e-4
        Stop when the summed squared shift of the centers is <= tol times the mean variance of the features of the
        rows divided by their norms; 0 goes on until no label changes.
    random_state : int, RandomState, Generator or None, default None
        The same value gives the same bits, whatever the number of threads.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow.

    Attributes
    ----------
    cluster_centers_ : array of shape (n_clusters, n_features)
        Unit vectors: float32 for float32 and float16 X, else float64.
    labels_ : int32 array of shape (n_samples,)
        Equal to ``predict(X)``.
    inertia_ : float
        Weighted sum of 1 - cosine of the samples and their centers.
    n_iter_ : int
        Iterations of the best restart.
    restarts_ : tuple of Restart
        Objective, iterations and end of every restart.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Among centers of one norm the nearest is the one with the largest product x.c, whatever the norm of x: passes are
    those of `KMeans`, on the rows as they are, with weights w / norm(x). Where norms differ so much that float32 would
    lose small rows (by more than a factor of 256 between the least and the largest), rows are divided block by block.
    Memory beyond X: that of `KMeans`, and 24 bytes a sample for norms and weights, 8 at the end.

    Source: I. S. Dhillon, D. S. Modha, "Concept decompositions for large sparse text data using clustering", Machine
    Learning 42 (2001).

    Examples
    --------
    >>> from kmeans_fast import SphericalKMeans
    >>> X = [[1.0, 0.0], [5.0, 0.0], [0.0, 2.0], [0.0, 0.1]]
    >>> model = SphericalKMeans(n_clusters=2, init=[[1.0, 0.0], [0.0, 1.0]]).fit(X)
    >>> model.labels_.tolist(), model.cluster_centers_.tolist(), model.inertia_
    ([0, 0, 1, 1], [[1.0, 0.0], [0.0, 1.0]], 0.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Variant._parameter_constraints | {
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int = 8,
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
        self.tol = tol

    def _problem(self, samples: Samples, weight: Floats | None) -> Sphere:
        return Sphere(samples, self.n_clusters, weight, self.n_threads)

    def _run(self, problem: Sphere, rng: np.random.Generator) -> Run:
        start = self._start(problem.seeding, rng)
        if not start.any(axis=1).all():
            raise ValueError("init has a row of zeros; every center must have a value other than 0.")
        return problem.descend(to_unit(start), self.max_iter, self.tol)

    def _keep(self, run: Run) -> None:
        super()._keep(run)
        self._radius = run.extra

    def _predict(self, samples: Samples) -> Labels:
        # The rows as they are, where a fit would have read them so.
        directions = Directions(samples, self.n_threads)
        centers = np.asarray(self.cluster_centers_, np.float64)
        if directions.readable(self._radius):
            return predict(samples, centers * self._radius, self.n_threads)
        return predict(directions.unit, centers, self.n_threads)

    def _objective(self, samples: Samples, labels: Labels, weight: Floats | None) -> float:
        far = Directions(samples, self.n_threads).own(self.cluster_centers_, labels)
        return weighted_sum(far, weight)
