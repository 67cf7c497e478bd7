"""KMedians: centers are medians, distances sums of absolute differences, so that far samples pull less."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._iterate import STALLED
from .._problem import Floats, Labels, Problem
from .._samples import Samples
from ._base import Run, Variant, weighted_sum
from ._medians import Medians, nearest, own_distances, plusplus_rows


class KMedians(Variant):
    """k-medians: clusters in the L1 distance, each about its component-wise median; needs scikit-learn >= 1.6.

    A sample is in the cluster of the center with the least sum of absolute differences, of equals the one of the lowest
    index. A center is the lower weighted median of each feature: the least value at which the weights of the samples up
    to it come to half of all, so it is a value that some sample has, exactly.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition"}, array-like or callable
        The start, by default "k-means++", here with distances in place of their squares; the others as for `KMeans`.
    n_init : "auto" or int, default "auto"
        Restarts, of which the one with the lowest objective is kept. "auto" is 10 for "random", "random-partition" and
        a callable, else 1.
    max_iter : int, default 300
        Iterations of a restart at most; it ends by itself when no label changes.
    random_state : int, RandomState, Generator or None, default None
        The same value gives the same bits, whatever the number of threads.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow.

    Attributes
    ----------
    cluster_centers_ : array of shape (n_clusters, n_features)
        The medians: float32 for float32 and float16 X, else float64.
    labels_ : int32 array of shape (n_samples,)
        Equal to ``predict(X)``.
    inertia_ : float
        Weighted sum of the L1 distances of the samples to their centers.
    n_iter_ : int
        Iterations of the best restart.
    restarts_ : tuple of Restart
        Objective, iterations and end of every restart.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Memory beyond X: 16 bytes a sample for labels and the rows of each cluster, 4 for the best of several restarts, 4
    (float32) or 8 during seeding, 8 at the end; and for each thread the values of one feature of the largest cluster,
    with weights 8 bytes more. An X that is not a contiguous float32 or float64 array is converted 32 MB of columns at a
    time, one column at the least.

    Sources: P. S. Bradley, O. L. Mangasarian, W. N. Street, "Clustering via concave minimization", NIPS 1996;
    A. K. Jain, R. C. Dubes, "Algorithms for clustering data", 1988.

    Examples
    --------
    >>> from kmeans_fast import KMedians
    >>> X = [[0.0], [1.0], [2.0], [10.0], [11.0], [900.0]]
    >>> model = KMedians(n_clusters=2, init=[[0.0], [10.0]]).fit(X)
    >>> model.cluster_centers_.ravel().tolist(), model.inertia_
    ([1.0, 11.0], 892.0)
    """

    def _problem(self, samples: Samples, weight: Floats | None) -> Medians:
        return Medians(Problem(samples, self.n_clusters, weight, self.n_threads, "lloyd"))

    def _run(self, problem: Medians, rng: np.random.Generator) -> Run:
        if isinstance(self.init, str) and self.init == "k-means++":
            centers = problem.problem.samples.take(plusplus_rows(problem, rng), problem.dtype)
        else:
            centers = np.array(self._start(problem.problem, rng), problem.dtype)
        run = descend(problem, centers, self.max_iter)
        return run._replace(centers=run.centers.astype(problem.problem.samples.result_dtype))

    def _keep(self, run: Run) -> None:
        super()._keep(run)
        self._dtype = run.extra

    def _predict(self, samples: Samples) -> Labels:
        dtype = np.promote_types(samples.dtype, self._dtype)
        return nearest(samples, dtype, self.cluster_centers_, self.n_threads)

    def _objective(self, samples: Samples, labels: Labels, weight: Any) -> float:
        far = own_distances(samples, samples.dtype, self.cluster_centers_, labels, self.n_threads)
        return weighted_sum(far, weight)


def descend(medians: Medians, centers: Any, max_iter: int) -> Run:
    """Label and move in turn until no label changes; labels are those of the centers that are returned."""
    lowest, stalled, n_iter, reason = np.inf, 0, 0, ""
    medians.reset()
    while not reason:
        total = medians.assign(centers)
        n_iter += 1
        touched = medians.touched()
        stalled = 0 if total < lowest else stalled + 1
        lowest = min(lowest, total)
        if len(touched) == 0:
            reason = "labels unchanged"
            break
        medians.update(centers, touched)
        reason = "no decrease" if stalled >= STALLED else "max_iter" if n_iter >= max_iter else ""
    if reason != "labels unchanged":
        medians.assign(centers)
    far, weight = medians.own_distances(centers), medians.problem.weight
    inertia = weighted_sum(far, weight)
    return Run(centers, medians.labels.copy(), inertia, n_iter, reason, medians.dtype)
