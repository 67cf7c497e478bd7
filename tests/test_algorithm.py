"""Every algorithm gives what the dense passes give, bit for bit: pruning is a matter of time alone."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmeans_fast import _distances, _engines, _predict, kmeans, predict
from kmeans_fast._algorithm import choose
from kmeans_fast._kmeans import ALGORITHMS

PRUNING = [name for name in ALGORITHMS if name != "lloyd"]

pytestmark = pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")


def features(algorithm: str, d: int) -> int:
    """Boxes and codes take 8 features at most, a grid 3; they are tested with 1 to 4 and 8, and 1 to 3."""
    if algorithm == "grid":
        return d if d <= 3 else (3, 1, 2)[d % 3]
    return d if algorithm not in ("boxes", "codes") or d <= 4 else (8, 2, 3, 4)[d % 4]


def assert_same_bits(X: Any, n_clusters: int, algorithm: str, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dense = kmeans(X, n_clusters, algorithm="lloyd", **more)
        pruned = kmeans(X, n_clusters, algorithm=algorithm, **more)
    assert (pruned.n_iter, pruned.stop_reason) == (dense.n_iter, dense.stop_reason)
    np.testing.assert_array_equal(pruned.labels, dense.labels)
    np.testing.assert_array_equal(pruned.inertia_history, dense.inertia_history)
    np.testing.assert_array_equal(pruned.centroids, dense.centroids)
    assert (pruned.inertia, pruned.restarts) == (dense.inertia, dense.restarts)
    return pruned


@pytest.mark.parametrize("algorithm", PRUNING)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 300),
    d=st.sampled_from([1, 2, 3, 9, 17, 40]),
    k=st.integers(1, 70),
    kind=st.sampled_from(["grid", "normal", "blobs", "copies"]),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    weighted=st.booleans(),
)
def test_every_algorithm_gives_the_labels_of_the_dense_one(algorithm, seed, n, d, k, kind, dtype, weighted):
    rng = np.random.default_rng(seed)
    k, d = min(k, n), features(algorithm, d)
    X = rng.integers(-2, 3, (n, d)) if kind == "grid" else rng.standard_normal((n, d))
    if kind == "blobs":
        X = X * 0.1 + rng.standard_normal((8, d))[rng.integers(8, size=n)]
    if kind == "copies":
        X = X[rng.integers(max(1, n // 3), size=n)]
    weight = rng.integers(0, 3, n).astype(float) if weighted else None
    if weighted:
        weight[:k] = 1.0
    start = np.asarray(X[rng.choice(n, k, replace=False)], float) * rng.choice([1.0, 3.0])
    assert_same_bits(X.astype(dtype), k, algorithm, init=start, sample_weight=weight, tol=0)


@pytest.mark.parametrize("algorithm", PRUNING)
@pytest.mark.parametrize(
    ("n", "d", "k", "dtype"),
    [
        (20_000, 3, 60, "f4"),
        (12_000, 16, 64, "f4"),
        (12_000, 16, 64, "f8"),
        (3000, 100, 150, "f4"),
        (9000, 20, 50, "f2"),
        (9000, 20, 50, ">f8"),
    ],
)
def test_pruning_over_many_iterations_chunks_and_threads_loses_no_label(oracle, blobs, algorithm, n, d, k, dtype):
    X = blobs(n, features(algorithm, d), 30).astype(dtype)
    runs = [
        assert_same_bits(X, k, algorithm, init=X[:k].astype(float), tol=0, max_iter=40, n_threads=t) for t in (1, 3)
    ]
    np.testing.assert_array_equal(runs[0].labels, runs[1].labels)
    assert runs[0].inertia == runs[1].inertia
    oracle.assert_agrees(runs[0], X.astype(float))


@pytest.mark.parametrize("algorithm", PRUNING)
@pytest.mark.parametrize("offset", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pruning_far_from_the_origin_loses_no_label(blobs, algorithm, offset, dtype):
    X = (blobs(4000, features(algorithm, 12), 30) + offset).astype(dtype)
    assert_same_bits(X, 60, algorithm, init=X[:60].astype(float), tol=0, max_iter=30)


@pytest.mark.parametrize("algorithm", PRUNING)
def test_pruning_with_relocations_weights_restarts_and_callbacks_loses_no_label(blobs, algorithm):
    X = blobs(5000, features(algorithm, 10), 30, np.float32)
    far = np.vstack([X[:50], X[:10] * 100]).astype(float)
    more = {"n_threads": 1}  # of many short passes; a team would wait for itself on a busy machine
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    assert_same_bits(X, 60, algorithm, init=far, tol=0, **more)
    assert_same_bits(X, 60, algorithm, init=far, tol=0, sample_weight=weight, **more)
    assert_same_bits(X, 60, algorithm, init="random", n_init=4, random_state=0, sample_weight=weight, **more)
    for stop in (1, 2, 7):
        assert_same_bits(X, 60, algorithm, random_state=0, callback=lambda s, stop=stop: s.iteration == stop, **more)
        assert_same_bits(X, 60, algorithm, random_state=0, max_iter=stop, **more)


@pytest.mark.parametrize("algorithm", PRUNING)
@pytest.mark.parametrize("exponent", [-220, -75, -60, 60, 62, 64, 200])  # also where squares leave float32
def test_pruning_at_tiny_and_huge_scales_loses_no_label(blobs, algorithm, exponent):
    X = np.ldexp(blobs(3000, features(algorithm, 12), 30), exponent)
    for dtype in (np.float32, np.float64)[abs(exponent) > 64 :]:
        assert_same_bits(X.astype(dtype), 60, algorithm, init=X[:60], tol=0, max_iter=30)


@pytest.mark.parametrize("algorithm", [name for name in PRUNING if name != "auto"])
def test_the_result_names_the_algorithm_that_was_asked_for(blobs, algorithm):
    X = blobs(5000, features(algorithm, 16), 30, np.float32)
    assert kmeans(X, 60, init=X[:60], algorithm=algorithm).algorithm == algorithm
    assert kmeans(X, 60, init=X[:60], algorithm="auto").algorithm in ALGORITHMS[1:]


@pytest.fixture
def filtered(monkeypatch):
    """Put the filter in 8 bits in front of every scored sample, also where it does not pay."""
    monkeypatch.setattr(_engines, "filters", lambda single, n_features, n_clusters: n_features <= 65536)


KINDS = ["grid", "normal", "blobs", "copies", "tailed", "tiny", "huge", "far", "constant"]


def samples(kind: str, n: int, d: int, rng: np.random.Generator) -> Any:
    """Make samples that are hard to round."""
    X = rng.standard_normal((n, d))
    scale, offset = {"tiny": (1e-14, 0.0), "huge": (1e14, 0.0), "far": (1.0, 300.0)}.get(kind, (1.0, 0.0))
    X = X * scale + offset
    if kind == "grid":
        X = rng.integers(-1, 2, X.shape)
    elif kind == "blobs":
        X = 0.1 * X + rng.standard_normal((8, d))[rng.integers(8, size=len(X))]
    elif kind == "copies":
        X = X[rng.integers(300, size=len(X))]
    elif kind == "tailed":
        X = X * 10.0 ** rng.integers(-6, 7, d)
    elif kind == "constant":
        X[:, : d // 2] = 1.0
    return X


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "k"), [(9, 5), (16, 100), (67, 40), (130, 300)])
def test_the_filter_loses_no_label(filtered, kind, dtype, d, k):
    X = samples(kind, 1500, d, np.random.default_rng(d + k))
    assert_same_bits(X.astype(dtype), k, "hamerly", init=X[:k].astype(float), tol=0, max_iter=15)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "k"), [(1, 30), (2, 5), (2, 100), (3, 64), (4, 17), (5, 40), (8, 130)])
def test_codes_lose_no_label(kind, dtype, d, k):
    rng = np.random.default_rng(d + k)
    X = samples(kind, 5000, d, rng)
    more = {"init": X[:k].astype(float), "tol": 0, "max_iter": 15}
    assert_same_bits(X.astype(dtype), k, "codes", **more)
    assert_same_bits(X.astype(dtype), k, "codes", sample_weight=1e-9 * rng.integers(0, 3, len(X)), **more)


@pytest.mark.skipif(not _distances.takes_codes(), reason="the processor takes no products of 16 bits")
@pytest.mark.parametrize("d", [2, 3, 8])
def test_codes_label_most_samples_and_give_themselves_up_where_an_outlier_makes_them_coarse(blobs, d):
    X = blobs(40_000, d, 30).astype(np.float32)
    more = {"init": X[:60].astype(float), "tol": 0, "max_iter": 8}
    assert assert_same_bits(X, 60, "codes", **more).n_distances < 1.25 * 60 * len(X) * 9
    X[7] = 1e5
    assert assert_same_bits(X, 60, "codes", **more).n_distances < 2.1 * 60 * len(X) * 9


@pytest.mark.parametrize("scale", [1e-200, 1e-25, 1e25, 1e140])
def test_the_filter_stays_out_of_squares_that_leave_float32(filtered, scale):
    X = np.random.default_rng(0).standard_normal((600, 20)) * scale
    assert_same_bits(X, 30, "hamerly", init=X[:30].copy(), tol=0, max_iter=10)


def test_a_filter_that_rules_nothing_out_loses_no_label(filtered):
    """One feature is so wide that 8 bits see nothing of the others, in which the clusters differ."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((4000, 24)).astype(np.float32)
    X[:, 0] *= 1e4
    X[:, 0] = np.where(rng.random(4000) < 0.5, 1e4, -1e4)
    assert_same_bits(X, 200, "hamerly", init=X[:200].astype(float), tol=0, max_iter=15)


@pytest.mark.parametrize(("n", "d", "k"), [(200_000, 2, 30), (150_000, 3, 300), (70_000, 4, 40), (70_000, 8, 30)])
def test_boxes_of_many_groups_and_blocks_lose_no_label(blobs, n, d, k):
    X = blobs(n, d, 30, np.float32)
    X[::1000] *= 1e4  # outliers in every group
    weight = np.random.default_rng(0).integers(0, 3, n).astype(float)
    for more in ({"n_threads": 1}, {"n_threads": 3, "sample_weight": weight}):
        assert_same_bits(X, k, "boxes", init=X[1 : k + 1].astype(float), tol=0, max_iter=12, **more)
    assert_same_bits(X.astype(np.float64) + 1e6, k, "boxes", init=X[1 : k + 1] + 1e6, tol=0, max_iter=12)
    assert_same_bits(np.round(X).astype(np.int32), k, "boxes", random_state=0, init="random", n_init=2, max_iter=6)


def test_auto_goes_on_by_boxes_where_a_run_is_long(blobs):
    X = blobs(40_000, 5, 40, np.float32)
    short = assert_same_bits(X, 40, "auto", init=X[:40].astype(float), tol=0, max_iter=12)
    long = assert_same_bits(X, 40, "auto", init=X[:40].astype(float), tol=0, max_iter=60)
    assert (short.algorithm, long.algorithm) == ("codes" if _distances.takes_codes() else "lloyd", "boxes")
    assert assert_same_bits(X, 40, "auto", init="random", n_init=3, random_state=0, tol=0).algorithm == "boxes"


def test_boxes_take_few_features_alone():
    with pytest.raises(ValueError, match=r"algorithm='boxes' is for at most 8 features .* X has 9 features"):
        kmeans(np.zeros((20, 9)), 2, algorithm="boxes")


def test_a_grid_takes_up_to_three_features_and_is_chosen_for_large_problems_in_them():
    with pytest.raises(ValueError, match=r"algorithm='grid' is for at most 3 features .* X has 4 features"):
        kmeans(np.zeros((20, 4)), 2, algorithm="grid")
    scan = "codes" if _distances.takes_codes() else "lloyd"
    assert [choose("auto", 10**6, d, 1000, 4, None) for d in (1, 4, 5)] == ["grid", "boxes", scan]
    assert choose("auto", 10**6, 2, 1000, 4, 0) == "lloyd"


def test_a_grid_computes_few_distances_and_gives_itself_up_where_centroids_are_crowded(blobs):
    X = blobs(40_000, 2, 30).astype(np.float32)
    spread = assert_same_bits(X, 300, "grid", init=X[:300], max_iter=3, tol=0)
    assert spread.n_distances < 0.1 * 300 * len(X) * spread.n_iter
    start = X[:300] * np.float32(1e-6)
    start[0] = 1e4  # one centroid far away: all others lie in a speck
    assert_same_bits(X, 300, "grid", init=start, max_iter=3, tol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predict_labels_by_the_grid_as_without(monkeypatch, dtype):
    rng = np.random.default_rng(0)
    X, centroids = rng.normal(0, 2, (300_000, 2)).astype(dtype), rng.normal(0, 1, (300, 2))
    assert _predict.grid_pays(*X.shape, len(centroids), 2)
    by_grid = predict(X, centroids)
    monkeypatch.setattr(_predict, "grid_pays", lambda *_: False)
    np.testing.assert_array_equal(by_grid, predict(X, centroids))
