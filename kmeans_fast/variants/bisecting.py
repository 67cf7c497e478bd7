"""Bisecting k-means: scikit-learn's BisectingKMeans, parameter for parameter, on this library's core."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .. import _kmeans
from .._result import KMeansResult
from .._samples import Samples
from .._sklearn_base import ByCentroids, checked, generator, with_random_state, wrap
from ._bisection import Bisection

if TYPE_CHECKING:
    from typing_extensions import Self


class BisectingKMeans(ByCentroids, BaseEstimator):
    """Clusters by splitting one in two, n_clusters - 1 times; scikit-learn's interface.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters, from 1 to n_samples.
    init : {"k-means++", "random"} or callable, default "random"
        The start of each split; a callable gets ``init(X, 2, random_state=RandomState)``, with X the samples to split.
    n_init : int, default 1
        Restarts of each split, of which the best is kept.
    random_state : int, RandomState, Generator or None, default None
        None draws from NumPy's global state, as in scikit-learn. The same value gives the same bits, whatever the
        number of threads.
    max_iter : int, default 300
        Iterations of a split at most.
    verbose : int, default 0
        Whether to print a line for each split.
    tol : float, default 1e-4
        A split ends when the summed squared shift of its centroids is <= tol times the mean variance of the features
        of its samples (scikit-learn takes tol as it is, without the variance).
    copy_x : bool, default True
        Without effect: X is neither modified nor copied whole.
    algorithm : {"lloyd", "elkan"}, default "lloyd"
        Both give the same clustering; how distances are saved is left to the core.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default "biggest_inertia"
        Which cluster is split next: that of the largest sum of squares, or that of the most samples.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow.

    Attributes
    ----------
    cluster_centers_ : array of shape (n_clusters, n_features)
        In the order of the tree, as in scikit-learn: float32 for float32 and float16 X, else float64. Fewer rows, with
        a warning, where X has fewer distinct samples.
    labels_ : int32 array of shape (n_samples,)
    inertia_ : float
        Weighted sum of squared distances to the centers of the labels.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features_in_,)
        Only if X is a frame whose column names are all strings.

    Notes
    -----
    Memory beyond X: some 24 bytes a sample, and the samples of the cluster that is split: a copy of them where they are
    half of X at most, more are read in blocks, which takes up to twice as long.

    M. Steinbach, G. Karypis and V. Kumar, "A comparison of document clustering techniques", KDD Workshop on Text
    Mining (2000).

    Examples
    --------
    >>> from kmeans_fast import BisectingKMeans
    >>> model = BisectingKMeans(3, random_state=0).fit([[0.0], [1.0], [10.0], [11.0], [50.0]])
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.inertia_
    ([0.5, 10.5, 50.0], 1.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), callable],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"lloyd", "elkan"})],
        "bisecting_strategy": [StrOptions({"biggest_inertia", "largest_cluster"})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "random",
        n_init: int = 1,
        random_state: Any = None,
        max_iter: int = 300,
        verbose: int = 0,
        tol: float = 1e-4,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        bisecting_strategy: str = "biggest_inertia",
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.random_state = random_state
        self.max_iter = max_iter
        self.verbose = verbose
        self.tol = tol
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.bisecting_strategy = bisecting_strategy
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Cluster X.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Any real dtype and layout; not modified.
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
        rng = generator(self.random_state)
        init = with_random_state(self.init) if callable(self.init) else self.init

        def halve(part: Samples, weight: Any) -> KMeansResult:
            n_init, tol, threads = self.n_init, self.tol, self.n_threads
            return _kmeans.fit(part, 2, init, n_init, self.max_iter, tol, weight, rng, "auto", threads, None)

        start = np.zeros((1, samples.n_features))  # of one cluster any will do
        whole = _kmeans.fit(samples, 1, start, 1, 1, 0.0, weight, None, "lloyd", self.n_threads, None)
        bisection = Bisection(samples, weight, whole, halve, self.n_threads)
        by_size = self.bisecting_strategy == "largest_cluster"
        bisection.grow(self.n_clusters, by_size=by_size, verbose=bool(self.verbose))
        self.labels_, self._tree = bisection.finish(), bisection.tree
        self.cluster_centers_ = np.stack([leaf.center for leaf in bisection.leaves])
        self.inertia_ = float(sum(leaf.inertia for leaf in bisection.leaves))
        if (found := len(bisection.leaves)) < self.n_clusters:
            message = (
                f"X has only {found} distinct samples that can be told apart, fewer than n_clusters={self.n_clusters}."
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label each sample along the tree: at each split it goes to the nearer center, left where both are."""
        check_is_fitted(self)
        return self._tree.label(wrap(self, X), self.n_threads)
