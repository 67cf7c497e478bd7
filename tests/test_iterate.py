"""Lloyd's loop: what every fit from a given start must keep, against brute force, the reference and scikit-learn."""

from __future__ import annotations

import warnings
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from kmeans_fast import ClusterWarning, KMeansResult, _iterate, _samples, kmeans, reference

Array = NDArray[Any]
SOME = settings(max_examples=60, deadline=None, derandomize=True)

pytestmark = pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")


@st.composite
def problems(draw: st.DrawFn, kind: str = "any", weighted: bool | None = None) -> tuple[Array, Array, Array | None]:
    """X, a start and weights or None.

    On a grid there are many ties and duplicates, and the start leaves clusters empty; "clear" is exact at any integer
    offset, starts at samples and has no ties.
    """
    n, d = draw(st.integers(2, 40)), draw(st.sampled_from([1, 2, 3, 5, 9, 17]))
    k = draw(st.integers(1, min(n, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weight = rng.integers(0, 4, n).astype(np.float64) if draw(st.booleans()) or weighted else None
    if weight is not None and np.count_nonzero(weight) < k:
        weight[:k] = 1.0
    present = np.arange(n) if weight is None else np.flatnonzero(weight)
    if kind == "clear":
        X = np.round(rng.standard_normal((n, d)) * 2.0**16) / 2.0**16
        return X, X[rng.choice(present, k, replace=False)], weight
    if kind == "grid" or draw(st.booleans()):
        X = rng.integers(-3, 4, (n, d)).astype(np.float64)
        start = rng.integers(-4, 5, (k, d)).astype(np.float64)
    else:
        X = rng.standard_normal((n, d)) * 10.0 ** draw(st.integers(-6, 6))
        start = X[rng.choice(present, k, replace=False)] * draw(st.sampled_from([1.0, 0.1, 10.0]))
    return X.astype(draw(st.sampled_from([np.float32, np.float64]))), start, weight


def fit(X: Array, start: Array, weight: Array | None = None, tol: float = 0.0, **more: Any) -> KMeansResult:
    return kmeans(X, len(start), init=start, sample_weight=weight, tol=tol, **more)


# Properties


@SOME
@given(problems())
def test_inertia_never_rises_not_even_after_a_relocation(problem):
    history = fit(*problem).inertia_history
    total = np.abs(history).max(initial=0.0)
    assert (np.diff(history) <= 1e-9 * history[:-1] + 1e-12 * total).all()


@SOME
@given(problems())
def test_labels_are_nearest_centroids_are_means_and_counts_and_inertia_agree(oracle, problem):
    X, start, weight = problem
    r = fit(X, start, weight)
    assert r.converged
    assert r.n_iter == len(r.inertia_history)
    oracle.assert_agrees(r, X, weight)


@SOME
@given(problems(), st.integers(1, 4), st.sampled_from([0.0, 1e-4, 0.1]))
def test_a_fit_that_is_cut_short_agrees_with_itself_too(oracle, problem, max_iter, tol):
    X, start, weight = problem
    r = fit(X, start, weight, tol=tol, max_iter=max_iter)
    assert r.n_iter <= max_iter
    oracle.assert_agrees(r, X, weight)


@SOME
@given(problems("grid"))
def test_a_tie_goes_to_the_lowest_index(oracle, problem):
    X, _, weight = problem
    middle = np.array([[0.0] * X.shape[1], [2.0] + [0.0] * (X.shape[1] - 1), [0.0] * X.shape[1]])
    if np.count_nonzero(np.ones(len(X)) if weight is None else weight) < 3:
        return
    seen: list[Array] = []
    r = fit(X, middle, weight, max_iter=1, callback=lambda state: seen.append(state.centroids))
    expected = oracle.squares(X, middle).argmin(axis=1)
    assert (expected != 2).all()
    first = oracle.inertia(X, middle, expected, weight)
    assert r.inertia_history[0] == pytest.approx(first, rel=1e-12)
    exact = oracle.squares(X, r.centroids)
    gap = np.sort(exact, axis=1)
    clear = gap[:, 1] - gap[:, 0] > 1e-4  # the means are no longer on the grid
    np.testing.assert_array_equal(r.labels[clear], exact.argmin(axis=1)[clear])


def test_equal_centroids_leave_all_samples_to_the_lowest():
    X = np.zeros((500, 2))
    X[:250] = 1.0
    r = kmeans(X, 4, init=np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(r.labels, np.repeat([0, 1], 250))
    np.testing.assert_array_equal(r.counts, [250, 250, 0, 0])


@SOME
@given(problems("clear"), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_changes_only_the_order_of_the_labels(problem, random):
    X, start, weight = problem
    order = np.array(random.sample(range(len(X)), len(X)))
    a = fit(X, start, weight)
    b = fit(X[order], start, None if weight is None else weight[order])
    np.testing.assert_array_equal(b.labels, a.labels[order])
    np.testing.assert_allclose(b.centroids, a.centroids, atol=1e-13)
    assert b.inertia == pytest.approx(a.inertia, rel=1e-12, abs=1e-25)


@SOME
@given(problems("grid"), st.integers(-40, 40))
def test_scaling_by_a_power_of_two_scales_every_bit(problem, exponent):
    X, start, weight = problem
    a = fit(X, start, weight)
    b = fit(np.ldexp(X, exponent), np.ldexp(start, exponent), weight)
    np.testing.assert_array_equal(b.labels, a.labels)
    np.testing.assert_array_equal(b.centroids, np.ldexp(a.centroids, exponent))
    assert (b.inertia, b.n_iter) == (np.ldexp(a.inertia, 2 * exponent), a.n_iter)


@SOME
@given(problems("clear"), st.sampled_from([1, -7, 64, 4096]))
def test_moving_all_samples_moves_the_centroids_and_nothing_else(problem, offset):
    X, start, weight = problem
    a, b = fit(X, start, weight), fit(X + offset, start + offset, weight)
    np.testing.assert_array_equal(b.labels, a.labels)
    np.testing.assert_allclose(b.centroids - offset, a.centroids, atol=1e-11)
    assert b.inertia == pytest.approx(a.inertia, rel=1e-9, abs=1e-20)


@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly"])
def test_strips_that_fit_a_cache_change_no_bit(monkeypatch, blobs, algorithm):
    X = blobs(6000, 300, 12)  # six chunks of 1024, strips of 256 or 1024
    fits = []
    for strip_bytes in (1, 1 << 30):
        monkeypatch.setattr(_samples, "STRIP_BYTES", strip_bytes)
        monkeypatch.setattr(_samples, "MAX_STRIP", 1024)
        fits.append(kmeans(X, 24, init="random", random_state=0, max_iter=8, tol=0, algorithm=algorithm))
    assert fits[0].n_iter > 2
    np.testing.assert_array_equal(fits[0].centroids, fits[1].centroids, strict=True)
    assert fits[0].inertia == fits[1].inertia


@SOME
@given(problems("clear", weighted=True))
def test_an_integer_weight_is_repetition_and_weight_zero_is_absence(problem):
    X, start, weight = problem
    times = weight.astype(int)
    a, b = fit(X, start, weight), fit(X.repeat(times, axis=0), start)
    np.testing.assert_array_equal(a.labels.repeat(times), b.labels)
    np.testing.assert_allclose(a.centroids, b.centroids, atol=1e-13)
    assert a.inertia == pytest.approx(b.inertia, rel=1e-12, abs=1e-25)


def test_a_sample_of_weight_zero_gets_a_label_but_moves_nothing():
    X = np.array([[0.0], [1.0], [10.0], [11.0], [1e6]])
    r = kmeans(X, 2, init=X[[0, 2]], sample_weight=[1, 1, 1, 1, 0], tol=0)
    np.testing.assert_array_equal(r.centroids.ravel(), [0.5, 10.5])
    np.testing.assert_array_equal(r.labels, [0, 0, 1, 1, 1])
    assert (r.inertia, r.counts.tolist()) == (1.0, [2, 3])


# Against independent programs


@SOME
@given(problems("clear"))
def test_result_is_that_of_the_reference(problem):
    X, start, weight = problem
    r = fit(X, start, weight)
    centroids, labels, inertia, n_iter = reference.lloyd(X, start, 300, weight)
    np.testing.assert_array_equal(r.labels, labels)
    np.testing.assert_allclose(r.centroids, centroids, atol=1e-13)
    assert r.inertia == pytest.approx(inertia, rel=1e-9, abs=1e-25)
    assert abs(r.n_iter - n_iter) <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(600, 2, 7), (3000, 3, 12), (2000, 8, 20), (1500, 33, 9), (400, 130, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_start_gives_scikit_learns_fit(oracle, blobs, dtype, n, d, k, weighted):
    cluster = pytest.importorskip("sklearn.cluster")
    X = blobs(n, d, k, dtype)
    weight = np.random.default_rng(1).random(n) if weighted else None
    theirs = cluster.KMeans(k, init=X[:k].astype(np.float64), n_init=1, tol=0, max_iter=500)
    theirs.fit(X.astype(np.float64), sample_weight=weight)
    r = fit(X, X[:k], weight, max_iter=500)
    assert r.inertia == pytest.approx(theirs.inertia_, rel=1e-5 if dtype == np.float32 else 1e-11)
    assert (r.labels == theirs.labels_).mean() > (0.995 if dtype == np.float32 else 0.99999)
    oracle.assert_agrees(r, X, weight)


@pytest.mark.parametrize("tol", [1e-4, 1e-2, 0.5])
def test_tol_stops_where_scikit_learn_stops(blobs, tol):
    cluster = pytest.importorskip("sklearn.cluster")
    X = blobs(2000, 4, 8)
    theirs = cluster.KMeans(8, init=X[:8], n_init=1, tol=tol).fit(X)
    r = fit(X, X[:8], tol=tol)
    assert (r.n_iter, r.stop_reason, r.converged) == (theirs.n_iter_, "tol", True)
    assert r.inertia == pytest.approx(theirs.inertia_, rel=1e-11)


@pytest.mark.parametrize(("n", "k", "seed"), [(8, 2, 0), (9, 3, 1), (10, 3, 2)])
def test_the_best_of_all_starts_is_the_best_of_all_partitions(oracle, n, k, seed):
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    best = np.inf
    for code in range(k ** (n - 1)):
        labels = np.array([0] + [code // k**i % k for i in range(n - 1)])
        means = oracle.means(X, labels, k)
        best = min(best, float(((X - means[labels]) ** 2).sum()))
    found = min(fit(X, X[list(rows)]).inertia for rows in combinations(range(n), k))
    assert found == pytest.approx(best, rel=1e-12)


# E. H. Ruspini, "Numerical methods for fuzzy clustering", Information Sciences 2 (1970) 319-350: 75 points.
RUSPINI = """
4,53 5,63 10,59 9,77 13,49 13,69 12,88 15,75 18,61 19,65 22,74 27,72 28,76 24,58 27,55 28,60 30,52 31,60 32,61 36,72
28,147 32,149 35,153 33,154 38,151 41,150 38,145 38,143 32,143 34,141 44,156 44,149 44,143 46,142 47,149 49,152 50,142
53,144 52,152 55,155 54,124 60,136 63,139 86,132 85,115 85,96 78,94 74,96 97,122 98,116 98,124 99,119 99,128 101,115
108,111 110,111 108,116 111,126 115,117 117,115 70,4 77,12 83,21 61,15 69,15 78,16 66,18 58,13 64,20 69,21 66,23 61,25
76,27 72,31 64,30
"""


@pytest.mark.parametrize(("k", "optimum"), [(4, 12881.051236), (8, 6149.639019)])
def test_many_restarts_reach_the_proven_optimum_of_ruspinis_points_and_none_beats_it(k, optimum):
    X = np.array([point.split(",") for point in RUSPINI.split()], float)
    assert X.shape == (75, 2)
    r = kmeans(X, k, n_init=5000, random_state=1)
    assert r.inertia == pytest.approx(optimum, rel=1e-9)


@pytest.mark.parametrize(("n", "k", "seed"), [(9, 3, 0), (25, 4, 1), (40, 6, 2)])
def test_no_fit_in_one_dimension_beats_the_optimum_and_the_best_of_many_reaches_it(n, k, seed):
    X = np.sort(np.random.default_rng(seed).standard_normal(n) ** 3)
    cost = np.full((k + 1, n + 1), np.inf)  # cost[j, m]: the first m values in j intervals
    cost[0, 0] = 0.0
    for j in range(1, k + 1):
        for m in range(1, n + 1):
            cost[j, m] = min(cost[j - 1, s] + ((X[s:m] - X[s:m].mean()) ** 2).sum() for s in range(m))
    r = kmeans(X[:, None], k, n_init=60, random_state=0, tol=0)
    assert r.inertia == pytest.approx(cost[k, n], rel=1e-9)
    assert all(restart.inertia >= cost[k, n] * (1 - 1e-9) for restart in r.restarts)


# Where it ends


def test_the_iteration_that_changes_nothing_counts():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    r = fit(X, np.array([[0.0], [10.0]]))
    assert (r.n_iter, r.stop_reason, r.inertia_history.tolist()) == (2, "labels unchanged", [2.0, 1.0])
    assert reference.lloyd(X, [[0.0], [10.0]])[3] == 2


def test_max_iter_bounds_the_iterations_and_says_so(blobs):
    X = blobs(2000, 4, 8)
    full = fit(X, X[:8])
    for max_iter in (1, 2, 3):
        r = fit(X, X[:8], max_iter=max_iter)
        assert (r.n_iter, r.stop_reason, r.converged) == (max_iter, "max_iter", False)
        np.testing.assert_array_equal(r.inertia_history, full.inertia_history[:max_iter])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_perfect_clustering_has_exactly_no_inertia(dtype):
    grid = np.array([[1.5, -2.0], [1024.0, 3.0], [-7.0, 0.25]], dtype)
    X = grid[np.random.default_rng(0).integers(3, size=3000)]
    r = kmeans(X, 3, random_state=0)
    assert (r.inertia, r.converged) == (0.0, True)
    np.testing.assert_array_equal(r.centroids[r.labels], X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@SOME
@given(base=arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 3)), elements=st.floats(-1e6, 1e6)))
def test_repeated_samples_have_a_tiny_inertia_that_is_never_negative(oracle, dtype, base):
    X = base.astype(dtype).repeat(7, axis=0)
    r = kmeans(X, len(base), random_state=0)
    assert 0.0 <= r.inertia <= 1e-11 * (np.abs(X.astype(np.float64)) ** 2).sum()
    assert r.inertia == pytest.approx(oracle.inertia(X, r.centroids, r.labels), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", ["k-means++", "random", "random-partition"])
def test_fewer_distinct_samples_than_clusters_ends_with_a_warning_and_the_right_clusters(dtype, init):
    X = np.array([[0.0, 1.0], [5.0, 5.0], [9.0, 0.0]], dtype)[[0, 1, 2] * 20]
    with pytest.warns(ClusterWarning, match=r"only 3 distinct samples .* n_clusters=7"):
        r = kmeans(X, 7, init=init, random_state=0)
    assert (r.inertia, r.converged, np.count_nonzero(r.counts)) == (0.0, True, 3)
    assert r.n_iter < 20
    np.testing.assert_array_equal(r.centroids[r.labels], X)


@pytest.mark.parametrize("n", [1, 2, 100])
def test_copies_of_one_sample_are_one_cluster(n):
    X = np.full((n, 3), 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClusterWarning)
        r = kmeans(X, min(n, 4), random_state=0)
    assert (r.labels == r.labels[0]).all()
    np.testing.assert_allclose(r.centroids[r.labels[0]], 0.1, rtol=1e-15)
    assert r.inertia <= 1e-30 * n


def test_as_many_clusters_as_samples_give_each_its_own():
    X = np.random.default_rng(0).standard_normal((50, 3))
    for init in ("k-means++", "random"):
        r = kmeans(X, 50, init=init, random_state=0)
        np.testing.assert_array_equal(np.sort(r.labels), np.arange(50))
        np.testing.assert_allclose(r.centroids[r.labels], X, rtol=1e-14, atol=1e-15)
        assert 0.0 <= r.inertia < 1e-28


def test_one_sample_is_its_own_cluster():
    r = kmeans([[3.0, 4.0]], 1)
    assert (r.labels.tolist(), r.centroids.tolist(), r.inertia, r.n_iter) == ([0], [[3.0, 4.0]], 0.0, r.n_iter)


def test_labels_that_flip_by_rounding_end_the_fit():
    # Two equal centroids to within an ulp: whichever the samples prefer, sums in float32 would flip for ever.
    X = np.float32(0.1) * np.ones((300, 5), np.float32)
    X[::2] += np.float32(1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ClusterWarning)
        r = kmeans(X, 3, tol=0, max_iter=10_000, random_state=0)
    assert r.n_iter < 50
    assert r.converged


@pytest.mark.parametrize(("max_iter", "reason"), [(300, "labels unchanged"), (2, "max_iter")])
def test_labels_that_the_last_pass_moves_were_not_unchanged(oracle, max_iter, reason):
    # Neighbours in float32: the outlier hides until the end that means must not be rounded to it.
    X = (1.0 + np.array([[2.0**37], [7], [4], [1], [0]]) * 2.0**-23).astype(np.float32)
    r = fit(X, X[[0, 3, 1, 4]], max_iter=max_iter)
    assert r.stop_reason == reason
    oracle.assert_agrees(r, X)
    means = (oracle.means(X, r.labels, 4) == r.centroids).all()
    assert means == (reason == "labels unchanged")


def test_a_last_pass_that_moves_labels_each_time_ends_the_fit(monkeypatch, blobs):
    X, finish = blobs(), _iterate._finish
    once = fit(X, X[:3])

    def back_to_the_start(problem: Any, run: Any, unsummed: bool) -> bool:
        finish(problem, run, unsummed)
        run.centroids = X[:3].copy()
        return True

    monkeypatch.setattr(_iterate, "_finish", back_to_the_start)
    r = fit(X, X[:3], max_iter=10_000)
    assert (once.stop_reason, r.stop_reason) == ("labels unchanged", "no decrease")
    assert r.n_iter == (_iterate.STALLED + 1) * once.n_iter


# Far from the origin, far apart, tiny and huge


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e8])
def test_float32_far_from_the_origin_gives_what_float64_gives_on_the_same_values(oracle, blobs, offset):
    X = (blobs(3000, 3, 5) + offset).astype(np.float32)
    start = np.unique(X, axis=0)[::-1][:: max(1, len(np.unique(X, axis=0)) // 5)][:5]
    a, b = fit(X, start), fit(X.astype(np.float64), start.astype(np.float64))
    assert a.inertia == pytest.approx(b.inertia, rel=1e-6)
    oracle.assert_agrees(a, X)


def test_unit_structure_inside_clusters_a_million_apart_is_found(oracle):
    rng = np.random.default_rng(0)
    centres = np.array([[1e6, 1e6], [1e6 + 8, 1e6], [-1e6, -1e6], [-1e6, -1e6 + 8]])
    truth = rng.integers(4, size=4000)
    X = (centres[truth] + rng.standard_normal((4000, 2))).astype(np.float32)
    r = kmeans(X, 4, random_state=0, n_init=5)
    found = np.unique(np.stack([truth, r.labels]), axis=1, return_counts=True)[1]
    assert np.sort(found)[-4:].sum() > 0.999 * len(X)
    oracle.assert_agrees(r, X)


@pytest.mark.parametrize(
    ("dtype", "exponent"),
    [(np.float32, -83), (np.float32, 83), (np.float32, -120), (np.float32, 115), (np.float64, -490), (np.float64, 490)],
)
def test_tiny_and_huge_scales_give_the_clusters_of_the_middle(blobs, dtype, exponent):
    X = np.round(blobs(800, 3, 4) * 64) / 64  # exact in float32, however scaled
    a = fit(X, X[:4])
    scaled = np.ldexp(X, exponent).astype(dtype)
    r = fit(scaled, scaled[:4])
    np.testing.assert_array_equal(r.labels, a.labels)
    assert r.inertia == pytest.approx(np.ldexp(a.inertia, 2 * exponent), rel=1e-6)
    assert r.n_iter == a.n_iter


@pytest.mark.parametrize("weight", [None, 1e-9])
def test_values_whose_squares_overflow_are_refused(blobs, weight):
    X = blobs() * 1e155
    with pytest.raises(ValueError, match="X has values too large: their squares overflow float64"):
        kmeans(X, 3, sample_weight=None if weight is None else np.full(len(X), weight))


def test_distances_that_overflow_end_in_an_error_and_not_in_endless_draws():
    X = np.repeat([[-1e154], [1e154]], 2, axis=0)  # squares about the middle fit, that of the way between does not
    with pytest.raises(ValueError, match="X has values too large"):
        kmeans(X, 3, sample_weight=np.full(4, 1e-9), random_state=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("outlier", [1e6, 1e15])
def test_an_outlier_that_leaves_a_cluster_leaves_no_trace(dtype, outlier):
    X = np.vstack([np.random.default_rng(0).standard_normal((2000, 2)), [[outlier, outlier]]]).astype(dtype)
    r = fit(X, np.array([[0.0, 0.0], [-outlier, -outlier]]))  # it joins the first, then the empty second takes it
    rest = X[:-1].astype(np.float64)
    np.testing.assert_array_equal(r.counts, [2000, 1])
    np.testing.assert_allclose(r.centroids[0], rest.mean(axis=0), rtol=0, atol=1e-8 if dtype == np.float32 else 1e-14)
    assert r.inertia == pytest.approx(((rest - rest.mean(axis=0)) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("outlier", [1e3, 1e6, 1e9, 1e15])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_far_outlier_in_a_cluster_of_its_own_spoils_no_other(blobs, dtype, outlier):
    rest = blobs(2000, 2, 3)
    X = np.vstack([rest, [[outlier, outlier]]]).astype(dtype)
    r = fit(X, np.vstack([X[:3], X[-1:]]))
    alone = fit(X[:-1], X[:3])
    np.testing.assert_array_equal(r.labels[:-1], alone.labels)
    assert r.inertia == pytest.approx(alone.inertia, rel=1e-9)
    # The history is taken off the total squares, most of which is the outlier's.
    assert (np.diff(r.inertia_history) <= 1e-15 * float(outlier) ** 2).all()
