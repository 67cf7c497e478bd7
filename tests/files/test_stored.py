"""The commands read HDF5, Zarr and Parquet that memory would not hold in blocks, with the labels of a .npy file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py")
pytest.importorskip("pyarrow")
pytest.importorskip("typer")
pytest.importorskip("zarr")

import h5py
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from typer.testing import CliRunner

from kmeans_fast.cli import app
from kmeans_fast.files import FileError, read_points


@pytest.fixture
def X(blobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    X = np.abs(blobs(600, 3, 4))
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", X)
    with h5py.File("X.h5", "w") as file:
        file.create_dataset("X", data=X, chunks=(50, 2))
        file["deep/first"] = X[:100]
    zarr.save("X.zarr", X)
    columns = {"id": [f"p{i}" for i in range(600)], "w": np.arange(600.0), **dict(zip("abc", X.T, strict=True))}
    pq.write_table(pa.table(columns), "X.parquet", row_group_size=77)
    return X


def run(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, list(arguments))
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def labels(*arguments: str) -> Any:
    run("cluster", *arguments, "-k", "4", "--seed", "0", "-o", "labels.npy", "--force", "-q")
    return np.load("labels.npy")


def test_every_command_reads_hdf5_and_zarr(X):
    expected = labels("X.npy", "--save-model", "m.kmf")
    for given in (["X.zarr"], ["X.h5", "--dataset", "X"]):
        np.testing.assert_array_equal(labels(*given), expected)
        run("predict", "m.kmf", *given, "-o", "p.npy", "--force", "-q")
        np.testing.assert_array_equal(np.load("p.npy"), expected)
    np.testing.assert_array_equal(labels("X.zarr", "--standardize"), labels("X.npy", "--standardize"))
    np.testing.assert_array_equal(
        labels("X.zarr", "--columns", "x2,x0", "--weights", "x1", "--plot", "p.png"),
        labels("X.npy", "--columns", "x2,x0", "--weights", "x1"),
    )
    assert len(labels("X.h5", "--dataset", "deep/first")) == 100


def test_centroids_of_a_start_are_read_from_hdf5(X):
    np.save("c.npy", X[[0, 200, 400, 500]])
    with h5py.File("c.h5", "w") as file:
        file["c"] = X[[0, 200, 400, 500]]
    for more in ((), ("--standardize",)):
        found, expected = (labels("X.npy", "--init", name, *more) for name in ("c.h5", "c.npy"))
        np.testing.assert_array_equal(found, expected)


def test_an_id_column_of_hdf5_is_taken(X):
    points = read_points("X.h5", dataset="X", id_column="x1")
    np.testing.assert_array_equal(points.ids, X[:, 1])
    assert points.feature_names == ["x0", "x2"]
    np.testing.assert_array_equal(np.asarray(points.X), X[:, [0, 2]])


def test_what_of_hdf5_can_not_be_used_is_one_line(X):
    with pytest.raises(
        FileError, match=r"X\.h5 has the two-dimensional datasets 'X', 'deep/first'; say which, as --dataset"
    ):
        read_points("X.h5")
    with pytest.raises(FileError, match=r"X\.h5 has no dataset 'Y'"):
        read_points("X.h5", dataset="Y")
    with h5py.File("T.h5", "w") as file:
        file["v"], file["t"] = np.arange(3.0), np.array([[b"a"]])
    with pytest.raises(FileError, match=r"T\.h5 has an array of shape \(3,\) and dtype float64; it must be"):
        read_points("T.h5", dataset="v")
    with pytest.raises(FileError, match=r"T\.h5 has an array of shape \(1, 1\) and dtype .*; it must be"):
        read_points("T.h5")
    Path("X.h5").write_bytes(Path("X.h5").read_bytes()[:-9])
    with pytest.raises(FileError, match=r"X\.h5 can't be read as HDF5: .*truncated"):
        read_points("X.h5", dataset="X")


def test_parquet_that_memory_would_not_hold_is_read_in_blocks(X, monkeypatch):
    options = (
        "X.parquet",
        "--id-column",
        "id",
        "--weights",
        "w",
        "-k",
        "4",
        "--seed",
        "0",
        "-q",
        "--force",
        "--details",
    )
    run("cluster", *options, "-o", "held.csv", "--summary", "held.json", "--plot", "held.png")
    monkeypatch.setenv("KMEANS_FAST_MEMORY", "14000")  # X has 14,400 bytes
    assert not isinstance(read_points("X.parquet", list("abc")).X, np.ndarray)
    run("cluster", *options, "-o", "read.csv", "--summary", "read.json", "--plot", "read.png")
    assert Path("read.csv").read_bytes() == Path("held.csv").read_bytes()
    told = [json.loads(Path(name).read_text()) for name in ("held.json", "read.json")]
    assert told[0]["inertia"] == told[1]["inertia"]
    assert Path("read.png").read_bytes() == Path("held.png").read_bytes()


def test_a_value_that_is_not_finite_is_named_when_it_is_read_in_blocks(X, monkeypatch):
    monkeypatch.setenv("KMEANS_FAST_MEMORY", "100")
    pq.write_table(pa.table({"a": [0.0] * 50 + [None], "b": range(51)}), "N.parquet", row_group_size=20)
    outcome = CliRunner().invoke(app, ["cluster", "N.parquet", "-k", "2"])
    assert outcome.exit_code == 1
    assert "N.parquet: X contains NaN in row 50, column 0 ('a');" in outcome.output
