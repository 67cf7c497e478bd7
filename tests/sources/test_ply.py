"""PLY is read in blocks, text and both byte orders; plyfile is the oracle."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import kmeans
from kmeans_fast.sources._ply import PlyCloud

FIELDS = [("x", "f8"), ("red", "u1"), ("y", "f4"), ("z", "f4"), ("ring", "i4")]
FORMS = {"ascii": (True, "="), "little": (False, "<"), "big": (False, ">")}


def cloud(path: Path, form: str, n: int = 300, faces: int = 4) -> NDArray[Any]:
    """Write points with UTM coordinates, a camera before them and faces behind; return the points."""
    plyfile = pytest.importorskip("plyfile")
    rng = np.random.default_rng(0)
    points = np.zeros(n, FIELDS)
    points["x"] = (500_000_000 + rng.integers(0, 10**6, n)) / 1000
    for name in ("y", "z"):
        points[name] = rng.normal(size=n)
    points["red"], points["ring"] = rng.integers(0, 256, n), rng.integers(-9, 9, n)
    mesh = np.zeros(faces, [("vertex_indices", object), ("flags", "u1")])
    mesh["vertex_indices"] = [np.arange(3 + i, dtype="i4") for i in range(faces)]
    camera = np.array([(1.5, 2)], [("view", "f4"), ("kind", "u1")])
    parts = [(camera, "camera"), (points, "vertex"), (mesh, "face")]
    elements = [plyfile.PlyElement.describe(*part) for part in parts]
    text, order = FORMS[form]
    plyfile.PlyData(elements, text=text, byte_order=order, comments=["EPSG:32632"]).write(str(path))
    return plyfile.PlyData.read(str(path))["vertex"].data


def whole(source: PlyCloud) -> NDArray[Any]:
    out = np.empty(source.shape, source.dtype)
    source.read(0, len(out), out)
    return out


def refusal(path: Path) -> str | None:
    try:
        whole(PlyCloud(path))
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_plyfile_reads_it(tmp_path: Path, form: str) -> None:
    points = cloud(tmp_path / "a.ply", form)
    source = PlyCloud(tmp_path / "a.ply")
    assert (source.shape, source.dtype, source.feature_names) == ((300, 3), np.float64, ["x", "y", "z"])
    expected = np.stack([points[c].astype(np.float64) for c in "xyz"], axis=1)
    np.testing.assert_array_equal(whole(source).astype(np.float32), expected.astype(np.float32))
    np.testing.assert_array_equal(whole(source)[:, 0], points["x"])
    rows = np.array([7, 299, 7])
    np.testing.assert_array_equal(source.take(rows), whole(source)[rows])
    ring = PlyCloud(tmp_path / "a.ply", ["ring", "red"])
    np.testing.assert_array_equal(ring.take(rows)[:, 0], points["ring"][rows])
    mine, true = (kmeans(X, 5, random_state=0) for X in (source, whole(source)))
    np.testing.assert_array_equal(mine.labels, true.labels)


def test_text_keeps_the_digits_that_its_float_would_lose(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    head = "ply\r\nformat ascii 1.0\r\nelement vertex 2\r\nproperty float x\r\nproperty float y\r\nproperty float z\r\n"
    path.write_bytes(f"{head}end_header\r\n\r\n500000.001 1 2\r\n\r\n 500000.002 3 4".encode())
    np.testing.assert_array_equal(whole(PlyCloud(path)), [[500000.001, 1, 2], [500000.002, 3, 4]])


def test_without_coordinates_all_properties_are_features(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(b"ply\nformat ascii 1.0\nelement vertex 1\nproperty uchar a\nproperty int b\nend_header\n7 -8\n")
    assert whole(PlyCloud(path)).tolist() == [[7, -8]]
    with pytest.raises(ValueError, match=r"a.ply has no property 'x'; its points have a, b"):
        PlyCloud(path, ["x"])


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_file_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.ply"
    cloud(path, form, 50, faces=0)
    data = path.read_bytes().rstrip(b"\n") if form == "ascii" else path.read_bytes()
    for length in [*range(0, len(data) - 4, 13), len(data) - 4 if form == "ascii" else len(data) - 1]:
        path.write_bytes(data[:length])
        said = refusal(path)
        assert said is not None, length
        assert "\n" not in said
        assert str(path) in said


def test_a_text_that_ends_early_or_is_ragged_is_named_by_point(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    head = b"ply\nformat ascii 1.0\nelement vertex 3\nproperty double x\nproperty double y\nend_header\n"
    for body, message in (
        (b"1.000 2.000\n3.000 4.000\n", "is truncated: it holds 2 of 3 points"),
        (b"1 2\n3 4 5\n6 7\n", "point 1 has 3 values and must have 2"),
        (b"1 2\n3 4\n5 six\n", "point 2 has y = 'six'; it must be a number"),
        (b"1 2\n3 4\n5 " + b"6.6." * 900, "6.6.6.6.'; it must be a number"),
    ):
        path.write_bytes(head + body)
        said = refusal(path) or ""
        assert message in said
        assert len(said) < 500


@pytest.mark.parametrize("before", [10**30, 4])
def test_an_element_without_properties_takes_no_lines(tmp_path: Path, before: int) -> None:
    path = tmp_path / "a.ply"
    head = f"ply\nformat ascii 1.0\nelement none {before}\nelement vertex 2\nproperty int x\nend_header\n"
    path.write_bytes(f"{head}7\n8\n".encode())
    assert whole(PlyCloud(path)).tolist() == [[7], [8]]


@pytest.mark.parametrize("many", ["element e{} 0\n", "property int p{}\n"])
def test_a_header_of_many_lines_is_read_at_once(tmp_path: Path, many: str) -> None:
    path, lines = tmp_path / "a.ply", "".join(many.format(i) for i in range(45_000))
    head = f"{lines}element vertex 1\nproperty int x\n" if "element" in many else f"element vertex 1\n{lines}"
    path.write_text(f"ply\nformat ascii 1.0\n{head}end_header\n" + "7\n" * 45_000)
    began = process_time()
    said = refusal(path)
    assert said is None if "element" in many else "1 values and must have 45000" in str(said)
    assert process_time() - began < 4  # looked up one by one in lists, it would take 7 s, and minutes


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("plx\n", "is not a PLY file"),
        ("", "is not a PLY file"),
        ("ply\nformat binary_middle_endian 1.0\nend_header\n", "line 2 is b'format binary_middle_endian 1.0"),
        ("ply\nelement vertex 1\nproperty float x\nend_header\n", "no format line"),
        ("ply\nformat ascii 1.0\nend_header\n", "has no points"),
        ("ply\nformat ascii 1.0\nelement vertex 9999999999999999999\nproperty float x\nend_header\n", "truncated"),
        ("ply\nformat ascii 1.0\nelement vertex -1\nproperty float x\nend_header\n", "line 3"),
        ("ply\nformat ascii 1.0\nelement vertex 1e3\nproperty float x\nend_header\n", "line 3"),
        ("ply\nformat ascii 1.0\nproperty float x\nend_header\n", "line 3"),
        ("ply\nformat ascii 1.0\nelement vertex 1\nproperty half x\nend_header\n", "line 4"),
        ("ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float x\nend_header\n", "line 5"),
        ("ply\nformat ascii 1.0\nelement vertex 1\nproperty list uchar int x\nproperty int y\nend_header\n1\n",
         "lists"),
        ("ply\nformat binary_little_endian 1.0\nelement f 1\nproperty list uchar int i\nelement vertex 1\n"
         "property float x\nend_header\n.....", "lists before its points"),
        ("ply\nformat binary_little_endian 1.0\nelement vertex 4294967296\nproperty float x\nend_header\n....",
         "asks for at least 17179869"),
        ("ply\n" + "comment x\n" * 200_000, "no end_header after"),
        ("ply\ncomment " + "x" * 5000, "no end_header after"),
    ],
)  # fmt: skip
def test_a_hostile_header_is_refused(tmp_path: Path, header: str, message: str) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(header.encode())
    assert message in (refusal(path) or ""), refusal(path)


@pytest.mark.parametrize("form", FORMS)
def test_damaged_bytes_are_read_or_refused_and_nothing_else(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.ply"
    cloud(path, form, 20)
    data, rng = path.read_bytes(), np.random.default_rng(1)
    for _ in range(150):
        hostile = bytearray(data)
        for at in rng.integers(0, min(len(data), 500), rng.integers(1, 4)):
            hostile[at] = rng.integers(256)
        path.write_bytes(hostile)
        said = refusal(path)
        assert said is None or (str(path) in said and "\n" not in said)


def test_a_file_that_is_cut_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    cloud(path, "little", 20)
    source = PlyCloud(path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ValueError, match=r"a\.ply was cut while it was read: rows 15 to 19 are not there"):
        source.read(15, 20, np.empty((5, 3)))


def test_an_empty_cloud_is_refused_as_an_empty_array_is(tmp_path: Path) -> None:
    cloud(tmp_path / "a.ply", "little", 0)
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        kmeans(PlyCloud(tmp_path / "a.ply"), 2)
