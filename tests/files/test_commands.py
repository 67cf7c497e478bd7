"""The commands in this process: what they refuse, and files that come by other ways than a name on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")
pytest.importorskip("typer")

from PIL import Image
from typer.testing import CliRunner

import kmeans_fast
from kmeans_fast.cli import app
from kmeans_fast.files import load_model

X = (
    np.random.default_rng(0)
    .normal([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]] * np.ones((20, 1, 1)))
    .reshape(-1, 3)
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", X)


def run(*arguments: object, stdin: bytes | None = None, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    assert outcome.exit_code == code, outcome.output
    return " ".join(outcome.output.split())


def labels(*arguments: object, stdin: bytes | None = None) -> Any:
    run("cluster", *arguments, "-k", 3, "--seed", 0, "-qfo", "labels.npy", stdin=stdin)
    return np.load("labels.npy")


def test_weights_come_from_a_file_of_their_own() -> None:
    weight = np.arange(60.0)
    np.save("w.npy", weight)
    expected = kmeans_fast.kmeans(X, 3, sample_weight=weight, random_state=0)
    np.testing.assert_array_equal(labels("X.npy", "--weights", "w.npy"), expected.labels)
    labels("X.npy", "--weights", "w.npy", "--standardize", "--save-model", "m.kmf")
    made = load_model("m.kmf").preparation
    assert made is not None
    np.testing.assert_allclose(made["mean"], np.average(X, axis=0, weights=weight))


def test_an_array_comes_by_a_pipe() -> None:
    for array in (X, np.asfortranarray(X), X.astype(">f4")):
        np.save("Y.npy", array)
        piped = labels("-", stdin=Path("Y.npy").read_bytes())
        np.testing.assert_array_equal(piped, labels("Y.npy"))


def test_labels_of_an_earlier_model_without_names_are_kept() -> None:
    first = labels("X.npy", "--save-model", "m.kmf")
    run("cluster", "X.npy", "-k", 3, "--seed", 5, "--order", "m.kmf", "-qfo", "labels.npy")
    np.testing.assert_array_equal(np.load("labels.npy"), first)


def test_the_version_is_told() -> None:
    assert run("--version") == f"kmeans-fast {kmeans_fast.__version__}"


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MemoryError("no room for labels")

    monkeypatch.setattr(kmeans_fast, "kmeans", refuse)
    assert run("cluster", "X.npy", "-k", 3, code=1) == "kmeans-fast: not enough memory: no room for labels"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("cluster", "X.npy", "-k", 2, "--columns", "x1", "--plot", "p.png"), 1,
         "X.npy has one column of points; --plot needs two."),
        (("cluster", "a.png", "-k", 2, "--columns", "red,blue", "-o", "b.png"), 2,
         "--output b.png needs all of red, green, blue in --columns."),
        (("cluster", "X.npy", "-k", 2, "--save-model", "-"), 2, "--save-model must be a file, not standard output."),
        (("predict", "-", "-"), 2, "MODEL and INPUT can't both be standard input."),
        (("predict", "prepared.kmf", "narrow.npy"), 1, "narrow.npy has 2 columns of points and must have 3: "),
        (("cluster", "deep.npy", "-k", 2), 1,
         "deep.npy has shape (2, 2, 2) and must be (n_samples >= 1, n_features >= 1)."),
        (("cluster", "empty.npy", "-k", 2), 1,
         "empty.npy has shape (0, 2) and must be (n_samples >= 1, n_features >= 1)."),
        (("cluster", "infinite.npy", "-k", 2, "--standardize"), 1,
         "infinite.npy, row 1, column 'x0': inf is not finite."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(arguments: tuple[Any, ...], code: int, message: str) -> None:
    Image.new("RGB", (4, 4)).save("a.png")
    np.save("narrow.npy", X[:, :2])
    np.save("deep.npy", np.zeros((2, 2, 2)))
    np.save("empty.npy", np.empty((0, 2)))
    np.save("infinite.npy", np.array([[1.0], [np.inf], [2.0]]))
    labels("X.npy", "--standardize", "--save-model", "prepared.kmf")
    assert f"kmeans-fast: {message}" in run(*arguments, code=code)
