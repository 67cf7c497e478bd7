"""The model file: what goes in comes out, and nothing else is believed."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kmeans_fast.files import FileError, Model, load_model, save_model
from kmeans_fast.files.model import KIND

CENTROIDS = np.array([[1.5, -2.0], [1e300, 4.0], [0.0, np.nextafter(0, 1)]])


def forged(header: object, data: bytes = b"", *, schema: int = 1) -> bytes:
    """Make a file whose digest is right, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    whole = struct.pack("<8sII", KIND.magic, schema, len(text)) + text + data
    return whole + hashlib.sha256(whole).digest()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f8"])
def test_a_model_comes_back_bit_for_bit(tmp_path: Path, dtype: Any) -> None:
    centroids = np.array([[1.5, -2.0, 0.1], [3e30, 4.0, 0.0]]).astype(dtype)
    names = ("a", "é,\n", "")
    save_model(Model(centroids, names, {"inertia": 0.1, "n": [1, None]}), tmp_path / "m")
    model = load_model(tmp_path / "m")
    np.testing.assert_array_equal(model.centroids, centroids)
    assert model.centroids.dtype == np.dtype(dtype).newbyteorder("=")
    assert model.centroids.flags.writeable
    assert model.feature_names == names
    assert model.metadata == {"inertia": 0.1, "n": [1, None]}


def test_results_estimators_and_arrays_can_be_saved(tmp_path: Path) -> None:
    estimator = SimpleNamespace(cluster_centers_=CENTROIDS, feature_names_in_=np.array(["x", "y"]))
    result = SimpleNamespace(centroids=np.asfortranarray(CENTROIDS), feature_names=None)
    named = SimpleNamespace(centroids=CENTROIDS, feature_names=("x", "y"))
    for i, what in enumerate([estimator, result, CENTROIDS, CENTROIDS.tolist(), named]):
        save_model(what, tmp_path / f"m{i}")
        np.testing.assert_array_equal(load_model(tmp_path / f"m{i}").centroids, CENTROIDS)
    assert load_model(tmp_path / "m0").feature_names == ("x", "y")
    assert load_model(tmp_path / "m1").feature_names is None
    assert load_model(tmp_path / "m4").feature_names == ("x", "y")


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    save_model(CENTROIDS, tmp_path / "a", metadata={"b": 1, "a": 2})
    save_model(CENTROIDS, tmp_path / "b", metadata={"a": 2, "b": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_flipped_bit_and_every_truncation_is_detected(tmp_path: Path) -> None:
    path = tmp_path / "m"
    save_model(CENTROIDS, path, feature_names=["a", "b"])
    whole = path.read_bytes()
    for i in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[i // 8] ^= 1 << i % 8
        path.write_bytes(flipped)
        with pytest.raises(FileError, match=r"m (is|has)"):
            load_model(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match=r"m is"):
            load_model(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(FileError, match="damaged"):
        load_model(path)


GOOD = {"dtype": "<f8", "feature_names": None, "metadata": {}, "n_clusters": 1, "n_features": 1}
ONE = struct.pack("<d", 1)


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({"n_clusters": 2**40, "n_features": 2**40}, ONE),
        ({"n_clusters": -1, "n_features": -1}, ONE),
        ({"n_clusters": True}, ONE),
        ({"n_clusters": 1.0}, ONE),
        ({"n_clusters": 0}, b""),
        ({"dtype": "|O8"}, ONE),
        ({"dtype": ["<f8"]}, ONE),
        ({"metadata": []}, ONE),
        ({"feature_names": [1]}, ONE),
        ({"feature_names": ["a", "b"]}, ONE),
        ({"feature_names": "a"}, ONE),
        ({"more": 1}, ONE),
        ({}, struct.pack("<d", float("nan"))),
    ],
)
def test_a_header_that_lies_is_refused_although_its_digest_is_right(
    tmp_path: Path, changes: dict[str, object], data: bytes
) -> None:
    (tmp_path / "m").write_bytes(forged(GOOD, ONE))
    assert load_model(tmp_path / "m").centroids == 1
    (tmp_path / "m").write_bytes(forged(GOOD | changes, data))
    with pytest.raises(FileError, match="makes no sense"):
        load_model(tmp_path / "m")


def test_a_preparation_beyond_float64_is_refused(tmp_path: Path) -> None:
    rule = {"name": "a", "fill": None, "categories": None}
    header = GOOD | {"preparation": {"rules": [rule], "mean": [10**400], "scale": [1.0]}}
    (tmp_path / "m").write_bytes(forged(header, ONE, schema=2))
    with pytest.raises(FileError, match="makes no sense: int too large"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b"1" * 5000])
def test_a_header_that_is_no_header_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "m").write_bytes(forged(text))
    with pytest.raises(FileError, match="makes no sense"):
        load_model(tmp_path / "m")


def test_other_files_and_later_schemas_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(FileError, match="not a kmeans_fast model"):
        load_model(tmp_path / "m")
    (tmp_path / "m").write_bytes(forged(GOOD, ONE, schema=3))
    with pytest.raises(FileError, match="schema 3"):
        load_model(tmp_path / "m")


def test_a_file_past_its_size_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^A model file of \d+ bytes must be <= 4294967296, its header of \d+ <= "):
        save_model(CENTROIDS, tmp_path / "m", feature_names=["x" * (1 << 24), "y"])
    assert list(tmp_path.iterdir()) == []


def test_centroids_that_are_none_are_not_saved(tmp_path: Path) -> None:
    for bad, said in (
        ([1.0, 2.0], r"centroids has shape \(2,\)"),
        ([[1.0, np.inf]], "centroids has inf in row 0, column 1; it must be finite."),
        (np.empty((0, 2)), r"centroids has shape \(0, 2\)"),
    ):
        with pytest.raises(ValueError, match=said):
            save_model(bad, tmp_path / "m")
    with pytest.raises(TypeError, match=r"^model must be an array of numbers: .*, not 'object'\.$"):
        save_model(object(), tmp_path / "m")
    with pytest.raises(ValueError, match=r"feature_names has 3 entries and must have n_features=1"):
        save_model([[1.0]], tmp_path / "m", feature_names=["a", "b", "c"])
    assert os.listdir(tmp_path) == []
