"""Mini-batch k-means: scikit-learn's MiniBatchKMeans, parameter for parameter, with batches that end exact."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import ceil
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .. import _kmeans
from .._problem import Floats, Problem
from .._result import warn_of_empty_clusters
from .._samples import Samples
from .._seed import METHODS
from .._sklearn_base import ByCentroids, checked, generator, wrap
from .._validate import as_weight
from .._watch import FitState
from ._nested import draw_sample, grow, sample_size
from ._starts import Starts
from ._stream import Batches, Patience, Stream, label

if TYPE_CHECKING:
    from typing_extensions import Self

BATCHES = ("nested", "random")
ROWS_OF_A_CLUSTER = 32  # of the first nested batch: what k-means++ needs to start as well as from all of X
WORTH = 0.01  # of the inertia: what `max_no_improvement` more rounds must gain to be made


class MiniBatchKMeans(ByCentroids, BaseEstimator):
    """k-means for large X and for streams, with scikit-learn's interface; needs scikit-learn >= 1.6.

    `fit` grows a random sample of X, each batch holding the one before, and ends with Lloyd's algorithm on all of X;
    `partial_fit` takes in one chunk of a stream after another.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "k-means||", "afk-mc2", "two-level", "random", "random-partition"}, array-like or callable
        The start, by default "k-means++", on `init_size` samples; the others as for `KMeans`.
    max_iter : int, default 100
        How often as many samples as X has are visited, at most; in `fit` alone.
    batch_size : int, default 1024
        Samples of a batch of "random".
    verbose : int, default 0
        Whether to print a line for each batch.
    compute_labels : bool, default True
        Whether to keep `labels_`; with "random" and `partial_fit` whether to label the samples at all.
    random_state : int, RandomState, Generator or None, default None
        None draws from NumPy's global state, as in scikit-learn. The same value gives the same bits, whatever the
        number of threads.
    tol : float, default 0.0
        If > 0 also stop when the summed squared shift of the centroids is <= tol times the mean variance of the
        features.
    max_no_improvement : int or None, default 10
        "nested" ends when so many more rounds like the last would lower the inertia by less than 1%; "random" after
        so many batches without a lower smoothed inertia. None goes on: "nested" until no label changes, which is a
        minimum of Lloyd's algorithm.
    init_size : int, optional
        Samples that the start is drawn from, and the first nested batch: by default ``3 * batch_size``, or 32
        ("random": 3) a cluster if that is more.
    n_init : "auto" or int, default "auto"
        Starts, of which the best on these samples is kept. "auto" is 3 for "random", "random-partition" and a callable,
        else 1.
    reassignment_ratio : float, default 0.01
        Clusters with less than this share of the largest cluster's weight are put on random samples of a batch every
        10 n_clusters samples, and while one is empty; in "random" and `partial_fit`. 0 leaves them.
    batch : {"nested", "random"}, default "nested"
        Batches of `fit`: nested ones, which double when centroids move less than their means are uncertain; or
        scikit-learn's, drawn with replacement in proportion to the weights, which end near a minimum.
    half_life : float, optional
        For streams that drift: samples (or weight) after which what `partial_fit` has seen counts half. Before a chunk
        of the weight b the clusters' weights v become ``v * 2**(-b / half_life)``; then a cluster that gets samples of
        weight w and mean m moves by ``w / (v + w) * (m - c)``.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow.

    Attributes
    ----------
    cluster_centers_ : array of shape (n_clusters, n_features)
        float32 for float32 and float16 X, else float64. May be changed between two chunks.
    labels_ : int32 array of shape (n_samples,)
        Of the last X; equal to ``predict(X)``. With ``compute_labels=True`` alone.
    inertia_ : float
        Weighted sum of squared distances to the nearest centroids; of "random" without labels an estimate.
    n_iter_ : int
        Samples visited by `fit`, in units of n_samples, rounded up.
    n_steps_ : int
        Batches, rounds or chunks.
    counts_ : float64 array of shape (n_clusters,)
        Weight that each centroid stands for.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Memory beyond X: "nested" that of ``kmeans(X)`` in its last rounds, and before a sample of 1/8 of X, 128 MB at most
    (twice that while it is drawn) unless `init_size` is more; "random" the labels. X is not modified; what is larger
    than memory is read in blocks: once for the sample, then once a round ("random" reads rows anywhere).

    Sources: D. Sculley, "Web-Scale K-Means Clustering", WWW 2010; J. Newling and F. Fleuret, "Nested Mini-Batch
    K-Means", NIPS 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from kmeans_fast import MiniBatchKMeans
    >>> model = MiniBatchKMeans(2, half_life=100, random_state=0)
    >>> for start in (0.0, 1.0, 2.0):
    ...     model = model.partial_fit(np.array([[0.0], [1.0], [10.0], [11.0]]) + start)
    >>> sorted(model.cluster_centers_.ravel().round(1).tolist()), model.n_steps_
    ([1.5, 11.5], 3)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions(set(METHODS)), callable, "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
        "compute_labels": ["boolean"],
        "random_state": ["random_state", np.random.Generator],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "reassignment_ratio": [Interval(Real, 0, None, closed="left")],
        "batch": [StrOptions(set(BATCHES))],
        "half_life": [Interval(Real, 0, None, closed="neither"), None],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    n_features_in_: int
    cluster_centers_: NDArray[Any]
    n_steps_: int
    _stream: Stream

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: int | str = "auto",
        reassignment_ratio: float = 0.01,
        batch: str = "nested",
        half_life: float | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
        self.batch = batch
        self.half_life = half_life
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Cluster X; what was learned before is forgotten.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Any real dtype and layout; read in blocks and not modified.
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
        samples, weight = checked(self, X, sample_weight)
        self._rng = generator(self.random_state)
        if self.batch == "nested":
            self._fit_nested(samples, weight)
        else:
            self._fit_random(samples, weight)
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Take in one chunk of a stream: a step of mini-batch k-means over all of it.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            The first chunk must have n_clusters samples, since it gives the start. Chunks of one random_state and one
            cutting give the same bits.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0.

        Raises
        ------
        ValueError
            For NaN, infinity, or another number of features: it names the chunk, counted from 0, and what was learned
            stays as it was.
        """
        new = not hasattr(self, "_stream")
        if new:
            self._validate_params()
        n_steps = 0 if new else self.n_steps_
        try:
            if new:
                samples, weight = checked(self, X, sample_weight)
            else:
                samples = wrap(self, X)
                weight = as_weight(sample_weight, samples.n_samples)
            problem = Problem(samples, self.n_clusters, weight, self.n_threads, "lloyd")
        except ValueError as error:
            raise ValueError(f"Chunk {n_steps}: {error}") from None
        if new:
            self._rng = generator(self.random_state)
            start = self._starts().drawn(samples, weight, self._init_size(samples, 3))
            self._stream = Stream(start, np.zeros(len(start)), samples.result_dtype)
        else:
            self._stream.take_edits(self.cluster_centers_)
        self._stream.step(problem, self._rng, self.reassignment_ratio, self.half_life)
        self.n_steps_ = n_steps + 1
        self._keep_stream(problem if self.compute_labels else None)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> NDArray[np.int32]:
        """Cluster X and return the labels."""
        model = self.fit(X, sample_weight=sample_weight)
        return model.labels_ if self.compute_labels else model.predict(X)

    @property
    def counts_(self) -> Floats:
        """Weight that each centroid stands for."""
        check_is_fitted(self)
        return self._stream.weights

    def _fit_nested(self, samples: Samples, weight: Floats | None) -> None:
        n, rounds, visits = samples.n_samples, 0, 0
        first = self._init_size(samples, ROWS_OF_A_CLUSTER)
        size = sample_size(samples, first)
        if size:
            sample = draw_sample(samples, weight, size, self._rng)
            start = self._starts().searched(sample, first)
            centroids, rounds, visits = grow(sample, start, first, self.n_threads, n * self.max_iter // 2, self._report)
            del sample
        else:
            centroids = self._starts().drawn(samples, weight, n)
        rest = max(1, self.max_iter - ceil(visits / n))
        watch = self._watch(samples)
        result = _kmeans.fit(
            samples, self.n_clusters, centroids, 1, rest, self.tol, weight, None, "auto", self.n_threads, watch
        )
        self.n_steps_ = rounds + result.n_iter
        self.n_iter_ = ceil(visits / n) + result.n_iter
        self.cluster_centers_, self.inertia_ = result.centroids.copy(), result.inertia
        counts = result.counts if weight is None else np.bincount(result.labels, weight, self.n_clusters)
        self._stream = Stream(result.centroids.astype(np.float64), counts.astype(np.float64), result.centroids.dtype)
        self._keep_labels(result.labels if self.compute_labels else None)
        filled = int(np.count_nonzero(result.counts))
        warn_of_empty_clusters(filled, self.n_clusters, True, "", ConvergenceWarning, stacklevel=4)

    def _watch(self, samples: Samples) -> Callable[[FitState], bool]:
        """End the rounds over all of X once more of them are not worth their time."""
        before = np.inf

        def watch(state: FitState) -> bool:
            nonlocal before
            self._report(samples.n_samples, state.inertia / samples.n_samples)
            gain, before = before - state.inertia, state.inertia
            return self.max_no_improvement is not None and gain * self.max_no_improvement < WORTH * state.inertia

        return watch

    def _fit_random(self, samples: Samples, weight: Floats | None) -> None:
        n = samples.n_samples
        size = min(self.batch_size, n)
        start = self._starts().drawn(samples, weight, self._init_size(samples, 3))
        self._stream = stream = Stream(start, np.zeros(len(start)), samples.result_dtype)
        batches = Batches(samples, weight, size, self._rng)
        patience = Patience(size / n, self.max_no_improvement)
        limit = 0.0
        for step in range(1, max(1, self.max_iter * n // size) + 1):
            before = stream.centroids.copy() if self.tol > 0.0 else None
            problem = batches.draw(self.n_clusters, self.n_threads)
            limit = limit or self.tol * problem.variance
            inertia = stream.step(problem, self._rng, self.reassignment_ratio, None) / size
            self._report(size, inertia)
            if before is not None and step > 1 and float(np.square(stream.centroids - before).sum()) <= limit:
                break
            if patience.ends(inertia):
                break
        self.n_steps_, self.n_iter_ = step, ceil(step * size / n)
        total = float(n if weight is None else weight.sum())
        self.inertia_ = total * (inertia if patience.average is None else patience.average)
        whole = Problem(samples, self.n_clusters, weight, self.n_threads, "lloyd") if self.compute_labels else None
        self._keep_stream(whole)

    def _keep_stream(self, problem: Problem | None) -> None:
        """Show the centroids, and label the samples by them."""
        self.cluster_centers_ = self._stream.centroids.astype(self._stream.dtype)
        labels = None
        if problem is not None:
            labels, self.inertia_ = label(problem, self.cluster_centers_.astype(np.float64))
        self._keep_labels(labels)

    def _keep_labels(self, labels: NDArray[np.int32] | None) -> None:
        if labels is not None:
            self.labels_ = labels
        elif hasattr(self, "labels_"):
            del self.labels_  # of an earlier X

    def _init_size(self, samples: Samples, per_cluster: int) -> int:
        """Return the samples that a start is drawn from."""
        size = self.init_size or max(3 * self.batch_size, per_cluster * self.n_clusters)
        if size < self.n_clusters:
            message = f"init_size={size} must be >= n_clusters={self.n_clusters}; {3 * self.n_clusters} are taken."
            warnings.warn(message, RuntimeWarning, stacklevel=4)
            size = 3 * self.n_clusters
        return min(size, samples.n_samples)

    def _starts(self) -> Starts:
        return Starts(self.init, self.n_init, self.n_clusters, self.n_threads, self._rng)

    def _report(self, size: int, mean_inertia: float) -> None:
        if self.verbose:
            print(f"batch of {size} samples: mean inertia {mean_inertia:g}")
