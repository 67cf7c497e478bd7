"""Arguments at the public boundary: below it everything is trusted.

An error is one sentence: name, value, rule.
"""

from __future__ import annotations

import numbers
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_THREADS = 4096
MAX_WEIGHT = 1e100  # sums of weighted squares stay in float64
MAX_CLUSTERS = 2**31 - 1  # labels are int32
FILL_IN = "Fill in what is missing first, for one by sklearn.impute.SimpleImputer."


def check_int(value: Any, name: str, low: int, high: int | None = None) -> int:
    """Check an integer in [low, high]."""
    if type(value) is not int and (isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral)):
        raise TypeError(f"{name}={value!r} must be an int.")
    number: int = int(value)
    if number < low or (high is not None and number > high):
        upper = "" if high is None else f" and <= {high}"
        raise ValueError(f"{name}={number} must be >= {low}{upper}.")
    return number


def check_real(value: Any, name: str, *, positive: bool = False) -> float:
    """Check a finite number that is >= 0, or > 0."""
    plain = type(value) is float or type(value) is int
    if not plain and (isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real)):
        raise TypeError(f"{name}={value!r} must be a number.")
    number = float(value)
    if not isfinite(number) or number < 0 or (positive and number == 0):
        raise ValueError(f"{name}={value} must be finite and {'>' if positive else '>='} 0.")
    return number


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> None:
    """Check a string against what it may be."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, choices))}.")


def check_run(
    max_iter: Any, tol: Any, max_time: Any, callback: Any, checkpoint_every: Any
) -> tuple[int, float, float | None, float]:
    """Check what ends a run, who is told of it, and how often it is saved."""
    if callback is not None and not callable(callback):
        raise TypeError(f"callback={callback!r} must be callable.")
    return (
        check_int(max_iter, "max_iter", 1),
        check_real(tol, "tol"),
        None if max_time is None else check_real(max_time, "max_time", positive=True),
        check_real(checkpoint_every, "checkpoint_every"),
    )


def check_threads(n_threads: Any) -> int | None:
    """Check n_threads: None or an int from 1 to 4096."""
    return None if n_threads is None else check_int(n_threads, "n_threads", 1, MAX_THREADS)


def check_n_clusters(n_clusters: Any, n_samples: int, weight: NDArray[np.float64] | None = None) -> int:
    """Check n_clusters against the number of samples, and of those with a positive weight."""
    k = check_int(n_clusters, "n_clusters", 1, MAX_CLUSTERS)
    if k > n_samples:
        raise ValueError(f"n_clusters={k} must be <= n_samples={n_samples}.")
    if weight is not None and k > (n_weighted := np.count_nonzero(weight)):
        raise too_few_weighted(k, int(n_weighted))
    return k


def too_few_weighted(n_clusters: int, n_weighted: int) -> ValueError:
    """Return the error for more clusters than samples that count."""
    return ValueError(f"n_clusters={n_clusters} must be <= {n_weighted}, the number of samples with sample_weight > 0.")


def as_floats(value: Any, name: str) -> NDArray[np.float64]:
    """Turn an array-like of real numbers into a C-ordered float64 array; one that is that already is not copied."""
    if type(value) is not np.ndarray and np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries; fill or drop them first.")
    try:
        array = np.asarray(value)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers are not supported")
        return np.asarray(array, np.float64, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        hint = "; pass its centroids" if hasattr(value, "centroids") else ""
        raise kind(f"{name} must be an array of numbers: {error}{hint}.") from None


def as_weight(sample_weight: Any, n_samples: int) -> NDArray[np.float64] | None:
    """Check sample_weight; float64 is not copied."""
    if sample_weight is None:
        return None
    weight = as_floats(sample_weight, "sample_weight")
    if weight.ndim == 0:
        weight = np.full(n_samples, weight)
    if weight.shape != (n_samples,):
        raise ValueError(f"sample_weight has shape {weight.shape} and must be (n_samples,) = {(n_samples,)}.")
    valid = (weight >= 0.0) & (weight < np.inf)
    if not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise invalid_weight(weight[row], row)
    if not weight.any():
        raise ValueError("sample_weight is zero everywhere; at least one must be > 0.")
    if weight.max() > MAX_WEIGHT:
        raise ValueError(f"sample_weight has values too large: {weight.max()} must be <= {MAX_WEIGHT}.")
    return weight


def invalid_weight(value: Any, row: Any) -> ValueError:
    """Return the error for a weight that is negative, NaN or infinite."""
    return ValueError(f"sample_weight has {value} in row {row}; it must be finite and >= 0.")


def as_centroids(centroids: Any, name: str = "centroids") -> NDArray[np.float64]:
    """Check a (n_clusters, n_features) array of finite numbers; float64 is not copied."""
    array = as_floats(centroids, name)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape} and must be (n_clusters >= 1, n_features >= 1).")
    check_finite(array, name)
    return array


def check_finite(array: NDArray[np.float64], name: str) -> None:
    """Name the first value of a table that is NaN or infinite."""
    finite = np.isfinite(array)
    if np.count_nonzero(finite) < finite.size:
        row, column = np.argwhere(~finite)[0]
        raise ValueError(f"{name} has {array[row, column]} in row {row}, column {column}; it must be finite.")


def not_finite(name: str, value: Any, row: Any, column: Any) -> ValueError:
    """Return the error for an entry of samples that is NaN or infinite, and what to do."""
    missing = bool(np.isnan(value))
    return ValueError(
        f"{name} contains {'NaN' if missing else 'infinity'} in row {row}, column {column}; "
        f"every value must be finite (Input X contains NaN or infinity).{' ' + FILL_IN if missing else ''}"
    )


def too_large(name: str) -> ValueError:
    """Return the error for samples that are finite and whose squares are not."""
    return ValueError(f"{name} has values too large: their squares overflow float64; scale {name} down.")
