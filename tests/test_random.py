"""Random states: every kind that the field uses, shared and moved on, and never the global one."""

from __future__ import annotations

import numpy as np
import pytest

from kmeans_fast import kmeans
from kmeans_fast._random import as_generator


def history(X, random_state):
    return kmeans(X, 8, random_state=random_state).inertia_history.tolist()


def test_an_int_a_numpy_int_and_a_generator_of_that_seed_give_the_same_fit(blobs):
    X = blobs()
    assert history(X, 3) == history(X, np.int64(3)) == history(X, np.random.default_rng(3))
    assert history(X, 3) == history(X, np.random.SeedSequence(3))


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_moves_on_and_repeats_from_its_seed(blobs, make):
    X, rng = blobs(), make(0)
    first, second = history(X, rng), history(X, rng)
    assert first != second
    rng = make(0)
    assert [history(X, rng), history(X, rng)] == [first, second]


def test_none_differs_from_fit_to_fit_and_leaves_the_global_state_alone(blobs):
    X = blobs()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert len({tuple(history(X, None)) for _ in range(5)}) > 1
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_restarts_draw_from_one_stream_and_differ(blobs):
    r = kmeans(blobs(400, 2, 12), 12, init="random", n_init=6, random_state=0)
    assert len({restart.inertia for restart in r.restarts}) > 1


@pytest.mark.parametrize("value", ["x", 1.5, True, [1], np.random.PCG64(1)])
def test_another_kind_is_refused_by_its_name_and_value(value):
    with pytest.raises(
        TypeError, match=r"^random_state=.* must be None, an int, a numpy RandomState or a Generator\.$"
    ):
        as_generator(value)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match=r"^random_state=-1 must be >= 0\.$"):
        as_generator(-1)
