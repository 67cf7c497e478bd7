"""Point clouds are written again with a label a point, and not a byte else is lost."""

from __future__ import annotations

import errno
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import kmeans, predict, voxels
from kmeans_fast.files import load_model, read_points
from kmeans_fast.files.clouds import palette
from kmeans_fast.files.las import LasRewriter
from kmeans_fast.sources._las import LasCloud

laspy = pytest.importorskip("laspy")
plyfile = pytest.importorskip("plyfile")
pytest.importorskip("lazrs")
cli = pytest.importorskip("typer.testing")

WKT = 'PROJCS["ETRS89 / UTM zone 32N",AUTHORITY["EPSG","25832"]]'
N = 400


def scan(path: Path, point_format: int = 6, n: int = N, extra: tuple[str, ...] = ("height",), seed: int = 0) -> None:
    """Write random bytes in every dimension, a CRS, unknown records of both kinds, and odd header fields."""
    rng = np.random.default_rng(seed)
    new = point_format >= 6
    header = laspy.LasHeader(version="1.4" if new else "1.2", point_format=point_format)
    header.scales, header.offsets = np.array([0.001, 0.001, 0.01]), np.array([500_000.0, 5_000_000.0, -10.0])
    header.add_extra_dims([laspy.ExtraBytesParams(name, "float32") for name in extra])
    header.vlrs.append(laspy.vlrs.known.WktCoordinateSystemVlr(WKT))
    header.vlrs.append(laspy.VLR("somebody", 77, "its own", bytes(range(256))))
    las = laspy.LasData(header)
    records = np.zeros(n, header.point_format.dtype())
    records.view(np.uint8)[:] = rng.integers(0, 256, n * records.itemsize, np.uint8)
    for name in "XYZ":
        records[name] = rng.integers(0, 50_000, n)
    las.points = laspy.ScaleAwarePointRecord(records, header.point_format, header.scales, header.offsets)
    if new:
        las.evlrs = laspy.vlrs.vlrlist.VLRList([laspy.VLR("somebody", 78, "long", rng.bytes(70_000))])
    las.write(str(path))
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, 4, 4711)
    data[8:24], data[58:68] = rng.bytes(16), "de nous \xe9\0".encode("latin1")
    struct.pack_into("<HH", data, 90, 366, 2019)  # a day that this year has not
    path.write_bytes(data)


def run(*arguments: object) -> str:
    """Run the command line in this process; it must succeed."""
    from kmeans_fast.cli import app

    done = cli.CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    return str(done.output)


def refused(*arguments: object) -> str:
    from kmeans_fast.cli import app

    done = cli.CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code in (1, 2), done.output
    return str(done.output)


def bytes_of(path: Path) -> NDArray[np.uint8]:
    """Every byte of every point, decompressed."""
    return np.concatenate([part.view(np.uint8).reshape(len(part), -1) for part in LasCloud(path).packed()])


def header_of(path: Path) -> bytes:
    """The fixed header without what says where things lie, and how long records are."""
    data = bytearray(path.read_bytes()[: LasCloud(path).layout.header_size])
    for start, stop in ((96, 107), (235, 247)):
        data[start:stop] = b"\0" * len(data[start:stop])
    return bytes(data)


def records_of(path: Path) -> list[tuple[bytes, int, bytes]]:
    """Every record but LASzip's and that of the extra dimensions, byte for byte."""
    layout, data = LasCloud(path).layout, path.read_bytes()
    blocks = [*layout.vlrs, *layout.evlrs]
    return [
        (b.user_id, b.record_id, data[b.data - 32 : b.stop])
        for b in blocks
        if (b.user_id, b.record_id) not in ((b"laszip encoded", 22204), (b"LASF_Spec", 4))
    ]


@pytest.mark.parametrize("source", ["a.las", "a.laz"])
@pytest.mark.parametrize("target", ["b.las", "b.laz"])
@pytest.mark.parametrize("point_format", [1, 6])
def test_a_cloud_goes_round_and_only_gains_a_label(tmp_path: Path, source: str, target: str, point_format: int) -> None:
    a, b = tmp_path / source, tmp_path / target
    scan(a, point_format)
    before = a.read_bytes()
    told = run("cluster", a, "-k", 7, "--seed", 1, "-o", b, "--save-model", tmp_path / "m.kmf")
    assert f"{N} x 3 from {a}" in told
    assert a.read_bytes() == before
    labels = kmeans(LasCloud(a), 7, random_state=1).labels
    old, new = bytes_of(a), bytes_of(b)
    np.testing.assert_array_equal(new[:, : old.shape[1]], old)
    np.testing.assert_array_equal(new[:, old.shape[1] :].copy().view("<u4")[:, 0], labels)
    assert header_of(a) == header_of(b)
    assert records_of(a) == records_of(b)
    assert len(records_of(a)) == (3 if point_format == 6 else 2)
    read = laspy.read(b)
    assert read.point_format.id == point_format
    assert read.cluster.dtype == np.uint32
    np.testing.assert_array_equal(read.cluster, labels)
    np.testing.assert_array_equal(read.height.view(np.uint32), laspy.read(a).height.view(np.uint32))
    assert read.header.vlrs.get("WktCoordinateSystemVlr")[0].string == WKT
    run("predict", tmp_path / "m.kmf", a, "-o", tmp_path / f"again{b.suffix}")
    assert (tmp_path / f"again{b.suffix}").read_bytes() == b.read_bytes()


@pytest.mark.parametrize(("point_format", "coloured"), [(0, 2), (1, 3), (2, 2), (3, 3), (5, 5), (6, 7), (7, 7), (8, 8)])
def test_colours_of_the_clusters_replace_others_or_widen_the_format(
    tmp_path: Path, point_format: int, coloured: int
) -> None:
    a, b = tmp_path / "a.las", tmp_path / "b.laz"
    if point_format == 5:  # an older lazrs does not compress it
        b = tmp_path / "b.las"
    scan(a, point_format) if point_format != 5 else scan_of_format_5(a)
    run("cluster", a, "-k", 5, "--seed", 0, "--colour", "-o", b)
    old, new = laspy.read(a), laspy.read(b)
    assert new.point_format.id == coloured
    colours = np.stack([new.red, new.green, new.blue], axis=1)
    np.testing.assert_array_equal(colours, palette(5)[np.asarray(new.cluster)].astype(np.uint16) * 257)
    for name in old.points.array.dtype.names:
        if name not in ("red", "green", "blue"):
            assert new.points.array[name].tobytes() == old.points.array[name].tobytes(), name


def scan_of_format_5(path: Path) -> None:
    header = laspy.LasHeader(version="1.3", point_format=5)
    las = laspy.LasData(header)
    las.X = np.arange(N) % 97
    las.gps_time = np.arange(N) * 0.5
    las.write(str(path))


def test_a_format_that_no_format_with_colours_extends_is_refused(tmp_path: Path) -> None:
    las = laspy.LasData(laspy.LasHeader(version="1.3", point_format=4))
    las.X = np.arange(9)
    las.write(str(tmp_path / "a.las"))
    said = refused("cluster", tmp_path / "a.las", "-k", 2, "--colour", "-o", tmp_path / "b.las")
    assert "has point format 4, which no format with colours extends" in said


def test_points_that_laz_does_not_take_are_refused_before_the_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "a.las", 9)
    monkeypatch.setattr("kmeans_fast.files.commands.fit", None)
    said = refused("cluster", tmp_path / "a.las", "-k", 2, "-o", tmp_path / "b.laz")
    assert "has point format 9, which can't be compressed: write .las." in said


def test_an_older_label_is_replaced_and_another_dimension_of_its_name_refused(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in ("a.laz", "b.laz", "c.laz"))
    scan(a)
    run("cluster", a, "-k", 4, "--seed", 0, "-o", b)
    run("cluster", b, "-k", 9, "--seed", 0, "-o", c)
    assert bytes_of(b).shape == bytes_of(c).shape
    np.testing.assert_array_equal(laspy.read(c).cluster, kmeans(LasCloud(a), 9, random_state=0).labels)
    np.testing.assert_array_equal(bytes_of(a), bytes_of(c)[:, :-4])
    scan(tmp_path / "d.las", extra=("cluster",))
    assert "has a dimension 'cluster' of its own" in refused(
        "cluster", tmp_path / "d.las", "-k", 2, "-o", tmp_path / "e.las"
    )


def test_extra_bytes_that_nobody_described_are_kept(tmp_path: Path) -> None:
    a, b = tmp_path / "a.las", tmp_path / "b.laz"
    scan(a, 6, extra=("one", "two"))
    data = bytearray(a.read_bytes())
    block = LasCloud(a).layout.vlr(b"LASF_Spec", 4)
    assert block is not None
    data[block.start + 2 : block.start + 18] = b"nobody".ljust(16, b"\0")
    a.write_bytes(data)
    run("cluster", a, "-k", 3, "-o", b)
    np.testing.assert_array_equal(bytes_of(b)[:, :-4], bytes_of(a))
    assert "cluster" in laspy.read(b).point_format.extra_dimension_names


def test_more_extra_bytes_than_can_be_described_are_refused_by_file(tmp_path: Path) -> None:
    a = tmp_path / "a.las"
    scan(a, 3, n=4, extra=())
    layout, data = LasCloud(a).layout, a.read_bytes()
    size, more = layout.record_size, 3000
    head = bytearray(data[: layout.point_offset])
    struct.pack_into("<H", head, 105, size + more)
    points = [data[at : at + size] + bytes(more) for at in range(layout.point_offset, len(data), size)]
    a.write_bytes(head + b"".join(points))
    said = " ".join(refused("cluster", a, "-k", 2, "-o", tmp_path / "b.las").split())
    assert "a.las has no room for a label: 72192 bytes of extra dimensions." in said
    assert not (tmp_path / "b.las").exists()


def test_waveforms_behind_the_points_move_with_them(tmp_path: Path) -> None:
    a, b = tmp_path / "a.las", tmp_path / "b.las"
    las = laspy.LasData(laspy.LasHeader(version="1.3", point_format=4))
    las.X = np.arange(50)
    las.write(str(a))
    data = bytearray(a.read_bytes())
    waves = np.random.default_rng(0).bytes(5000)
    struct.pack_into("<Q", data, 227, len(data))
    data[6] |= 2
    a.write_bytes(bytes(data) + waves)
    run("cluster", a, "-k", 3, "-o", b)
    start = struct.unpack_from("<Q", b.read_bytes(), 227)[0]
    assert b.read_bytes()[start:] == waves
    assert LasCloud(b).shape == (50, 3)


@pytest.mark.parametrize("form", ["ascii", "little", "big"])
@pytest.mark.parametrize("colour", [False, True])
def test_ply_gains_properties_and_keeps_the_rest(tmp_path: Path, form: str, colour: bool) -> None:
    a, b, c = (tmp_path / name for name in ("a.ply", "b.ply", "c.ply"))
    points = np.zeros(N, [("x", "f8"), ("y", "f4"), ("red", "u1"), ("z", "f4")])
    for name in "xyz":
        points[name] = np.random.default_rng(1).normal(size=N)
    mesh = np.zeros(3, [("vertex_indices", object)])
    mesh["vertex_indices"] = [np.arange(3 + i, dtype="i4") for i in range(3)]
    elements = [plyfile.PlyElement.describe(*part) for part in ((points, "vertex"), (mesh, "face"))]
    order = {"ascii": "=", "little": "<", "big": ">"}[form]
    plyfile.PlyData(elements, text=form == "ascii", byte_order=order, comments=["keep me"]).write(str(a))
    run("cluster", a, "-k", 5, "--seed", 0, "-o", b, *(["--colour"] if colour else []))
    run("cluster", b, "-k", 5, "--seed", 0, "-o", c, *(["--colour"] if colour else []))
    assert b.read_bytes() == c.read_bytes(), "an older label is replaced"
    old, new = plyfile.PlyData.read(str(a)), plyfile.PlyData.read(str(b))
    labels = kmeans(read_points(a).X, 5, random_state=0).labels
    np.testing.assert_array_equal(new["vertex"]["cluster"], labels)
    for name in "xyz":
        np.testing.assert_array_equal(new["vertex"][name], old["vertex"][name])
    colours = palette(5)[labels]
    np.testing.assert_array_equal(new["vertex"]["red"], colours[:, 0] if colour else points["red"])
    if colour:
        np.testing.assert_array_equal(new["vertex"]["blue"], colours[:, 2])
    assert [list(face) for face in new["face"]["vertex_indices"]] == [list(range(3 + i)) for i in range(3)]
    assert (new.comments, new.text, new.byte_order) == (["keep me"], old.text, old.byte_order)


def test_a_cloud_becomes_a_table_or_its_labels_alone(tmp_path: Path) -> None:
    scan(tmp_path / "a.laz")
    run("cluster", tmp_path / "a.laz", "-k", 3, "--seed", 0, "--columns", "x,y", "-o", tmp_path / "l.npy")
    labels = kmeans(LasCloud(tmp_path / "a.laz", ["x", "y"]), 3, random_state=0).labels
    np.testing.assert_array_equal(np.load(tmp_path / "l.npy"), labels)
    run("cluster", tmp_path / "a.laz", "-k", 3, "--select", "z,intensity", "--centroids", tmp_path / "c.csv",
        "--weights", "user_data", "--plot", tmp_path / "p.png", "-o", tmp_path / "l.csv")  # fmt: skip
    assert (tmp_path / "c.csv").read_text().startswith("label,z,intensity")
    assert (tmp_path / "l.csv").read_text().count("\n") == N + 1


def test_voxels_are_clustered_and_every_point_is_labelled(tmp_path: Path) -> None:
    a, b = tmp_path / "a.laz", tmp_path / "b.laz"
    scan(a, n=3000)
    told = run("cluster", a, "-k", 6, "--seed", 3, "--voxel", 20, "-o", b, "--save-model", tmp_path / "m.kmf")
    cubes = voxels(LasCloud(a), 20)
    assert f"as {len(cubes.means)} voxels of 20" in told
    r = kmeans(cubes.means, 6, sample_weight=cubes.weights, random_state=3)
    np.testing.assert_array_equal(load_model(tmp_path / "m.kmf").centroids, r.centroids)
    np.testing.assert_array_equal(laspy.read(b).cluster, predict(laspy.read(a).xyz, r.centroids))


def test_sums_of_a_scan_are_those_of_its_integers(tmp_path: Path) -> None:
    scan(tmp_path / "a.laz", n=3000)
    las = laspy.read(tmp_path / "a.laz")
    means, weights = voxels(LasCloud(tmp_path / "a.laz"), 1000.0)
    assert weights.tolist() == [3000]
    stored = [int(np.asarray(las[name], np.int64).sum()) for name in "XYZ"]
    exact = np.array(stored) / 3000 * las.header.scales + las.header.offsets
    assert (np.abs(means[0] - exact) <= 2 * np.spacing(exact)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.las", "-o", "b.ply"], "both must be of one kind"),
        (["a.ply", "-o", "b.laz"], "the input is of 'ply'"),
        (["a.csv", "-o", "b.laz"], "the input is no point cloud"),
        (["a.las", "-f", "-o", "a.las"], "a.las is the input, which is never overwritten"),
        (["a.las", "--format", "laz", "-o", "-"], "needs a file, not standard output"),
        (["a.las", "--colour", "-o", "l.csv"], "--colour needs an --output of las, laz, ply"),
        (["a.las", "--columns", "x,nir"], "has no column 'nir'; its columns are 'x', 'y', 'z'"),
        (["a.las", "--id-column", "x"], "leave out --id-column"),
        (["a.las", "--voxel", "0"], "size=0.0 must be > 0"),
        (["a.las", "--standardize"], "is a point cloud; --standardize, --impute and --one-hot need a table"),
        (["empty.las"], "is a point cloud without points"),
        (["own.ply", "-o", "b.ply"], "has a property 'cluster' of type f4; it must be i4 or u4"),
        (["cut.las"], "is truncated: its header asks for 400 points"),
        (["cut.ply"], "is truncated: it holds 1 of 2 points"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    scan(Path("a.las"), 1)
    scan(Path("empty.las"), 1, n=0)
    Path("cut.las").write_bytes(Path("a.las").read_bytes()[:-100])
    head = "ply\nformat ascii 1.0\nelement vertex 2\nproperty int x\nproperty int y\nproperty int z\nend_header\n"
    Path("a.ply").write_text(head + "1 2 3\n4 5 6\n")
    Path("own.ply").write_text(head.replace("int z", "int z\nproperty float cluster") + "1 2 3 0.5\n4 5 6 1.5\n")
    Path("cut.ply").write_text(head + "1 2 3456789012\n")
    Path("a.csv").write_text("x,y\n1,2\n3,4\n")
    before = Path("a.las").read_bytes()
    said = refused("cluster", *arguments, "-k", 2)
    assert message in " ".join(said.split()), said
    assert Path("a.las").read_bytes() == before
    assert not [name for name in Path().iterdir() if name.name.startswith(("b.", "l.", ".kmeans"))]


def test_a_palette_tells_neighbours_apart() -> None:
    colours = palette(1000).astype(int)
    assert colours.shape == (1000, 3)
    near = [np.abs(colours[i + 1 : i + 8] - colours[i]).sum(axis=1).min() for i in range(990)]
    assert min(near) > 50


def test_a_pipe_is_no_point_cloud(tmp_path: Path) -> None:
    from kmeans_fast.files._common import FileError, Source

    scan(tmp_path / "a.las", 1)
    with pytest.raises(FileError, match="it must be a file"):
        read_points(Source("standard input", None, (tmp_path / "a.las").read_bytes()))


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(tmp_path / "a.las")

    def cut(self: Any) -> Any:
        raise ValueError("the disk went away")

    monkeypatch.setattr("kmeans_fast.files.las.LasCloud.packed", cut)
    said = refused("cluster", tmp_path / "a.las", "-k", 2, "-o", tmp_path / "b.laz")
    assert "the disk went away" in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.las"]


@pytest.mark.parametrize("compress", [False, True])
def test_a_full_disk_is_called_that(tmp_path: Path, compress: bool) -> None:
    scan(tmp_path / "a.las", n=20_000)

    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            if self.tell() + len(data) > 200_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    writer = LasRewriter(LasCloud(tmp_path / "a.las"), compress, False)
    with pytest.raises(OSError, match="No space left on device"):
        writer.write(Full(), np.zeros(20_000, np.int32), palette(1))


def test_what_points_into_the_old_file_is_left_out(tmp_path: Path) -> None:
    """A COPC file (https://copc.io) has an octree of byte offsets, which are wrong in any other file."""
    scan(tmp_path / "a.las")
    data = (tmp_path / "a.las").read_bytes().replace(b"somebody".ljust(16, b"\0"), b"copc".ljust(16, b"\0"))
    (tmp_path / "a.las").write_bytes(data)
    run("cluster", tmp_path / "a.las", "-k", 2, "-o", tmp_path / "b.las")
    assert [kind for kind, *_ in records_of(tmp_path / "a.las")] == [b"LASF_Projection", b"copc", b"copc"]
    assert [kind for kind, *_ in records_of(tmp_path / "b.las")] == [b"LASF_Projection"]
    assert LasCloud(tmp_path / "b.las").layout.evlrs == ()
