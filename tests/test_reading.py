"""Blocks that are read ahead: the same rows in order, errors that say where, Ctrl-C, and no thread left behind."""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kmeans_fast import _samples, kmeans
from kmeans_fast._file import FileSource, file_of_map
from kmeans_fast._predict import predict, transform
from kmeans_fast._reading import read_blocks
from kmeans_fast._samples import Samples, as_samples

LIMIT = "KMEANS_FAST_MEMORY"
N = 20_003  # several blocks, and the last is not full


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut X into blocks of a few thousand rows."""
    monkeypatch.setattr(_samples, "STRIP_BYTES", 1 << 14)
    monkeypatch.setattr(_samples, "BLOCK_BYTES", 1 << 15)


class Watched:
    """An array that is read by threads; something may happen at a row."""

    def __init__(self, rows: Any, readers: int = 1, at: int = -1, what: Callable[[], None] | None = None) -> None:
        self.rows, self.shape, self.dtype = rows, rows.shape, rows.dtype
        self.readers, self.at, self.what = readers, at, what
        self.threads: set[str] = set()

    def read(self, start: int, stop: int, out: Any) -> None:
        self.threads.add(threading.current_thread().name)
        if start <= self.at < stop and self.what is not None:
            self.what()
        np.copyto(out, self.rows[start:stop], casting="unsafe")

    def take(self, rows: Any) -> Any:
        return self.rows[rows]


def streams(X: Any, folder: Path) -> dict[str, Any]:
    """X in every form that is read ahead."""
    path = folder / "X.dat"
    X.tofile(path)
    mapped = np.memmap(path, X.dtype, "r", shape=X.shape)
    return {
        "map": mapped,
        "file": Samples(FileSource(path, 0, X.shape, X.dtype), None),
        "source": Samples(Watched(X), None),
        "readers": Samples(Watched(X, 3), None),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ">f4", np.int16])
def test_whatever_is_streamed_gives_the_bits_of_the_same_x_in_memory(tmp_path, monkeypatch, blobs, dtype):
    X = (10 * blobs(N, 3, 8)).astype(dtype)
    weight = np.random.default_rng(0).random(N)
    expected = kmeans(X, 8, random_state=0, max_iter=12, sample_weight=weight)
    distances = transform(X, expected.centroids)
    for limit in ("0", "100M"):
        monkeypatch.setenv(LIMIT, limit)
        for name, stream in streams(X, tmp_path).items():
            r = kmeans(stream, 8, random_state=0, max_iter=12, sample_weight=weight, n_threads=2)
            for what in ("labels", "centroids", "counts", "inertia", "inertia_history", "n_distances"):
                np.testing.assert_array_equal(getattr(r, what), getattr(expected, what), f"{name}: {what}")
            np.testing.assert_array_equal(predict(stream, r.centroids), r.labels)
            np.testing.assert_array_equal(transform(stream, r.centroids), distances)


def test_a_file_is_read_where_the_system_cannot_read_by_position(tmp_path, monkeypatch, blobs):
    X = blobs(N, 3, 8)
    X.tofile(tmp_path / "X.dat")
    monkeypatch.delattr(os, "preadv", raising=False)
    source = FileSource(tmp_path / "X.dat", 0, X.shape, X.dtype)
    np.testing.assert_array_equal(
        kmeans(Samples(source, None), 8, random_state=0).labels, kmeans(X, 8, random_state=0).labels
    )
    np.testing.assert_array_equal(source.take(np.array([5, N - 1])), X[[5, N - 1]])


def test_a_map_whose_file_is_gone_is_read_as_it_is(tmp_path, monkeypatch, blobs):
    X = blobs(N, 3, 8)
    X.tofile(tmp_path / "X.dat")
    mapped = np.memmap(tmp_path / "X.dat", X.dtype, "r", shape=X.shape)
    monkeypatch.setenv(LIMIT, "0")
    assert as_samples(mapped).is_stream
    (tmp_path / "X.dat").unlink()
    assert not as_samples(mapped).is_stream
    np.testing.assert_array_equal(kmeans(mapped, 8, random_state=0).labels, kmeans(X, 8, random_state=0).labels)


@pytest.mark.parametrize("readers", [0, 1, 2, 7])
def test_blocks_come_in_order_however_many_threads_read(readers):
    X = np.arange(1003.0).reshape(-1, 1)
    source = Watched(X, readers)
    read = [(start, block.copy()) for start, block in read_blocks(source, np.dtype(np.float32), 100)]
    assert [start for start, _ in read] == list(range(0, 1003, 100))
    np.testing.assert_array_equal(np.concatenate([block for _, block in read]), X)
    assert len(source.threads) == (11 if readers else 1)


def test_the_next_block_is_read_while_this_one_is_used():
    source = Watched(np.zeros((300, 1)), at=150, what=(second := threading.Event()).set)
    blocks = read_blocks(source, np.dtype(np.float64), 100)
    next(iter(blocks))
    assert second.wait(5)


@pytest.mark.parametrize("error", [ValueError("odd."), OSError(5, "Input/output error", "f.dat"), KeyError("column")])
def test_an_error_of_the_reader_names_block_and_rows_and_leaves_no_thread(blobs, error):
    X, before = blobs(N, 3, 8, np.float32), threading.active_count()

    def fail() -> None:
        raise error

    kind = RuntimeError if isinstance(error, KeyError) else type(error)
    with pytest.raises(kind, match=r"while reading block \d+ of X, rows \d+ to \d+") as caught:
        kmeans(Samples(Watched(X, 2, N // 2, fail), None), 4, random_state=0)
    assert caught.value.__cause__ is error
    if isinstance(error, OSError):
        assert (caught.value.errno, caught.value.filename) == (5, "f.dat")
    assert threading.active_count() == before
    assert kmeans(X, 4, random_state=0).converged


def test_ctrl_c_gets_through_within_a_second_while_a_reader_hangs(blobs):
    X, release, pressed = blobs(N, 3, 8, np.float32), threading.Event(), []

    def hang() -> None:
        pressed.append(time.perf_counter())
        _thread.interrupt_main()
        release.wait(20)

    # interrupt_main raises in the main thread at its next step, which a wait for the thread must take soon.
    threading.Timer(3, release.set).start()
    with pytest.raises(KeyboardInterrupt):
        kmeans(Samples(Watched(X, 1, N // 2, hang), None), 4, random_state=0)
    assert time.perf_counter() - pressed[0] < 1
    release.set()
    assert kmeans(X, 4, random_state=0).converged


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_forked_between_blocks_can_fit(blobs):
    X = blobs(N, 3, 4, np.float32)
    expected = kmeans(X, 4, random_state=0, max_iter=2, n_threads=1).inertia
    for start, _ in read_blocks(Watched(X, 2), np.dtype(np.float32), 5_000):
        if start == 5_000:
            child = os.fork()
            if child == 0:
                ok = kmeans(Samples(Watched(X), None), 4, random_state=0, max_iter=2, n_threads=1).inertia == expected
                os._exit(0 if ok else 1)
            assert os.waitpid(child, 0)[1] == 0


def test_maps_are_read_through_their_files_only_where_these_are_the_same(tmp_path):
    path, X = tmp_path / "X.dat", np.arange(60_000.0).reshape(-1, 3)
    X.tofile(path)
    mapped = np.memmap(path, float, "r", shape=X.shape)
    for part in (mapped, mapped[7:], mapped[5000:9000], np.memmap(path, float, "r", 24, X[1:].shape)):
        source = file_of_map(part)
        assert source is not None
        np.testing.assert_array_equal(source.take(np.array([3, 0, 2])), part[[3, 0, 2]])
    private = np.memmap(path, float, "c", shape=X.shape)
    private[0] = -1.0
    assert all(file_of_map(m) is None for m in (private, mapped[::2], mapped[:, :2], mapped[:0], mapped.T, mapped[0]))
    other = tmp_path / "other.dat"
    (-X).tofile(other)
    os.replace(other, path)
    assert file_of_map(mapped) is None  # the map shows what was there


def test_small_maps_stay_maps(tmp_path, monkeypatch):
    np.save(tmp_path / "X.npy", np.zeros((100, 2)))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert as_samples(X).native is not None
    monkeypatch.setenv(LIMIT, "1K")
    assert as_samples(X).native is None
    assert as_samples(X).is_stream


def test_a_file_that_is_too_short_is_refused_first_and_one_that_shrinks_is_an_error(tmp_path, blobs):
    path, X = tmp_path / "X.dat", blobs(N, 3, 8, np.float32)
    X.tofile(path)
    with pytest.raises(ValueError, match=r"has 240036 bytes and must have 240048 for 20004 rows"):
        FileSource(path, 0, (N + 1, 3), X.dtype)
    samples = Samples(FileSource(path, 0, X.shape, X.dtype), None)
    os.truncate(path, 12 * 19_000)
    with pytest.raises(ValueError, match=r"X\.dat was cut .*: rows \d+ to \d+ are not there \(while reading block"):
        kmeans(samples, 4, init=X[:4])


def test_nan_far_in_a_stream_is_named(blobs):
    X = blobs(N, 3, 8, np.float32)
    X[N - 5, 1] = np.nan
    with pytest.raises(ValueError, match=rf"NaN.* row {N - 5}, column 1"):
        kmeans(Samples(Watched(X, 2), None), 4)
