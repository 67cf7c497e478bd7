"""choose_k: curves against their definitions and scikit-learn, right on clear boards, the same bits for any threads."""

from __future__ import annotations

import doctest
import pickle
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("sklearn")

import pandas as pd
from sklearn import metrics

import kmeans_fast
from kmeans_fast import ClusterWarning, choose_k
from kmeans_fast.choosing import _choose
from kmeans_fast.choosing._methods import METHODS
from kmeans_fast.datasets import init_board, init_board_gauss

CHEAP = ["icl", "silhouette", "davies_bouldin", "calinski_harabasz", "f", "bic", "elbow"]
FEW = {"n_references": 3, "n_resamples": 3}


@pytest.fixture(scope="module")
def board():
    return init_board_gauss(400, 5, min_separation=3, random_state=2)


@pytest.fixture(scope="module")
def choice(board):
    return choose_k(board, 8, random_state=0, keep_labels=True)


def test_docstring_examples_hold():
    assert doctest.testmod(_choose).failed == 0


def test_every_method_has_a_curve_a_suggestion_and_a_column(choice):
    assert list(choice.suggestions) == list(choice.curves) == list(METHODS)
    table = choice.table
    assert isinstance(table, pd.DataFrame)
    assert table["k"].tolist() == list(range(1, 9))
    assert set(table) == {"k", "inertia", *METHODS, "gap_se", "gap_pca_se", "stability_se"}
    assert choice.best_k == choice.suggestions["icl"] == 5
    assert "best_k=5 by icl" in repr(choice)


@pytest.mark.parametrize("k", range(2, 11))
def test_the_default_finds_k_on_separated_boards(k):
    X = init_board_gauss(500, k, min_separation=3, random_state=k)
    assert choose_k(X, 13, method="icl", random_state=0).best_k == k


@pytest.mark.parametrize("n", [150, 1500])
def test_the_default_says_one_of_a_uniform_board(n):
    assert [choose_k(init_board(n, random_state=s), 6, method="icl", random_state=s).best_k for s in range(4)] == [
        1
    ] * 4


@pytest.mark.parametrize("k", range(2, 9))
def test_scores_are_those_of_scikit_learn(board, choice, k):
    labels, at = choice.labels(k), k - 1
    for method, score in [
        ("silhouette", metrics.silhouette_score),
        ("calinski_harabasz", metrics.calinski_harabasz_score),
        ("davies_bouldin", metrics.davies_bouldin_score),
    ]:
        assert choice.curves[method][at] == pytest.approx(score(board, labels), rel=1e-9)


def test_f_of_k_is_that_of_the_paper(choice):
    shares = [1 - 3 / 8]
    for _ in range(6):
        shares.append(shares[-1] + (1 - shares[-1]) / 6)
    S = choice.inertia
    np.testing.assert_allclose(choice.curves["f"], [1, *(S[1:] / (shares * S[:-1]))])


def test_bic_is_that_of_x_means(choice):
    k, n, d = 5, 400, 2
    counts, variance = np.bincount(choice.labels(k)), choice.inertia[k - 1] / (d * (n - k))
    # Their formula, with one variance for all d features of n - k degrees of freedom each.
    likelihood = sum(
        c * np.log(c / n) - c * d / 2 * np.log(2 * np.pi * variance) - d * (c - 1) / 2 for c in counts.tolist()
    )
    assert choice.curves["bic"][k - 1] == pytest.approx(-2 * likelihood + k * (d + 1) * np.log(n))


def test_labels_and_centroids_of_every_k_are_those_of_its_fit(board, choice):
    fresh = choose_k(board, 8, method="bic", random_state=0)
    for k in choice.ks:
        labels, centroids = choice.labels(k), choice.centroids[k]
        assert choice.inertia[k - 1] == pytest.approx(((board - centroids[labels]) ** 2).sum())
        np.testing.assert_array_equal(labels, fresh.labels(k))
    with pytest.raises(ValueError, match=r"k=9 must be one of ks=\(1, 2"):
        choice.labels(9)


def test_a_pickled_choice_has_its_curves_and_the_labels_that_were_kept(board, choice):
    again = pickle.loads(pickle.dumps(choice))
    pd.testing.assert_frame_equal(again.table, choice.table)
    np.testing.assert_array_equal(again.labels(5), choice.labels(5))
    bare = pickle.dumps(choose_k(board, 4, method="bic"))
    assert len(bare) < board.nbytes
    with pytest.raises(ValueError, match="The labels of k=3 were pickled without X"):
        pickle.loads(bare).labels(3)


def test_fits_are_as_good_as_the_best_of_ten_restarts(board, choice):
    ten = [kmeans_fast.kmeans(board, k, n_init=10, random_state=0).inertia for k in choice.ks]
    assert (choice.inertia <= np.array(ten) * 1.01).all()


@pytest.mark.parametrize("n", [300, 30_000])
def test_threads_do_not_change_a_bit(n):
    X = init_board_gauss(n, 4, random_state=0).astype(np.float32)
    one, two = (
        choose_k(X, 4, **FEW, max_samples=1000, quality="standard", random_state=1, n_threads=t) for t in (1, 2)
    )
    pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)
    assert one.suggestions == two.suggestions


def test_a_curve_does_not_depend_on_the_others(board):
    both = choose_k(board, 4, method=["gap", "stability"], **FEW, random_state=3)
    alone = choose_k(board, 4, method="stability", **FEW, random_state=3)
    np.testing.assert_array_equal(both.curves["stability"], alone.curves["stability"])
    assert alone.decides == "stability"


def test_integer_weights_are_repetitions(board):
    X = board[::4]
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = choose_k(X, 6, method=CHEAP, sample_weight=weight, random_state=0)
    repeated = choose_k(np.repeat(X, weight, axis=0), 6, method=CHEAP, random_state=0)
    for method in CHEAP:
        np.testing.assert_allclose(weighted.curves[method], repeated.curves[method], rtol=1e-6, err_msg=method)
    assert weighted.suggestions == repeated.suggestions


@pytest.mark.parametrize("kind", ["float32", "float16", "int", "fortran", "frame"])
def test_every_kind_of_X_is_taken_and_left_alone(board, kind):
    X = {
        "float32": lambda: board.astype(np.float32),
        "float16": lambda: board.astype(np.float16),
        "int": lambda: (board * 1000).astype(np.int64),
        "fortran": lambda: np.asfortranarray(board),
        "frame": lambda: pd.DataFrame(board, columns=["x", "y"]),
    }[kind]()
    before = X.copy()
    assert choose_k(X, 7, method=CHEAP, random_state=0).best_k == 5
    assert (np.asarray(X) == np.asarray(before)).all()


def test_samples_stand_for_a_large_board():
    X = init_board_gauss(80_000, 6, min_separation=3, random_state=1)  # above the size of a pilot
    choice = choose_k(X, 8, method=CHEAP, max_samples=1000, random_state=0)
    assert choice.n_sampled == 1000
    assert choice.best_k == 6
    exact = kmeans_fast.kmeans(X, 6, quality="best", random_state=0)
    assert choice.inertia[5] == pytest.approx(exact.inertia, rel=1e-3)


def test_ks_with_gaps_are_what_the_full_range_has_there(board):
    few = choose_k(board, [8, 3, 3, 5], method=["f", "calinski_harabasz", "icl"], random_state=0)
    assert few.ks == (3, 5, 8)
    assert np.isfinite(few.curves["f"]).all()
    assert few.best_k == 5


def test_fewer_distinct_samples_end_the_curves():
    X = np.repeat([[0.0, 1.0], [3.0, 1.0], [0.0, 9.0]], 30, axis=0)
    with pytest.warns(ClusterWarning, match="X has only 3 distinct samples that can be told apart; larger k are left"):
        choice = choose_k(X, 6, **FEW, random_state=0)
    assert choice.ks == (1, 2, 3)
    assert choice.best_k == 3
    with pytest.raises(ValueError, match="k=5 in ks must be <= 3, the distinct samples"):
        choose_k(X, [5, 6], method=CHEAP)
    with pytest.warns(ClusterWarning, match="only 1 distinct"):
        constant = choose_k(np.full((20, 3), 0.1), 4, **FEW)
    assert constant.suggestions["icl"] == constant.suggestions["gap"] == 1
    assert constant.suggestions["silhouette"] is constant.suggestions["stability"] is None


def test_a_constant_column_changes_no_distance(board, choice):
    wide = choose_k(np.column_stack([board, np.full(len(board), 7.0)]), 7, **FEW, random_state=0)
    for method in ("silhouette", "calinski_harabasz", "davies_bouldin"):
        assert wide.suggestions[method] == choice.suggestions[method]
        np.testing.assert_allclose(wide.curves[method][4], choice.curves[method][4])
    assert np.isfinite(wide.curves["gap"]).all()
    assert np.isfinite(wide.curves["gap_pca"]).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_samples_is_no_error(n):
    choice = choose_k(np.arange(n, dtype=float)[:, None] ** 2, **FEW)
    assert choice.ks == tuple(range(1, n + 1))
    assert len(choice.table) == n


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ks": 7}, ValueError, "k=7 in ks must be <= n_samples=6."),
        ({"ks": range(3, 3)}, ValueError, r"ks=range\(3, 3\) must have at least one number of clusters."),
        ({"ks": [0, 1]}, ValueError, "k=0 must be >= 1."),
        ({"ks": 2.5}, TypeError, "ks=2.5 must be an int."),
        ({"method": "gaps"}, ValueError, "method='gaps' must be one of 'all', 'icl'"),
        ({"method": ["gap", "all"]}, ValueError, "method='all' must be one of 'icl'"),
        ({"method": []}, ValueError, r"method=\[\] must name at least one method."),
        ({"method": 3}, TypeError, "method=3 must be 'all', a name or a sequence of names."),
        ({"quality": "good"}, ValueError, "quality='good' must be one of 'auto', 'standard', 'best'."),
        ({"max_samples": 1}, ValueError, "max_samples=1 must be >= 2."),
        ({"n_resamples": 0}, ValueError, "n_resamples=0 must be >= 2."),
        ({"n_references": 1.5}, TypeError, "n_references=1.5 must be an int."),
        ({"sample_weight": [1, 1, 0, 0, 0, 0], "ks": 3}, ValueError, "k=3 in ks must be <= 2, the number of samples w"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        choose_k(np.arange(12.0).reshape(6, 2), **arguments)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="X contains NaN in row 1, column 0"):
        choose_k(np.array([[0.0], [np.nan], [1.0]]), 2)


def test_a_missing_package_is_named_with_its_extra(board, monkeypatch):
    monkeypatch.setitem(sys.modules, "kneed", None)
    with pytest.raises(
        ImportError, match=r'choose_k needs kneed; install it with: pip install "kmeans_fast\[choose\]"'
    ):
        choose_k(board, 4, method="elbow")


def test_a_progress_bar_counts_fits_and_repeats(board, capsys):
    choose_k(board, 3, method=["gap", "stability"], **FEW, progress=True)
    assert "choose_k" in capsys.readouterr().err


@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_stops_within_a_second(n_threads):
    X = init_board(400_000, random_state=0)
    timer = threading.Timer(0.4, signal.raise_signal, (signal.SIGINT,))
    began = time.perf_counter()
    timer.start()
    with pytest.raises(KeyboardInterrupt), warnings.catch_warnings():
        choose_k(X, 15, method="gap", n_references=1000, n_threads=n_threads)
    assert time.perf_counter() - began < 0.4 + 1.5  # the machine may be busy
