"""The allocator: it counts, it may refuse, and what lay in its memory before never shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kmeans_fast import kmeans
from kmeans_fast._algorithm import ALGORITHMS, MOST
from kmeans_fast._memory import Workspace

pytestmark = pytest.mark.filterwarnings("ignore::kmeans_fast.ClusterWarning")


@pytest.fixture(params=[0xFF, 0x7E, 0x01])
def dirty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand out memory full of NaN and -1, of huge numbers, or of tiny ones."""
    clean = Workspace.empty

    def empty(self: Workspace, shape: Any, dtype: Any) -> Any:
        array = clean(self, shape, dtype)
        array.reshape(-1).view(np.uint8).fill(request.param)
        return array

    monkeypatch.setattr(Workspace, "empty", empty)


def assert_clean(oracle: Any, X: Any, k: int, **arguments: Any) -> None:
    r = kmeans(X, k, **arguments)
    oracle.assert_agrees(r, np.asarray(X, np.float64), arguments.get("sample_weight"))
    assert np.isfinite(r.inertia_history).all()


@pytest.mark.usefixtures("dirty")
@pytest.mark.parametrize("algorithm", ALGORITHMS[1:])
@pytest.mark.parametrize("init", ["k-means++", "random", "random-partition"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dirty_memory_does_not_show(oracle, blobs, algorithm, init, dtype):
    for n, d, k, threads in ((50, 2, 3, 1), (700, 9, 8, 1), (12_000, 4, 12, 3), (2000, 70, 20, 8)):
        d = min(d, MOST.get(algorithm, (d,))[0])
        X = blobs(n, d, k, dtype)
        weight = np.random.default_rng(0).integers(0, 3, n).astype(float)
        for max_iter in (1, 2, 300):
            for w in (None, weight):
                assert_clean(
                    oracle, X, k, init=init, n_init=2, random_state=0, max_iter=max_iter, sample_weight=w,
                    n_threads=threads, algorithm=algorithm,
                )  # fmt: skip


@pytest.mark.usefixtures("dirty")
def test_dirty_memory_does_not_show_after_a_relocation(oracle, blobs):
    X = blobs(2000, 3, 5)
    assert_clean(oracle, X, 6, init=np.vstack([X[:3], X[:3] * 100]))
    assert_clean(oracle, np.repeat(X[:4], 50, axis=0), 7, random_state=0)


@pytest.mark.usefixtures("dirty")
@pytest.mark.parametrize("max_iter", [1, 2, 300])
def test_dirty_memory_does_not_show_where_float32_gives_way_to_float64(oracle, max_iter):
    # The outlier becomes a centroid, and about the mean of the centroids float32 does not tell the others apart.
    X = np.random.default_rng(0).standard_normal((2000, 2))
    X[1000] = 1e4, 0.0
    start = np.array([[-1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [-30.0, 0.0]])
    assert_clean(oracle, X.astype(np.float32), 5, init=start, max_iter=max_iter)


def test_the_allocator_counts_every_byte():
    workspace = Workspace()
    arrays = [workspace.empty(10, np.float32), workspace.empty((3, 5), np.int64)]
    assert [a.shape for a in arrays] == [(10,), (3, 5)]
    assert workspace.n_bytes == 40 + 120


def test_what_cannot_be_had_is_a_memory_error():
    with pytest.raises(MemoryError):
        Workspace().empty(2**50, np.float64)


@pytest.mark.parametrize("refused", range(8))
def test_a_fit_that_gets_no_memory_raises_and_the_next_one_works(monkeypatch, blobs, refused):
    X, count = blobs(), iter(range(1000))
    clean = Workspace.empty

    def empty(self: Workspace, shape: Any, dtype: Any) -> Any:
        if next(count) == refused:
            raise MemoryError("refused")
        return clean(self, shape, dtype)

    before = X.tobytes()
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "empty", empty)
        with pytest.raises(MemoryError, match="refused"):
            kmeans(X, 4, random_state=0, n_init=2)
    assert X.tobytes() == before
    assert kmeans(X, 4, random_state=0).converged


def test_boxes_take_23_bytes_a_sample_in_three_dimensions(blobs):
    X = blobs(1_200_000, 3, 20, np.float32)
    arguments = {"init": X[:8].astype(float), "max_iter": 2, "algorithm": "boxes", "n_threads": 1}
    larger, smaller = (kmeans(x, 8, **arguments).memory for x in (X, X[: 1 << 20]))
    assert larger - smaller <= 23 * (len(X) - (1 << 20))  # one block holds the old labels of all


@pytest.mark.parametrize(("d", "each", "dtype"), [(1, 1.5, "f8"), (2, 1.4, "f4"), (3, 6.6, "f4"), (3, 13.0, "f8")])
def test_a_grid_takes_kilobytes_a_cluster_and_two_bytes_a_sample(d, each, dtype):
    X = np.random.default_rng(0).random((60_000, d)).astype(dtype)
    arguments = {"init": X[:2000], "max_iter": 2, "n_threads": 1}
    grid, dense = (kmeans(X, 2000, algorithm=name, **arguments).memory for name in ("grid", "lloyd"))
    assert grid - dense <= each * 1000 * 2000 + 2 * len(X) + 2**16  # and scratch
    assert kmeans(X, 2000, algorithm="grid", max_bounds_memory=grid - dense, **arguments).memory == grid
    with pytest.raises(ValueError, match="max_bounds_memory"):
        kmeans(X, 2000, algorithm="grid", max_bounds_memory=grid - dense - 1, **arguments)


@pytest.mark.parametrize(("d", "k", "ran"), [(3, 200, "boxes"), (12, 20, "hamerly"), (3, 5, "lloyd")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_auto_stays_under_the_memory_for_bounds(d, k, ran, dtype):
    X = np.random.default_rng(0).random((40_000, d)).astype(dtype)
    runs = [kmeans(X, k, init=X[:k], max_iter=3, max_bounds_memory=limit) for limit in (None, 0)]
    assert [r.algorithm for r in runs] == [ran, "lloyd"]
    np.testing.assert_array_equal(runs[0].labels, runs[1].labels)
    assert runs[0].memory - runs[1].memory <= 48 * len(X) + 2**23  # and scratch


def test_auto_turns_to_boxes_only_where_there_is_memory(blobs):
    X = blobs(40_000, 3, 60, np.float32)
    runs = [kmeans(X, 60, init=X[:60], tol=0, max_bounds_memory=limit) for limit in (None, 18 * len(X))]
    assert runs[0].n_iter > 13
    assert ["boxes" in r.algorithm for r in runs] == [True, False]


@pytest.mark.parametrize(("algorithm", "d", "each"), [("hamerly", 12, 8), ("elkan", 12, 8 + 4 * 30), ("boxes", 3, 19)])
def test_an_algorithm_that_takes_more_is_refused(algorithm, d, each):
    X = np.random.default_rng(0).random((5000, d)).astype(np.float32)
    kmeans(X, 30, init=X[:30], algorithm=algorithm, max_bounds_memory=each * 5000)
    with pytest.raises(ValueError, match=f"max_bounds_memory={each * 5000 - 1} bytes must be at least {each * 5000} "):
        kmeans(X, 30, init=X[:30], algorithm=algorithm, max_bounds_memory=each * 5000 - 1)


@pytest.mark.parametrize("value", [-1, 1.5, "1 GB"])
def test_a_memory_that_is_no_number_of_bytes_is_refused(value):
    with pytest.raises((TypeError, ValueError), match="max_bounds_memory"):
        kmeans(np.eye(4), 2, max_bounds_memory=value)
