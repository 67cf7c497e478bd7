"""Arrays from .npy and .npz files are mapped, checked and never unpickled."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

from kmeans_fast._samples import as_samples
from kmeans_fast.files import FileError, read_points
from kmeans_fast.files.arrays import write_npy

X = np.arange(12.0).reshape(4, 3)


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "u1", "<i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_mapped_and_not_copied(tmp_path: Path, dtype: str, order: Any) -> None:
    np.save(tmp_path / "X.npy", np.array(X, dtype, order=order))
    points = read_points(tmp_path / "X.npy")
    np.testing.assert_array_equal(points.X, X.astype(dtype))
    assert points.X.dtype == np.dtype(dtype)
    assert not points.X.flags.owndata
    assert not points.X.flags.writeable
    assert points.feature_names == ["x0", "x1", "x2"]
    assert not points.named


def test_an_array_larger_than_memory_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "X.npy", X)
    monkeypatch.setenv("KMEANS_FAST_MEMORY", str(X.nbytes - 1))
    samples = as_samples(read_points(tmp_path / "X.npy").X)
    assert samples.is_stream
    np.testing.assert_array_equal(samples.take([3, 0]), X[[3, 0]])
    monkeypatch.setenv("KMEANS_FAST_MEMORY", str(X.nbytes))
    assert not as_samples(read_points(tmp_path / "X.npy").X).is_stream


def test_a_vector_is_one_feature(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.arange(3.0))
    assert read_points(tmp_path / "X.npy").X.shape == (3, 1)


def test_columns_ids_and_weights_are_taken_by_position(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    points = read_points(tmp_path / "X.npy", ["x2", "x0"], weights="x1")
    np.testing.assert_array_equal(points.X, X[:, [2, 0]])
    np.testing.assert_array_equal(points.sample_weight, X[:, 1])
    points = read_points(tmp_path / "X.npy", id_column="x0")
    np.testing.assert_array_equal(points.X, X[:, 1:])
    assert not points.X.flags.owndata, "neighbouring columns need no copy"
    np.testing.assert_array_equal(points.ids, X[:, 0])
    with pytest.raises(FileError, match=r"no column 'y'; its columns are 'x0', 'x1', 'x2'\."):
        read_points(tmp_path / "X.npy", ["y"])


def test_the_array_of_an_archive_is_its_only_one_or_the_one_called_x(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", points=X)
    np.savez_compressed(tmp_path / "two.npz", X=X, y=np.zeros(4))
    np.savez(tmp_path / "unclear.npz", a=X, b=X)
    np.testing.assert_array_equal(read_points(tmp_path / "one.npz").X, X)
    np.testing.assert_array_equal(read_points(tmp_path / "two.npz").X, X)
    with pytest.raises(FileError, match=r"arrays 'a', 'b' and must hold one array"):
        read_points(tmp_path / "unclear.npz")


def test_pickled_objects_are_refused_unread(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "a.npy", np.array([[Trap()]], object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", np.array([[Trap()]], object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(FileError, match="pickled Python objects"):
            read_points(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (
            header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 1)}\n"),
            "asks for",
        ),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}\n"), "damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9223372036854775807)}\n"), "damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (True, 2)}\n"), "damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 33 + ")}\n"), "damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4294967296)}\n"), "must be .n_samples >= 1"),
        (header("{'descr': '<f8', 'fortran_order': False}\n"), "damaged"),
        (header("{'descr': '<U3', 'fortran_order': False, 'shape': (1, 1)}\n"), "real numbers"),
        (header("{'descr': '<c16', 'fortran_order': False, 'shape': (1, 1)}\n"), "real numbers"),
        (header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}\n"), "numbers"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (0x" + "f" * 5000 + ", 1)}\n"), "damaged"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (0x" + "f" * 1900 + ", 1)}\n"), "damaged"),
        (header("(" * 500), "damaged"),
        (header("__import__('os').abort()"), "damaged"),
        (b"\x93NUMPY\x09\x00\x00\x00", r"version 9\.0"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "damaged .npy header: a header of 4294967295 bytes"),
        (b"not an array", "damaged"),
    ],
)
def test_a_header_is_checked_before_anything_is_allocated(tmp_path: Path, start: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(start + bytes(16))
    with pytest.raises(FileError, match=message):
        read_points(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", start + bytes(16))
    with pytest.raises(FileError, match=message):
        read_points(tmp_path / "a.npz")


def test_every_truncation_of_an_array_or_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, X[:1])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match=r"a\.npy (is|has)"):
            read_points(path)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match=r"a\.npz is"):
            read_points(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_compressed_as_numpy_never_does_is_refused(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("X.npy", b"")
    with pytest.raises(FileError, match=r"a\.npz .* must be stored or deflated"):
        read_points(tmp_path / "a.npz")


def test_a_header_of_spaces_about_what_is_no_python_is_refused_at_once(tmp_path: Path) -> None:
    path, spaces = tmp_path / "a.npy", " " * 4000
    path.write_bytes(header("{'descr': '<f8', 'fortran_order': False, 'shape': (5,)}" + spaces + '" $' + spaces))
    began = process_time()
    with pytest.raises(FileError, match=r"a\.npy has a damaged \.npy header: 4058 bytes beside padding"):
        read_points(path)
    assert process_time() - began < 1  # NumPy's parser takes 2 s


def test_a_header_padded_far_is_read(tmp_path: Path) -> None:
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }" + " " * 60_000 + "\n"
    (tmp_path / "a.npy").write_bytes(header(text) + np.array([1.0, 2.0]).tobytes())
    np.testing.assert_array_equal(read_points(tmp_path / "a.npy").X, [[1, 2]])


def test_a_file_that_ends_within_the_length_of_its_header_is_an_error(tmp_path: Path) -> None:
    for length in range(8, 12):
        (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x03\x00\x04\x00\x00"[:length])
        with pytest.raises(FileError, match=r"a length of 4 bytes, and"):
            read_points(tmp_path / "a.npy")


def test_a_flipped_byte_in_an_archive_is_an_error_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0xFF]) + whole[i + 1 :])
        with contextlib.suppress(FileError):
            np.testing.assert_array_equal(read_points(path).X, X)  # a date, say


def test_an_array_can_be_written_where_nothing_can_seek() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    for array in (X, X.T, X[::2, 1], np.arange(3, dtype=">i4")):
        pipe = Pipe()
        write_npy(pipe, array)
        np.testing.assert_array_equal(np.load(io.BytesIO(pipe.getvalue())), array)
