"""The command line, run as a process on real files."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
pytest.importorskip("pyarrow")

import pyarrow.parquet as pq
from PIL import Image

from kmeans_fast.files import load_model

# Three clusters of points that can't be told wrong, with ids, a weight and a column of text.
CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
TRUE = np.arange(60) % 3
X = CENTRES[TRUE] + np.random.default_rng(0).uniform(-1, 1, (60, 2)).round(3)


def run(
    *arguments: object,
    folder: Path,
    stdin: bytes | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "kmeans_fast", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=folder,
        input=stdin,
        env=os.environ | (env or {}),
        capture_output=True,
        check=False,
        timeout=60,
    )


def done(*arguments: object, folder: Path, stdin: bytes | None = None) -> str:
    """Run what must succeed; return its standard output."""
    process = run(*arguments, folder=folder, stdin=stdin)
    assert process.returncode == 0, process.stderr.decode()
    return process.stdout.decode()


def refused(
    *arguments: object,
    folder: Path,
    stdin: bytes | None = None,
    env: dict[str, str] | None = None,
    code: int = 1,
) -> str:
    """Run what must fail, having written nothing; return the one line on standard error."""
    before = sorted(os.listdir(folder))
    process = run(*arguments, folder=folder, stdin=stdin, env=env)
    message = process.stderr.decode()
    assert process.returncode == code, message
    assert process.stdout == b""
    assert message.count("\n") == 1, message
    assert message.startswith("kmeans-fast: ")
    assert sorted(os.listdir(folder)) == before
    return message.removeprefix("kmeans-fast: ").rstrip("\n")


def same_partition(labels: object) -> bool:
    pairs = set(zip(np.asarray(labels).tolist(), TRUE.tolist(), strict=True))
    return len(pairs) == 3


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """Return a CSV file of the points."""
    with (tmp_path / "points.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["name", "x", "y", "kind", "w"])
        rows.writerows([f"p{i:03}", *row, "k", 1 + i % 2] for i, row in enumerate(X.tolist()))
    return tmp_path / "points.csv"


def test_a_table_is_clustered_into_every_output_and_predicted_again(points: Path) -> None:
    folder = points.parent
    told = done(
        *("cluster", "points.csv", "-k", 3, "--columns", "x,y", "--id-column", "name"),
        *("--weights", "w", "--seed", 1, "--n-init", 4, "--threads", 1, "--tol", 0),
        *("-o", "labels.csv", "--centroids", "c.parquet", "--summary", "s.json"),
        *("--plot", "plot.png", "--save-model", "m.kmf"),
        folder=folder,
    )
    assert "best of 4 restarts found" in told
    labels = list(csv.DictReader((folder / "labels.csv").open()))
    assert [row["id"] for row in labels] == [f"p{i:03}" for i in range(60)]
    assert same_partition([row["label"] for row in labels])

    centroids = pq.read_table(folder / "c.parquet").to_pydict()
    assert list(centroids) == ["label", "x", "y"]
    mine = np.column_stack([centroids["x"], centroids["y"]])
    assigned = np.array([int(row["label"]) for row in labels])
    weight = 1 + np.arange(60) % 2
    for j in range(3):
        mean = np.average(X[assigned == j], axis=0, weights=weight[assigned == j])
        np.testing.assert_allclose(mine[j], mean, rtol=1e-12)
    distances = [float(row["distance"]) for row in labels]
    np.testing.assert_allclose(distances, np.linalg.norm(X - mine[assigned], axis=1), rtol=1e-9)

    summary = json.loads((folder / "s.json").read_text())
    np.testing.assert_allclose(summary["inertia"], weight @ np.square(distances))
    assert summary["converged"]
    assert summary["sizes"] == np.bincount(assigned).tolist()
    assert len(summary["restarts"]) == 4
    assert {"algorithm", "isa", "n_threads", "memory_bytes", "stop_reason"} <= summary.keys()
    assert Image.open(folder / "plot.png").format == "PNG"
    model = load_model(folder / "m.kmf")
    assert model.feature_names == ("x", "y")
    np.testing.assert_array_equal(model.centroids, mine)

    shuffled = b"y,other,x\n" + b"".join(b"%r,z,%r\n" % (y, x) for x, y in X.tolist())
    again = done("predict", "m.kmf", "-", "--output", "-", folder=folder, stdin=shuffled)
    rows = list(csv.DictReader(io.StringIO(again)))
    assert [int(row["label"]) for row in rows] == assigned.tolist()
    assert [row["id"] for row in rows] == [str(i) for i in range(60)]
    np.testing.assert_allclose([float(row["distance"]) for row in rows], distances, rtol=1e-12)


def test_formats_follow_the_extension_or_the_option(points: Path) -> None:
    folder = points.parent
    fit = ("cluster", "points.csv", "-k", 3, "--columns", "x", "--columns", "y", "--seed", 0, "-q")
    assert done(*fit, "-o", "l.json", "--centroids", "c.tsv", folder=folder) == ""
    assert same_partition([row["label"] for row in json.loads((folder / "l.json").read_text())])
    assert (folder / "c.tsv").read_text().startswith("label\tx\ty\n0\t")
    done(*fit, "-o", "l.npy", "--centroids", "c.npy", "--summary", "s.csv", folder=folder)
    assert same_partition(np.load(folder / "l.npy"))
    assert np.load(folder / "c.npy").shape == (3, 2)
    assert dict(csv.reader((folder / "s.csv").open()))["n_clusters"] == "3"
    piped = run(*fit, "-o", "-", "--format", "npy", folder=folder)
    np.testing.assert_array_equal(np.load(io.BytesIO(piped.stdout)), np.load(folder / "l.npy"))
    done(*fit, "-o", "labels", "--format", "parquet", folder=folder)
    assert pq.read_table(folder / "labels").column_names == ["id", "label", "distance"]


def test_centroids_written_are_centroids_to_start_from(points: Path) -> None:
    folder = points.parent
    np.save(folder / "X.npy", X)
    fit = ("cluster", "points.csv", "--columns", "y,x", "-q", "--tol", 0)
    done(*fit, "-k", 3, "--seed", 0, "--centroids", "c.csv", folder=folder)
    done(*fit, "--init", "c.csv", "--centroids", "again.csv", "--summary", "s.json", folder=folder)
    assert (folder / "c.csv").read_text() == (folder / "again.csv").read_text()
    assert json.loads((folder / "s.json").read_text())["n_iter"] <= 2
    np.save(folder / "c.npy", CENTRES)
    out = done("cluster", "X.npy", "--init", "c.npy", "-qo", "-", folder=folder)
    assert same_partition([row["label"] for row in csv.DictReader(io.StringIO(out))])
    message = refused("cluster", "X.npy", "--init", "c.npy", "-k", 4, folder=folder)
    assert message.startswith("X.npy: ")


def test_details_and_the_order_of_labels_reach_the_files(points: Path) -> None:
    folder = points.parent
    fit = ("cluster", "points.csv", "--columns", "x,y", "--id-column", "name", "-q", "--details")
    done(*fit, "-k", 3, "--seed", 5, "--order", "position", "-o", "a.csv", "--save-model", "m", folder=folder)
    rows = list(csv.DictReader((folder / "a.csv").open()))
    assert list(rows[0]) == ["id", "label", "distance", "margin", "outlier"]
    assert all(float(row["margin"]) > 5 for row in rows)
    assert {row["outlier"] for row in rows} <= {"true", "false"}
    model = load_model(folder / "m")
    assert model.metadata["order"] == "position"
    assert (np.diff(np.round(model.centroids[:, 0])) >= 0).all()
    # The columns of a later file may be in another order, and the seed may be any.
    for seed in (1, 2):
        done(*fit[:3], "y,x", *fit[4:], "-k", 3, "--seed", seed, "--order", "m", "-fo", "b.json", folder=folder)
        again = json.loads((folder / "b.json").read_text())
        assert [row["label"] for row in again] == [int(row["label"]) for row in rows]
        assert [row["id"] for row in again] == [row["id"] for row in rows]
    done(*fit, "-k", 1, "-o", "one.json", folder=folder)
    assert {row["margin"] for row in json.loads((folder / "one.json").read_text())} == {None}
    told = done("predict", "m", "points.csv", "--id-column", "name", "--details", folder=folder)
    assert told == (folder / "a.csv").read_text()


def test_an_order_that_does_not_fit_is_refused(points: Path) -> None:
    folder = points.parent
    np.save(folder / "X.npy", np.column_stack([X, X]))
    done("cluster", "points.csv", "-k", 3, "--columns", "x,y", "-q", "--save-model", "m", folder=folder)
    done("cluster", "X.npy", "-k", 3, "-q", "--save-model", "wide", folder=folder)
    fit = ("cluster", "points.csv", "-k", 3)
    cases = {
        "m was fitted on 'x', 'y'; points.csv has 'x', 'w'.": ("--columns", "x,w", "--order", "m"),
        "points.csv has 2 columns of points; wide was fitted on 4.": ("--columns", "x,y", "--order", "wide"),
        "points.csv is not a kmeans_fast model file.": ("--columns", "x,y", "--order", "points.csv"),
    }
    for message, more in cases.items():
        assert refused(*fit, *more, folder=folder) == message


def test_a_report_names_its_points_and_repeats_itself(points: Path) -> None:
    folder = points.parent
    lines = (folder / "points.csv").read_text().replace("p003", '"<b>, ""Ada"""').splitlines()
    (folder / "points.csv").write_text("\n".join(lines) + "\n")
    fit = ("report", "points.csv", "-k", 3, "--columns", "x,y", "--id-column", "name")
    assert "clusters   3" in done(*fit, folder=folder)
    page = (folder / "report.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    command = shlex.split(html.unescape(re.search("<code>(.*)</code>", page)[1]))
    assert command[0] == "kmeans-fast"
    assert command[-2] == "--seed"
    again = done(*command[1:], "-o", "-", folder=folder)  # the summary goes to standard error
    strip = re.compile("<code>.*</code>")
    assert strip.sub("", again) == strip.sub("", page)
    assert refused(*fit, folder=folder) == "report.html exists; --force overwrites it."


def test_a_report_finds_the_number_of_clusters_by_itself(points: Path) -> None:
    folder = points.parent
    assert "k=3 by ICL" in done("report", "points.csv", "--columns", "x,y", "--k-max", 4, "--seed", 0, folder=folder)
    page = (folder / "report.html").read_text()
    assert "How many clusters?" in page
    assert "in 3 clusters." in page
    np.save(folder / "u.npy", np.random.default_rng(0).random((150, 2)))
    assert "one cluster: there are none" in done("report", "u.npy", "-o", "u.html", "--seed", 0, folder=folder)
    page = (folder / "u.html").read_text()
    assert "X has no clusters" in page
    assert "How many clusters?" not in page
    np.save(folder / "c.npy", CENTRES)
    done("report", "points.csv", "--columns", "x,y", "--init", "c.npy", "-qfo", "u.html", folder=folder)
    assert "in 3 clusters." in (folder / "u.html").read_text()


def test_a_report_on_few_points_says_why_there_is_no_verdict(tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", X[:4])
    done("report", "few.npy", "-k", 2, "-qo", "r.html", folder=tmp_path)
    assert "n_samples=4 must be &gt;= 10" in (tmp_path / "r.html").read_text()


def test_a_photograph_is_drawn_in_its_new_colours(tmp_path: Path) -> None:
    colours = np.array([[240, 10, 10], [10, 240, 10], [10, 10, 240]])
    noise = np.random.default_rng(0).integers(-9, 9, (12, 9, 3))
    pixels = (colours[np.arange(108) % 3].reshape(12, 9, 3) + noise).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    fit = ("cluster", "-k", 3, "--seed", 0, "-q")
    done(*fit, "photo.png", "-o", "few.png", "--save-model", "m", folder=tmp_path)
    few = Image.open(tmp_path / "few.png")
    assert few.mode == "P"
    drawn = np.asarray(few.convert("RGB"), int)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 3
    assert np.abs(drawn - pixels).max() < 25
    done("predict", "m", "photo.png", "-o", "again.png", folder=tmp_path)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "again.png")), np.asarray(few))
    photo = (tmp_path / "photo.png").read_bytes()
    piped = run(*fit, "-", "-o", "-", "--format", "jpg", folder=tmp_path, stdin=photo)
    assert Image.open(io.BytesIO(piped.stdout)).size == (9, 12)
    done(*fit, "photo.png", "-o", "labels.npy", folder=tmp_path)
    assert np.load(tmp_path / "labels.npy").shape == (12, 9)


def test_an_existing_file_is_overwritten_only_with_force_and_said_before_the_work(
    points: Path,
) -> None:
    folder = points.parent
    (folder / "labels.csv").write_text("precious")
    fit = ("cluster", "points.csv", "-k", 3, "--columns", "x,y", "-o", "labels.csv")
    message = refused(*fit, "--centroids", "c.csv", folder=folder)
    assert message == "labels.csv exists; --force overwrites it."
    assert (folder / "labels.csv").read_text() == "precious"
    # The input isn't even looked at before.
    assert "exists" in refused("cluster", "missing.csv", "-k", 3, *fit[-2:], folder=folder)
    done(*fit, "--force", folder=folder)
    assert (folder / "labels.csv").read_text().startswith("id,label,distance\n0,")


BAD = {
    "text.csv": ("a,b\n1,2\n3,four\n", "text.csv, line 3, column 'b': 'four' is not a number"),
    "missing.csv": ("a,b\n1,\n3,4\n", "missing.csv, line 2, column 'b': missing value"),
    "ragged.csv": ("a,b\n1,2\n3\n", "ragged.csv, line 3: 1 fields"),
    "empty.csv": ("", "empty.csv is empty."),
    "short.csv": ("a,b\n1,2\n", "short.csv: n_clusters=2"),
    "noise.png": ("no picture", "noise.png is not an image"),
    "noise.npy": ("no array", "noise.npy has a damaged .npy header"),
    "noise.npz": ("no archive", "noise.npz is damaged"),
    "noise.parquet": ("no table", "noise.parquet can't be read as Parquet"),
    "gone.csv": (None, "gone.csv: No such file"),
    ".": (None, ". is a folder"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_that_names_the_place(tmp_path: Path, name: str) -> None:
    text, message = BAD[name]
    if text is not None:
        (tmp_path / name).write_text(text)
    told = refused("cluster", name, "-k", 2, "-o", "out.csv", folder=tmp_path)
    assert told.startswith(message)


def test_nan_in_an_array_is_named_with_its_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1.0, 2.0], [3.0, np.nan]]))
    told = refused("cluster", "a.npy", "-k", 2, folder=tmp_path)
    assert told.startswith("a.npy: ")
    assert "row" in told


def test_options_that_do_not_fit_together_are_told_with_code_2(points: Path) -> None:
    folder = points.parent
    fit = ("cluster", "points.csv", "--columns", "x,y")
    cases = {
        "-k is needed": (),
        "--init kmeans must be": ("-k", 2, "--init", "kmeans"),
        "--format csv needs --output": ("-k", 2, "--format", "csv"),
        "format 'xlsx' must be one of csv,": ("-k", 2, "-o", "a.xlsx"),
        "two outputs can't both go to ./a.csv": ("-k", 2, "-o", "a.csv", "--centroids", "./a.csv"),
        "is an image; the input must be one too": ("-k", 2, "-o", "a.png"),
        "--order age must be size, position or an existing model file.": ("-k", 2, "--order", "age"),
        "--details needs an --output of csv,": ("-k", 2, "--details"),
    }
    for message, more in cases.items():
        assert message in refused(*fit, *more, folder=folder, code=2)
    assert run(*fit, "-k", 0, folder=folder).returncode == 2
    assert run(*fit, "--no-such-option", folder=folder).returncode == 2


def test_auto_says_that_there_are_no_clusters_and_invents_none(tmp_path: Path) -> None:
    np.save(tmp_path / "u.npy", np.random.default_rng(0).random((150, 2)))
    told = done(
        *("cluster", "u.npy", "-k", "auto", "--seed", 0, "-o", "l.npy", "--summary", "s.json"),
        *("--save-model", "m.kmf"),
        folder=tmp_path,
    )
    assert re.search("^verdict +X has no clusters", told, re.M)
    assert re.search("^chosen +one cluster: there are none", told, re.M)
    assert not np.load(tmp_path / "l.npy").any()
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["n_clusters"] == 1
    assert summary["clusterability"]["has_clusters"] is False
    assert [e["test"] for e in summary["clusterability"]["evidence"]] == ["gap", "hopkins", "dip"]
    assert summary["choice"]["n_clusters"] == 1
    assert len(load_model(tmp_path / "m.kmf").centroids) == 1


def test_auto_chooses_the_clusters_that_are_there_and_says_how(points: Path) -> None:
    folder = points.parent
    told = done(
        *("cluster", "points.csv", "-k", "auto", "--k-max", 6, "--columns", "x,y", "--id-column", "name"),
        *("--weights", "w", "--seed", 0, "-o", "labels.csv", "--summary", "s.json"),
        folder=folder,
    )
    assert re.search("^verdict +X has clusters", told, re.M)
    assert re.search("^chosen +k=3 by ICL, of 2 to 6: ", told, re.M)
    labels = list(csv.DictReader((folder / "labels.csv").open()))
    assert same_partition([row["label"] for row in labels])
    assert labels[7]["id"] == "p007"
    choice = json.loads((folder / "s.json").read_text())["choice"]
    assert (choice["n_clusters"], choice["ks"], len(choice["curve"])) == (3, [2, 3, 4, 5, 6], 5)


def test_auto_refuses_what_it_cannot_judge(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "few.npy", X[:6])
    np.save(tmp_path / "c.npy", CENTRES)
    assert "few.npy: n_samples=6 must be >= 10" in refused("cluster", "few.npy", "-k", "auto", folder=tmp_path)
    for options, message in {
        ("-k", "auto", "--init", "c.npy"): "--init c.npy says how many clusters there are; -k auto can't choose.",
        ("-k", "3", "--k-max", "5"): "--k-max 5 needs -k auto.",
        (): "-k is needed: the number of clusters, or auto.",
    }.items():
        assert refused("cluster", "X.npy", *options, folder=tmp_path, code=2) == message
    process = run("cluster", "X.npy", "-k", "some", folder=tmp_path)
    assert process.returncode == 2
    assert b"'some' must be" in process.stderr  # then wrapped to the terminal


def test_a_table_of_texts_and_gaps_is_prepared_and_the_model_prepares_others_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        [f"p{i}", 20 + 40 * (i % 2) + rng.integers(5), 1000 * (1 + i % 2), "ab"[i % 2]] for i in range(41)
    ]  # 21 in a
    rows[3][1] = rows[4][3] = ""
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["name", "age", "income", "town"], *rows])
    assert "(cluster --impute)" in refused("cluster", "t.csv", "-k", 2, "--columns", "age,income", folder=tmp_path)
    prepare = ("--impute", "median", "--one-hot", "--standardize", "--id-column", "name", "--tol", 0)
    done(
        *("cluster", "t.csv", "-k", 2, "--seed", 0, *prepare, "-o", "l.csv", "--centroids", "c.csv"),
        *("--save-model", "m.kmf", "--summary", "s.json", "--plot", "p.png", "-q"),
        folder=tmp_path,
    )
    labels = list(csv.DictReader((tmp_path / "l.csv").open()))
    assert len({(row["label"], i % 2) for i, row in enumerate(labels)}) == 2
    centroids = {float(row["income"]): row for row in csv.DictReader((tmp_path / "c.csv").open())}
    assert sorted(centroids) == pytest.approx([1000, 2000], rel=1e-12)
    assert float(centroids[max(centroids)]["town_b"]) == pytest.approx(1)
    assert json.loads((tmp_path / "s.json").read_text())["preparation"]["rules"][1]["name"] == "income"
    predicted = list(
        csv.DictReader(io.StringIO(done("predict", "m.kmf", "t.csv", "--id-column", "name", folder=tmp_path)))
    )
    assert predicted == labels
    again = done("cluster", "t.csv", "--init", "c.csv", *prepare, "--order", "m.kmf", "-qo", "-", folder=tmp_path)
    assert [row["label"] for row in csv.DictReader(io.StringIO(again))] == [row["label"] for row in labels]
    new = b"town,age,income\nc,30,1000\n"
    assert "'c' was not there when the model was fitted" in refused("predict", "m.kmf", "-", folder=tmp_path, stdin=new)
    wrong = refused("cluster", "t.csv", "-k", 2, "--impute", "zero", folder=tmp_path, code=2)
    assert wrong == "--impute zero must be one of mean, median, most_frequent."


def test_a_standardized_photograph_is_drawn_in_its_own_colours(tmp_path: Path) -> None:
    pixels = np.zeros((6, 6, 3), np.uint8)
    pixels[:3] = (200, 30, 90)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    done("cluster", "photo.png", "-k", 2, "--standardize", "-qo", "few.png", "--save-model", "m", folder=tmp_path)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "few.png").convert("RGB")), pixels)
    done("predict", "m", "photo.png", "-o", "again.png", folder=tmp_path)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "again.png").convert("RGB")), pixels)


def test_help_names_every_option_and_the_exit_codes(tmp_path: Path) -> None:
    told = done("cluster", "--help", folder=tmp_path)
    for word in ("--columns", "--weights", "--init", "--save-model", "--force", "130 stopped"):
        assert word in told
    told = done("--help", folder=tmp_path)
    assert "predict" in told
    assert "report" in told


def test_starting_up_loads_nothing_heavy(tmp_path: Path) -> None:
    script = "import kmeans_fast.cli, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True
    ).stdout.split()
    heavy = {b"scipy", b"sklearn", b"pandas", b"pyarrow", b"matplotlib", b"PIL", b"tqdm", b"rich"}
    assert not heavy & set(loaded)


@pytest.mark.parametrize(
    ("package", "extra"), [("pyarrow", "cli"), ("matplotlib", "plot"), ("datashader", "dense-plot")]
)
def test_a_missing_package_is_said_before_the_work(tmp_path: Path, package: str, extra: str) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / f"{package}.py").write_text("raise ImportError")
    # datashader draws what is too much for dots
    np.save(tmp_path / "X.npy", np.zeros((1_000_001, 2), np.float32) if package == "datashader" else X)
    path = os.pathsep.join(filter(None, [str(tmp_path / "hidden"), os.environ.get("PYTHONPATH")]))
    message = refused(
        *("cluster", "X.npy", "-k", 3, "-o", "labels.json" if package != "pyarrow" else "l.csv"),
        *("--plot", "plot.png"),
        folder=tmp_path,
        env={"PYTHONPATH": path},
    )
    assert f"needs {package}; install it with: pip install" in message
    assert f"kmeans_fast[{extra}]" in message


def test_a_model_that_does_not_fit_the_points_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    done("cluster", "X.npy", "-k", 3, "--save-model", "m", "-q", folder=tmp_path)
    message = refused("predict", "m", "-", folder=tmp_path, stdin=b"a,b,c\n1,2,3\n")
    assert message == "standard input has 3 columns of points; m was fitted on 2."
    whole = (tmp_path / "m").read_bytes()
    (tmp_path / "m").write_bytes(whole[:-1])
    assert refused("predict", "m", "X.npy", folder=tmp_path).startswith("m is truncated")


def test_a_reader_that_leaves_early_is_no_error_message(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.random.default_rng(0).random((200_000, 2)))
    with subprocess.Popen(
        [sys.executable, "-m", "kmeans_fast", "cluster", "X.npy", "-k", "2", "-qo", "-"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"id,label,distance\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="no limit on the size of files")
def test_a_full_disk_is_one_line_and_leaves_the_old_file(points: Path) -> None:
    import resource

    (points.parent / "labels.csv").write_text("old")
    fit = ("cluster", "points.csv", "-k", "3", "--columns", "x,y", "-qfo", "labels.csv")
    process = subprocess.run(
        [sys.executable, "-m", "kmeans_fast", *fit],
        cwd=points.parent,
        env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},  # its file has no room, too
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert process.stderr == b"kmeans-fast: labels.csv: File too large\n"
    assert process.returncode == 1
    assert (points.parent / "labels.csv").read_text() == "old"
    assert sorted(os.listdir(points.parent)) == ["labels.csv", "points.csv"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to a process")
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_within_a_second_and_leaves_no_file(tmp_path: Path, which: signal.Signals) -> None:
    np.save(tmp_path / "X.npy", np.random.default_rng(0).random((300_000, 8), np.float32))
    command = ["cluster", "X.npy", "-k", "500", "--tol", "0", "--n-init", "50", "-o", "l.csv"]
    command += ["--checkpoint", "c.ckpt", "--checkpoint-every", "0"]  # which says that the fit runs
    with subprocess.Popen(
        [sys.executable, "-m", "kmeans_fast", *command], cwd=tmp_path, stderr=subprocess.PIPE
    ) as process:
        while not (tmp_path / "c.ckpt").exists():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(which)
        sent = time.monotonic()
        _, message = process.communicate(timeout=30)
        took = time.monotonic() - sent
    assert took < 1.5
    assert process.returncode == 128 + which
    assert message == (b"kmeans-fast: stopped by Ctrl-C.\n" if which == signal.SIGINT else b"")
    assert sorted(os.listdir(tmp_path)) == ["X.npy", "c.ckpt"]


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminal")
def test_the_progress_bar_shows_on_a_terminal_alone(points: Path) -> None:
    import fcntl
    import pty
    import termios

    command = ["cluster", "points.csv", "-k", "3", "--columns", "x,y", "--seed", "0"]
    shown = {}
    for quiet in ([], ["--quiet"]):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))
        subprocess.run(
            [sys.executable, "-m", "kmeans_fast", *command, *quiet],
            cwd=points.parent,
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        os.write(theirs, b"END")
        os.close(theirs)
        shown[not quiet] = os.read(ours, 100_000)
        os.close(ours)
    assert b"restart 1 of 1" in shown[True]
    assert shown[False] == b"END"


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_command_goes_on_from_its_checkpoint_with_the_seed_it_drew(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.random.default_rng(0).random((15_000, 4)))
    fit = [sys.executable, "-m", "kmeans_fast", "cluster", "X.npy", "-k", "40", "--tol", "0"]
    saved = [*fit, "--checkpoint", "fit.ckpt", "--checkpoint-every", "0", "--summary", "s.json"]
    with subprocess.Popen([*saved, "-o", "l.npy"], cwd=tmp_path) as process:
        until = time.monotonic() + 30
        while not (tmp_path / "fit.ckpt").exists() and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    assert not (tmp_path / "l.npy").exists()
    subprocess.run([*saved, "-o", "l.npy"], cwd=tmp_path, check=True, timeout=60)
    seed = str(json.loads((tmp_path / "s.json").read_text())["seed"])
    subprocess.run([*fit, "--seed", seed, "-o", "plain.npy"], cwd=tmp_path, check=True, timeout=60)
    np.testing.assert_array_equal(np.load(tmp_path / "l.npy"), np.load(tmp_path / "plain.npy"))
    other = [*fit, "--seed", seed, "--checkpoint", "fit.ckpt", "--max-iter", "9"]
    refused = subprocess.run(other, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "fit.ckpt is of another problem: max_iter is 300 there and 9 here; delete it" in refused.stderr
