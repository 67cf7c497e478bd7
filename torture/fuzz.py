"""Trials of reading: any bytes give a value or an error that names the file, soon and in memory that the file is worth.

Here files are those of mutations.py, the same for a seed; explore.py lets atheris find others. TMPDIR in memory is much
faster.
"""

from __future__ import annotations

import hashlib
import io
import random
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from time import process_time
from typing import Any

import mutations
import numpy as np
from campaign import Skipped, Step, Trial, folder

import kmeans_fast
from kmeans_fast import _atomic, _checkpoint, sources
from kmeans_fast._reading import read_blocks
from kmeans_fast.files import FileError, load_model, model, preparation, raw, read_points, save_model
from kmeans_fast.files.preparation import Wish

SECONDS = 5.0  # of CPU for one file
MARGIN, PER_BYTE = 32 << 20, 1 << 10  # bytes of memory for any file, and for one of its bytes
LONGEST = 1000  # characters of an error
ROWS = 4096  # of a block


@dataclass(frozen=True)
class Loader:
    """A kind of file: what reads it, good ones, and how bytes are framed so that more than the frame is looked at.

    Attributes
    ----------
    suffix : str
    reads : sequence of callable
        Each is given the path.
    seeds : callable
        Gives good files, without their frames.
    frame, seal : callable
        Make a file of bytes; and set right, in a whole file, the digest that a mutation broke.
    words : sequence of bytes
        What such files say.
    """

    suffix: str
    reads: Sequence[Callable[[Path], object]]
    seeds: Callable[[], list[bytes]]
    frame: Callable[[bytes], bytes] = bytes
    seal: Callable[[bytes], bytes] = bytes
    words: Sequence[bytes] = ()

    def check(self, path: Path, data: bytes) -> bool:
        """Read the bytes; say whether they were a good file to one of the readers."""
        path.write_bytes(data)
        good = False
        for read in self.reads:
            began = process_time()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                read(path)
                good = True
            except OSError:
                pass
            except ValueError as error:
                if type(error) not in (ValueError, FileError) or not _is_clear(str(error), path):
                    raise AssertionError(f"no clear error: {error!r}") from error
            took, held = process_time() - began, tracemalloc.get_traced_memory()[1] - before
            assert took < SECONDS, f"{took:.1f} s for {len(data)} bytes"
            assert held < MARGIN + PER_BYTE * len(data), f"{held} bytes of memory for {len(data)} of a file"
        return good


def _is_clear(said: str, path: Path) -> bool:
    return path.name in said and "\n" not in said and len(said) <= LONGEST


def _all(X: Any) -> None:
    """Read everything, in blocks where it is not an array."""
    if isinstance(X, np.ndarray):
        X.tobytes()
    else:
        for _ in read_blocks(X, np.dtype(np.float64), min(ROWS, max(X.shape[0], 1))):
            pass


def _points(path: Path, **how: Any) -> None:
    _all(read_points(path, **how).X)


def _opened(path: Path) -> None:
    _all(sources.find(path, "X"))


def _raw(path: Path) -> None:
    preparation.learn(raw.read_raw(str(path), None, None, None, None, None), Wish(one_hot=True))


# --- sealed files: JSON, a zero, arrays ---


def _seal(data: bytes) -> bytes:
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def _sealed(kind: Any, data: bytes) -> bytes:
    text, _, arrays = data.partition(b"\0")
    schema = max(kind.schemas) if b'"preparation"' in text else min(kind.schemas)
    whole = struct.pack("<8sII", kind.magic, schema, len(text)) + text + arrays
    return whole + hashlib.sha256(whole).digest()


def _unsealed(whole: bytes) -> bytes:
    length = struct.unpack_from("<I", whole, 12)[0]
    return whole[16 : 16 + length] + b"\0" + whole[16 + length : -32]


def _model_seeds() -> list[bytes]:
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
def _fitted() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).random((40, 2), np.float32)


def _checkpoint_seeds() -> list[bytes]:
    """Checkpoints at every moment of a fit: amid a descent, amid a search, after a restart."""
    path, made, save = folder() / "a", dict[bytes, bytes](), _checkpoint.Checkpoint.save

    def keeping(self: Any, state: Any, arrays: Any) -> bool:
        done = save(self, state, arrays)
        made.setdefault(repr(sorted(state)).encode(), _unsealed(path.read_bytes()))
        return done

    _checkpoint.Checkpoint.save = keeping  # type: ignore[method-assign]
    try:
        kmeans_fast.kmeans(_fitted(), 4, checkpoint=path, checkpoint_every=0, **FIT)
    finally:
        _checkpoint.Checkpoint.save = save  # type: ignore[method-assign]
    return list(made.values())


def _resumed(path: Path) -> None:
    kmeans_fast.kmeans(_fitted(), 4, checkpoint=path, checkpoint_every=1e9, **FIT)


# --- arrays ---


def _npy(data: bytes) -> bytes:
    text, _, values = data.partition(b"\0")
    version, size = (1, "<H") if len(text) < 1 << 16 else (2, "<I")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(text)) + text + values


def _npy_seeds() -> list[bytes]:
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


def _npz(data: bytes) -> bytes:
    stream = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if len(data) % 2 else zipfile.ZIP_STORED  # others are refused unread
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("X.npy", _npy(data))
        archive.writestr("y.npy", b"")
    return stream.getvalue()


# --- tables ---


def _csv_seeds() -> list[bytes]:
    return [
        b"x,y\n1,2\n3.5,-4e3\n",
        b"1;2;3\r\n4;5;6\r\n\r\n7;8;9",
        b'\xef\xbb\xbfname,"a ""b""",w\n"an\napple",1,2\n"b,",3,4\nb\xc3\xa9,5,6\n',
        b"0.1\n0.2\n0.3\n",
        b"kind\tx\nred\t1\nblue\t2\nred\t3\n",
    ]


def _parquet_seeds() -> list[bytes]:
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


def _parquet(path: Path) -> None:
    try:
        _opened(path)
    except TypeError as error:  # a column of something else, which `sources.parquet` promises
        raise ValueError(str(error)) from error


# --- point clouds ---


def _ply_seeds() -> list[bytes]:
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


def _las_seeds() -> list[bytes]:
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


PLY_WORDS = (
    b"element vertex 3\n",
    b"property list uchar int i\n",
    b"element a 9\n",
    b"property float q\n",
    b"end_header\n",
)
LOADERS = {
    "model": Loader(".kmf", [load_model], _model_seeds, partial(_sealed, model.KIND), _seal),
    "checkpoint": Loader(".ckpt", [_resumed], _checkpoint_seeds, partial(_sealed, _checkpoint.KIND), _seal),
    "npy": Loader(".npy", [_opened, _points], _npy_seeds, _npy, words=(b"'<f8'", b"'|O'", b"'<U9'", b"(2, 2)", b"()")),
    "npz": Loader(".npz", [_points], _npy_seeds, _npz),
    "csv": Loader(
        ".csv",
        [_points, partial(_points, header=False, id_column="x0"), partial(_points, columns=["x"], weights="y"), _raw],
        _csv_seeds,
        words=(b"\n", b"\r", b",", b";", b"\t", b'"', b'""', b"\n\n", b"\xff", b"\0", b"NA", b"x,y\n", b"\xef\xbb\xbf"),
    ),
    "parquet": Loader(
        ".parquet", [_parquet, _points, partial(_points, columns=["y"], id_column="x"), _raw], _parquet_seeds
    ),
    "ply": Loader(".ply", [_opened, _points], _ply_seeds, words=PLY_WORDS),
    "las": Loader(".las", [_opened, partial(_points, columns=["z", "intensity"])], _las_seeds),
}


def begin(loader: Loader, path: Path, seeds: Sequence[bytes]) -> None:
    """Say nothing, wait for no disk, leave the machine some memory; read the good files, and import what they need."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 34, resource.RLIM_INFINITY))
    _atomic.os.fsync = lambda _: None  # type: ignore[assignment] # nobody cuts the power here
    for data in seeds:
        assert loader.check(path, loader.frame(data)), "a good file is refused"
    tracemalloc.start(1)


def fuzz(name: str) -> Callable[[int], Step]:
    """Files of one kind, mutated."""

    def start(seed: int) -> Step:
        loader = LOADERS[name]
        seeds, path = loader.seeds(), folder() / f"a{loader.suffix}"
        begin(loader, path, seeds)

        def step(case: int) -> bool:
            rng = random.Random(f"{seed} {case}")
            data = mutations.mutate(rng, rng.choice(seeds), rng.choice(seeds), loader.words)
            whole = loader.frame(data)
            if rng.random() < 0.25:
                whole = loader.seal(mutations.mutate(rng, whole, loader.frame(rng.choice(seeds)), loader.words))
            return loader.check(path, whole)

        return step

    return start


def _read(figures: Sequence[bool]) -> str:
    return f"{sum(figures)} read, {len(figures) - sum(figures)} refused in words"


TRIALS = [Trial(f"fuzz {name}", 100_000, fuzz(name), _read) for name in LOADERS]
