"""The curve of a run."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from kmeans_fast import plots


def test_convergence_draws_the_inertia_of_each_iteration(ax):
    plots.convergence(SimpleNamespace(inertia_history=np.array([9.0, 5.0, 4.0])), ax)
    np.testing.assert_array_equal(np.transpose(ax.lines[0].get_data()), [[1, 9], [2, 5], [3, 4]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", "inertia")
    assert all(float(tick).is_integer() for tick in ax.get_xticks())
