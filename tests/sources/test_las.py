"""LAS and LAZ are read as laspy reads them, in blocks; what is damaged is refused in words."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import kmeans, predict, sources
from kmeans_fast.sources._las import LasCloud

laspy = pytest.importorskip("laspy")
pytest.importorskip("lazrs")

UTM = (500_000.0, 5_000_000.0, 0.0)


def scan(path: Path, n: int = 3000, point_format: int = 6, seed: int = 0, **extra: str) -> Any:
    """Write a cloud of UTM size at millimetres, every dimension filled; return it."""
    rng = np.random.default_rng(seed)
    header = laspy.LasHeader(version="1.4" if point_format >= 6 else "1.2", point_format=point_format)
    header.scales, header.offsets = np.full(3, 0.001), np.array(UTM)
    header.add_extra_dims([laspy.ExtraBytesParams(name, kind) for name, kind in extra.items()])
    las = laspy.LasData(header)
    records = np.zeros(n, header.point_format.dtype())
    records.view(np.uint8)[:] = rng.integers(0, 256, n * records.itemsize, np.uint8)
    for name, high in (("X", 1_000_000), ("Y", 1_000_000), ("Z", 50_000)):
        records[name] = rng.integers(0, high, n)
    las.points = laspy.ScaleAwarePointRecord(records, header.point_format, header.scales, header.offsets)
    las.write(str(path))
    return laspy.read(path)


def whole(source: LasCloud) -> NDArray[Any]:
    out = np.empty(source.shape)
    source.read(0, len(out), out)
    return out


def refusal(path: Path) -> str | None:
    try:
        whole(LasCloud(path))
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", ["a.las", "a.laz"])
@pytest.mark.parametrize("point_format", [0, 1, 2, 3, 6, 7, 8])
def test_coordinates_are_the_bits_that_laspy_gives(tmp_path: Path, name: str, point_format: int) -> None:
    las = scan(tmp_path / name, 300, point_format)
    source = LasCloud(tmp_path / name)
    assert (source.shape, source.dtype, source.feature_names) == ((300, 3), np.float64, ["x", "y", "z"])
    np.testing.assert_array_equal(whole(source), las.xyz)
    rows = np.array([299, 0, 7, 7])
    np.testing.assert_array_equal(source.take(rows), las.xyz[rows])


@pytest.mark.parametrize("name", ["a.las", "a.laz"])
def test_other_dimensions_are_selected_by_name(tmp_path: Path, name: str) -> None:
    las = scan(tmp_path / name, 200, 7, height="float32", echoes="uint16")
    chosen = ("z", "intensity", "return_number", "red", "echoes")
    expected = np.stack([np.asarray(las[c], np.float64) for c in chosen], axis=1)
    np.testing.assert_array_equal(whole(LasCloud(tmp_path / name, chosen)), expected)
    assert LasCloud(tmp_path / name, ("return_number", "intensity")).dtype == np.uint16, "nothing is scaled"
    with pytest.raises(ValueError, match=r"a.la[sz] has no dimension 'nir'; it has x, y, z, X"):
        LasCloud(tmp_path / name, ("x", "nir"))


def test_a_dimension_of_several_values_a_point_is_refused(tmp_path: Path) -> None:
    header = laspy.LasHeader(version="1.4", point_format=6)
    header.add_extra_dim(laspy.ExtraBytesParams("normal", "3f4"))
    laspy.LasData(header).write(str(tmp_path / "a.las"))
    with pytest.raises(ValueError, match=r"a\.las: 'normal' holds 3 values a point and must hold one\."):
        LasCloud(tmp_path / "a.las", ["normal"])


def test_a_scaled_extra_dimension_is_scaled(tmp_path: Path) -> None:
    header = laspy.LasHeader(version="1.4", point_format=6)
    params = laspy.ExtraBytesParams("height", "int16", scales=np.array([0.01]), offsets=np.array([100.0]))
    header.add_extra_dim(params)
    las = laspy.LasData(header)
    las.height = np.array([100.25, -20.5, 101.0])
    las.write(str(tmp_path / "a.laz"))
    np.testing.assert_array_equal(whole(LasCloud(tmp_path / "a.laz", ["height"]))[:, 0], las.height)


@pytest.mark.parametrize("name", ["a.las", "a.laz"])
def test_millimetres_of_utm_coordinates_give_the_labels_of_float64(tmp_path: Path, name: str) -> None:
    las = scan(tmp_path / name, 8000)
    source = LasCloud(tmp_path / name)
    mine, true = (kmeans(X, 100, random_state=1, max_iter=20) for X in (source, np.array(las.xyz)))
    assert mine.compute_dtype == "float64"
    np.testing.assert_array_equal(mine.labels, true.labels)
    np.testing.assert_array_equal(mine.centroids, true.centroids)
    assert mine.inertia == true.inertia
    # Two clusters a millimetre apart, far from the origin.
    pair = las.xyz[0] + np.array([[0.0, 0.0, 0.0], [0.001, 0.0, 0.0]])
    exact = [int(np.argmin(((point - pair) ** 2).sum(axis=1))) for point in las.xyz[:2000]]
    np.testing.assert_array_equal(predict(source, pair)[:2000], exact)


def test_laz_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    las = scan(tmp_path / "a.laz")
    monkeypatch.setattr("kmeans_fast.sources._las.DECODED", 500)
    source = LasCloud(tmp_path / "a.laz")
    parts, given = source._records._parts, []
    monkeypatch.setattr(source._records, "_parts", (given.append(len(p)) or p for p in parts))
    np.testing.assert_array_equal(source.take(np.array([1200])), las.xyz[[1200]])
    assert sum(given) < 3000, "no further than is asked for"
    for _ in range(3):
        whole(source)
        source.take(np.arange(0, 3000, 7))
    assert sum(given) == 3000


def test_wide_points_are_decoded_fewer_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    las = scan(tmp_path / "a.laz", 300, 7)
    monkeypatch.setattr("kmeans_fast.sources._las.DECODED_BYTES", 3600)
    source = LasCloud(tmp_path / "a.laz")
    assert [len(part) for part in source.packed()] == [100, 100, 100]
    np.testing.assert_array_equal(whole(source), las.xyz)


@pytest.mark.parametrize("name", ["a.las", "a.laz"])
def test_a_truncated_file_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    scan(path, 400)
    data = path.read_bytes()
    for length in [*range(0, 500, 7), *range(500, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"a.la[sz] (is|has) [^\n]*\.$"):
            LasCloud(path)


@pytest.mark.parametrize("name", ["a.las", "a.laz"])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    scan(path, 300, 7, height="float32")
    data, rng = path.read_bytes(), np.random.default_rng(3)
    for _ in range(150):
        hostile = bytearray(data)
        for at in rng.integers(0, rng.choice([len(data), 700]), rng.integers(1, 4)):
            hostile[at] = rng.integers(256)
        path.write_bytes(hostile)
        said = refusal(path)
        assert said is None or (str(path) in said and "\n" not in said)


@pytest.mark.parametrize(
    ("at", "form", "value", "message"),
    [
        (24, "<B", 2, "has LAS version 2"),
        (94, "<H", 60_000, "header of 60000 bytes"),
        (96, "<I", 2**31, "points start at byte 2147483648"),
        (100, "<I", 2**32 - 1, "ends within variable length record"),
        (104, "<B", 11, "has point format 11"),
        (105, "<H", 3, "has points of 3 bytes"),
        (131, "<d", 0.0, "no scale 0"),
        (155, "<d", np.nan, "must be finite"),
        (247, "<Q", 2**60, "asks for 1152921504606846976 points and it holds 10"),
        (243, "<I", 2**32 - 1, "variable length record"),
    ],
)
def test_a_header_that_asks_for_too_much_is_refused(
    tmp_path: Path, at: int, form: str, value: float, message: str
) -> None:
    path = tmp_path / "a.las"
    scan(path, 10, 6, height="float32")
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, at, value)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        LasCloud(path)


def test_a_laz_that_promises_points_or_layers_it_has_not_is_refused_before_it_is_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "a.laz"
    scan(path, 10)
    data, points = path.read_bytes(), LasCloud(path).layout.point_offset
    for at, form, value, message in (
        (247, "<Q", 11, "asks for 11 points and its chunks hold 10"),
        (247, "<Q", 2**40, "asks for 1099511627776 points and it can hold"),
        (points + 8 + 30 + 4, "<I", 2**32 - 1, "its layers 4294967"),
        (points, "<q", 2**50, "its table of chunks is at byte"),
    ):
        hostile = bytearray(data)
        struct.pack_into(form, hostile, at, value)
        path.write_bytes(hostile)
        with pytest.raises(ValueError, match=message):
            LasCloud(path)


def test_an_empty_cloud_is_refused_as_an_empty_array_is(tmp_path: Path) -> None:
    for name in ("a.las", "a.laz"):
        scan(tmp_path / name, 0)
        source = LasCloud(tmp_path / name)
        assert source.shape == (0, 3)
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            kmeans(source, 2)


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(tmp_path / "a.laz", 5)
    for package in ("laspy", "lazrs"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(ImportError, match=rf'needs {package}; .*pip install "kmeans_fast\[points\]"'):
                whole(LasCloud(tmp_path / "a.laz"))


def test_a_scratch_folder_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(tmp_path / "a.laz", 50)
    source = LasCloud(tmp_path / "a.laz")

    class Full:
        def seek(self, *_: int) -> None: ...

        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(source._records, "stream", Full())
    with pytest.raises(OSError, match=r"a.laz decoded takes 600 bytes; set KMEANS_FAST_SCRATCH"):
        whole(source)


def test_another_file_in_its_place_is_noticed(tmp_path: Path) -> None:
    scan(tmp_path / "a.laz", 50)
    source = LasCloud(tmp_path / "a.laz")
    scan(tmp_path / "b.laz", 50, seed=1)
    (tmp_path / "b.laz").replace(tmp_path / "a.laz")
    with pytest.raises(ValueError, match=r"a.laz was replaced by another file while it was read"):
        whole(source)


def test_a_path_is_enough_and_columns_become_feature_names(KMeans: Any, tmp_path: Path) -> None:
    las = scan(tmp_path / "a.laz")
    by_path, by_array = (kmeans(X, 5, random_state=0) for X in (str(tmp_path / "a.laz"), np.array(las.xyz)))
    np.testing.assert_array_equal(by_path.labels, by_array.labels)
    model = KMeans(5, random_state=0).fit(sources.las(tmp_path / "a.laz", columns=["x", "intensity"]))
    assert model.feature_names_in_.tolist() == ["x", "intensity"]
    with pytest.raises(ValueError, match="must name one column"):
        sources.las(tmp_path / "a.laz", columns=[])
