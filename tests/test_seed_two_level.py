"""The two-level start: k-means++ inside coarse clusters."""

from __future__ import annotations

import numpy as np
import pytest

from kmeans_fast import kmeans
from kmeans_fast._problem import Problem
from kmeans_fast._samples import as_samples
from kmeans_fast._seed_two_level import shares, two_level_rows


def rows_of(X, k, seed=0, weight=None, n_threads=1):
    return two_level_rows(Problem(as_samples(X), k, weight, n_threads), np.random.default_rng(seed))


@pytest.mark.parametrize("k", [1, 15, 16, 50, 300])
def test_k_distinct_rows_are_chosen_the_same_for_any_number_of_threads(blobs, k):
    X = blobs(3000, 3, 20)
    rows = rows_of(X, k)
    assert len(set(rows.tolist())) == k
    np.testing.assert_array_equal(rows, rows_of(X, k, n_threads=3))


def test_it_starts_lower_than_at_random_and_ends_as_low_as_k_means_plus_plus(blobs):
    X = blobs(20_000, 8, 300).astype(np.float32)
    runs = {
        init: [kmeans(X, 600, init=init, random_state=s, max_iter=20, n_init=1) for s in range(3)]
        for init in ("k-means++", "two-level", "random")
    }
    starts = {init: np.mean([r.inertia_history[0] for r in some]) for init, some in runs.items()}
    ends = {init: np.mean([r.inertia for r in some]) for init, some in runs.items()}
    assert starts["two-level"] < 0.95 * starts["random"]
    assert ends["two-level"] < 1.02 * ends["k-means++"]


def test_samples_without_weight_are_not_chosen(blobs):
    X, weight = blobs(2000, 2, 10), np.ones(2000)
    weight[::2] = 0.0
    assert (rows_of(X, 100, weight=weight) % 2 == 1).all()


def test_as_many_clusters_as_samples_takes_every_sample(blobs):
    X = blobs(64, 2, 3)
    assert sorted(rows_of(X, 64).tolist()) == list(range(64))


def test_copies_leave_clusters_to_fill_up():
    X = np.repeat(np.arange(5.0)[:, None], 40, axis=0)
    rows = rows_of(X, 20)
    assert len(set(rows.tolist())) == 20
    assert len(np.unique(X[rows])) == 5


def test_shares_add_up_and_fit():
    sizes = np.array([0, 1, 5, 1000])
    given = shares(np.array([0.0, 1e9, 3.0, 4.0]), sizes, 200, 2)
    assert given.sum() == 200
    assert (given <= sizes).all()
    assert given[:2].tolist() == [0, 1]
    assert given[2] >= 1
