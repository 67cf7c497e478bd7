"""The mixtures behind the ICL: likelihood against scikit-learn's, and what merging a larger one saves."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.mixture import GaussianMixture

from kmeans_fast import kmeans
from kmeans_fast.choosing._mixture import _fit, _Full, _merge, _Round, icl_curve
from kmeans_fast.datasets import init_board_gauss


def fit(X, labels, weight=None, full=False):
    weight = np.ones(len(X)) if weight is None else weight
    return _fit((_Full if full else _Round)(X, weight), np.eye(labels.max() + 1)[labels])


@pytest.mark.parametrize("full", [False, True])
def test_a_mixture_ends_where_that_of_scikit_learn_does(full):
    X = init_board_gauss(3000, 4, min_separation=2, random_state=0)
    labels = kmeans(X, 4, quality="best", random_state=0).labels
    ours, kind = fit(X, labels, full=full), "full" if full else "spherical"
    means = ours.own.T @ X / ours.own.sum(axis=0)[:, None]
    theirs = GaussianMixture(4, covariance_type=kind, means_init=means, tol=1e-7, max_iter=1000).fit(X)
    np.testing.assert_allclose(means, theirs.means_, atol=0.01)
    np.testing.assert_allclose(ours.own.mean(axis=0), theirs.weights_, atol=0.01)
    own = theirs.predict_proba(X)
    entropy = -(own * np.log(own + 1e-300)).sum()
    assert ours.icl == pytest.approx(theirs.bic(X) + 2 * entropy, rel=1e-3)


def test_halves_of_one_gaussian_cost_more_than_they_explain():
    X = np.random.default_rng(0).normal(0, 1, (500, 2))
    curve = icl_curve(X, np.ones(500), {k: kmeans(X, k, random_state=0).labels for k in (1, 2, 3)})
    assert min(curve, key=curve.get) == 1


def test_long_clusters_are_not_cut_by_gaussians_of_any_shape():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (150, 2)) * [5, 0.5] + [0, y] for y in (0, 5, 10)])
    starts = {k: kmeans(X, k, quality="best", random_state=0).labels for k in range(1, 8)}
    curve = icl_curve(X, np.ones(450), starts, full=True)
    assert min(curve, key=curve.get) == 3


def test_merging_a_larger_mixture_mends_a_bad_start():
    rng = np.random.default_rng(1)
    X = np.repeat([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]], 100, axis=0) + rng.normal(0, 0.1, (300, 2))
    bad = np.r_[np.zeros(200, int), np.ones(50, int), np.full(50, 2)]  # two clusters in one, the third cut
    good = np.repeat([0, 1, 2], 100)
    four = np.r_[good[:200], np.full(50, 2), np.full(50, 3)]
    ones = np.ones(300)
    with_help = icl_curve(X, ones, {3: bad, 4: four})[3]
    assert with_help < icl_curve(X, ones, {3: bad})[3]
    assert with_help == pytest.approx(icl_curve(X, ones, {3: good})[3], rel=1e-6)


def test_weights_are_repetitions():
    rng = np.random.default_rng(2)
    X, weight = rng.normal(0, 1, (60, 3)), rng.integers(1, 4, 60)
    labels = kmeans(X, 2, random_state=0).labels
    weighted = fit(X, labels, weight.astype(float))
    repeated = fit(np.repeat(X, weight, axis=0), np.repeat(labels, weight))
    assert weighted.icl == pytest.approx(repeated.icl, rel=1e-9)


def test_merging_joins_what_overlaps():
    own = np.array([[0.5, 0.5, 0.0], [0.6, 0.4, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(_merge(own, np.ones(3), 2), [[1, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize("full", [False, True])
def test_copies_of_a_point_do_not_make_the_likelihood_infinite(full):
    X = np.r_[np.zeros((20, 2)), np.random.default_rng(0).normal(5, 1, (80, 2))]
    curve = icl_curve(X, np.ones(100), {k: kmeans(X, k, random_state=0).labels for k in (1, 2, 3)}, full)
    assert np.isfinite(list(curve.values())).all()
    assert min(curve, key=curve.get) == 2
