"""X of every dtype and layout: read right, left as it was, not copied whole."""

from __future__ import annotations

import hashlib
import itertools
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import kmeans, predict
from kmeans_fast._samples import BLOCK_BYTES, ArraySource, Samples, as_samples

Array = NDArray[Any]


@pytest.fixture(scope="module")
def X(blobs: Any) -> Array:
    """Small integers, which every dtype holds."""
    return np.clip(np.round(blobs(900, 3, 4) * 4), -60, 60)


def digest(array: Array) -> str:
    """Hash of the memory that an array looks at, with what lies between."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    return hashlib.sha256(np.asarray(base).tobytes("A")).hexdigest()


def read_only(X: Array) -> Array:
    out = X.copy()
    out.flags.writeable = False
    return out


def unaligned(X: Array) -> Array:
    raw = np.zeros(X.nbytes + 1, np.uint8)[1:]
    out = raw.view(X.dtype).reshape(X.shape)
    out[:] = X
    assert not out.flags.aligned
    return out


def every_other(X: Array) -> Array:
    out = np.full((2 * len(X), 2 * X.shape[1]), np.nan)
    out[1::2, ::2] = X
    return out[1::2, ::2]


def field_of_a_structure(X: Array) -> Array:
    out = np.zeros(len(X), [("pad", "i1"), ("x", "f8", (3,))])
    out["x"] = X
    return out["x"]


class Subclass(np.ndarray):
    """An array that is more than an array."""


LAYOUTS = {
    "contiguous": lambda X: X.copy(),
    "Fortran": np.asfortranarray,
    "every other row and column": every_other,
    "columns of a wider array": lambda X: np.hstack([X, np.full_like(X, np.nan)])[:, :3],
    "turned round": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "unaligned": unaligned,
    "big-endian": lambda X: X.astype(">f8"),
    "big-endian float32": lambda X: X.astype(">f4"),
    "big-endian Fortran": lambda X: np.asfortranarray(X.astype(">i4")),
    "subclass": lambda X: X.view(Subclass),
    "matrix": np.asmatrix,
    "list": lambda X: X.tolist(),
    "list of tuples": lambda X: [tuple(row) for row in X.tolist()],
    "field of a structure": field_of_a_structure,
}


def assert_same_clustering(a: Any, b: Any, rtol: float = 1e-6) -> None:
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_allclose(a.centroids, b.centroids, rtol=rtol, atol=1e-6)
    assert a.inertia == pytest.approx(b.inertia, rel=rtol)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_fit_and_is_left_as_it_was(X, name):
    given = LAYOUTS[name](X)
    before = digest(given) if isinstance(given, np.ndarray) else repr(given)
    for init in (X[:4], "k-means++", "random", "random-partition"):
        expected = kmeans(X if "float32" not in name else X.astype(np.float32), 4, init=init, random_state=0)
        r = kmeans(given, 4, init=init, random_state=0)
        assert_same_clustering(r, expected)
        np.testing.assert_array_equal(predict(given, expected.centroids), expected.labels)
        np.testing.assert_array_equal(r.distances, expected.distances)
    assert before == (digest(given) if isinstance(given, np.ndarray) else repr(given))


@pytest.mark.parametrize(
    "dtype",
    [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16,
     np.uint32, np.uint64, ">i2", ">f2", ">i8"],
)  # fmt: skip
def test_every_dtype_gives_the_fit_of_its_values(X, dtype):
    values = np.abs(X) if np.dtype(dtype).kind == "u" else X
    r = kmeans(values.astype(dtype), 4, init=values[:4])
    assert_same_clustering(r, kmeans(values, 4, init=values[:4]))
    single = np.dtype(dtype).newbyteorder("=") in (np.float16, np.float32)
    assert r.centroids.dtype == (np.float32 if single else np.float64)


def test_booleans_are_zeros_and_ones(X):
    start = np.eye(4, 3)
    r = kmeans(X > 0, 4, init=start)
    assert_same_clustering(r, kmeans((X > 0).astype(float), 4, init=start))


def test_integers_beyond_float32_keep_their_digits():
    X = np.array([[2**40], [2**40 + 1], [2**40 + 10], [2**40 + 11]])
    r = kmeans(X, 2, random_state=0)
    assert (r.inertia, r.compute_dtype) == (1.0, "float64")
    assert sorted(r.centroids.ravel()) == [2**40 + 0.5, 2**40 + 10.5]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_memory_map_is_read_and_its_file_left_as_it_was(X, tmp_path: Path, dtype, mode):
    values = np.abs(X).astype(dtype)
    path = tmp_path / "X.npy"
    np.save(path, values)
    before = path.read_bytes()
    mapped = np.load(path, mmap_mode=mode)
    expected = kmeans(values, 4, random_state=0)
    assert_same_clustering(kmeans(mapped, 4, random_state=0), expected)
    np.testing.assert_array_equal(predict(mapped, expected.centroids), expected.labels)
    del mapped
    assert path.read_bytes() == before


@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.int32, np.float64])
def test_an_x_of_many_blocks_gives_the_fit_of_one(blobs, dtype):
    X = np.round(blobs(150_000, 9, 4) * 8).astype(dtype)
    assert X.size * 4 > BLOCK_BYTES
    native = X.astype(np.float32 if np.dtype(dtype) in (np.float16, ">f4") else np.float64)
    for given in (X, np.asfortranarray(X)):
        r = kmeans(given, 5, init=native[:5].astype(float), max_iter=4)
        expected = kmeans(native, 5, init=native[:5].astype(float), max_iter=4)
        np.testing.assert_array_equal(r.labels, expected.labels)
        np.testing.assert_array_equal(r.inertia_history, expected.inertia_history)
        np.testing.assert_array_equal(r.centroids, expected.centroids)


# Memory: 12 bytes a point, what k-means++ takes before that (README), and what does not grow with the points: up to 64
# sums of k x (d + 2) float64, packed centroids and scratch, and two blocks where X is converted.


def allowed(X: Array, n_clusters: int, n_threads: int = 2, per_point: int = 12) -> float:
    n, d = X.shape
    fixed = 8 * (64 + 16) * n_clusters * (d + 4) + n_threads * 600_000
    return per_point * n + fixed + (0 if as_samples(X).native is not None else 2 * BLOCK_BYTES)


def peak_of(function: Any) -> tuple[int, Any]:
    """Peak of the memory that Python and NumPy take meanwhile."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = function()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "make",
    [
        lambda X: X,
        lambda X: X.astype(np.float64),
        lambda X: X.astype(np.float16),
        lambda X: np.asfortranarray(X),
        lambda X: X.astype(">f4"),
        lambda X: (X * 100).astype(np.int32),
        lambda X: X + np.float32(1e6),
    ],
    ids=["float32", "float64", "float16", "Fortran", "big-endian", "int32", "far from the origin"],
)
@pytest.mark.parametrize(("init", "per_point"), [("k-means++", 28), ("random", 12)])
def test_x_is_not_copied_and_the_bytes_of_the_readme_suffice(blobs, make, init, per_point):
    X = make(blobs(200_000, 16, 6, np.float32))
    peak, r = peak_of(lambda: kmeans(X, 8, init=init, n_init=1, max_iter=3, random_state=0, n_threads=2))
    limit = allowed(X, 8, per_point=per_point)
    assert limit < X.nbytes + BLOCK_BYTES or X.dtype == np.float16
    assert peak <= limit
    assert r.memory <= limit
    peak, _ = peak_of(lambda: predict(X, r.centroids))
    assert peak <= allowed(X, 8, per_point=4)


def test_many_clusters_take_no_table_of_samples_by_clusters(blobs):
    X = blobs(50_000, 2, 6, np.float32)
    peak, r = peak_of(lambda: kmeans(X, 2000, init=X[:2000], max_iter=1))
    assert max(peak, r.memory) <= allowed(X, 2000)
    assert peak < 50_000 * 2000 * 4 / 10


MEMORY = {
    "several restarts of k-means++ in float64": (np.float64, {"n_init": 3}, 17 + 24),
    "relocation": (np.float32, {"init": "far"}, 41),
    "random of weighted samples": (np.float32, {"init": "random", "n_init": 1, "weighted": True}, 25),
}


@pytest.mark.parametrize("name", MEMORY)
def test_memory_of_the_other_cases_is_bounded_too(blobs, name):
    """Cases over 12 bytes a point today; the limits are what was measured."""
    dtype, options, per_point = MEMORY[name]
    options = dict(options)
    X = blobs(200_000, 4, 6, dtype)
    weight = np.ones(len(X)) if options.pop("weighted", False) else None
    if options.get("init") == "far":
        options["init"] = np.vstack([X[:4], X[:4] * 1e3])
    peak, _ = peak_of(lambda: kmeans(X, 8, max_iter=3, random_state=0, sample_weight=weight, **options))
    assert peak <= allowed(X, 8, per_point=per_point)


def test_the_memory_of_the_result_is_what_was_taken(blobs):
    X = blobs(200_000, 4, 6, np.float32)
    peak, r = peak_of(lambda: kmeans(X, 8, n_init=5, max_iter=3, random_state=0))
    assert r.memory <= 1.5 * peak


# Arithmetic of rows beyond 2^31: arrays that are large in shape alone


HUGE = 2**33 + 12_345


def huge(dtype: Any = np.float16) -> Samples:
    return Samples(ArraySource(np.broadcast_to(np.zeros((1, 4), dtype), (HUGE, 4))), None)


def test_blocks_of_more_than_2_to_the_31_rows_cover_them_all():
    samples = huge()
    rows = 2**29
    reads: list[tuple[int, int]] = []

    class Source(ArraySource):
        def read(self, start: int, stop: int, out: Array) -> None:
            reads.append((start, stop))
            assert len(out) == stop - start

    samples.source = Source(samples.source.array)
    for start, block in samples.blocks(np.dtype(np.float32), rows):
        assert reads[-1] == (start, start + len(block))
    assert reads[0][0] == 0
    assert reads[-1][1] == HUGE
    assert all(a[1] == b[0] for a, b in itertools.pairwise(reads))


def test_a_block_is_whole_chunks_and_small_however_many_rows_there_are():
    samples = huge()
    for work in (1.0, 1e3, 1e12):
        rows = samples.block_rows(np.dtype(np.float32), work, 2)
        assert rows % samples.chunk(np.dtype(np.float32)) == 0
        assert 0 < rows * 16 <= 2 * BLOCK_BYTES
    native = Samples(ArraySource(np.zeros((10, 4), np.float32)), None)
    native.n_samples = HUGE
    assert native.block_rows(np.dtype(np.float32), 1.0, 64) <= HUGE


def test_rows_beyond_2_to_the_31_are_taken_by_their_number():
    taken = huge().take([0, 2**31, 2**32 + 1, HUGE - 1])
    assert taken.shape == (4, 4)
    assert taken.dtype == np.float64


def test_an_x_of_more_than_2_to_the_31_values_is_labelled_to_its_last_row():
    try:
        X = np.zeros((2**21 + 5, 1024), np.float32)  # pages never written to take no memory
    except MemoryError:
        pytest.skip("8 GiB of address space are needed")
    X[-3:] = 1.0
    X[2**20, 5] = 1e4  # a cell that an index of 32 bits would still reach
    labels = predict(X, np.stack([np.zeros(1024), np.ones(1024)]))
    np.testing.assert_array_equal(np.flatnonzero(labels), [2**20, *range(2**21 + 2, 2**21 + 5)])


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
@pytest.mark.parametrize("work", [1e3, 1.3e5, 2e5, 1e9])
def test_a_block_holds_as_many_chunks_for_each_thread(n_threads: int, work: float) -> None:
    """With one more, all threads but one would wait for it, in every block of every pass."""
    samples = huge()
    rows = samples.block_rows(np.dtype(np.float32), work, n_threads)
    assert rows % (n_threads * samples.chunk(np.dtype(np.float32))) == 0
