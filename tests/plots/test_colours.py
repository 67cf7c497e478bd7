"""Colours are told apart by every eye."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import matplotlib as mpl

from kmeans_fast import plots

# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB: what an eye sees that lacks one kind of cone.
BLIND = {
    "red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colours):
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("k", [1, 2, 8, 9, 30, 100, 1000])
def test_palette_has_one_valid_colour_a_cluster(k):
    colours = plots.palette(k)
    assert colours.shape == (k, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert len(np.unique(colours.round(6), axis=0)) == k


def test_palette_starts_with_okabe_and_ito_and_is_empty_for_no_clusters():
    assert [mpl.colors.to_hex(c) for c in plots.palette(8)] == list(plots.OKABE_ITO)
    np.testing.assert_array_equal(plots.palette(3), plots.palette(8)[:3])
    assert plots.palette(0).shape == (0, 3)


@pytest.mark.parametrize("kind", BLIND)
def test_palette_is_told_apart_by_an_eye_blind_to_a_colour(kind):
    seen = linear(plots.palette(8)) @ np.transpose(BLIND[kind])
    gaps = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(8, 1)]
    assert gaps.min() > 0.05


def test_that_measure_sees_the_trouble_with_red_and_green():
    red_and_green = linear(np.array([[0.84, 0.15, 0.16], [0.30, 0.45, 0.14]])) @ np.transpose(BLIND["red"])
    assert np.linalg.norm(red_and_green[0] - red_and_green[1]) < 0.1
