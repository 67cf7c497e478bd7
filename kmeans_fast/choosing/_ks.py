"""The numbers of clusters that a question is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._validate import check_int


def as_ks(ks: Any, n_samples: int, n_weighted: int | None = None) -> tuple[int, ...]:
    """Turn a largest k, a range or an iterable of ints into ascending distinct numbers from 1 to n_samples.

    Raises
    ------
    TypeError
        `ks` is neither an int nor an iterable of ints.
    ValueError
        It is empty, or has a number below 1, or above n_samples or the samples with a positive weight.
    """
    if isinstance(ks, (str, bytes)) or not isinstance(ks, Iterable):
        ks = range(1, check_int(ks, "ks", 1) + 1)
    numbers = sorted({check_int(k, "k", 1) for k in ks})
    if not numbers:
        raise ValueError(f"ks={ks!r} must have at least one number of clusters.")
    if numbers[-1] > n_samples:
        raise ValueError(f"k={numbers[-1]} in ks must be <= n_samples={n_samples}.")
    if n_weighted is not None and numbers[-1] > n_weighted:
        raise ValueError(
            f"k={numbers[-1]} in ks must be <= {n_weighted}, the number of samples with sample_weight > 0."
        )
    return tuple(numbers)
