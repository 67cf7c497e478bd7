"""Coresets: small loss, unbiased sums, the same bits however chunks are cut, merging, bounded memory."""

from __future__ import annotations

import doctest
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import coresets, kmeans
from kmeans_fast._predict import inertia
from kmeans_fast.coresets import FAN_IN, LEAF_ROWS, Coreset

Array = NDArray[Any]
METHODS = ({}, {"method": "sensitivity", "n_clusters": 8})


@pytest.fixture(scope="module")
def X() -> Array:
    rng = np.random.default_rng(0)
    truth = rng.uniform(-10, 10, (8, 2))
    share = np.array([0.6, 0.2, 0.1, 0.05, 0.02, 0.01, 0.01, 0.01])
    return (truth[rng.choice(8, p=share, size=300_000)] + rng.normal(0, 0.5, (300_000, 2))).astype(np.float32)


def summary(X: Array, size: int = 800, n_chunks: int = 7, **settings: Any) -> tuple[Array, Array]:
    coreset = Coreset(size, random_state=0, **settings)
    for chunk in np.array_split(X, n_chunks):
        coreset.update(chunk)
    return coreset.result()


@pytest.mark.parametrize("settings", METHODS)
def test_a_fit_of_the_coreset_loses_little(X: Array, settings: Any) -> None:
    points, weights = summary(X, **settings)
    assert len(points) <= 800
    assert points.dtype == np.float32
    full = min(kmeans(X[::20], 8, random_state=s).inertia for s in range(3)) * 20
    found = kmeans(points, 8, sample_weight=weights, n_init=5, random_state=0)
    assert inertia(X, found.centroids, None, 1) < 1.1 * full
    assert found.inertia == pytest.approx(full, rel=0.15)  # it prices, too
    assert weights.sum() == pytest.approx(len(X), rel=0.1)


@pytest.mark.parametrize("settings", METHODS)
def test_weights_are_unbiased(X: Array, settings: Any) -> None:
    small, sums = X[:5000], []
    for s in range(60):
        points, weights = Coreset(50, random_state=s, **settings).update(small).result()
        sums.append([weights.sum(), *(weights @ points)])
    error = np.std(sums, axis=0) / 60**0.5
    np.testing.assert_array_less(np.abs(np.mean(sums, axis=0) - [5000, *small.sum(axis=0, dtype=float)]), 4 * error)


@pytest.mark.parametrize("settings", METHODS)
def test_chunks_of_any_cut_and_threads_give_the_same_bits(X: Array, settings: Any) -> None:
    one = summary(X[:150_000], n_chunks=1, n_threads=1, **settings)
    many = summary(X[:150_000], n_chunks=41, n_threads=2, **settings)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_few_samples_are_kept_as_they_are_and_those_without_weight_left_out() -> None:
    points, weights = Coreset(10).update([[1.0], [2.0], [3.0]], sample_weight=[2.0, 0.0, 1.0]).result()
    np.testing.assert_array_equal(points[weights > 0].ravel(), [1.0, 3.0])
    rows = np.repeat([[0.0], [5.0]], 100, axis=0)
    points, weights = Coreset(4, random_state=0).update(rows).result()  # copies alone
    assert set(points.ravel()) <= {0.0, 5.0}
    assert weights.sum() == pytest.approx(200)


def test_merged_parts_are_as_good_as_one_and_repeat(X: Array) -> None:
    def merged() -> Coreset:
        parts = [Coreset(800, part=p, random_state=1).update(chunk) for p, chunk in enumerate(np.array_split(X, 3))]
        return parts[0].merge(parts[1]).merge(parts[2])

    whole = merged()
    assert (whole.n_samples, whole.n_chunks) == (len(X), 3)
    points, weights = whole.result()
    for a, b in zip(merged().result(), (points, weights), strict=True):
        np.testing.assert_array_equal(a, b)
    found = kmeans(points, 8, sample_weight=weights, n_init=5, random_state=0)
    full = min(kmeans(X[::20], 8, random_state=s).inertia for s in range(3)) * 20
    assert inertia(X, found.centroids, None, 1) < 1.1 * full


def test_memory_grows_with_the_logarithm_of_n() -> None:
    rng, held, chunk = np.random.default_rng(0), [], 2 * LEAF_ROWS
    coreset = Coreset(100, random_state=0)
    for _ in range(FAN_IN * 2):
        coreset.update(rng.random((chunk, 1), np.float32))
        held.append(coreset.n_bytes)
    leaf, node = LEAF_ROWS * 12, 100 * 12
    assert max(held) <= leaf + 3 * (FAN_IN - 1) * node


def test_bad_chunks_are_named_and_leave_the_coreset_as_it_was(X: Array) -> None:
    coreset, bad = Coreset(100, random_state=0).update(X[:1000]), X[:500].copy()
    before = coreset.result()
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"Chunk 1: X contains NaN in row 7, column 1"):
        coreset.update(bad)
    with pytest.raises(ValueError, match=r"Chunk 1: X has 1 features and must have 2, as what came before\."):
        coreset.update(X[:5, :1])
    for a, b in zip(before, coreset.result(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"size=50 of the other coreset must be 100\."):
        coreset.merge(Coreset(50))
    with pytest.raises(ValueError, match="has seen no samples"):
        Coreset(5).result()
    with pytest.raises(TypeError, match="n_clusters=None must be an int"):
        Coreset(5, "sensitivity")


def test_what_float32_does_not_hold_widens_the_points() -> None:
    points, _ = Coreset(10).update(np.float32([[1], [2]])).update([[0.1]]).result()
    assert points.dtype == np.float64
    assert points[2, 0] == 0.1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_of_a_process_whose_threads_ran_does_not_hang(run_python: Callable[..., str]) -> None:
    code = """
import os, warnings, numpy as np
from kmeans_fast.coresets import Coreset
warnings.simplefilter("ignore")
X = np.random.default_rng(0).random((100_000, 24), np.float32)
def drawn():
    return Coreset(500, random_state=0, n_threads=2).update(X).result()[0].tobytes()
expected = drawn()
child = os.fork()
if child == 0:
    os._exit(0 if drawn() == expected else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_python(code).strip() == "0"


def test_points_without_weight_leave_and_few_points_stay_as_they_are(X: Array) -> None:
    weights = np.where(np.arange(12) % 3 == 0, 0.0, 2.0)
    points, kept = Coreset(8).update(X[:12], weights).result()
    np.testing.assert_array_equal(points, X[:12][weights > 0])
    assert kept.tolist() == [2.0] * 8
    points, kept = Coreset(3, random_state=0).update(X[:12], weights).result()
    assert len(points) <= 3
    assert {tuple(point) for point in points.tolist()} <= {tuple(point) for point in X[:12][weights > 0].tolist()}


def test_an_empty_part_changes_nothing(X: Array) -> None:
    whole, same = (Coreset(50, random_state=0).update(X[:500]) for _ in range(2))
    np.testing.assert_array_equal(same.merge(Coreset(50, part=1)).result()[0], whole.result()[0])


def test_the_example_of_the_docstring_runs() -> None:
    assert doctest.testmod(coresets).failed == 0
