"""The gap statistic: against its definition, on boards with and without clusters, and over threads."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

pytest.importorskip("scipy")

from kmeans_fast import kmeans
from kmeans_fast._samples import as_samples
from kmeans_fast.choosing import _gap, gap
from kmeans_fast.choosing._gap import box_sides
from kmeans_fast.datasets import init_board, init_board_gauss

TRIANGLE = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])


def three_blobs(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return TRIANGLE[np.arange(n) % 3] + rng.normal(0, 1, (n, 2))


def test_docstring_examples_hold():
    assert doctest.testmod(_gap).failed == 0


def test_three_blobs_are_three_with_either_reference():
    X = three_blobs()
    assert [gap(X, 6, references=name, random_state=0).best_k for name in ("uniform", "pca")] == [3, 3]


def test_a_uniform_board_is_one_cluster():
    found = [gap(init_board(400, random_state=seed), 4, random_state=seed).best_k for seed in range(10)]
    assert found.count(1) >= 9


def test_curves_are_those_of_the_definition():
    X = three_blobs(90)
    curves = gap(X, range(1, 6), n_references=7, random_state=0)
    expected = [kmeans(X, k, quality="best", random_state=0).inertia for k in range(1, 6)]
    np.testing.assert_allclose(np.exp(curves.log_inertia), expected, rtol=0.03)
    reference = curves.reference_log_inertia
    assert reference.shape == (7, 5)
    np.testing.assert_allclose(curves.gap, reference.mean(axis=0) - curves.log_inertia)
    np.testing.assert_allclose(curves.standard_error, reference.std(axis=0) * np.sqrt(1 + 1 / 7))
    # One cluster of a uniform box: n * side^2 / 12 a feature.
    sides = np.ptp(X, axis=0)
    np.testing.assert_allclose(np.exp(reference[:, 0].mean()), 90 * (sides**2).sum() / 12, rtol=0.1)


def test_inertia_that_is_known_is_taken():
    X = three_blobs(60)
    curves = gap(X, 3, inertia=[9.0, 4.0, 1.0], n_references=3, random_state=0)
    np.testing.assert_allclose(np.exp(curves.log_inertia), [9.0, 4.0, 1.0])


@pytest.mark.parametrize("n", [400, 30_000])  # the larger ones are worth a second thread
def test_threads_do_not_change_a_bit(n):
    X = init_board(n, random_state=0).astype(np.float32)
    one, two = (gap(X, 4, n_references=4, quality="standard", random_state=3, n_threads=t) for t in (1, 2))
    np.testing.assert_array_equal(one.gap, two.gap)
    np.testing.assert_array_equal(one.reference_log_inertia, two.reference_log_inertia)


def test_the_box_of_principal_axes_is_that_of_the_turned_samples():
    X = three_blobs() * [5.0, 1.0]
    turn = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    centred = X - X.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    expected = np.sort(np.ptp(centred @ axes.T, axis=0))
    np.testing.assert_allclose(np.sort(box_sides(as_samples(X @ turn + 1e4), None, "pca")), expected, rtol=1e-6)
    weight = np.ones(len(X))
    weight[np.argmax(X[:, 0])] = 0.0
    assert box_sides(as_samples(X), weight, "uniform")[0] < np.ptp(X[:, 0])


def test_distinct_samples_end_the_curve():
    X = np.repeat([[0.1, 0.2], [5.0, 5.0], [9.3, 0.0]], 20, axis=0)
    curves = gap(X, 8, n_references=5, random_state=0)
    assert curves.ks == (1, 2, 3)
    assert curves.gap[2] > 30  # all but rounding
    assert gap(np.full((9, 2), 0.1), 4, n_references=5, random_state=0).best_k == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ks": 7}, ValueError, "k=7 in ks must be <= n_samples=6."),
        ({"ks": []}, ValueError, r"ks=\[\] must have at least one number of clusters."),
        ({"ks": [0, 1]}, ValueError, "k=0 must be >= 1."),
        ({"ks": 0}, ValueError, "ks=0 must be >= 1."),
        ({"ks": "3"}, TypeError, "ks='3' must be an int."),
        ({"ks": [2.5]}, TypeError, "k=2.5 must be an int."),
        ({"ks": 3, "references": "box"}, ValueError, "references='box' must be one of 'uniform', 'pca'."),
        ({"ks": 3, "n_references": 1}, ValueError, "n_references=1 must be >= 2."),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        gap(three_blobs(6), **arguments)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="X contains NaN in row 1, column 0"):
        gap(np.array([[0.0], [np.nan], [1.0]]), 2)


def test_numbers_that_begin_after_one_give_what_they_give_after_it() -> None:
    X = init_board_gauss(300, 4, min_separation=2.0, random_state=0)
    later, all_of_them = gap(X, range(2, 6), random_state=0), gap(X, range(1, 6), random_state=0)
    np.testing.assert_array_equal(later.log_inertia, all_of_them.log_inertia[1:])
    np.testing.assert_array_equal(later.gap, all_of_them.gap[1:])
