"""Ids of groups and exemplars, margins and outliers of a result."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

import pandas as pd
import pyarrow as pa

from kmeans_fast import kmeans, predict


@pytest.fixture
def fitted(blobs):
    X = blobs(300, 3, 4)
    return X, kmeans(X, 4, random_state=0)


def test_groups_are_the_rows_of_each_label_in_order(fitted):
    _, r = fitted
    groups = r.groups()
    assert list(groups) == [0, 1, 2, 3]
    for label, rows in groups.items():
        np.testing.assert_array_equal(rows, np.flatnonzero(r.labels == label))


def test_groups_name_samples_by_the_index_or_by_ids_of_any_kind(fitted):
    pl = pytest.importorskip("polars")
    X, r = fitted
    names = [f"s{i}" for i in range(300)]
    rows = r.groups()
    mine = kmeans(pd.DataFrame(X, index=pd.Index(names, name="who")), 4, random_state=0)
    assert mine.groups()[2].name == "who"
    for made in (mine.groups(), *(r.groups(kind(names)) for kind in (list, np.array, pd.Series, pl.Series, pa.array))):
        for label in range(4):
            assert list(made[label]) == [names[row] for row in rows[label]]
    dates = pd.date_range("2024-01-01", periods=300, tz="UTC")
    assert kmeans(pd.DataFrame(X, index=dates), 4, random_state=0).groups()[0].equals(dates[rows[0]])


def test_ids_that_mix_text_and_numbers_stay_what_they_are(fitted):
    _, r = fitted
    ids = ["one", *range(1, 300)]
    assert [type(name) for name in r.to_frame(ids)["id"][:2]] == [str, int]
    assert {type(name) for group in r.groups(ids).values() for name in group} == {str, int}


def test_an_empty_cluster_has_an_empty_group_and_no_exemplar():
    with pytest.warns(UserWarning, match="distinct"):
        r = kmeans([[0.0], [0.0], [1.0]], 3, random_state=0)
    sizes = sorted(len(group) for group in r.groups().values())
    assert sizes == [0, 1, 2]
    assert sorted(len(group) for group in r.exemplars().values()) == [0, 1, 1]
    assert not r.outliers().any()


@pytest.mark.parametrize("n", [1, 3, 1000])
def test_exemplars_are_the_nearest_members_in_order_of_distance(fitted, n):
    X, r = fitted
    for label, rows in r.exemplars(n).items():
        mine = np.flatnonzero(r.labels == label)
        distances = np.linalg.norm(X[mine] - r.centroids[label], axis=1)
        np.testing.assert_array_equal(rows, mine[np.argsort(distances, kind="stable")][:n])


def test_of_equally_near_samples_the_first_is_the_exemplar():
    X = [[9.0], [-1.0], [1.0], [-1.0], [1.0], [11.0], [9.0], [11.0]]
    r = kmeans(X, 2, init=[[0.0], [10.0]])
    assert {label: rows.tolist() for label, rows in r.exemplars().items()} == {0: [1], 1: [0]}
    assert {label: ids.tolist() for label, ids in r.exemplars(3, ids=list("abcdefgh")).items()} == {
        0: ["b", "c", "d"],
        1: ["a", "f", "g"],
    }


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, ">f8"])
@pytest.mark.parametrize("offset", [0, 1000])
def test_margins_are_second_best_distances_minus_own(blobs, oracle, dtype, offset):
    X = (10 * blobs(701, 5, 6) + offset).astype(dtype)
    r = kmeans(X, 6, random_state=0)
    ordered = np.sort(np.sqrt(oracle.squares(X, r.centroids)), axis=1)
    np.testing.assert_allclose(r.margins, ordered[:, 1] - ordered[:, 0], rtol=1e-9, atol=1e-11)
    assert (r.margins >= 0).all()


def test_margins_are_the_same_bits_for_any_blocks_and_threads(blobs, monkeypatch):
    X = blobs(5000, 3, 7)
    one, two = (kmeans(X, 7, random_state=0, n_threads=n_threads).margins for n_threads in (1, 2))
    np.testing.assert_array_equal(one, two)
    monkeypatch.setattr("kmeans_fast._predict.MARGIN_BYTES", 1000)
    np.testing.assert_array_equal(kmeans(X, 7, random_state=0).margins, one)


def test_a_sample_on_the_border_has_margin_0_and_one_cluster_alone_has_none():
    X = [[0.0], [1.0], [2.0], [4.0]]
    np.testing.assert_array_equal(kmeans(X, 2, init=[[1.0], [4.0]]).margins, [3, 3, 1, 3])
    np.testing.assert_array_equal(kmeans([[-3], [-3], [0], [2], [2]], 2, init=[[-2], [2]]).margins, [4, 4, 0, 4, 4])
    np.testing.assert_array_equal(kmeans(X, 1).margins, np.full(4, np.inf))


def test_margins_of_a_pickled_result_are_refused_in_one_sentence(fitted):
    again = pickle.loads(pickle.dumps(fitted[1]))
    with pytest.raises(ValueError, match=r"^margins need X, which a pickled result does not carry; take them before"):
        _ = again.margins
    np.testing.assert_array_equal(again.outliers(), fitted[1].outliers())
    with pytest.raises(ValueError, match=r"^margins need X"):
        again.to_frame(details=True)


def test_outliers_lie_beyond_the_upper_fence_of_their_cluster(fitted):
    _, r = fitted
    for fence in (0, 1.5, 3):
        expected = np.zeros(300, bool)
        for rows in r.groups().values():
            q1, q3 = np.quantile(r.distances[rows], (0.25, 0.75))
            expected[rows] = r.distances[rows] > q3 + fence * (q3 - q1)
        np.testing.assert_array_equal(r.outliers(fence), expected)
    np.testing.assert_array_equal(r.outliers(), r.outliers(1.5))


def test_planted_outliers_are_flagged_and_few_others():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 2)) + 40 * (np.arange(4000) % 4)[:, None]
    X[:12] += 12
    flags = kmeans(X, 4, random_state=0).outliers()
    assert flags[:12].all()
    assert 0.004 < flags[12:].mean() < 0.02


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0, 0.1, 1e4])
def test_clusters_of_one_and_of_samples_at_one_distance_have_no_outliers(dtype, offset):
    angles = 2 * np.pi * np.arange(9) / 9
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    X = (np.concatenate([ring, [[50, 50]], np.full((7, 2), 100.3), ring[:2] + 300]) + offset).astype(dtype)
    r = kmeans(X, 4, init=X[[0, 9, 10, 17]], tol=0)
    assert sorted(r.counts) == [1, 2, 7, 9]
    assert not r.outliers(0).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.outliers(-1), "fence=-1 must be finite and >= 0."),
        (lambda r: r.outliers(np.nan), "fence=nan must be finite and >= 0."),
        (lambda r: r.exemplars(0), "n=0 must be >= 1."),
        (lambda r: r.groups(["a"]), "ids has 1 entries and must have n_samples=300."),
        (lambda r: r.exemplars(ids=np.zeros((300, 2))), "ids has shape (300, 2) and must be 1-dimensional."),
        (lambda r: r.to_frame(i for i in range(300)), "ids has shape () and must be 1-dimensional."),
        (lambda r: r.to_frame(backend="R"), "backend='R' must be one of 'pandas', 'polars', 'pyarrow'."),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(fitted, call, message):
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        call(fitted[1])


def test_weights_of_zero_do_not_disturb_groups(blobs):
    X = blobs(200, 2, 3)
    weight = (np.arange(200) % 2).astype(float)
    r = kmeans(X, 3, sample_weight=weight, random_state=0)
    assert sum(map(len, r.groups().values())) == 200
    np.testing.assert_array_equal(predict(X, r.centroids), r.labels)
