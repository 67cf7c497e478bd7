"""Bisecting k-means: scikit-learn's BisectingKMeans, parameter for parameter, on this library's core."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .. import _kmeans, _predict
from .._random import as_generator
from .._result import KMeansResult
from .._samples import Samples
from .._validate import as_weight, check_n_clusters
from ._base import with_random_state, wrap
from ._subset import subset

if TYPE_CHECKING:
    from typing_extensions import Self

PREDICT_ROWS = 1 << 17  # that go down the tree together


@dataclass
class Node:
    """A cluster of the tree: a leaf, or split in two."""

    center: NDArray[Any]
    inertia: float
    size: int
    rows: NDArray[np.intp] | None = None  # of a leaf during the fit; None for the root: all
    halves: tuple[Node, Node] | None = None
    label: int = -1
    whole: bool = False  # nothing to split: its samples are the same

    def leaves(self) -> Iterator[Node]:
        """Give the leaves from left to right."""
        stack = [self]
        while stack:
            node = stack.pop()
            if node.halves is None:
                yield node
            else:
                stack += node.halves[::-1]


class BisectingKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
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
    Memory beyond X: 16 bytes a sample, and the samples of the cluster that is split: a copy of them while they are half
    of X at most; more are read in blocks, which is slower. A fit's own buffers come on top, as in `kmeans`.

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
        samples = wrap(self, X, reset=True)
        weight = as_weight(sample_weight, samples.n_samples)
        n_weighted = None if weight is None else int(np.count_nonzero(weight))
        check_n_clusters(self.n_clusters, samples.n_samples, n_weighted)
        # As in scikit-learn, None draws from NumPy's global state.
        rng = as_generator(np.random if self.random_state is None else self.random_state)
        first = _kmeans.fit(
            samples, 1, np.zeros((1, samples.n_features)), 1, 1, 0.0, weight, None, "lloyd", self.n_threads, None
        )
        root = Node(first.centroids[0], first.inertia, samples.n_samples)
        found = 1
        while found < self.n_clusters and (leaf := self._next(root)) is not None:
            found += self._split(leaf, samples, weight, rng)
        leaves = list(root.leaves())
        self.labels_ = np.zeros(samples.n_samples, np.int32)
        for label, leaf in enumerate(leaves):
            leaf.label = label
            if leaf.rows is not None:
                self.labels_[leaf.rows] = label
                leaf.rows = None
        self.cluster_centers_ = np.stack([leaf.center for leaf in leaves])
        self.inertia_ = float(sum(leaf.inertia for leaf in leaves))
        self._tree = root
        if found < self.n_clusters:
            message = f"X has only {found} distinct samples that can be told apart, fewer than {self.n_clusters=}."
            warnings.warn(message.replace("self.", ""), ConvergenceWarning, stacklevel=2)
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label each sample along the tree: at each split it goes to the nearer center, left where both are."""
        check_is_fitted(self)
        samples = wrap(self, X)
        labels = np.empty(samples.n_samples, np.int32)
        for start, block in samples.blocks(samples.dtype, min(PREDICT_ROWS, samples.n_samples)):
            self._descend(block, labels[start : start + len(block)])
        return labels

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the distances to all centers, shape (n_samples, n_clusters)."""
        check_is_fitted(self)
        return _predict.transform(wrap(self, X), self.cluster_centers_, self.n_threads)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the weighted sum of squared distances to the nearest centers, as scikit-learn's."""
        check_is_fitted(self)
        samples = wrap(self, X)
        weight = as_weight(sample_weight, samples.n_samples)
        labels = _predict.predict(samples, self.cluster_centers_, self.n_threads)
        return -float(self._squares(samples, self.cluster_centers_, labels, weight).sum())

    def __sklearn_tags__(self) -> Any:
        """Say that `transform` keeps float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`, for ClassNamePrefixFeaturesOutMixin."""
        return len(self.cluster_centers_)

    def _halve(self, samples: Samples, weight: Any, rng: np.random.Generator) -> KMeansResult:
        init = with_random_state(self.init) if callable(self.init) else self.init
        n_init, tol, threads = self.n_init, self.tol, self.n_threads
        return _kmeans.fit(samples, 2, init, n_init, self.max_iter, tol, weight, rng, "auto", threads, None)

    def _next(self, root: Node) -> Node | None:
        """Return the leaf to split, the first of equals."""
        leaves = [leaf for leaf in root.leaves() if not leaf.whole]
        by_size = self.bisecting_strategy == "largest_cluster"
        return max(leaves, key=lambda leaf: leaf.size if by_size else leaf.inertia, default=None)

    def _split(self, leaf: Node, samples: Samples, weight: Any, rng: np.random.Generator) -> bool:
        """Split a leaf in two; say whether it could be."""
        rows = leaf.rows
        part = samples if rows is None else subset(samples, rows)
        w = weight if weight is None or rows is None else np.take(weight, rows)
        if (part.n_samples if w is None else np.count_nonzero(w)) < 2 or leaf.inertia == 0.0:
            leaf.whole = True
            return False
        result = self._halve(part, w, rng)
        if not result.counts.all():
            leaf.whole = True
            return False
        squares = self._squares(part, result.centroids, result.labels, w)
        places = [np.flatnonzero(result.labels == j) for j in (0, 1)]  # rows[mask] takes six times as long
        inertia = [float(np.take(squares, place).sum()) for place in places]
        split = places if rows is None else [np.take(rows, place) for place in places]
        if self.verbose:
            print(
                f"split {part.n_samples} samples into {result.counts.tolist()}: inertia {leaf.inertia:.6g} to {inertia}"
            )
        nodes = [Node(result.centroids[j], inertia[j], len(split[j]), split[j]) for j in (0, 1)]
        leaf.halves, leaf.rows = (nodes[0], nodes[1]), None
        return True

    def _squares(self, samples: Samples, centers: Any, labels: Any, weight: Any) -> NDArray[np.float64]:
        squares = _predict.own_distances(samples, centers, labels, self.n_threads)
        squares *= squares
        if weight is not None:
            squares *= weight
        return squares

    def _descend(self, block: NDArray[Any], labels: NDArray[np.int32]) -> None:
        stack = [(self._tree, np.arange(len(block)))]
        while stack:
            node, rows = stack.pop()
            if node.halves is None or not len(rows):
                labels[rows] = node.label
                continue
            centers = np.stack([half.center for half in node.halves])
            part = block if len(rows) == len(block) else np.take(block, rows, axis=0)
            right = _predict.predict(part, centers, self.n_threads) != 0
            stack += [(node.halves[j], np.take(rows, np.flatnonzero(right == j))) for j in (0, 1)]
