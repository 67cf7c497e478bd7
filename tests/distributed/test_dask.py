"""Dask, on a real cluster: workers in processes of their own, one cluster for the module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")
pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")
import dask  # noqa: E402
import dask.dataframe as dd  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.base import clone  # noqa: E402

from kmeans_fast import kmeans, predict  # noqa: E402
from kmeans_fast.dask import KMeans  # noqa: E402
from kmeans_fast.distributed import EngineLost, Fit, LocalEngine, fit  # noqa: E402

SMALL = 16 << 20  # bytes of blocks that a worker keeps in memory: one test needs more, and spills


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    limits = {"target": SMALL / 2**30, "spill": False, "pause": False, "terminate": False}
    settings = {f"distributed.worker.memory.{name}": value for name, value in limits.items()}
    with (
        patch.dict(os.environ),  # Dask leaves OMP_NUM_THREADS=1 there for its workers, and for every test that follows
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, memory_limit="1GiB", dashboard_address=None
        ) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as client:
        yield client


def workers(cluster: Any, client: Any, count: int) -> None:
    cluster.scale(count)
    while len(client.scheduler_info(n_workers=-1)["workers"]) != count:
        time.sleep(0.05)


def assert_same_bits(model: KMeans, found: Fit) -> None:
    np.testing.assert_array_equal(model.cluster_centers_, found.centroids)
    np.testing.assert_array_equal(model.fit_.inertia_history, found.inertia_history)
    np.testing.assert_array_equal(model.fit_.counts, found.counts)
    assert model.inertia_ == found.inertia


@pytest.fixture(scope="module")
def data() -> Any:
    rng = np.random.default_rng(0)
    return rng.standard_normal((40_000, 4)) + 2 * rng.standard_normal((9, 4))[rng.integers(9, size=40_000)]


@pytest.fixture(scope="module")
def local(data: Any) -> Fit:
    return fit(LocalEngine(), data, 9, random_state=4, tol=0, max_iter=8)


CHUNKS = [10_000, 7777, (0, 1, 8191, 0, 31_800, 8)]


@pytest.mark.parametrize(("count", "chunks"), list(zip((1, 2, 3), CHUNKS, strict=True)))
def test_workers_and_blocks_do_not_change_a_bit(
    count: int, chunks: Any, cluster: Any, client: Any, data: Any, local: Fit
) -> None:
    workers(cluster, client, count)
    X = da.from_array(data, chunks=(chunks, 4))
    model = KMeans(9, random_state=4, tol=0, max_iter=8).fit(X)
    assert_same_bits(model, local)
    assert model.labels_.chunks == (X.chunks[0],)
    assert model.labels_.dtype == np.int32
    labels = model.labels_.compute()
    np.testing.assert_array_equal(labels, predict(data, local.centroids))
    plain = kmeans(data, 9, init=local.centroids, max_iter=1)
    assert plain.inertia_history[0] == pytest.approx(model.inertia_, rel=1e-12)


def test_a_killed_worker_costs_time_and_not_the_result(cluster: Any, client: Any, data: Any, local: Fit) -> None:
    killed = []

    def kill(state: Any) -> None:
        if state.iteration in (2, 4):
            pid = next(iter(client.run(os.getpid).values()))
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)  # its nanny starts another one

    X = da.from_array(data, chunks=(10_000, 4))
    model = KMeans(9, random_state=4, tol=0, max_iter=8, callback=kill).fit(X)
    assert len(set(killed)) == 2
    assert_same_bits(model, local)


def test_a_worker_short_of_memory_spills_and_finishes(client: Any) -> None:
    spilled = []

    def look(state: Any) -> None:
        on_disk = client.run(lambda dask_worker: len(dask_worker.data.slow))
        spilled.append(max(on_disk.values()))

    X = da.random.default_rng(0).standard_normal((1_200_000, 10), chunks=(60_000, 10))  # 96 MB
    model = KMeans(3, init=np.eye(3, 10), max_iter=2, tol=0, callback=look).fit(X)
    assert max(spilled) > 0
    assert int(model.fit_.counts.sum()) == len(X)


def test_data_stay_on_the_workers(client: Any, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    received = []
    plain = distributed.client.Client._gather_remote

    async def watched(self: Any, *arguments: Any, **options: Any) -> Any:
        response = await plain(self, *arguments, **options)
        received.append(sum(dask.sizeof.sizeof(value) for value in response.get("data", {}).values()))
        return response

    monkeypatch.setattr(distributed.client.Client, "_gather_remote", watched)
    X = da.random.default_rng(0).standard_normal((200_000, 4), chunks=(50_000, 4))
    model = KMeans(5, random_state=0, max_iter=3).fit(X)
    assert len(received) > 10
    assert max(received) < 20_000 < X.nbytes / 100
    assert model.labels_.chunks == (X.chunks[0],)


def test_frames_give_a_series_with_their_index(client: Any, data: Any) -> None:
    frame = pd.DataFrame(data[:9000], columns=list("abcd"), index=np.arange(9000)[::-1] * 2)
    lazy = dd.from_pandas(frame, npartitions=3, sort=False)
    model = KMeans(4, random_state=0, max_iter=3).fit(lazy)
    found = fit(LocalEngine(), data[:9000], 4, random_state=0, max_iter=3)
    assert_same_bits(model, found)
    labels = model.labels_.compute()
    assert labels.index.equals(frame.index)
    assert labels.name == "label"
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels.to_numpy(), predict(data[:9000], found.centroids))
    distances = model.transform(lazy).compute()
    assert distances.index.equals(frame.index)
    assert list(distances.columns) == [f"kmeans{j}" for j in range(4)]
    assert list(model.feature_names_in_) == list("abcd")
    missing = frame.astype({"b": "Float64"})
    missing.iloc[4321, 1] = pd.NA
    with pytest.raises(ValueError, match=r"NaN in row 4321, column 1 \(row 1321 of block 1\)"):
        KMeans(4).fit(dd.from_pandas(missing, npartitions=3, sort=False))


def test_unknown_lengths_empty_blocks_weights_and_other_dtypes(client: Any, data: Any) -> None:
    X, weight = data[:9000].astype(np.float32), np.arange(9000) % 3
    lazy = da.from_array(X, chunks=((2000, 0, 4000, 1, 2999), 2))
    unknown = lazy.rechunk({1: -1})[da.from_array(X[:, 0] > 0, chunks=(lazy.chunks[0],))]
    kept = X[:, 0] > 0
    w = weight[kept]
    model = KMeans(4, random_state=2, max_iter=4).fit(unknown, sample_weight=da.from_array(w, chunks=777))
    found = fit(LocalEngine(), X[kept], 4, random_state=2, max_iter=4, sample_weight=w)
    assert_same_bits(model, found)
    assert model.cluster_centers_.dtype == np.float32
    np.testing.assert_array_equal(model.labels_.compute(), predict(X[kept], found.centroids))
    distances = model.transform(lazy)
    assert distances.chunks == (lazy.chunks[0], (4,))
    assert distances.compute().dtype == np.float32
    assert -model.score(unknown, sample_weight=w) == pytest.approx(model.inertia_, rel=1e-12)
    np.testing.assert_array_equal(model.predict(X[:10]), predict(X[:10], found.centroids))


def test_what_a_lazy_result_says_of_itself_is_what_comes(client: Any, data: Any) -> None:
    X = data[:200]
    model = KMeans(3, init=X[:3], max_iter=1).fit(da.from_array(X, chunks=(100, 4)))
    for dtype, result in (("f2", "f4"), (">f4", "f4"), ("i2", "f8"), ("f8", "f8")):
        distances = model.transform(da.from_array(X.astype(dtype), chunks=(100, 2)))
        assert distances.dtype == distances.compute().dtype == result
    frame = pd.DataFrame(X, index=pd.RangeIndex(200, name="id"))
    for lazy in (model.predict(dd.from_pandas(frame, npartitions=2)), model.transform(dd.from_pandas(frame))):
        assert lazy._meta.index.name == lazy.compute().index.name == "id"


def test_it_is_a_scikit_learn_estimator_with_errors_in_a_sentence(client: Any, data: Any) -> None:
    model = clone(KMeans(3, init="random", n_init=2, random_state=1, max_iter=2))
    X = da.from_array(data, chunks=(20_000, 4))
    labels = model.fit_predict(X)
    assert labels.shape == (40_000,)
    assert len(model.fit_.restarts) == 2
    assert model.n_features_in_ == 4
    assert model.get_feature_names_out().tolist() == [f"kmeans{j}" for j in range(len(model.cluster_centers_))]
    with pytest.raises(TypeError, match=r"X is a ndarray and must be a dask array or DataFrame"):
        model.fit(data)
    with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 4"):
        model.predict(X[:, :3])
    with pytest.raises(ValueError, match=r"sample_weight has nan in row 3 \(row 3 of block 0\)"):
        model.fit(X, sample_weight=np.where(np.arange(40_000) == 3, np.nan, 1.0))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(5,\) and must be \(n_samples,\) = \(40000,\)"):
        model.fit(X, sample_weight=np.ones(5))
    with pytest.raises(ValueError, match=r"X has shape \(40000,\) and must be 2-dimensional"):
        model.fit(X[:, 0])
    with pytest.raises(TypeError, match="X has dtype <U1 and must hold real numbers"):
        model.fit(da.from_array(np.array([["a"], ["b"]])))
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) \(shape=\(0, 4\)\)"):
        model.fit(X[:0])
    with pytest.raises(ValueError, match="sample_weight sums to inf, which must be finite"):
        model.fit(X, sample_weight=np.full(40_000, 1e305))
    with pytest.raises(TypeError, match="X has column 'a' of type"):
        model.fit(dd.from_pandas(pd.DataFrame({"a": ["x", "y"]}), npartitions=1))


def test_a_lost_scheduler_is_an_exception_soon(tmp_path: Path, data: Any) -> None:
    file = tmp_path / "scheduler.json"
    start = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*start, "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", file], **quiet
    )
    worker = subprocess.Popen(
        [*start, "worker", "--no-nanny", "--no-dashboard", "--scheduler-file", file, "--local-directory", tmp_path],
        **quiet,
    )
    began = []
    settings: Any = {"init": "random", "n_init": 1, "tol": 0, "max_iter": 8, "random_state": 0}
    settings |= {"checkpoint": tmp_path / "fit.kmc", "checkpoint_every": 0}

    def kill(state: Any) -> None:
        if state.iteration == 2:
            scheduler.kill()
            began.append(time.monotonic())

    try:
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            X = da.from_array(data, chunks=(10_000, 4))
            with pytest.raises(EngineLost, match=r"scheduler.*; the last checkpoint is .*fit\.kmc"):
                KMeans(9, **settings, client=client, callback=kill).fit(X)
        assert time.monotonic() - began[0] < 20
        resumed = fit(LocalEngine(), data, 9, **{**settings, "checkpoint_every": 30.0})  # elsewhere
        whole = fit(LocalEngine(), data, 9, **{**settings, "checkpoint": None})
        np.testing.assert_array_equal(resumed.centroids, whole.centroids)
        np.testing.assert_array_equal(resumed.inertia_history, whole.inertia_history)
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
