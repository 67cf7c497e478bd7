"""Pairs of principal components, and silhouettes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")
pytest.importorskip("sklearn")

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples

from kmeans_fast import plots


@pytest.fixture
def figure():
    made = plt.figure()
    yield made
    plt.close(made)


def test_pairs_shows_the_components_of_scikit_learns_pca(figure):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6)) * [1, 9, 3, 1, 5, 2] + 100
    labels = np.arange(300) % 2
    centroids = np.array([X[labels == j].mean(axis=0) for j in range(2)])
    axes = plots.pairs(X, labels, centroids, n_components=4)
    assert axes.shape == (3, 3)
    pca = PCA(4).fit(X)
    flat, stars = pca.transform(X), pca.transform(centroids)
    for (i, j), ax in np.ndenumerate(axes):
        if j > i:
            assert not ax.axison
            assert not ax.has_data()
            continue
        for cluster, line in enumerate(ax.lines):
            drawn, expected = np.transpose(line.get_data()), flat[labels == cluster][:, [j, i + 1]]
            np.testing.assert_allclose(np.abs(drawn), np.abs(expected), atol=1e-8)  # signs are free
        (marks,) = (c for c in ax.collections if isinstance(c, PathCollection))
        np.testing.assert_allclose(np.abs(marks.get_offsets()), np.abs(stars[:, [j, i + 1]]), atol=1e-8)
    shares = [f"component {i} ({share:.0%})" for i, share in enumerate(pca.explained_variance_ratio_, start=1)]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == shares[1:]
    assert [ax.get_xlabel() for ax in axes[-1]] == shares[:-1]


def test_few_features_are_shown_as_they_are_by_their_names(figure):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=["a", "b", "c"])
    axes = plots.pairs(X, np.zeros(20, int))
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["b", "c"]
    np.testing.assert_array_equal(axes[1, 1].lines[0].get_xdata(), X["b"])
    assert plots.pairs(X[["a", "b"]], np.zeros(20, int), axes=figure.add_subplot()).shape == (1, 1)


def test_pairs_of_data_far_away_and_constant_columns_are_right(figure):
    X = 1e8 + np.random.default_rng(0).normal(size=(50, 5)) * [3, 2, 1, 0, 0]
    axes = plots.pairs(X, np.zeros(50, int), n_components=2)
    shown = axes[0, 0].lines[0].get_xdata()
    np.testing.assert_allclose(np.abs(shown), np.abs(PCA(1).fit_transform(X - 1e8)[:, 0]), atol=1e-6)
    plots.pairs(np.ones((4, 5)), np.zeros(4, int))


def test_a_silhouette_has_a_sorted_bar_for_each_sample(ax):
    X = np.r_[np.random.default_rng(0).normal(size=(30, 2)), np.random.default_rng(1).normal(5, 1, (20, 2)), [[99, 0]]]
    labels = np.repeat([0, 2, -1], [30, 20, 1])
    assert plots.silhouette(X, labels, ax) is ax
    values = silhouette_samples(X[:50], labels[:50])
    assert len(ax.patches) == 2
    for j, steps in zip((0, 2), ax.patches, strict=True):
        np.testing.assert_allclose(steps.get_data().values, np.sort(values[labels[:50] == j])[::-1])
        np.testing.assert_allclose(steps.get_facecolor()[:3], plots.palette(3)[j])
    edges = [steps.get_data().edges for steps in ax.patches]
    assert edges[0][-1] < edges[1][0]  # a gap between clusters
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "2"]
    np.testing.assert_allclose(ax.lines[0].get_xdata(), values.mean())
    assert ax.get_xlabel() == f"silhouette, mean {values.mean():.2f}"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # cluster 0 on top


def test_of_many_samples_some_are_drawn_the_same_each_time(ax):
    X = np.random.default_rng(0).normal(size=(500, 3))
    labels = np.arange(500) % 4
    drawn = []
    for _ in range(2):
        ax.clear()
        plots.silhouette(X, labels, ax, max_samples=100)
        drawn.append(np.concatenate([steps.get_data().values for steps in ax.patches]))
    assert len(drawn[0]) == 100
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda X: plots.pairs(X[:, :1], [0] * 9), r"X has shape \(9, 1\) and must be \(n_samples, >= 2\)"),
        (lambda X: plots.pairs(X, [0] * 9, X[:2, :3]), r"centroids has shape \(2, 3\) and must be \(n, 5\)"),
        (lambda X: plots.pairs(X, [0] * 9, n_components=1), "n_components=1 must be >= 2"),
        (lambda X: plots.pairs(X * np.inf, [0] * 9), "X contains"),
        (lambda X: plots.pairs(X, [0] * 9, axes=[]), r"axes has shape .* and must be \(2, 2\)"),
        (lambda X: plots.silhouette(X, [0] * 9), "labels has 1 clusters with samples and must have >= 2 and < 9"),
        (lambda X: plots.silhouette(X, range(9)), "labels has 9 clusters with samples and must have >= 2 and < 9"),
        (lambda X: plots.silhouette(X, [0] * 8), r"labels has shape \(8,\) and must be"),
        (lambda X: plots.silhouette(X, [0] * 9, max_samples=2), "max_samples=2 must be >= 3"),
        (lambda X: plots.silhouette(X * np.nan, [0, 1, 2] * 3), "contains NaN"),
    ],
)
def test_bad_arguments_are_named(figure, draw, message):
    with pytest.raises(ValueError, match=message), np.errstate(invalid="ignore"):
        draw(np.arange(1.0, 46).reshape(9, 5))


def test_a_component_without_variance_has_a_share_of_0(figure):
    X = np.random.default_rng(0).normal(size=(50, 2))
    axes = plots.pairs(np.c_[X, X], np.zeros(50, int))
    assert "component 3 (0%)" in [ax.get_ylabel() for ax in axes.flat]
