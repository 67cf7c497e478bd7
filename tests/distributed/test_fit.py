"""The driver on the engine of this process: it is `kmeans` in other words."""

from __future__ import annotations

import pickle
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kmeans_fast import ClusterWarning, kmeans, predict
from kmeans_fast.distributed import LocalEngine, _block, _local, fit, price
from kmeans_fast.distributed._start import uniform


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many grains and blocks on little data."""
    monkeypatch.setattr(_block, "MIN_GRAIN", 256)
    monkeypatch.setattr(_local, "BLOCK_BYTES", 1 << 14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("dtype", "d", "k"), [("f8", 3, 7), ("f4", 12, 20), ("i1", 2, 5), ("f2", 10, 4), (">f8", 4, 3)]
)
def test_it_is_kmeans_from_the_same_start(dtype: str, d: int, k: int, weighted: bool, blobs: Any) -> None:
    X = (10 * blobs(5003, d, k)).astype(dtype)
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float) if weighted else None
    start = X[5 : 5 + k].astype(float)
    a = fit(LocalEngine(2), X, k, init=start, tol=0, sample_weight=weight)
    b = kmeans(X, k, init=start, tol=0, sample_weight=weight)
    assert (a.n_iter, a.stop_reason, a.converged) == (b.n_iter, b.stop_reason, b.converged)
    assert abs(a.inertia - b.inertia) <= 1e-12 * b.inertia
    np.testing.assert_array_equal(predict(X, a.centroids), b.labels)
    np.testing.assert_array_equal(a.counts, b.counts)
    np.testing.assert_allclose(a.centroids, b.centroids, rtol=1e-12)
    assert a.centroids.dtype == b.centroids.dtype


def test_blocks_and_threads_do_not_show(blobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X = blobs(9001, 4, 6)
    many = fit(LocalEngine(3), X, 6, random_state=5, n_init=2)
    monkeypatch.setattr(_local, "BLOCK_BYTES", 1 << 30)
    one = fit(LocalEngine(1), X, 6, random_state=5, n_init=2)
    np.testing.assert_array_equal(many.centroids, one.centroids)
    assert (many.inertia, many.restarts, many.best_restart) == (one.inertia, one.restarts, one.best_restart)
    assert len(one.restarts) == 2
    assert one.inertia == min(r.inertia for r in one.restarts)


class Forgetful(LocalEngine):
    """Loses what blocks remember, before any call and after any other."""

    def map(self, function: Any, blocks: Any, *shared: Any) -> list[Any]:
        self.calls = getattr(self, "calls", 0) + 1
        for i, block in enumerate(blocks):
            if (i + self.calls) % 3 == 0:
                function(pickle.loads(pickle.dumps(block)), *shared)  # done twice
                block.__setstate__(block.__getstate__())
            elif (i + self.calls) % 3 == 1:
                function(block, *shared)  # and its result was lost
        return super().map(function, blocks, *shared)


@pytest.mark.parametrize("d", [3, 12])
@pytest.mark.parametrize("init", ["k-means||", "random", "far"])
def test_what_blocks_remember_may_be_lost_at_any_time(d: int, init: str, blobs: Any) -> None:
    X = blobs(3000, d, 6, np.float32)
    start: Any = init
    if init == "far":  # empty clusters in the first pass
        start = np.full((6, d), 100.0)
        start[:2] = X[:2]
    a, b = (fit(engine, X, 6, init=start, n_init=1, random_state=1) for engine in (LocalEngine(1), Forgetful(1)))
    np.testing.assert_array_equal(a.centroids, b.centroids)
    np.testing.assert_array_equal(a.inertia_history, b.inertia_history)
    assert a.n_iter == b.n_iter >= 2
    assert (a.counts > 0).all()


def test_empty_clusters_follow_the_rule_of_kmeans() -> None:
    X = np.repeat(np.random.default_rng(0).integers(0, 5, (300, 2)), 10, axis=0).astype(float)
    start = np.full((12, 2), 100.0)
    start[0] = 0.0
    a, b = fit(LocalEngine(1), X, 12, init=start), kmeans(X, 12, init=start)
    np.testing.assert_array_equal(a.counts, b.counts)
    assert a.n_iter == b.n_iter
    assert a.inertia == pytest.approx(b.inertia, rel=1e-12)


def test_fewer_distinct_samples_than_clusters_leave_clusters_empty() -> None:
    X = np.repeat(np.eye(3), 200, axis=0)
    found = fit(LocalEngine(1), X, 5, random_state=0)
    assert found.inertia == 0.0
    assert sorted(found.counts.tolist()) == [0, 0, 200, 200, 200]
    with pytest.warns(ClusterWarning):
        assert kmeans(X, 5, random_state=0).inertia == 0.0


def test_float64_takes_over_where_float32_cannot_tell_centroids_apart() -> None:
    rng = np.random.default_rng(0)
    X = (1e5 + rng.integers(0, 4, (2000, 2)) + rng.random((2000, 2)) / 64).astype(np.float32)
    start = X[:6].astype(float)
    a, b = fit(LocalEngine(2), X, 6, init=start, tol=0), kmeans(X, 6, init=start, tol=0)
    np.testing.assert_array_equal(predict(X, a.centroids), b.labels)
    assert a.inertia == pytest.approx(b.inertia, rel=1e-9)


def test_restarts_are_stopped_by_the_callback_that_sees_each_iteration(blobs: Any) -> None:
    seen = []

    def watch(state: Any) -> bool:
        seen.append((state.restart, state.iteration, state.inertia))
        return state.restart == 1 and state.iteration == 2

    found = fit(LocalEngine(1), blobs(2000), 5, init="random", n_init=3, random_state=0, callback=watch)
    assert len(found.restarts) == 2
    assert found.restarts[1].stop_reason == "callback"
    assert seen[-1][:2] == (1, 2)
    assert next(s[2] for s in seen if s[0] == found.best_restart) == found.inertia_history[0]


def test_integer_weights_are_repetitions_and_zero_is_absence() -> None:
    rng = np.random.default_rng(3)
    X, weight = rng.standard_normal((1000, 2)), rng.integers(0, 4, 1000)
    start = X[weight > 0][:4]
    a = fit(LocalEngine(1), X, 4, init=start, sample_weight=weight, tol=0)
    b = fit(LocalEngine(1), np.repeat(X, weight, axis=0), 4, init=start, tol=0)
    np.testing.assert_allclose(a.centroids, b.centroids, rtol=1e-12)
    assert a.inertia == pytest.approx(b.inertia, rel=1e-12)
    found = fit(
        LocalEngine(1), X, 50, init="random", n_init=1, max_iter=1, sample_weight=weight * (np.arange(1000) < 90)
    )
    assert (found.counts > 0).all()


@pytest.mark.parametrize("d", [3, 12])
def test_a_fit_goes_on_from_its_checkpoint_to_the_same_bits(d: int, blobs: Any, tmp_path: Path) -> None:
    X = blobs(3000, d, 6, np.float32)
    settings: Any = {"init": "random", "n_init": 3, "random_state": 1, "tol": 0}
    whole = fit(LocalEngine(1), X, 6, **settings)
    stops = [(0, 2), (0, 5), (1, 1), (2, 3)]
    for stop in stops:
        fit(
            LocalEngine(2),
            X,
            6,
            **settings,
            checkpoint=tmp_path / "fit",
            callback=lambda state, stop=stop: (state.restart, state.iteration) == stop,
        )
    found = fit(LocalEngine(1), X, 6, **settings, checkpoint=tmp_path / "fit")
    np.testing.assert_array_equal(found.centroids, whole.centroids)
    np.testing.assert_array_equal(found.inertia_history, whole.inertia_history)
    assert found.restarts == whole.restarts
    assert found.best_restart == whole.best_restart
    with pytest.raises(ValueError, match="is of another problem"):
        fit(LocalEngine(1), X[1:], 6, **settings, checkpoint=tmp_path / "fit")


@pytest.mark.parametrize("kind", ["path", "chunks"])
def test_what_is_read_from_a_file_or_a_stream_has_the_bits_of_an_array(kind: str, blobs: Any, tmp_path: Path) -> None:
    X = blobs(5000, 4, 6)
    np.save(tmp_path / "X.npy", X)

    class Chunks:
        def __iter__(self) -> Any:
            yield from np.array_split(X, 7)

    source: Any = tmp_path / "X.npy" if kind == "path" else Chunks()
    a, b = fit(LocalEngine(2), source, 6, random_state=0), fit(LocalEngine(2), X, 6, random_state=0)
    np.testing.assert_array_equal(a.centroids, b.centroids)
    assert a.inertia == b.inertia


def test_ctrl_c_stops_long_calls_on_threads(run_python: Any) -> None:
    code = """
        import os, signal, threading, time
        import numpy as np
        from kmeans_fast.distributed import LocalEngine, fit
        X = np.random.default_rng(0).standard_normal((3_000_000, 8))
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.perf_counter()
        try:
            fit(LocalEngine(2), X, 3000, init=X[:3000], tol=0)
        except KeyboardInterrupt:
            print(time.perf_counter() - began)
        assert fit(LocalEngine(2), X[:1000], 2, random_state=0).converged
    """
    assert 0.9 < float(run_python(textwrap.dedent(code))) < 2.5


def test_a_fit_is_equal_to_itself_alone(blobs: Any) -> None:
    one, other = (fit(LocalEngine(1), blobs(), 3, random_state=0) for _ in range(2))
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_price_is_the_inertia_of_given_centroids(blobs: Any, oracle: Any) -> None:
    X = blobs(3000, dtype=np.float32)
    found = fit(LocalEngine(1), X, 5, random_state=0)
    exact = oracle.inertia(X, found.centroids, predict(X, found.centroids))
    assert price(LocalEngine(1), X, None, found.centroids.astype(float)) == pytest.approx(exact, rel=1e-12)


def test_a_rows_number_does_not_depend_on_where_reading_starts() -> None:
    whole = uniform((3, 1), 0, 1000)
    for first in (1, 2, 255, 256, 999):
        np.testing.assert_array_equal(uniform((3, 1), first, 1000 - first), whole[first:])
    assert not np.array_equal(whole, uniform((3, 2), 0, 1000))
    assert 0.45 < whole.mean() < 0.55


def test_starts_are_as_good_as_those_of_kmeans(blobs: Any) -> None:
    X = blobs(6000, 8, 30)
    ours = [fit(LocalEngine(1), X, 30, random_state=s).inertia for s in range(5)]
    theirs = [kmeans(X, 30, random_state=s).inertia for s in range(5)]
    assert np.mean(ours) <= 1.02 * np.mean(theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_clusters": 5000}, "n_clusters=5000 must be <= n_samples=3000."),
        ({"init": "k-means+"}, "init='k-means+' must be one of 'k-means||', 'random', an array or a callable."),
        ({"tol": -1}, "tol=-1 must be finite and >= 0."),
        ({"max_iter": 0}, "max_iter=0 must be >= 1."),
        ({"callback": 3}, "callback=3 must be callable."),
        ({"sample_weight": np.zeros(3000)}, "sample_weight is zero everywhere"),
        ({"sample_weight": np.arange(3000.0) < 2}, "n_clusters=5 must be <= 2"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(change: dict[str, Any], message: str, blobs: Any) -> None:
    arguments = {"n_clusters": 5, **change}
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        fit(LocalEngine(1), blobs(3000), **arguments)


def test_nan_is_named_with_its_block_and_row(blobs: Any) -> None:
    X = blobs(3000)
    X[[1234, 2500], 2] = np.nan
    with pytest.raises(ValueError, match=r"X contains NaN in row 1234, column 2 \(row 1234 of block 0\); every value"):
        fit(LocalEngine(1), X, 3)
    with pytest.raises(ValueError, match="too large"):
        fit(LocalEngine(1), blobs(3000) * 1e200, 3)


def test_dasks_engine_is_loaded_when_it_is_used_and_other_names_are_unknown() -> None:
    pytest.importorskip("distributed")
    from kmeans_fast import distributed

    assert distributed.DaskEngine.__module__ == "kmeans_fast.distributed._dask"
    with pytest.raises(AttributeError, match="has no attribute 'RayEngine'"):
        distributed.RayEngine  # noqa: B018


def test_a_missing_package_is_named_with_its_extra(run_python: Any) -> None:
    pytest.importorskip("dask")
    code = """
        import sys
        sys.modules["distributed"] = None
        for statement in ("import kmeans_fast.dask", "from kmeans_fast.distributed import DaskEngine"):
            try:
                exec(statement)
            except ImportError as error:
                print(error)
    """
    lines = run_python(textwrap.dedent(code)).splitlines()
    assert len(lines) == 2
    assert all('needs distributed; install it with: pip install "kmeans_fast[dask]"' in s for s in lines)


def test_without_a_cluster_the_estimator_of_dask_runs_on_threads_of_this_process(blobs: Any) -> None:
    da = pytest.importorskip("dask.array")
    pytest.importorskip("distributed")
    from kmeans_fast.dask import KMeans

    X = blobs(2000, 3, 4)
    settings: dict[str, Any] = {"init": X[:4], "n_init": 1, "tol": 0}
    model = KMeans(4, **settings).fit(da.from_array(X, chunks=(500, 3)))
    np.testing.assert_allclose(model.cluster_centers_, kmeans(X, 4, **settings).centroids, rtol=1e-12)
