"""What all variants share, by a variant that keeps its start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from kmeans_fast import SphericalKMeans, TrimmedKMeans, _problem
from kmeans_fast._predict import own_distances, predict
from kmeans_fast._problem import Problem
from kmeans_fast.variants._base import Run, Variant

Array = NDArray[Any]


class Start(Variant):
    """Centers are where seeding put them."""

    def _run(self, problem: Any, rng: np.random.Generator) -> Run:
        self.cluster_centers_ = self._start(problem, rng)
        labels = self._predict(problem.samples)
        objective = self._objective(problem.samples, labels, problem.weight)
        return Run(self.cluster_centers_, labels, objective, 1, "labels unchanged")

    def _predict(self, samples: Any) -> NDArray[np.int32]:
        return predict(samples, self.cluster_centers_, self.n_threads)

    def _objective(self, samples: Any, labels: Any, weight: Any) -> float:
        return float(np.sum(own_distances(samples, self.cluster_centers_, labels, 1) ** 2))


@pytest.fixture(scope="module")
def X() -> Array:
    return np.random.default_rng(0).normal(size=(200, 3))


def test_the_restart_with_the_lowest_objective_is_kept(X: Array) -> None:
    model = Start(4, n_init=7, random_state=3).fit(X)
    assert len(model.restarts_) == 7
    assert model.inertia_ == min(run.inertia for run in model.restarts_) == -model.score(X)
    np.testing.assert_array_equal(model.labels_, model.predict(X))


def test_auto_is_ten_restarts_of_random_starts_and_one_of_good_ones(X: Array) -> None:
    assert [len(Start(4, init=init).fit(X).restarts_) for init in ("random", "k-means++", X[:4])] == [10, 1, 1]
    with pytest.warns(RuntimeWarning, match="n_init=3 with an array"):
        assert len(Start(4, init=X[:4], n_init=3).fit(X).restarts_) == 1


def test_a_callable_init_is_called_as_scikit_learn_does(X: Array) -> None:
    model = Start(2, init=lambda X, k, random_state: X[random_state.permutation(len(X))[:k]], random_state=1).fit(X)
    assert all((center == X).all(axis=1).any() for center in model.cluster_centers_)


def test_a_parameter_out_of_range_is_named(X: Array) -> None:
    with pytest.raises(ValueError, match=r"n_clusters=201 must be <= n_samples=200\."):
        Start(201).fit(X)
    with pytest.raises(ValueError, match="max_iter"):
        Start(2, max_iter=0).fit(X)
    with pytest.raises(NotFittedError):
        clone(Start()).predict(X)


@pytest.mark.parametrize("kind", [SphericalKMeans, TrimmedKMeans])
def test_a_run_that_turns_to_boxes_ends_as_one_that_does_not(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(0).standard_normal((3000, 3))
    model, use_boxes, turned = kind(30, n_init=1, random_state=0), Problem.use_boxes, []
    dense = clone(model).fit(X)
    monkeypatch.setattr(Problem, "use_boxes", lambda *given: turned.append(use_boxes(*given)))
    monkeypatch.setattr(_problem, "PASSES_BEFORE_BOXES", 2)
    monkeypatch.setattr(_problem, "pays", lambda *given: True)
    boxed = model.fit(X)
    assert len(turned) == 1
    np.testing.assert_array_equal(boxed.labels_, dense.labels_)
    np.testing.assert_array_equal(boxed.cluster_centers_, dense.cluster_centers_)
