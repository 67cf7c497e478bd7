"""KModes: clusters of categories, each about its modes."""

from __future__ import annotations

from .._problem import Floats
from ._categories import Table
from ._mixed import MixedVariant


class KModes(MixedVariant):
    """k-modes: clusters of categorical samples, where distance is the number of columns that differ.

    A cluster's centroid holds the most frequent category of each column, the first in sorted order where several are. A
    sample belongs to the centroid with the fewest mismatches, the lowest index where several have. This is Huang's own
    iteration, which visits samples in order and lets each that moves change the modes at once: labels, centroids and
    cost are those of the package kmodes from the same start, whatever the number of threads. It differs where a cluster
    runs empty: a random sample of the largest cluster fills it, at the start too, and with other random numbers.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "cao", "huang", "random"} or array-like of shape (n_clusters, n_features)
        The start: samples drawn by their distance to those before; the dense and distant ones of Cao et al., in which
        nothing is random; samples near to modes drawn by frequency (Huang); any samples; or categories.
    n_init : "auto" or int, default "auto"
        Restarts, of which the one with the lowest cost is kept. "auto" is 10 for "huang" and "random", else 1.
    max_iter : int, default 100
        Passes of a restart at most. It ends when no sample moves or the cost does not fall.
    missing : {"error", "category"}, default "error"
        What None, NaN and pandas.NA are: an error, or a category of their own, the last one.
    handle_unknown : {"mismatch", "error"}, default "mismatch"
        What a category is in `predict` that was not seen in `fit`: a mismatch with every mode, or an error.
    random_state : int, RandomState, Generator or None, default None
        The same value gives the same bits, whatever the number of threads.
    n_threads : int, optional
        Threads at most; by default what OpenMP and the container allow. They label ahead where samples rest.

    Attributes
    ----------
    cluster_centroids_ : array of shape (n_clusters, n_features)
        The modes, in the categories of X. `to_frame` has them with the names of the columns.
    labels_ : int32 array of shape (n_samples,)
        Equal to ``predict(X)``.
    inertia_, cost_ : float
        Weighted sum of the mismatches of samples with their centroids.
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
    Memory beyond X: a code for each value, of 1 byte up to 254 categories a column, 2 up to 65278, else 4; 8 bytes a
    sample for labels, 4 for the best of several restarts, 24 while a start is chosen, and 8 a sample for one column at
    a time while X is read; for each centroid 8 bytes for every category of every column.

    Sources: Z. Huang, "Extensions to the k-means algorithm for clustering large data sets with categorical values",
    Data Mining and Knowledge Discovery 2(3), 1998; F. Cao, J. Liang, L. Bai, "A new initialization method for
    categorical data clustering", Expert Systems with Applications 36(7), 2009.

    Examples
    --------
    >>> from kmeans_fast import KModes
    >>> X = [["red", "S"], ["red", "M"], ["red", "S"], ["blue", "L"], ["blue", "XL"], ["blue", "L"]]
    >>> model = KModes(n_clusters=2, init="cao").fit(X)
    >>> model.cluster_centroids_.tolist(), model.cost_, model.labels_.tolist()
    ([['blue', 'L'], ['red', 'S']], 2.0, [1, 1, 1, 0, 0, 0])
    """

    def _find_columns(self, table: Table) -> list[int]:
        return list(range(table.n_features))

    def _find_gamma(self, numbers: Floats, weight: Floats | None) -> float:
        return 1.0
