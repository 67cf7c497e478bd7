"""Good files of every kind that is read, without their frames, and the frames, so that more than those is looked at."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from functools import cache
from typing import Any

import numpy as np
from campaign import Skipped, folder

import kmeans_fast
from kmeans_fast import _checkpoint
from kmeans_fast.files import save_model

# --- sealed files: JSON, a zero, arrays ---


def seal(data: bytes) -> bytes:
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def sealed(kind: Any, data: bytes) -> bytes:
    text, _, arrays = data.partition(b"\0")
    schema = max(kind.schemas) if b'"preparation"' in text else min(kind.schemas)
    whole = struct.pack("<8sII", kind.magic, schema, len(text)) + text + arrays
    return whole + hashlib.sha256(whole).digest()


def _unsealed(whole: bytes) -> bytes:
    length = struct.unpack_from("<I", whole, 12)[0]
    return whole[16 : 16 + length] + b"\0" + whole[16 + length : -32]


def model() -> list[bytes]:
    path = folder() / "a"
    centroids = np.arange(6.0).reshape(2, 3)
    plain = {
        "rules": [
            {"name": "a", "fill": 1.5, "categories": None},
            {"name": "b", "fill": "u", "categories": ["u", "v"]},
        ],
        "mean": [0.5, 0.0, 1.0],
        "scale": [1.0, 2.0, 3.0],
    }
    made = []
    for what in ({}, {"feature_names": list("abc"), "metadata": {"inertia": 0.5}}, {"preparation": plain}):
        for X in (centroids, centroids.astype(np.float32)):
            save_model(X, path, overwrite=True, **what)
            made.append(_unsealed(path.read_bytes()))
    return made


FIT: dict[str, Any] = {"n_init": 2, "random_state": 0, "quality": "best", "max_iter": 9, "n_threads": 1}


@cache
def fitted() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).random((40, 2), np.float32)


def checkpoint() -> list[bytes]:
    """Checkpoints at every moment of a fit: amid a descent, amid a search, after a restart."""
    path, made, save = folder() / "a", dict[bytes, bytes](), _checkpoint.Checkpoint.save

    def keeping(self: Any, state: Any, arrays: Any) -> bool:
        done = save(self, state, arrays)
        made.setdefault(repr(sorted(state)).encode(), _unsealed(path.read_bytes()))
        return done

    _checkpoint.Checkpoint.save = keeping  # type: ignore[method-assign]
    try:
        kmeans_fast.kmeans(fitted(), 4, checkpoint=path, checkpoint_every=0, **FIT)
    finally:
        _checkpoint.Checkpoint.save = save  # type: ignore[method-assign]
    return list(made.values())


# --- arrays ---


def framed_npy(data: bytes) -> bytes:
    text, _, values = data.partition(b"\0")
    version, size = (1, "<H") if len(text) < 1 << 16 else (2, "<I")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(text)) + text + values


def npy() -> list[bytes]:
    made = []
    for dtype, shape, order in (
        ("<f8", (4, 3), False),
        (">i2", (5,), False),
        ("|b1", (2, 2), True),
        ("<f2", (1, 3), True),
    ):
        header = {"descr": dtype, "fortran_order": order, "shape": shape}
        values = np.arange(np.prod(shape)).astype(dtype)
        made.append(repr(header).encode().ljust(63) + b"\n\0" + values.tobytes())
    return made


def framed_npz(data: bytes) -> bytes:
    stream = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if len(data) % 2 else zipfile.ZIP_STORED  # others are refused unread
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("X.npy", framed_npy(data))
        archive.writestr("y.npy", b"")
    return stream.getvalue()


# --- tables ---


def csv() -> list[bytes]:
    return [
        b"x,y\n1,2\n3.5,-4e3\n",
        b"1;2;3\r\n4;5;6\r\n\r\n7;8;9",
        b'\xef\xbb\xbfname,"a ""b""",w\n"an\napple",1,2\n"b,",3,4\nb\xc3\xa9,5,6\n',
        b"0.1\n0.2\n0.3\n",
        b"kind\tx\nred\t1\nblue\t2\nred\t3\n",
    ]


def parquet() -> list[bytes]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise Skipped(f"{error.name} is not installed") from None
    x, name = np.arange(6.0), ["a", "b", "a", "b", "c", "a"]
    made = []
    for columns, how in (
        ({"x": x, "y": x.astype(np.float32)}, {"compression": "none", "use_dictionary": False}),
        ({"x": x.astype(np.int16), "y": [1.5, 2.0] * 3, "name": name}, {"row_group_size": 4}),
        ({"x": x, "y": x > 2}, {"compression": "gzip", "write_statistics": False, "data_page_version": "2.0"}),
    ):
        stream = io.BytesIO()
        pq.write_table(pa.table(columns), stream, **how)
        made.append(stream.getvalue())
    return made


# --- point clouds ---


def ply() -> list[bytes]:
    made, rng = [], np.random.default_rng(0)
    for form, order in (("ascii", ""), ("binary_little_endian", "<"), ("binary_big_endian", ">")):
        head = (
            f"ply\nformat {form} 1.0\ncomment c\nelement camera 1\nproperty float view\nelement vertex 6\n"
            "property float x\nproperty double y\nproperty float z\nproperty uchar red\n"
            "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
        ).encode()
        points = np.zeros(6, [(n, order + c) for n, c in (("x", "f4"), ("y", "f8"), ("z", "f4"), ("red", "u1"))])
        for name in "xyz":
            points[name] = rng.random(6)
        if order:
            faces = b"".join(np.array(3, "u1").tobytes() + np.arange(3).astype(order + "i4").tobytes() for _ in "ab")
            made.append(head + np.float32(1).tobytes() + points.tobytes() + faces)
        else:
            lines = ["1", *(" ".join(map(str, p)) for p in points.tolist()), "3 0 1 2", "3 1 2 3"]
            made.append(head + "\n".join(lines).encode() + b"\n")
    return made


def las() -> list[bytes]:
    try:
        import laspy
        import lazrs  # noqa: F401
    except ImportError as error:
        raise Skipped(f"{error.name} is not installed") from None
    made, place = [], folder()
    for form, extra in ((0, ()), (3, ("height",)), (6, ("height",)), (7, ())):
        header = laspy.LasHeader(version="1.4" if form >= 6 else "1.2", point_format=form)
        header.scales = np.full(3, 0.001)
        header.add_extra_dims([laspy.ExtraBytesParams(name, "float32") for name in extra])
        header.vlrs.append(laspy.VLR("somebody", 77, "its own", bytes(9)))
        las = laspy.LasData(header)
        las.x, las.y, las.z = np.random.default_rng(form).random((3, 12))
        for suffix in (".las", ".laz"):
            las.write(str(place / f"a{suffix}"))
            made.append((place / f"a{suffix}").read_bytes())
    return made
