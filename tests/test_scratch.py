"""Arrays past the limit: in files without a name, out of the process's memory, with the same bits."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

import numpy as np
import pytest

from kmeans_fast import _memory, _seed_sample, kmeans
from kmeans_fast._algorithm import ALGORITHMS
from kmeans_fast._memory import COPY_BYTES, UNKNOWN_MEMORY, Workspace, machine_memory, memory_limit
from kmeans_fast._samples import Samples
from kmeans_fast._seed import METHODS


class Counted:
    """An array that is read as a stream, and counts the rows that were."""

    def __init__(self, rows: Any) -> None:
        self.rows, self.shape, self.dtype, self.n_rows = rows, rows.shape, rows.dtype, 0

    def read(self, start: int, stop: int, out: Any) -> None:
        self.n_rows += stop - start
        np.copyto(out, self.rows[start:stop], casting="unsafe")

    def take(self, rows: Any) -> Any:
        return self.rows[rows]


LIMIT, FOLDER = _memory.LIMIT, _memory.FOLDER


@pytest.mark.parametrize("algorithm", ALGORITHMS[1:])
@pytest.mark.parametrize("init", METHODS)
def test_bits_are_the_same_where_every_array_is_mapped(monkeypatch, blobs, algorithm, init):
    X = blobs(12_000, 3 if algorithm == "grid" else 4, 12, np.float32)
    arguments = {"init": init, "n_init": 2, "random_state": 0, "algorithm": algorithm, "max_iter": 5}
    expected = kmeans(X, 12, **arguments)
    monkeypatch.setenv(LIMIT, "0")
    r = kmeans(X, 12, **arguments)
    for what in ("labels", "centroids", "counts", "inertia", "inertia_history", "memory"):
        np.testing.assert_array_equal(getattr(r, what), getattr(expected, what))
    np.testing.assert_array_equal(r.distances, expected.distances)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(r)).labels, r.labels)


def test_the_best_search_and_relocation_work_on_mapped_labels(monkeypatch, blobs):
    X = blobs(4000, 3, 8, np.float32)
    start = np.vstack([X[:5], X[:3] * 100])
    expected = kmeans(X, 8, random_state=0, quality="best"), kmeans(X, 8, init=start)
    monkeypatch.setenv(LIMIT, "0")
    for r, e in zip((kmeans(X, 8, random_state=0, quality="best"), kmeans(X, 8, init=start)), expected, strict=True):
        np.testing.assert_array_equal(r.labels, e.labels)
        assert r.inertia == e.inertia


def test_auto_copies_nothing_that_memory_has_no_room_for(monkeypatch):
    X = np.random.default_rng(0).random((40_000, 3), np.float32)
    chosen = {}
    for limit in ("10M", "500K", "0"):
        monkeypatch.setenv(LIMIT, limit)
        chosen[limit] = kmeans(X, 200, init=X[:200], max_iter=15).algorithm
    assert chosen == {"10M": "boxes", "500K": "lloyd", "0": "lloyd"}
    wide = np.random.default_rng(0).random((5000, 20), np.float32)
    assert kmeans(wide, 20, init=wide[:20], max_iter=3).algorithm == "hamerly"  # its bounds may be mapped


@pytest.mark.parametrize(
    ("text", "n_bytes"), [("0", 0), ("700M", 700 << 20), ("1.5G", 3 << 29), ("2 GiB", 1 << 31), ("12kb", 12 << 10)]
)
def test_the_limit_is_read_from_the_environment(monkeypatch, text, n_bytes):
    monkeypatch.setenv(LIMIT, text)
    assert memory_limit(stream=False) == memory_limit(stream=True) == n_bytes


def test_a_limit_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setenv(LIMIT, "much")
    with pytest.raises(ValueError, match=r"KMEANS_FAST_MEMORY='much' must be a number of bytes, as in 700M or 2G\."):
        kmeans(np.zeros((10, 2)), 2)


def test_by_default_streams_get_less_than_arrays():
    assert memory_limit(stream=True) < memory_limit(stream=False) <= machine_memory()


def test_a_scratch_file_has_no_name_and_goes_with_its_array(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    workspace = Workspace(1000, 0)
    array = workspace.empty(1000, np.int32)
    array[:] = np.arange(1000)
    workspace.drop()
    np.testing.assert_array_equal(array, np.arange(1000))
    assert list(tmp_path.iterdir()) == []
    assert workspace.spilled
    (held,) = workspace._maps
    del array
    assert held() is None


@pytest.mark.parametrize(
    ("code", "says"), [("ENOSPC", "is full"), ("EDQUOT", "is full"), ("EIO", "failed \\(Input/output error\\)")]
)
def test_a_full_disk_is_an_error_that_names_folder_and_size_before_work_starts(monkeypatch, tmp_path, code, says):
    import errno

    def refuse(*_: object) -> None:
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))

    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv(LIMIT, "0")
    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    with pytest.raises(OSError, match=rf"scratch folder {says}: 16000 bytes .*KMEANS_FAST_SCRATCH") as caught:
        kmeans(np.arange(4000.0).reshape(-1, 1), 2, init=[[1.0], [2.0]])
    assert caught.value.filename == str(tmp_path)


def test_a_scratch_file_is_written_where_nothing_can_be_reserved(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    array = Workspace(10, 0).empty(COPY_BYTES + 5, np.uint8)
    array[-1] = 7
    assert int(array.sum()) == 7


def test_a_machine_that_does_not_tell_its_memory_is_taken_for_a_small_one(monkeypatch):
    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", unknown, raising=False)
    assert 0 < machine_memory.__wrapped__() <= UNKNOWN_MEMORY


def test_a_scratch_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER, str(tmp_path / "none"))
    with pytest.raises(OSError, match="KMEANS_FAST_SCRATCH"):
        Workspace(10, 0).empty(100, np.uint8)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="VmHWM is Linux's")
def test_a_stream_of_96_mb_is_clustered_in_a_few_more_than_the_interpreter_takes(run_python, tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, np.random.default_rng(0).random((4_000_000, 6), np.float32))
    code = f"""
import numpy as np
from pathlib import Path
from kmeans_fast import kmeans

def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

small = np.random.default_rng(0).random((20_000, 6), np.float32)
kmeans(small, 4, random_state=0)
X = np.load({str(path)!r}, mmap_mode="r")
before = peak()
r = kmeans(X, 4, init=small[:4], max_iter=3)
assert r.labels.base is not None and r.predict(X).shape == (4_000_000,)
print((peak() - before) / 1e6)
"""
    grown = float(run_python(code, KMEANS_FAST_MEMORY="1M", KMEANS_FAST_SCRATCH=str(tmp_path)))
    assert grown < 50  # X takes 96, labels 16 twice


def test_a_large_x_is_read_twice_before_the_first_iteration_and_ends_as_low(monkeypatch, blobs):
    X = blobs(30_000, 3, 12)
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    monkeypatch.setattr("kmeans_fast._seed.FEW", 0)
    whole = [kmeans(X, 12, random_state=0, sample_weight=w).inertia for w in (None, weight)]
    monkeypatch.setattr(_seed_sample, "LARGE_BYTES", 1 << 16)
    monkeypatch.setattr(_seed_sample, "SAMPLES", 5000)
    for w, lowest in zip((None, weight), whole, strict=True):
        source = Counted(X)
        r = kmeans(Samples(source, None), 12, random_state=0, sample_weight=w, n_threads=2)
        np.testing.assert_array_equal(r.labels, kmeans(X, 12, random_state=0, sample_weight=w, n_threads=1).labels)
        assert source.n_rows <= len(X) * (2 + r.n_iter + 2)  # survey, sample; means taken afresh, and last labels
        assert r.inertia < 1.1 * lowest


def test_a_sample_has_the_few_that_are_far_from_all(monkeypatch):
    monkeypatch.setattr("kmeans_fast._seed.FEW", 0)
    monkeypatch.setattr(_seed_sample, "LARGE_BYTES", 0)
    monkeypatch.setattr(_seed_sample, "SAMPLES", 400)
    X = np.random.default_rng(0).standard_normal((50_000, 2))
    X[777:780] += 1e4
    for unit in (1.0, 1e-160):  # squares down to the least that float64 holds
        with np.errstate(all="raise", under="ignore"):
            assert kmeans(X * unit, 2, random_state=0).counts.min() == 3
    same = np.ones((50_000, 2))
    with pytest.warns(UserWarning, match="distinct"):
        assert kmeans(same, 3, random_state=0).inertia == 0.0


def test_a_copy_of_mapped_arrays_goes_in_pieces(monkeypatch):
    monkeypatch.setattr(_memory, "COPY_BYTES", 64)
    workspace = Workspace(100, 0)
    source, target = workspace.empty(100, np.int32), workspace.empty(100, np.int32)
    source[:] = np.arange(100)
    workspace.copy(target, source)
    np.testing.assert_array_equal(target, source)
