"""MiniBatchKMeans: scikit-learn's contract, exact ends, streams that drift, starved clusters, named chunks."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans as SklearnMiniBatchKMeans
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from kmeans_fast import KMeans, MiniBatchKMeans
from kmeans_fast._samples import as_samples
from kmeans_fast.variants._nested import draw_sample, grow
from kmeans_fast.variants._stream import label, part_of

Array = NDArray[Any]


def blobs(n: int, k: int, d: int = 2, seed: int = 0, dtype: Any = np.float32) -> Array:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(-10, 10, (k, d))
    return (truth[rng.integers(k, size=n)] + rng.normal(0, 0.7, (n, d))).astype(dtype)


def expected_failures(estimator: MiniBatchKMeans) -> dict[str, str]:
    if estimator.batch == "nested":
        return {}
    return {
        "check_sample_weight_equivalence_on_dense_data": "batches are drawn, as in scikit-learn",
        "check_sample_weight_equivalence_on_sparse_data": "batches are drawn, as in scikit-learn",
    }


@parametrize_with_checks(
    [MiniBatchKMeans(), MiniBatchKMeans(n_clusters=2, batch="random", batch_size=5, half_life=9.0)],
    expected_failed_checks=expected_failures,
)
def test_every_check_of_scikit_learn_passes(estimator: MiniBatchKMeans, check: Any) -> None:
    check(estimator)


def test_parameters_and_attributes_are_scikit_learns_and_more() -> None:
    ours, theirs = (dict(inspect.signature(c).parameters) for c in (MiniBatchKMeans, SklearnMiniBatchKMeans))
    assert [ours.pop(name).default for name in ("batch", "half_life", "n_threads")] == ["nested", None, None]
    assert {name: p.default for name, p in ours.items()} == {name: p.default for name, p in theirs.items()}
    X = blobs(300, 3)
    for method in ("fit", "partial_fit"):
        for settings in ({"max_iter": 5}, {"max_iter": 5, "compute_labels": False}):
            a, b = (
                getattr(c(3, random_state=0, **settings), method)(X) for c in (MiniBatchKMeans, SklearnMiniBatchKMeans)
            )
            shown = {name for name in vars(b) if name.endswith("_")}
            assert shown <= {name for name in vars(a) if name.endswith("_")}
            assert ("labels_" in vars(a)) == ("labels_" in vars(b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_nested_fit_ends_exact(dtype: Any, weighted: bool) -> None:
    X = blobs(60_000, 20, dtype=dtype)
    weight = np.random.default_rng(1).integers(0, 4, len(X)).astype(float) if weighted else None
    model = MiniBatchKMeans(20, max_no_improvement=None, random_state=0).fit(X, sample_weight=weight)
    np.testing.assert_array_equal(model.labels_, model.predict(X))
    assert model.inertia_ == pytest.approx(-model.score(X, sample_weight=weight), rel=1e-6)
    ones = np.ones(len(X)) if weight is None else weight
    np.testing.assert_array_equal(model.counts_, np.bincount(model.labels_, ones, 20))
    means = np.stack([np.average(X[model.labels_ == j], axis=0, weights=ones[model.labels_ == j]) for j in range(20)])
    np.testing.assert_allclose(model.cluster_centers_, means, atol=1e-5)  # a minimum of Lloyd's algorithm
    again = KMeans(20, init=model.cluster_centers_, n_init=1, tol=0).fit(X, sample_weight=weight)
    assert again.inertia_ == pytest.approx(model.inertia_, rel=1e-6)


def test_a_nested_fit_is_no_worse_than_scikit_learns_and_visits_less() -> None:
    X = blobs(20_000, 30, d=5)
    ours = [MiniBatchKMeans(30, random_state=s).fit(X) for s in range(3)]
    with threadpool_limits(1):
        theirs = [SklearnMiniBatchKMeans(30, random_state=s).fit(X) for s in range(3)]
    assert np.mean([m.inertia_ for m in ours]) <= np.mean([m.inertia_ for m in theirs])
    assert all(m.n_iter_ <= 20 for m in ours)


def test_parts_of_a_growing_sample_give_the_means_of_one_lloyd_pass() -> None:
    X = blobs(4000, 6, dtype=np.float64)
    samples, rng = as_samples(X), np.random.default_rng(0)
    sample = draw_sample(samples, None, 3000, rng)
    assert len(np.unique(sample.points, axis=0)) == len(sample.points)
    seen: list[tuple[int, float]] = []
    start = sample.points[:6].copy()
    found, rounds, visits = grow(sample, start, 200, 1, 10**9, lambda size, mean: seen.append((size, mean)))
    assert rounds == len(seen)
    assert visits == sum(size for size, _ in seen)
    assert {size for size, _ in seen} == {200, 400, 800, 1600, len(sample.points)}
    assert grow(sample, start, 200, 1, 500, lambda *_: None)[2] <= 500  # the limit on visits holds
    labels, inertia = label(part_of(samples, sample.points, None, 6, 1, "lloyd"), found)
    assert inertia / len(labels) <= seen[-1][1]
    means = np.stack([sample.points[labels == j].mean(axis=0) for j in range(6)])
    np.testing.assert_allclose(found, means, atol=0.05)  # it has nearly converged on the whole sample


@pytest.mark.parametrize("batch", ["nested", "random"])
def test_the_number_of_threads_does_not_change_a_bit(batch: str) -> None:
    X = blobs(50_000, 40, d=3)
    one, two = (MiniBatchKMeans(40, batch=batch, random_state=0, n_threads=t).fit(X) for t in (1, 2))
    np.testing.assert_array_equal(one.cluster_centers_, two.cluster_centers_)
    np.testing.assert_array_equal(one.labels_, two.labels_)
    assert one.inertia_ == two.inertia_


@pytest.mark.parametrize("batch", ["nested", "random"])
def test_x_of_any_layout_and_on_disk_gives_the_same_bits(batch: str, tmp_path: Path) -> None:
    X = blobs(30_000, 5)
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=X.shape)
    mapped[:] = X
    model = MiniBatchKMeans(5, batch=batch, random_state=0)
    expected = model.fit(X).cluster_centers_.copy()
    for other in (mapped, np.asfortranarray(X), X.astype(">f4")):
        np.testing.assert_allclose(model.fit(other).cluster_centers_, expected, rtol=1e-5)


def test_the_random_scheme_agrees_with_scikit_learn_in_quality() -> None:
    X = blobs(20_000, 10)
    ours = [MiniBatchKMeans(10, batch="random", random_state=s).fit(X).inertia_ for s in range(5)]
    with threadpool_limits(1):
        theirs = [SklearnMiniBatchKMeans(10, random_state=s).fit(X).inertia_ for s in range(5)]
    assert np.mean(ours) <= 1.1 * np.mean(theirs)


def test_a_step_is_the_documented_formula() -> None:
    X, weight = np.array([[0.0], [1.0], [10.0], [14.0]]), np.array([1.0, 3.0, 2.0, 2.0])
    model = MiniBatchKMeans(2, init=[[0.0], [10.0]], half_life=8, reassignment_ratio=0).partial_fit(X[[0, 2]])
    np.testing.assert_array_equal(model.counts_, [1, 1])
    model.partial_fit(X, sample_weight=weight)  # 8 in all: what was seen counts half
    np.testing.assert_array_equal(model.counts_, [4.5, 4.5])
    np.testing.assert_allclose(model.cluster_centers_, [[4 / 4.5 * 0.75], [10 + 4 / 4.5 * 2]])


def test_without_a_half_life_a_stream_gives_the_mean_of_all_chunks() -> None:
    X = blobs(3000, 1, dtype=np.float64) + 1e6
    model = MiniBatchKMeans(1, random_state=0)
    for start in range(0, 3000, 100):
        model.partial_fit(X[start : start + 100])
    np.testing.assert_allclose(model.cluster_centers_[0], X.mean(axis=0), rtol=1e-12)
    assert model.n_steps_ == 30
    assert model.counts_[0] == 3000


def test_a_half_life_follows_a_moving_cluster_that_plain_averages_lose() -> None:
    rng = np.random.default_rng(0)
    lags = {}
    for half_life in (None, 500.0):
        model = MiniBatchKMeans(2, init=[[0.0, 0.0], [0.0, 30.0]], half_life=half_life, random_state=0)
        for step in range(60):
            moving, still = np.array([0.2 * step, 0.0]), np.array([0.0, 30.0])
            model.partial_fit(np.vstack([moving, still])[rng.integers(2, size=200)] + rng.normal(0, 0.5, (200, 2)))
        lags[half_life] = np.abs(model.cluster_centers_ - [moving, still]).max()
    assert lags[500.0] < 1.0 < 5.0 < lags[None]


def test_starved_centroids_are_put_on_samples_and_may_be_left() -> None:
    X = blobs(500, 4)
    far = np.vstack([X[:3], [[1e4, 1e4]]])
    moved = MiniBatchKMeans(4, init=far, random_state=0).partial_fit(X)
    assert (moved.cluster_centers_[3] == X).all(axis=1).any()
    assert moved.counts_[3] == moved.counts_[:3].min()
    kept = MiniBatchKMeans(4, init=far, reassignment_ratio=0).partial_fit(X)
    np.testing.assert_array_equal(kept.cluster_centers_[3], [1e4, 1e4])


def test_a_chunk_that_does_not_fit_is_named_and_changes_nothing() -> None:
    X = blobs(100, 3)
    model = MiniBatchKMeans(3, random_state=0).partial_fit(X)
    before = pickle.dumps(model)
    bad = X.copy()
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"Chunk 1: X contains NaN in row 7, column 1"):
        model.partial_fit(bad)
    with pytest.raises(ValueError, match=r"Chunk 1: X has 1 features, but MiniBatchKMeans is expecting 2 features"):
        model.partial_fit(X[:, :1])
    assert pickle.dumps(model) == before
    with pytest.raises(ValueError, match=r"Chunk 0: n_clusters=3 must be <= n_samples=2\."):
        MiniBatchKMeans(3).partial_fit(X[:2])
    model.partial_fit(X[:1])  # a later chunk may be of any size
    assert model.labels_.shape == (1,)


@pytest.mark.parametrize("batch", ["nested", "random"])
def test_a_nan_that_a_sample_meets_is_named_by_its_row_in_x(batch: str) -> None:
    X = blobs(40_000, 3)
    X[12_345:, 1] = np.inf
    with pytest.raises(ValueError, match="X contains infinity in row 12345, column 1"):
        MiniBatchKMeans(3, batch=batch, random_state=0).fit(X)


def test_a_stream_goes_on_after_a_fit_after_pickling_and_from_edited_centers() -> None:
    X = blobs(5000, 4)
    model = MiniBatchKMeans(4, random_state=0).fit(X)
    total = model.counts_.sum()
    twin = pickle.loads(pickle.dumps(model))
    for m in (model, twin):
        m.partial_fit(X[:100])
    np.testing.assert_array_equal(model.cluster_centers_, twin.cluster_centers_)
    assert model.counts_.sum() == total + 100
    model.cluster_centers_[0] += 100.0
    model.reassignment_ratio = 0
    model.partial_fit(X[:100])
    assert model.cluster_centers_[0].min() > 50.0


def test_starts_are_compared_and_a_callable_gets_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    X, sizes = blobs(9000, 4), []

    def init(X: Array, k: int, random_state: Any) -> Array:
        sizes.append(len(X))
        return X[random_state.permutation(len(X))[:k]]

    model = MiniBatchKMeans(4, init=init, init_size=200, random_state=0, verbose=1).fit(X)
    assert sizes == [200] * 3
    assert len(model.cluster_centers_) == 4
    assert "batch of 200 samples: mean inertia" in capsys.readouterr().out
    with pytest.warns(RuntimeWarning, match=r"init_size=2 must be >= n_clusters=4"):
        MiniBatchKMeans(4, init_size=2).fit(X)


@pytest.mark.parametrize("batch", ["nested", "random"])
def test_files_and_chunks_give_the_bits_of_the_array(batch: str, tmp_path: Path) -> None:
    X = blobs(30_000, 5)
    np.save(tmp_path / "x.npy", X)
    model = MiniBatchKMeans(5, batch=batch, random_state=0, max_iter=3)
    expected = model.fit(X).cluster_centers_.copy()
    for other in (str(tmp_path / "x.npy"), [X[:11_000], X[11_000:]]):
        np.testing.assert_array_equal(model.fit(other).cluster_centers_, expected)
