"""The result: what it says, that it is frozen, what it carries when it is pickled."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from kmeans_fast import KMeansResult, Restart, kmeans


@pytest.fixture
def fitted(blobs):
    X = blobs(300, 3, 4)
    return X, kmeans(X, 4, init="random", n_init=5, random_state=0)


def test_fields_have_their_types_and_shapes(fitted):
    _, r = fitted
    assert isinstance(r, KMeansResult)
    shapes = {name: (getattr(r, name).shape, getattr(r, name).dtype) for name in ("centroids", "labels", "counts")}
    assert shapes == {"centroids": ((4, 3), float), "labels": ((300,), np.int32), "counts": ((4,), np.int64)}
    assert r.inertia_history.shape == (r.n_iter,)
    assert r.inertia_history.dtype == np.float64
    assert (type(r.inertia), type(r.n_iter), type(r.converged), type(r.memory)) == (float, int, bool, int)
    assert all(isinstance(restart, Restart) for restart in r.restarts)


def test_a_field_cannot_be_set(fitted):
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted[1].inertia = 0.0


def test_distances_are_those_to_the_samples_own_centroids(fitted):
    X, r = fitted
    np.testing.assert_allclose(r.distances, np.linalg.norm(X - r.centroids[r.labels], axis=1), rtol=1e-13)
    assert (r.distances**2).sum() == pytest.approx(r.inertia, rel=1e-12)


def test_distances_of_float32_far_from_the_origin_keep_their_digits(blobs):
    X = (blobs(300, 3, 4) + 1e6).astype(np.float32)
    r = kmeans(X, 4, random_state=0)
    expected = np.linalg.norm(X.astype(np.float64) - r.centroids[r.labels], axis=1)
    np.testing.assert_allclose(r.distances, expected, rtol=1e-12)


def test_pickling_keeps_everything_but_x(fitted):
    X, r = fitted
    data = pickle.dumps(r)
    again = pickle.loads(data)
    assert len(data) < X.nbytes + 300 * 8 + 4000
    for f in dataclasses.fields(r):
        if f.name != "_X":
            np.testing.assert_array_equal(getattr(again, f.name), getattr(r, f.name))
    np.testing.assert_array_equal(again.distances, r.distances)
    np.testing.assert_array_equal(again.predict(X), r.labels)
    assert (again.times_found, repr(again)) == (r.times_found, repr(r))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).distances, r.distances)


def test_repr_says_in_one_line_how_it_went(fitted):
    text = repr(fitted[1])
    assert text.startswith("KMeansResult(n_clusters=4, n_features=3, n_samples=300, inertia=")
    assert "best of 5 found" in text
    assert "\n" not in text
    assert len(text) < 200


def test_a_single_restart_was_found_once_and_its_repr_does_not_mention_restarts(blobs):
    r = kmeans(blobs(), 3, random_state=0)
    assert (r.times_found, r.best_restart, len(r.restarts)) == (1, 0, 1)
    assert "best of" not in repr(r)


def test_perfect_restarts_all_count_as_found():
    r = kmeans(np.arange(3.0)[:, None].repeat(5, axis=0), 3, n_init=4, random_state=0)
    assert (r.inertia, r.times_found) == (0.0, 4)


def test_ids_of_another_length_are_refused(fitted):
    with pytest.raises(ValueError, match=r"^ids has 2 entries and must have n_samples=300\.$"):
        fitted[1].to_frame(ids=[1, 2])


def test_a_result_is_not_changed_by_the_next_fit(fitted):
    X, r = fitted
    kept = r.labels.copy(), r.centroids.copy()
    kmeans(X, 4, random_state=9)
    np.testing.assert_array_equal(r.labels, kept[0])
    np.testing.assert_array_equal(r.centroids, kept[1])
