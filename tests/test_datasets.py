"""The boards: sizes, limits, law and seeds."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from kmeans_fast import datasets
from kmeans_fast.datasets import init_board, init_board_gauss


@pytest.mark.parametrize("n_features", [1, 2, 3, 50])
def test_uniform_board_fills_the_cube_evenly(n_features):
    X = init_board(4000, n_features=n_features, random_state=0)
    assert X.shape == (4000, n_features)
    assert X.dtype == np.float64
    assert np.abs(X).max() <= 1
    # Five standard errors of a uniform law's mean and variance (1/3, with fourth moment 1/5).
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=5 * np.sqrt(1 / 3 / 4000))
    np.testing.assert_allclose((X**2).mean(axis=0), 1 / 3, atol=5 * np.sqrt(4 / 45 / 4000))


@pytest.mark.parametrize(("N", "k"), [(7, 3), (10, 10), (200, 3), (1000, 1), (1001, 7)])
@pytest.mark.parametrize("n_features", [1, 2, 40])
def test_gaussian_board_has_exactly_n_points_inside_in_nearly_equal_clusters(N, k, n_features):
    X, labels = init_board_gauss(N, k, n_features=n_features, random_state=N + k, return_labels=True)
    assert X.shape == (N, n_features)
    assert labels.dtype == np.int32
    assert np.abs(X).max() <= 1
    counts = np.bincount(labels, minlength=k)
    assert len(counts) == k
    assert counts.max() - counts.min() <= 1


def test_gaussians_are_round_and_their_spread_lies_between_the_tutorials_bounds():
    inside = 0
    for seed in range(40):
        X = init_board_gauss(4000, 1, random_state=seed)
        spread = X.std(axis=0)
        assert (spread < 0.5).all()
        if np.abs(X).max() < 0.99:  # not cut by the board: the Gaussian itself
            inside += 1
            assert (spread > 0.047).all()
            assert spread[0] == pytest.approx(spread[1], rel=0.12)
    assert inside >= 5


def test_redrawing_coordinates_gives_the_law_of_redrawing_points():
    centroid, spread = np.array([0.8, -0.9]), 0.4
    rng = np.random.default_rng(0)
    whole = rng.normal(centroid, spread, (400_000, 2))
    whole = whole[(np.abs(whole) <= 1).all(axis=1)]

    class Fixed(np.random.Generator):  # draws this Gaussian
        draws = iter([centroid[None], np.array([[spread]])])

        def uniform(self, *args):
            return next(self.draws)

    ours = init_board_gauss(100_000, 1, random_state=Fixed(np.random.PCG64(1)))
    np.testing.assert_allclose(ours.mean(axis=0), whole.mean(axis=0), atol=0.005)
    np.testing.assert_allclose(np.cov(ours.T), np.cov(whole.T), atol=0.003)


@pytest.mark.parametrize("make", [init_board, lambda N, **kw: init_board_gauss(N, 3, **kw)])
def test_a_seed_repeats_the_board_and_generators_move_on(make):
    np.testing.assert_array_equal(make(50, random_state=4), make(50, random_state=4))
    assert not np.array_equal(make(50, random_state=4), make(50, random_state=5))
    assert not np.array_equal(make(50), make(50))
    for kind in (np.random.default_rng, np.random.RandomState):
        rng = kind(0)
        first = make(50, random_state=rng)
        assert not np.array_equal(first, make(50, random_state=rng))
        np.testing.assert_array_equal(first, make(50, random_state=kind(0)))


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    init_board_gauss(20, 2)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "N=0 must be >= 1."),
        ((5, 0), "k=0 must be >= 1."),
        ((5, 6), "k=6 must be <= N=5."),
        ((-3, 1), "N=-3 must be >= 1."),
    ],
)
def test_bad_values_are_named(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        init_board_gauss(*arguments)


def test_bad_types_and_dimensions_are_named():
    with pytest.raises(TypeError, match=r"^N=2\.5 must be an int\.$"):
        init_board(2.5)
    with pytest.raises(ValueError, match=r"^n_features=0 must be >= 1\.$"):
        init_board(3, n_features=0)
    with pytest.raises(TypeError, match=r"^random_state='a' must be "):
        init_board(3, random_state="a")


def test_examples_of_the_docstrings_run():
    assert doctest.testmod(datasets).failed == 0


@pytest.mark.parametrize(("k", "separation", "n_features"), [(2, 3, 2), (6, 3, 2), (10, 2, 2), (4, 1.5, 1), (5, 3, 9)])
def test_separated_gaussians_keep_their_distance(k, separation, n_features):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        centers, spreads = datasets._separated(k, n_features, separation, rng)
        assert ((spreads >= 0.05) & (spreads <= 0.5)).all()
        assert (np.abs(centers) <= 1).all()
        distances = np.linalg.norm(centers[:, None] - centers, axis=2)
        room = separation * (spreads + spreads.T)
        assert (distances >= room)[~np.eye(k, dtype=bool)].all()
    X = init_board_gauss(100, k, n_features=n_features, min_separation=separation, random_state=0)
    np.testing.assert_array_equal(
        X, init_board_gauss(100, k, n_features=n_features, min_separation=separation, random_state=0)
    )


def test_a_board_without_room_is_refused(monkeypatch):
    monkeypatch.setattr(datasets, "STARTS", 20)
    with pytest.raises(ValueError, match="min_separation=5 leaves no room for k=40 Gaussians on the board"):
        init_board_gauss(100, 40, min_separation=5)
    with pytest.raises(ValueError, match=r"min_separation=-1 must be finite and >= 0."):
        init_board_gauss(100, 4, min_separation=-1)
