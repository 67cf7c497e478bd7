"""Hostile arrays: every dtype and layout, and values that break k-means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DTYPES = ("f2", "f4", "f8", ">f4", ">f8", "g", "?", "i1", "u1", "i2", "u2", ">i2", "i4", "u4", "i8", "u8")
LAYOUTS = (
    "C",
    "F",
    "every second row",
    "every second column",
    "backwards",
    "unaligned",
    "read-only",
    "lists",
    "memmap",
)


def values(rng: np.random.Generator, n: int, d: int) -> Array:
    """Numbers of float64 of some kind that is known to make trouble, or of none."""
    kind = rng.integers(14)
    X = rng.standard_normal((n, d))
    if kind == 0:  # equal distances, real ties
        return rng.integers(-3, 4, (n, d)).astype(float)
    if kind == 1:  # copies of few samples
        return X[rng.integers(min(n, 4), size=n)]
    if kind == 2:
        return np.full((n, d), rng.choice([0.0, -0.0, 1.0, 1e8, 0.1]))
    if kind == 3:  # far from the origin
        return X + 10.0 ** rng.uniform(0, 8) * rng.choice([-1, 1])
    if kind == 4:  # tiny or huge
        return X * 10.0 ** rng.uniform(-150, 140)
    if kind == 5:  # one sample far away
        X[rng.integers(n)] *= 10.0 ** rng.uniform(2, 12)
        return X
    if kind == 6:  # columns of different scale
        return X * 10.0 ** rng.uniform(-6, 6, d)
    if kind == 7:  # constant columns
        X[:, rng.random(d) < 0.6] = rng.standard_normal()
        return X
    if kind == 8:  # on a line, in order
        return np.linspace(0, 1, n)[:, None] * np.ones(d)
    if kind == 9:  # subnormal
        return X * 1e-310
    if kind == 10:  # clear clusters, far apart, tight
        return 10.0 ** rng.uniform(0, 6) * rng.integers(0, 5, (n, 1)) + 1e-3 * X
    if kind == 11:  # squares that leave float64
        return X * 10.0 ** rng.uniform(150, 300)
    if kind == 12:  # neighbours in the last place
        return 1.0 + rng.integers(0, 5, (n, d)) * 2.0**-23
    return X


def shaped(rng: np.random.Generator) -> tuple[int, int, int]:
    """Sizes about the edges of lanes, tiles and chunks; mostly small."""
    n = int(rng.choice([rng.integers(1, 9), rng.integers(1, 80), rng.choice([63, 64, 65, 255, 256, 257])]))
    d = int(rng.choice([rng.integers(1, 4), rng.integers(1, 18), rng.choice([31, 32, 33, 65])]))
    if rng.random() < 0.01:  # more than one chunk
        n, d = int(rng.integers(4000, 9000)), int(rng.integers(1, 5))
    k = int(rng.integers(1, min(n, int(rng.choice([3, 9, 40]))) + 1))
    return n, d, k


def typed(rng: np.random.Generator, X: Array) -> Array:
    """Return the values in another dtype, clipped into its range."""
    dtype = np.dtype(rng.choice(DTYPES))
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        low, high = max(limits.min, -(2.0**62)), min(limits.max, 2.0**62)
        return np.clip(np.nan_to_num(X) * 10, low, high).astype(dtype)
    with np.errstate(over="ignore"):
        return X.astype(dtype)


def laid_out(rng: np.random.Generator, X: Array, folder: Path) -> Any:
    """Return the same array in another layout."""
    layout = rng.choice(LAYOUTS)
    n, d = X.shape
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "every second row":
        wide = np.full((2 * n, d), 77).astype(X.dtype)
        wide[::2] = X
        return wide[::2]
    if layout == "every second column":
        wide = np.full((n, 2 * d), 77).astype(X.dtype)
        wide[:, ::2] = X
        return wide[:, ::2]
    if layout == "backwards":
        return X[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "unaligned":
        raw = np.empty(X.nbytes + 1, np.uint8)
        out = raw[1:].view(X.dtype).reshape(n, d)
        out[:] = X
        return out
    if layout == "read-only":
        X.setflags(write=False)
    if layout == "lists" and n * d < 500 and X.dtype.kind in "fiu":
        return X.tolist()
    if layout == "memmap":
        X.tofile(f"{folder}/X")
        return np.memmap(f"{folder}/X", X.dtype, "r", shape=(n, d))
    return X
