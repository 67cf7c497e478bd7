"""choose_k: one pass of fits, and what every method makes of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._kmeans import QUALITIES
from .._need import need
from .._random import as_generator
from .._result import ClusterWarning
from .._samples import as_samples
from .._validate import as_weight, check_choice, check_int, check_threads
from ._choice import Choice
from ._fits import Fits, sample_rows
from ._ks import as_ks
from ._methods import DECIDES, METHODS, Settings
from ._sweep import Sweep

K_MAX = 15  # by default


def choose_k(
    X: Any,
    ks: Any = None,
    *,
    method: Any = "all",
    n_references: int = 20,
    n_resamples: int = 10,
    max_samples: int | None = 5000,
    quality: str = "auto",
    sample_weight: Any = None,
    keep_labels: bool = False,
    progress: bool = False,
    random_state: Any = None,
    n_threads: int | None = None,
) -> Choice:
    """Cluster X into each number of clusters once, and let several methods say which is right.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        What `kmeans` takes. It is not modified, nor copied whole.
    ks : int, range or iterable of int, optional
        Numbers of clusters, from 1 to n_samples; an int k_max is 1 to k_max. Order and repeated numbers do not count.
        By default 1 to 15, or to n_samples.
    method : "all", str or sequence of str, default "all"
        Whose curves to compute; the first named, or "icl" if it is among them, decides on `best_k`.

        - "icl": mixture of round Gaussians of their own widths, begun where k-means ended; its integrated completed
          likelihood (Biernacki, Celeux, Govaert 2000). Lowest; can say 1.
        - "icl_full": the same with Gaussians of any shape, for long clusters.
        - "silhouette" (Rousseeuw 1987). Highest.
        - "davies_bouldin" (1979). Lowest.
        - "calinski_harabasz" (1974). Highest.
        - "f": f(K) of Pham, Dimov, Nguyen (2005). Lowest; 1 for k = 1, nan where k - 1 could not be fitted.
        - "bic": hard clusters of one common variance (x-means, Pelleg and Moore 2000). Lowest; can say 1.
        - "elbow": bend of the inertia (kneedle, Satopaa and others 2011; package kneed).
        - "gap", "gap_pca": gap statistic (Tibshirani, Walther, Hastie 2001) with references uniform in the box
          of the features, or of the principal axes. Smallest k within one standard error of the next; can say 1.
        - "stability": adjusted Rand index of clusterings of two halves of X (Lange and others 2004). Highest.
    n_references : int, default 20
        References of each gap statistic.
    n_resamples : int, default 10
        Pairs of halves for "stability".
    max_samples : int or None, default 5000
        "icl" and "silhouette" look at a random sample of so many rows if X has more, and "stability" at halves
        of so many; None takes all, at a time and for "silhouette" that grows with n_samples squared.
    quality : {"auto", "standard", "best"}, default "auto"
        How well each k is clustered, references and halves too. "standard" takes the better of two starts: the fit
        of k - 1 with a centroid added, and k-means++. "best" then swaps centroids (see `kmeans`); "auto" does up to
        20 000 samples. Of X above 65 536 samples a random 16th (16 384 at least) is clustered first, and all of X goes
        on from there.
    sample_weight : array-like of shape (n_samples,), optional
        Weights >= 0, counted as repetitions. (Rows of samples and halves are drawn without regard to them.)
    keep_labels : bool, default False
        Keep the labels of every k, 4 bytes a sample each; else `Choice.labels(k)` computes them from X.
    progress : bool, default False
        Show a progress bar (tqdm).
    random_state : int, RandomState, Generator or None
        The same value gives the same bits, whatever the number of threads; a method's curve does not depend on which
        others are asked for.
    n_threads : int, optional
        Threads of the fits; references and halves run side by side over them.

    Returns
    -------
    Choice
        `table` has all curves, `suggestions` the k of each method, `best_k` one of them; `plot()` draws them.

    Warns
    -----
    ClusterWarning
        X has fewer distinct samples than the largest k: the curves end there.

    Raises
    ------
    TypeError, ValueError
        For a bad X as `kmeans`; a k out of 1 to n_samples; names and numbers out of range.
    ImportError
        A package of the extra "choose" is missing.

    Notes
    -----
    Memory beyond X: that of `kmeans`, a 16th of X above 65 536 samples, and for each thread a reference in
    float32 with what `kmeans` takes for it. 60 bytes for each of `max_samples` rows and the largest k for "icl", 8 for
    each of these rows and each cluster of all k for "silhouette", and 70 MB.

    Examples
    --------
    >>> from kmeans_fast import choose_k
    >>> from kmeans_fast.datasets import init_board_gauss
    >>> X = init_board_gauss(600, 4, min_separation=3, random_state=1)
    >>> choice = choose_k(X, 8, method=["icl", "silhouette", "f"], random_state=0)
    >>> choice.best_k, choice.suggestions
    (4, {'icl': 4, 'silhouette': 4, 'f': 3})
    """
    samples = as_samples(X)
    weight = as_weight(sample_weight, samples.n_samples)
    n_positive = samples.n_samples if weight is None else int(np.count_nonzero(weight))
    ks = as_ks(min(K_MAX, n_positive) if ks is None else ks, samples.n_samples, n_positive)
    methods = _methods(method)
    max_samples = None if max_samples is None else check_int(max_samples, "max_samples", 2)
    check_choice(quality, "quality", ("auto", *QUALITIES))
    n_references, n_resamples = check_int(n_references, "n_references", 2), check_int(n_resamples, "n_resamples", 2)
    n_threads = check_threads(n_threads)
    of_fits, of_rows, of_methods = as_generator(random_state).integers(1 << 63, size=3)
    needed = sorted({1, *ks, *((k - 1 for k in ks if k > 1) if "f" in methods else ())})
    repeats = {"gap": n_references, "gap_pca": n_references, "stability": n_resamples}
    rows = sample_rows(samples.n_samples, weight, max_samples, np.random.default_rng(of_rows))
    fits = Fits(samples, weight, rows, keep_labels)
    with _bar(len(needed) + sum(repeats.get(name, 0) for name in methods), progress) as tick:
        settings = Settings(n_references, n_resamples, max_samples, quality, n_threads, int(of_methods), tick)
        sweep = Sweep(samples, needed[-1], weight, np.random.default_rng(of_fits), n_threads, quality)
        fits.run(sweep, needed, tick)
        ks = _fitted(ks, sweep.n_distinct)
        del sweep  # and its buffers
        curves = {name: METHODS[name](fits, ks, settings) for name in methods}
    return Choice(
        ks=ks,
        inertia=np.array([fits.inertia[k] for k in ks]),
        curves={name: curve.values for name, curve in curves.items()},
        errors={name: curve.errors for name, curve in curves.items() if curve.errors is not None},
        suggestions={name: curve.best_k for name, curve in curves.items()},
        decides=DECIDES if DECIDES in methods else methods[0],
        centroids={k: fits.centroids[k] for k in ks},
        n_sampled=len(rows),
        _labels=fits.labels,
        _X=X,
    )


def _methods(method: Any) -> tuple[str, ...]:
    if isinstance(method, str):
        check_choice(method, "method", ("all", *METHODS))
        return tuple(METHODS) if method == "all" else (method,)
    if not isinstance(method, Iterable):
        raise TypeError(f"method={method!r} must be 'all', a name or a sequence of names.")
    names = tuple(dict.fromkeys(method))
    for name in names:
        check_choice(name, "method", tuple(METHODS))
    if not names:
        raise ValueError(f"method={method!r} must name at least one method.")
    return names


def _fitted(ks: tuple[int, ...], n_distinct: int | None) -> tuple[int, ...]:
    """Return the k that X has distinct samples for, and warn if that is not all of them."""
    if n_distinct is None or ks[-1] <= n_distinct:
        return ks
    if ks[0] > n_distinct:
        raise ValueError(f"k={ks[0]} in ks must be <= {n_distinct}, the distinct samples that can be told apart.")
    message = f"X has only {n_distinct} distinct samples that can be told apart; larger k are left out."
    warnings.warn(message, ClusterWarning, stacklevel=3)
    return tuple(k for k in ks if k <= n_distinct)


@contextmanager
def _bar(total: int, progress: bool) -> Iterator[Callable[[], object]]:
    """Give what is to be called after each step."""
    if not progress:
        yield lambda: None
        return
    with need("tqdm", "choose_k", "choose").tqdm(total=total, desc="choose_k", leave=False) as bar:
        yield bar.update
