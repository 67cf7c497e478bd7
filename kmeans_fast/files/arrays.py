"""NumPy's .npy and .npz files: mapped rather than read, and never trusted.

A header is checked against the bytes that are there before anything is allocated, and arrays of
Python objects are refused, since reading them runs what the file says.
"""

from __future__ import annotations

import math
import zipfile
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ..sources._npy import Header, npy, read_header
from ._common import FileError, Source, listed, one_line

# Deflate can't expand more than this (RFC 1951: 258 bytes from 2 bits).
DEFLATE_LIMIT = 1032


def read_npy(source: Source) -> npt.NDArray[Any]:
    """Map a .npy file, or view what came by a pipe; the array is read-only, and `kmeans` reads it if it is large.

    Raises
    ------
    FileError
        If it isn't a .npy file of numbers, or its header asks for more than the file holds.
    """
    if source.path is not None:
        try:
            return npy(source.path)
        except ValueError as error:
            raise FileError(str(error)) from None
    with source.open() as stream:
        header = _read_header(stream, source.name, source.size)
    flat = np.frombuffer(source.data, header.dtype, math.prod(header.shape), header.offset)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def read_npz(source: Source) -> npt.NDArray[Any]:
    """Read the array of a .npz file: its only one, or the one called ``X``.

    Raises
    ------
    FileError
        If the archive is damaged, or it isn't clear which array is meant, or as `read_npy`.
    """
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            members = {i.filename[:-4]: i for i in archive.infolist() if i.filename[-4:] == ".npy"}
            if len(members) != 1 and "X" not in members:
                raise FileError(
                    f"{source.name} holds the arrays {listed(members) or 'none'} and "
                    "must hold one array, or one called 'X'."
                )
            name, member = next(iter(members.items())) if len(members) == 1 else ("X", members["X"])
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # LZMA asks for up to 4 GiB
                raise FileError(f"{source.name} is compressed as NumPy never does: it must be stored or deflated.")
            # Nor does the archive's own directory get to promise bytes that can't be there.
            size = min(member.file_size, DEFLATE_LIMIT * min(member.compress_size, source.size))
            with archive.open(member) as data:
                _read_header(data, f"{source.name} (array {name!r})", size)
            with archive.open(member) as data:
                array: npt.NDArray[Any] = np.lib.format.read_array(data, allow_pickle=False)
                return array
    except (FileError, MemoryError):
        raise
    except Exception as error:  # whatever zipfile and its decompressors say of damaged bytes
        raise FileError(f"{source.name} is damaged or truncated: {one_line(error)}.") from None


def write_npy(stream: BinaryIO, array: npt.NDArray[Any]) -> None:
    """Write an array as .npy to any stream; `np.save` wants one that can seek."""
    array = np.ascontiguousarray(array)
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
    stream.write(array.data.cast("B"))


def _read_header(stream: BinaryIO | Any, name: str, size: int) -> Header:
    try:
        return read_header(stream, name, size)
    except ValueError as error:
        raise FileError(str(error)) from None
