"""Sums in a fixed order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kmeans_fast.distributed import _tree


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 37])
def test_any_cut_into_runs_and_any_order_of_merging_gives_the_same_bits(n: int) -> None:
    rng = np.random.default_rng(n)
    leaves = rng.standard_normal((n, 2)) * 10.0 ** rng.integers(-8, 8, (n, 1))
    whole = _tree.total(_tree.merge([[(0, i, leaves[i])] for i in range(n)]))
    for _ in range(30):
        cuts = np.unique(np.concatenate([[0, n], rng.integers(0, n + 1, 4)]))
        runs = [_tree.merge([[(0, i, leaves[i])] for i in range(a, b)]) for a, b in itertools.pairwise(cuts)]
        while len(runs) > 1:
            at = int(rng.integers(len(runs) - 1))
            runs[at : at + 2] = [_tree.merge(runs[at : at + 2])]
        np.testing.assert_array_equal(_tree.total(runs[0]), whole)
        assert len(runs[0]) <= n.bit_length()
    np.testing.assert_allclose(whole, leaves.sum(axis=0), rtol=1e-12)
