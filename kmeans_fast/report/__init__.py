"""A report on a clustering: one HTML page that carries its pictures and loads nothing.

`page` has the pieces of any page, `_data` describes X, `_pictures` draws, `_sections` says what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._result import KMeansResult
from .._samples import as_samples

__all__ = ["html"]


def html(
    X: Any,
    result: KMeansResult,
    *,
    ids: Any = None,
    feature_names: Sequence[str] | None = None,
    name: str = "X",
    verdict: Any = None,
    choice: Any = None,
    command: str | None = None,
) -> str:
    """Return a page on `result`, a clustering of X: data, clusters, sizes, typical samples and outliers.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        What was clustered. It is read in blocks; 1e5 samples are drawn, all are counted.
    result : KMeansResult
    ids : array-like of shape (n_samples,), optional
        Names of the samples; without it the index of a pandas X, else the rows.
    feature_names : sequence of str, optional
        By default the columns of a frame, else x0, x1 ...
    name : str
        What the page calls X.
    verdict : Clusterability or str, optional
        What `clusterability` said of X, or why it could not.
    choice : Choice, optional
        What `choose_k` made of X.
    command : str, optional
        The command that makes the page again.

    Returns
    -------
    str
        HTML. All text is escaped; for the same X and result it is the same.

    Raises
    ------
    ImportError
        If matplotlib isn't installed (extra ``plot``).
    ValueError
        If X is not the X of `result`, or names do not fit it.

    Notes
    -----
    Memory beyond X: 40 bytes a sample while outliers are sought, and 1e5 samples or 1e7 numbers for the picture.

    Examples
    --------
    >>> from kmeans_fast import kmeans
    >>> from kmeans_fast import report
    >>> X = [[0.0, 0.0], [0.0, 1.0], [9.0, 9.0]]
    >>> page = report.html(X, kmeans(X, 2, random_state=0), ids=["Ada", "Bo", "<Cy>"])
    >>> "&lt;Cy&gt;" in page, "http:" in page
    (True, False)
    """
    from . import _data, _sections, page  # matplotlib
    from ._found import Found

    samples = as_samples(X)
    n, d = samples.n_samples, samples.n_features
    if (n, d) != (len(result.labels), result.centroids.shape[1]):
        shape = (len(result.labels), result.centroids.shape[1])
        raise ValueError(f"X has shape {(n, d)} and must have that of the result's samples, {shape}.")
    if feature_names is None:
        feature_names = getattr(X, "columns", [f"x{i}" for i in range(d)])
    features = [str(feature) for feature in feature_names]
    if len(features) != d:
        raise ValueError(f"feature_names has {len(features)} entries and must have n_features={d}.")
    found = Found(result, features, result._names(ids))
    sections = [
        _data.section(samples, features),
        *([_sections.verdict(verdict)] if verdict is not None else []),
        *([_sections.choice(choice)] if choice is not None else []),
        _sections.clusters(samples, found),
        _sections.sizes(found),
        _sections.centroids(found),
        _sections.outliers(found),
        _sections.fit(result, command),
    ]
    k = found.n_clusters
    lead = page.text(f"{n:,} sample{'s' * (n != 1)} of {d:,} feature{'s' * (d != 1)} in {k:,} cluster{'s' * (k != 1)}.")
    return page.page(f"Clusters of {name}", lead, sections)
