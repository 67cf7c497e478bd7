"""KMeans: scikit-learn's interface, held against scikit-learn's own checks and its KMeans."""

from __future__ import annotations

import inspect
import pickle
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

import joblib
import sklearn
import sklearn.cluster
from numpy.typing import NDArray
from sklearn.base import clone, is_clusterer
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from kmeans_fast import KMeans, KMeansResult, kmeans

Array = NDArray[Any]
SklearnKMeans = sklearn.cluster.KMeans

try:
    from sklearn.callback import ScoringMonitor
except ImportError:
    ScoringMonitor = None
needs_callbacks = pytest.mark.skipif(ScoringMonitor is None, reason="scikit-learn has no callbacks")


@pytest.fixture(scope="module")
def X() -> Array:
    """600 samples in 4 features whose clusters overlap, so that a fit takes many iterations."""
    return make_blobs(600, 4, centers=6, cluster_std=3.0, random_state=0)[0]


def same_start(X: Array, n_clusters: int = 6, **parameters: Any) -> tuple[KMeans, Any]:
    """Fit ours and scikit-learn's from the same start."""
    weight = parameters.pop("sample_weight", None)
    settings = {"init": X[:n_clusters].astype(np.float64), "n_init": 1, "tol": 0, **parameters}
    ours = KMeans(n_clusters, **settings).fit(X, sample_weight=weight)
    theirs = SklearnKMeans(n_clusters, **settings).fit(X, sample_weight=weight)
    return ours, theirs


def assert_same_fit(ours: KMeans, theirs: Any, rtol: float) -> None:
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.inertia_, theirs.inertia_, rtol=rtol)
    scale = np.abs(theirs.cluster_centers_).max()
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=0, atol=scale * rtol)
    assert ours.n_iter_ == theirs.n_iter_


# scikit-learn's contract


@parametrize_with_checks(
    [KMeans(), KMeans(n_clusters=2, n_init=2, max_iter=5), KMeans(n_clusters=3, algorithm="elkan")]
)
def test_every_check_of_scikit_learn_passes(estimator: KMeans, check: Any) -> None:
    check(estimator)


def test_parameters_are_scikit_learns_and_five_more() -> None:
    ours = dict(inspect.signature(KMeans).parameters)
    theirs = inspect.signature(SklearnKMeans).parameters
    more = {"n_threads": None, "max_bounds_memory": None, "quality": "standard"}
    for name, default in (more | {"checkpoint": None, "checkpoint_every": 30.0}).items():
        parameter = ours.pop(name)
        assert parameter.default == default
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


def test_public_methods_have_scikit_learns_signatures() -> None:
    for name in [name for name in dir(SklearnKMeans) if not name.startswith("_")]:
        theirs = getattr(SklearnKMeans, name)
        if callable(theirs):
            ours = inspect.signature(getattr(KMeans, name)).parameters
            expected = inspect.signature(theirs).parameters
            assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in expected.values()], (
                name
            )


def test_fitted_attributes_are_scikit_learns_and_result(X: Array) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    ours, theirs = KMeans(3, random_state=0).fit(frame), SklearnKMeans(3, random_state=0).fit(frame)

    def fitted(model: Any) -> dict[str, Any]:
        return {k: v for k, v in vars(model).items() if k.endswith("_") and not k.startswith("_")}

    assert set(fitted(ours)) == set(fitted(theirs)) | {"result_"}
    for name, value in fitted(theirs).items():
        assert type(fitted(ours)[name]) is type(value), name
        assert getattr(fitted(ours)[name], "dtype", None) == getattr(value, "dtype", None), name
        assert np.shape(fitted(ours)[name]) == np.shape(value), name


def test_tags_are_scikit_learns_but_for_sparse_and_float32() -> None:
    ours, theirs = get_tags(KMeans()), get_tags(SklearnKMeans())
    assert not ours.input_tags.sparse
    ours.input_tags.sparse = True
    ours.transformer_tags.preserves_dtype = theirs.transformer_tags.preserves_dtype
    assert ours == theirs
    assert is_clusterer(KMeans())


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_clusters": 0},
        {"n_clusters": 2.5},
        {"init": "nearest"},
        {"n_init": 0},
        {"n_init": "many"},
        {"max_iter": 0},
        {"tol": -1.0},
        {"verbose": "yes"},
        {"random_state": "seed"},
        {"copy_x": "no"},
        {"algorithm": "fastest"},
        {"algorithm": ["lloyd"]},
        {"n_threads": 0},
        {"quality": "worst"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named_by_scikit_learns_error(X: Array, parameters: dict[str, Any]) -> None:
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter of KMeans") as caught:
        KMeans(**parameters).fit(X)
    assert isinstance(caught.value, TypeError)


def test_an_error_of_the_data_is_the_cores(X: Array) -> None:
    with pytest.raises(ValueError, match="n_clusters=8 must be <= n_samples=5"):
        KMeans().fit(X[:5])


# Differential: the same start gives scikit-learn's clustering


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-6)])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_the_same_start_gives_scikit_learns_fit(X: Array, dtype: type, rtol: float, algorithm: str) -> None:
    ours, theirs = same_start(X.astype(dtype), algorithm=algorithm)
    assert ours.n_iter_ > 5
    assert_same_fit(ours, theirs, rtol)
    assert ours.cluster_centers_.dtype == theirs.cluster_centers_.dtype == dtype
    assert ours.labels_.dtype == theirs.labels_.dtype
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X.astype(dtype)))
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X.astype(dtype)), rtol=rtol * 10)
    np.testing.assert_allclose(ours.score(X), theirs.score(X.astype(dtype)), rtol=rtol)


def test_tol_means_what_it_means_in_scikit_learn(X: Array) -> None:
    for tol in (1e-1, 1e-2, 1e-3, 1e-4):
        ours, theirs = same_start(X, tol=tol)
        assert ours.n_iter_ == theirs.n_iter_


def test_weights_mean_what_they_mean_in_scikit_learn(X: Array) -> None:
    weight = np.random.default_rng(0).uniform(0.0, 3.0, len(X))
    ours, theirs = same_start(X, sample_weight=weight)
    assert_same_fit(ours, theirs, 1e-10)
    np.testing.assert_allclose(ours.score(X, sample_weight=weight), theirs.score(X, sample_weight=weight), rtol=1e-10)


def test_k_means_plusplus_is_as_good_as_scikit_learns(X: Array) -> None:
    ours = [KMeans(8, random_state=seed).fit(X).inertia_ for seed in range(30)]
    theirs = [SklearnKMeans(8, random_state=seed).fit(X).inertia_ for seed in range(30)]
    assert np.mean(ours) < 1.02 * np.mean(theirs)


# Kinds of X: none is copied whole, none is modified


def layouts(X: Array, folder: Path) -> dict[str, Array]:
    whole = np.round((X - X.min()) * 4)  # every kind below holds these values exactly
    assert whole.max() < 256
    strided = np.zeros((2 * len(X), 3 * X.shape[1]))
    strided[::2, ::3] = whole
    read_only = whole.copy()
    read_only.flags.writeable = False
    np.save(folder / "X.npy", whole)
    return {
        "float64": whole,
        "float32": whole.astype(np.float32),
        "float16": whole.astype(np.float16),
        "uint8": whole.astype(np.uint8),
        "int64": whole.astype(np.int64),
        "big-endian": whole.astype(">f8"),
        "big-endian-float32": whole.astype(">f4"),
        "fortran": np.asfortranarray(whole),
        "strided": strided[::2, ::3],
        "reversed": whole[::-1].copy()[::-1],
        "read-only": read_only,
        "memmap": np.load(folder / "X.npy", mmap_mode="r"),
        "object": whole.astype(object),
        "list": whole.tolist(),
    }


@pytest.mark.parametrize("copy_x", [True, False])
def test_every_layout_gives_the_same_fit_and_is_left_as_it_was(X: Array, tmp_path: Path, copy_x: bool) -> None:
    kinds = layouts(X, tmp_path)
    start = kinds["float64"][:5]
    expected = SklearnKMeans(5, init=start, n_init=1, tol=0).fit(kinds["float64"])
    for kind, data in kinds.items():
        before = np.array(data)
        model = KMeans(5, init=start, n_init=1, tol=0, copy_x=copy_x).fit(data)
        assert_same_fit(model, expected, 1e-6 if kind.endswith(("32", "16")) else 1e-10)
        np.testing.assert_array_equal(model.predict(data), model.labels_, err_msg=kind)
        np.testing.assert_allclose(model.score(data), -model.inertia_, rtol=1e-9)
        assert model.transform(data).shape == (len(X), 5)
        np.testing.assert_array_equal(np.array(data), before, err_msg=kind)


@pytest.mark.parametrize("make", [np.uint8, np.float16, ">f8", np.float32, "fortran", "strided"])
def test_no_method_takes_the_memory_of_a_copy_of_X(make: Any) -> None:
    n_samples, n_features = 200_000, 32
    if make == "fortran":
        X = np.ones((n_features, n_samples)).T
    elif make == "strided":
        X = np.ones((n_samples, 2 * n_features))[:, ::2]
    else:
        X = np.ones((n_samples, n_features), make)
    X[: n_samples // 2] = 2
    model = KMeans(2, init=np.stack([X[0], X[-1]]), n_init=1)
    tracemalloc.start()
    try:
        model.fit(X)
        model.predict(X)
        model.score(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A float32 copy is 128 bytes a sample; labels and score's distances are 16, blocks the rest.
    assert peak < 16 * n_samples + 12e6
    assert model.inertia_ == 0.0


@pytest.mark.parametrize("method", ["fit", "predict", "transform", "score"])
def test_sparse_X_is_refused_with_what_to_do(X: Array, method: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    model = KMeans(3, random_state=0).fit(X)
    with pytest.raises(TypeError, match=r"X is sparse.*pass X\.toarray\(\)"):
        getattr(model, method)(sparse.csr_array(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_gives_its_names_and_the_fit_of_its_values(X: Array, library: str) -> None:
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({name: X[:, f] for f, name in enumerate("abcd")})
    if not hasattr(StandardScaler().fit(frame), "feature_names_in_"):
        pytest.skip("this scikit-learn sees no names in frames of this polars")
    model = KMeans(3, random_state=0).fit(frame)
    assert model.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(model.labels_, KMeans(3, random_state=0).fit(X).labels_)
    np.testing.assert_array_equal(model.predict(frame), model.labels_)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c", "d"]])
    model.fit(X)
    assert not hasattr(model, "feature_names_in_")
    assert type(model.fit(frame).result_.to_frame()).__module__.startswith(library)


@pytest.mark.parametrize("names", [[1, 0, 3, 2], [5, 6, 7, 8]])
def test_integer_names_of_columns_are_no_positions(X: Array, names: list[int]) -> None:
    pandas = pytest.importorskip("pandas")
    model = KMeans(3, random_state=0).fit(pandas.DataFrame(X, columns=names))
    expected = KMeans(3, random_state=0).fit(X).cluster_centers_
    np.testing.assert_array_equal(model.cluster_centers_, expected)


def test_the_number_of_features_is_checked(X: Array) -> None:
    model = KMeans(3, random_state=0).fit(X)
    for method in (model.predict, model.transform, model.score):
        with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 4 features"):
            method(X[:, :3])


# What the methods promise


def test_fit_predict_fit_transform_and_predict_agree_with_fit(X: Array) -> None:
    for data in (X, X.astype(np.float32), (X * 4).astype(np.int8)):
        model = KMeans(6, random_state=0).fit(data)
        again = clone(model)
        np.testing.assert_array_equal(again.fit_predict(data), model.labels_)
        np.testing.assert_array_equal(model.predict(data), model.labels_)
        np.testing.assert_array_equal(again.fit_transform(data), model.transform(data))
        assert model.transform(data).dtype == (np.float32 if data.dtype == np.float32 else np.float64)
        assert model.score(data) == pytest.approx(-model.inertia_, rel=1e-9)


def test_the_fit_is_that_of_kmeans(X: Array) -> None:
    model, result = KMeans(6, random_state=3).fit(X), kmeans(X, 6, random_state=3)
    assert isinstance(model.result_, KMeansResult)
    np.testing.assert_array_equal(model.labels_, result.labels)
    np.testing.assert_array_equal(model.cluster_centers_, result.centroids)
    assert (model.inertia_, model.n_iter_) == (result.inertia, result.n_iter)


def test_centroids_set_by_hand_are_used(X: Array) -> None:
    model = KMeans(3, random_state=0).fit(X)
    kept = model.result_.centroids.copy()
    model.cluster_centers_ = X[:5]
    np.testing.assert_array_equal(model.predict(X[:5]), np.arange(5))
    assert model.transform(X).shape == (600, 5)
    assert model.score(X[:5]) == 0.0
    assert len(model.get_feature_names_out()) == 5
    unfitted = KMeans(2)
    unfitted.cluster_centers_ = X[:2]
    np.testing.assert_array_equal(unfitted.predict(X[:2]), [0, 1])
    model.fit(X).cluster_centers_ *= 0
    np.testing.assert_array_equal(model.result_.centroids, kept)


def test_distances_far_from_the_origin_keep_their_digits(X: Array) -> None:
    far = (X + 1e6).astype(np.float32)
    model = KMeans(4, random_state=0).fit(far)
    exact = np.linalg.norm(far[:, None].astype(np.float64) - model.cluster_centers_, axis=2)
    np.testing.assert_allclose(model.transform(far), exact, rtol=1e-6)
    np.testing.assert_array_equal(model.transform(far).argmin(axis=1), model.labels_)


def test_fewer_distinct_samples_than_clusters_warn_as_scikit_learn_does() -> None:
    X = np.repeat([[0.0], [1.0]], 5, axis=0)
    with pytest.warns(ConvergenceWarning, match="only 2 distinct samples.*n_clusters=3") as caught:
        KMeans(3, random_state=0).fit(X)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_an_array_as_start_with_restarts_warns_as_scikit_learn_does(X: Array) -> None:
    with pytest.warns(RuntimeWarning, match="n_init=5"):
        KMeans(3, init=X[:3], n_init=5).fit(X)


def test_a_callable_start_is_called_as_scikit_learn_calls_it(X: Array) -> None:
    seen: list[Any] = []

    def init(X: Array, n_clusters: int, random_state: np.random.RandomState) -> Array:
        seen.append((type(X), type(random_state)))
        return X[random_state.randint(len(X), size=n_clusters)]

    models = [KMeans(3, init=init, random_state=0).fit(data) for data in (X, X.tolist(), X)]
    assert set(seen) == {(np.ndarray, np.random.RandomState)}
    assert len(seen) == 30
    np.testing.assert_array_equal(models[0].labels_, models[1].labels_)


def test_no_random_state_draws_from_numpys_global_state_as_in_scikit_learn(X: Array) -> None:
    starts = []
    for _ in range(2):
        np.random.seed(1)  # noqa: NPY002
        starts.append(KMeans(8, max_iter=1).fit(X).cluster_centers_)
    np.testing.assert_array_equal(*starts)
    assert not np.array_equal(starts[0], KMeans(8, max_iter=1).fit(X).cluster_centers_)


def test_repetition_and_weight_give_the_same_fit_of_a_small_X(X: Array) -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        weight = rng.integers(0, 4, 60)
        repeated = rng.permutation(X[:60].repeat(weight, axis=0))
        ours = KMeans(4, random_state=seed).fit(X[:60], sample_weight=weight)
        np.testing.assert_allclose(ours.cluster_centers_, KMeans(4, random_state=seed).fit(repeated).cluster_centers_)


def test_the_result_says_what_ran_for_elkan(X: Array) -> None:
    model = KMeans(3, algorithm="elkan", random_state=0).fit(X)
    assert model.algorithm == "elkan"
    assert model.result_.algorithm == kmeans(X, 3, random_state=0).algorithm
    np.testing.assert_array_equal(model.labels_, KMeans(3, random_state=0).fit(X).labels_)


def test_verbose_prints_a_line_for_each_iteration(X: Array, capsys: pytest.CaptureFixture[str]) -> None:
    model = KMeans(3, random_state=0, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    assert lines[0].startswith("iteration 1: inertia ")
    KMeans(3, random_state=0, verbose=1, n_init=2).fit(X)
    assert "Restart 2 of 2, iteration 1: inertia " in capsys.readouterr().out


# Inside scikit-learn's tools


def test_a_fitted_model_survives_pickle_and_joblib(X: Array, tmp_path: Path) -> None:
    model = KMeans(3, random_state=0).fit(X)
    joblib.dump(model, tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model")):
        np.testing.assert_array_equal(copy.predict(X), model.labels_)
        np.testing.assert_array_equal(copy.result_.distances, model.result_.distances)
        assert copy.get_params() == model.get_params()


def test_fits_in_threads_and_in_processes_are_those_of_one(X: Array) -> None:
    expected = [KMeans(3, random_state=seed).fit(X).inertia_ for seed in range(4)]
    for prefer in ("threads", "processes"):
        models = joblib.Parallel(n_jobs=2, prefer=prefer)(
            joblib.delayed(KMeans(3, random_state=seed).fit)(X) for seed in range(4)
        )
        assert [model.inertia_ for model in models] == expected


def test_an_unfitted_model_says_so(X: Array) -> None:
    for method in ("predict", "transform", "score"):
        with pytest.raises(NotFittedError, match="KMeans instance is not fitted"):
            getattr(KMeans(), method)(X)


def test_a_grid_search_over_clusters_prefers_more(X: Array) -> None:
    search = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 6], "init": ["random"]}, cv=3)
    assert search.fit(X).best_params_["n_clusters"] == 6
    pipeline = make_pipeline(StandardScaler(), KMeans(2, random_state=0))
    assert (cross_val_score(pipeline, X, cv=3) < 0).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_names_the_columns(X: Array, library: str) -> None:
    frames = pytest.importorskip(library)
    model = KMeans(3, random_state=0).set_output(transform=library)
    out = model.fit_transform(X)
    assert isinstance(out, frames.DataFrame)
    assert list(out.columns) == ["kmeans0", "kmeans1", "kmeans2"]
    np.testing.assert_array_equal(out.to_numpy(), model.set_output(transform="default").transform(X))


def test_sample_weight_is_routed_through_a_pipeline(X: Array) -> None:
    weight = np.random.default_rng(0).uniform(0.0, 2.0, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        step = KMeans(3, random_state=0).set_fit_request(sample_weight=True)
        step.set_score_request(sample_weight=False)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = Pipeline([("scale", scaler), ("cluster", step)])
        pipeline.fit(X, sample_weight=weight)
    expected = KMeans(3, random_state=0).fit(StandardScaler().fit_transform(X), sample_weight=weight)
    np.testing.assert_array_equal(pipeline["cluster"].labels_, expected.labels_)


def test_the_html_of_a_notebook_names_the_parameters(X: Array) -> None:
    html = KMeans(3, n_threads=2).fit(X)._repr_html_()
    assert "KMeans" in html
    assert "n_threads" in html
    assert repr(KMeans(3, n_threads=2)) == "KMeans(n_clusters=3, n_threads=2)"


# scikit-learn's callbacks


class Recorder:
    """A callback that notes every task, and stops at a given iteration."""

    def __init__(self, stop_at: int = 0) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.scores: list[float] = []
        self.stop_at, self.set_up, self.torn_down = stop_at, 0, 0

    def setup(self, estimator: Any, context: Any) -> None:
        self.set_up += 1

    def teardown(self, estimator: Any, context: Any) -> None:
        self.torn_down += 1

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator: Any, context: Any, *, X: Any, metadata: Any, fitted_estimator: Any) -> bool:
        self.ended.append(context.task_name)
        self.scores.append(fitted_estimator.score(X, **(metadata or {})))
        return self.ended.count("iteration") == self.stop_at


class Propagated(Recorder):
    """One that a meta-estimator hands on to its steps."""

    max_propagation_depth = None

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:  # type: ignore[override]
        self.ended.append(context.task_name)


@needs_callbacks
def test_callbacks_see_the_fit_its_restarts_and_their_iterations(X: Array) -> None:
    recorder = Recorder()
    model = KMeans(3, n_init=2, random_state=0).set_callbacks(recorder)
    model.fit(X, sample_weight=np.full(len(X), 2.0))
    tasks = recorder.begun
    assert (tasks.count("fit"), tasks.count("restart")) == (1, 2)
    assert tasks.count("iteration") == sum(run.n_iter for run in model.result_.restarts)
    assert sorted(tasks) == sorted(recorder.ended)
    assert (tasks[0], recorder.ended[-1]) == ("fit", "fit")
    assert (recorder.set_up, recorder.torn_down) == (1, 1)
    assert recorder.scores[-1] == pytest.approx(-model.inertia_)


@needs_callbacks
def test_a_callback_that_returns_true_ends_the_fit(X: Array) -> None:
    model = KMeans(6, init=X[:6], random_state=0, tol=0).set_callbacks(Recorder(stop_at=3)).fit(X)
    assert (model.n_iter_, model.result_.stop_reason) == (3, "callback")
    np.testing.assert_array_equal(model.predict(X), model.labels_)


@needs_callbacks
def test_callbacks_are_torn_down_after_an_error(X: Array) -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="n_clusters"):
        KMeans(1000).set_callbacks(recorder).fit(X)
    assert recorder.set_up == recorder.torn_down == 1


@needs_callbacks
def test_callbacks_do_not_change_the_fit_and_reach_into_pipelines(X: Array) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = KMeans(3, random_state=0).fit(X)
        model = KMeans(3, random_state=0).set_callbacks(Recorder())
        np.testing.assert_array_equal(make_pipeline(model).fit(X)[-1].labels_, plain.labels_)
    propagated = Propagated()
    make_pipeline(StandardScaler(), KMeans(3)).set_callbacks(propagated).fit(X)
    assert "iteration" in propagated.ended
    monitor = ScoringMonitor(scoring=lambda estimator, X, y: estimator.score(X))
    KMeans(3, random_state=0).set_callbacks(monitor).fit(X)
    assert len(monitor.get_logs().data) == plain.n_iter_ + 2  # the restart and the fit
