"""Samples become weighted means of voxels, by exact sums."""

from __future__ import annotations

from fractions import Fraction
from math import fsum
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import kmeans, voxels

Array = NDArray[Any]
Sums = dict[tuple[int, ...], tuple[Fraction, list[Fraction]]]


def by_hand(X: Array, size: float, weight: Array | None = None) -> Sums:
    """Sum weights and samples of each voxel in fractions."""
    found: Sums = {}
    low = X.min(axis=0)
    for i, row in enumerate(X):
        w = Fraction(1 if weight is None else weight[i])
        key = tuple(np.floor((row - low) / size).astype(int).tolist())
        total, sums = found.get(key, (Fraction(0), [Fraction(0)] * len(row)))
        found[key] = total + w, [s + w * Fraction(float(x)) for s, x in zip(sums, row, strict=True)]
    return {key: found[key] for key in sorted(found)}


@pytest.mark.parametrize("weighted", [False, True])
def test_means_and_weights_are_those_of_exact_sums(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 3)) + np.array([5e5, 5e6, 0.0])
    weight = rng.uniform(0.5, 2, 3000) if weighted else None
    means, weights = voxels(X, 0.7, sample_weight=weight)
    exact = by_hand(X, 0.7, weight)
    np.testing.assert_allclose(weights, [float(w) for w, _ in exact.values()], rtol=1e-14)
    truth = np.array([[float(s / w) for s in sums] for w, sums in exact.values()])
    assert (np.abs(means - truth) <= 2 * np.spacing(np.abs(truth)) + 1e-15).all()
    assert abs(fsum(weights) - (3000 if weight is None else fsum(weight))) < 1e-9


@pytest.mark.parametrize("dtype", ["i4", "u2", "f4", "f8"])
def test_sums_of_integers_are_exact(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kmeans_fast._voxels.ROWS", 256)
    monkeypatch.setattr("kmeans_fast._voxels.MERGED", 10)
    X = np.random.default_rng(1).integers(0, 40_000, (5000, 2)).astype(dtype)
    means, weights = voxels(X, 7000)
    exact = by_hand(X.astype(np.float64), 7000)
    assert weights.tolist() == [int(w) for w, _ in exact.values()]
    sums = [[int(s) for s in sums] for _, sums in exact.values()]
    assert np.rint(means * weights[:, np.newaxis]).astype(int).tolist() == sums
    np.testing.assert_allclose(means, sums / weights[:, np.newaxis], rtol=3e-16)


def test_blocks_and_merging_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(2).integers(0, 1000, (4000, 3)) / 8
    whole = voxels(X, 10.0)
    monkeypatch.setattr("kmeans_fast._voxels.ROWS", 100)
    monkeypatch.setattr("kmeans_fast._voxels.MERGED", 1)
    for a, b in zip(whole, voxels(X, 10.0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_feature_has_a_size_of_its_own_and_infinity_does_not_divide_it() -> None:
    X = np.array([[0.0, 0.0], [0.5, 90.0], [3.0, 1.0]])
    means, weights = voxels(X, [1.0, np.inf])
    assert means.tolist() == [[0.25, 45.0], [3.0, 1.0]]
    assert weights.tolist() == [2, 1]


def test_samples_without_weight_are_absent() -> None:
    means, weights = voxels([[0.0], [0.5], [9.0]], 1.0, sample_weight=[0, 2, 0])
    assert (means.tolist(), weights.tolist()) == ([[0.5]], [2.0])


def test_the_fit_goes_on_to_the_samples_and_is_measured_on_them(oracle: Any, blobs: Any) -> None:
    X = blobs(4000, 3, 6)
    weight = np.random.default_rng(3).uniform(0.1, 2, 4000)
    cubes = voxels(X, 0.3, sample_weight=weight)
    assert len(cubes.means) < 3500
    few = kmeans(cubes.means, 6, sample_weight=cubes.weights, random_state=0, tol=0)
    r = cubes.expand(few, X, weight)
    assert r.labels.shape == (4000,)
    np.testing.assert_array_equal(r.labels, oracle.squares(X, r.centroids).argmin(axis=1))
    np.testing.assert_array_equal(r.counts, np.bincount(r.labels, minlength=6))
    assert abs(r.inertia - oracle.inertia(X, r.centroids, r.labels, weight)) <= 1e-9 * r.inertia
    whole = kmeans(X, 6, sample_weight=weight, init=few.centroids, tol=0)
    assert whole.inertia <= r.inertia <= 1.001 * whole.inertia


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "size=0 must be > 0"),
        (float("nan"), "must be > 0"),
        ([1.0, 2.0, 3.0], r"size has shape \(3,\) and must be a number or one a feature: 2"),
        (1e-300, r"makes .* voxels over X, which must be < 2\*\*62"),
    ],
)
def test_a_wrong_size_is_refused(size: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        voxels(np.arange(6.0).reshape(3, 2), size)


def test_a_value_that_is_not_finite_is_named() -> None:
    with pytest.raises(ValueError, match=r"row 1, column 0"):
        voxels([[0.0], [np.nan]], 1.0)
