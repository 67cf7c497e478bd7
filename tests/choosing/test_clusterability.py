"""Are there clusters at all? What must say no, what must say yes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("scipy")

import pandas as pd
from numpy.typing import NDArray

from kmeans_fast import clusterability
from kmeans_fast.datasets import init_board, init_board_gauss

Array = NDArray[Any]


def blobs(n: int, k: int, d: int, seed: int) -> Array:
    """Draw k round Gaussians a good way apart: centers on a shuffled lattice, 5 spreads from each other or more."""
    rng = np.random.default_rng(seed)
    lattice = np.stack(np.meshgrid(*[np.arange(4)] * min(d, 3)), axis=-1).reshape(-1, min(d, 3))
    centers = np.zeros((k, d))
    centers[:, : min(d, 3)] = rng.permutation(lattice)[:k]
    return centers[np.arange(n) % k] + 0.2 * rng.standard_normal((n, d))


def triangle(n: int, rng: np.random.Generator) -> Array:
    return rng.dirichlet([1, 1, 1], n) @ np.array([[0, 0], [1, 0], [0.5, 0.87]])


NONE: dict[str, Callable[[np.random.Generator], Array]] = {
    "a uniform board": lambda rng: init_board(150, random_state=rng),
    "a uniform board of few": lambda rng: init_board(40, random_state=rng),
    "a uniform cube in 10-D": lambda rng: init_board(120, n_features=10, random_state=rng),
    "a uniform segment": lambda rng: init_board(120, n_features=1, random_state=rng),
    "one Gaussian": lambda rng: rng.normal(size=(150, 2)),
    "one Gaussian in 40-D": lambda rng: rng.normal(size=(100, 40)),
    "more features than samples": lambda rng: rng.normal(size=(40, 200)),
    "a long Gaussian askew": lambda rng: rng.normal(size=(150, 2)) @ [[9, 9], [0.5, -0.5]],
    "the board of one Gaussian": lambda rng: init_board_gauss(150, 1, random_state=rng),
    "a triangle": lambda rng: triangle(150, rng),
    "one Gaussian and outliers": lambda rng: np.r_[rng.normal(size=(140, 2)), rng.uniform(-40, 40, (10, 2))],
    "a lattice": lambda rng: np.stack(np.meshgrid(np.arange(12), np.arange(12)), axis=-1).reshape(-1, 2),
    "rounded uniform numbers": lambda rng: rng.integers(0, 30, (150, 2)),
    "answers from 1 to 5": lambda rng: rng.integers(1, 6, (150, 3)),
    "copies of uniform points": lambda rng: np.repeat(rng.random((40, 2)), 4, axis=0),
    "a constant column beside": lambda rng: np.c_[rng.random((120, 2)), np.full(120, 7.0)],
    "far from the origin": lambda rng: 1e8 + rng.random((120, 2)),
}


@pytest.mark.parametrize("name", NONE)
def test_data_without_clusters_is_told_so(name: str) -> None:
    found = clusterability(NONE[name](np.random.default_rng(0)), random_state=0, n_threads=1)
    assert not found.has_clusters, found
    assert found.verdict.startswith("X has no clusters")


@pytest.mark.parametrize(("n", "k", "d"), [(100, 2, 2), (150, 10, 2), (150, 3, 1), (100, 5, 20), (60, 3, 100)])
def test_clusters_a_good_way_apart_are_seen(n: int, k: int, d: int) -> None:
    found = clusterability(blobs(n, k, d, 0), random_state=0, n_threads=1)
    assert found.has_clusters, found.evidence


def test_many_clusters_are_seen_from_near() -> None:
    rng = np.random.default_rng(0)
    centers = np.stack(np.meshgrid(np.arange(9), np.arange(9)), axis=-1).reshape(-1, 2) + rng.uniform(
        -0.2, 0.2, (81, 2)
    )
    X = centers[np.arange(2000) % 81] + rng.normal(0, 0.08, (2000, 2))
    assert clusterability(X, random_state=0).has_clusters


def test_the_verdict_carries_its_evidence_in_words_and_numbers() -> None:
    found = clusterability(blobs(100, 3, 2, 0), random_state=0)
    assert [e.test for e in found.evidence] == ["gap", "hopkins", "dip"]
    assert all(e.clustered and e.p_value == 1 / 20 and e.statistic > e.reference for e in found.evidence)
    assert "most at k=" in found.evidence[0].says
    assert repr(found).startswith("Clusterability(has_clusters=True, gap p=0.05, ")
    with pytest.raises(AttributeError):
        found.has_clusters = False  # type: ignore[misc]


def test_the_same_seed_gives_the_same_evidence_for_any_number_of_threads_and_X_stays_as_it_was() -> None:
    X = np.round(blobs(100, 4, 3, 0), 1)
    kept = X.copy()
    one = clusterability(X, random_state=5, n_threads=1)
    assert one == clusterability(X, random_state=5, n_threads=4)
    assert one == clusterability(np.asfortranarray(X), random_state=np.random.default_rng(5))
    np.testing.assert_array_equal(X, kept)


def test_place_and_unit_make_no_difference() -> None:
    X = blobs(60, 3, 2, 1)
    one = clusterability(X, random_state=0)
    for other in (1e-150 * X, 1e150 * X, X * 2.0**20 + 2.0**20):
        assert clusterability(other, random_state=0).has_clusters == one.has_clusters


def test_a_frame_and_integers_are_taken() -> None:
    X = np.round(100 * blobs(60, 3, 2, 0))
    expected = clusterability(X, random_state=0)
    assert clusterability(pd.DataFrame(X.astype(int), columns=["a", "b"]), random_state=0) == expected
    assert clusterability(X.astype(np.float32), random_state=0) == expected


def test_of_many_samples_some_are_read_and_the_verdict_says_how_many(tmp_path: Any) -> None:
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (300_000, 2))
    X[:] = blobs(300_000, 4, 2, 0)
    found = clusterability(X, max_samples=150, random_state=0)
    assert found.has_clusters
    assert (found.n_samples, found.n_used) == (300_000, 150)
    assert "150 of 300,000 samples" in found.verdict


def test_a_weight_of_zero_leaves_a_sample_out() -> None:
    rng = np.random.default_rng(0)
    X = np.r_[blobs(90, 3, 2, 0), rng.uniform(-1, 5, (200, 2))]
    weight = np.r_[np.ones(90), np.zeros(200)]
    assert clusterability(X, sample_weight=weight, random_state=0) == clusterability(X[:90], random_state=0)
    X[90:] = np.nan  # nor is it looked at
    few = clusterability(np.r_[X, blobs(90, 3, 2, 1)], sample_weight=np.r_[weight, np.ones(90)], max_samples=100)
    assert (few.n_samples, few.n_used) == (180, 100)
    assert clusterability(X, sample_weight=weight, max_samples=100, random_state=0).has_clusters


def test_few_distinct_samples_are_judged_by_counting() -> None:
    same = clusterability(np.ones((50, 3)))
    assert not same.has_clusters
    assert same.evidence == ()
    assert same.verdict == "X has no clusters: all samples are the same point."
    few = clusterability(np.repeat([[0.0, 1.0], [5.0, 5.0], [9.0, 0.0]], 20, axis=0))
    assert few.has_clusters
    assert "3 distinct samples, each 20 times on average" in few.verdict


BAD: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (np.ones((5, 2)), {}, ValueError, "n_samples=5 must be >= 10"),
    (np.repeat(np.random.default_rng(0).random((5, 2)), 3, axis=0), {}, ValueError, "distinct samples=5 must be >= 10"),
    (
        np.r_[np.random.default_rng(0).random((20, 2)), [[0.0, np.nan]]],
        {},
        ValueError,
        "X contains NaN in row 20, column 1; .*SimpleImputer",
    ),
    (np.full((20, 2), "a"), {}, TypeError, "X has dtype"),
    (np.ones(20), {}, ValueError, "must be 2-dimensional"),
    (np.ones((20, 2)), {"n_references": 5}, ValueError, "n_references=5 must be >= 9."),
    (np.ones((20, 2)), {"max_samples": 50}, ValueError, "max_samples=50 must be >= 100."),
    (np.ones((20, 2)), {"sample_weight": np.zeros(20)}, ValueError, "sample_weight is zero everywhere"),
    (np.ones((20, 2)), {"random_state": -1}, ValueError, "random_state=-1 must be >= 0."),
    (np.ones((20, 2)), {"n_threads": 0}, ValueError, "n_threads=0 must be >= 1"),
]


@pytest.mark.parametrize(("X", "options", "error", "message"), BAD)
def test_bad_input_is_one_sentence(X: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        clusterability(X, **options)


def test_without_scipy_the_error_names_the_extra(run_python: Callable[..., str]) -> None:
    told = run_python(
        "import sys; sys.modules['scipy'] = None; import kmeans_fast; kmeans_fast.clusterability", fails=True
    )
    assert 'clusterability needs scipy; install it with: pip install "kmeans_fast[choose]"' in told
