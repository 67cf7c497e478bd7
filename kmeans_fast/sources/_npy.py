"""NumPy's .npy files: mapped rather than read, and never trusted.

A header is checked against the bytes that are there before anything is allocated, and arrays of Python objects are
refused, since reading them runs what the file says.
"""

from __future__ import annotations

import io
import math
import os
import sys
import tokenize
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._need import one_line

MOST = 2000  # bytes of a header without its padding: NumPy's parser takes their square, 2 s for 4,000
LONGEST = 120  # of what NumPy's parser says

# What numpy.lib.format lets through of its parser's troubles.
_UNPARSED = (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, KeyError, tokenize.TokenError)


class Header(NamedTuple):
    """What a .npy header says, and where its data starts."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of the data."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: BinaryIO | Any, name: str, size: int) -> Header:
    """Read and check the header of an array of `size` bytes, header included.

    Raises
    ------
    ValueError
        If it is no header of an array of numbers, or asks for more bytes than there are.
    """
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
        (3, 0): np.lib.format.read_array_header_2_0,  # which only adds Unicode field names, and fields aren't numbers
    }
    try:
        version = np.lib.format.read_magic(stream)
        if version in readers:
            digits = 2 if version == (1, 0) else 4
            start = stream.read(digits)
            if len(start) < digits:
                raise ValueError(f"a length of {digits} bytes, and {len(start)} are there")
            length = int.from_bytes(start, "little")
            if length > size:  # NumPy would allocate what the header's length says
                raise ValueError(f"a header of {length} bytes, and {size} are there")
            text = stream.read(length)
            if len(text) < length:
                raise ValueError(f"a header of {length} bytes, and {len(text)} are there")
            text = text.rstrip(b" \n")
            if len(text) > MOST:
                raise ValueError(f"{len(text)} bytes beside padding, more than an array of numbers has")
            inner = io.BytesIO(len(text).to_bytes(digits, "little") + text)
            header = Header(*readers[version](inner), stream.tell())
    except _UNPARSED as error:
        raise ValueError(f"{name} has a damaged .npy header: {one_line(error, LONGEST)}") from None
    if version not in readers:
        raise ValueError(f"{name} has .npy version {version[0]}.{version[1]} and must have 1.0, 2.0 or 3.0.")
    if header.dtype.hasobject:
        raise ValueError(f"{name} holds pickled Python objects, which are refused: save numbers.")
    if header.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {header.dtype} and must hold real numbers.")
    # Of a length of 0 too, NumPy multiplies the others; and it takes True for a length, until an array is made.
    least = math.prod(max(length, 1) for length in header.shape) * header.dtype.itemsize
    if (
        any(type(length) is not int or length < 0 for length in header.shape)
        or least > sys.maxsize
        or len(header.shape) > 32
    ):
        shape = one_line(str(header.shape), LONGEST)
        raise ValueError(f"{name} has a damaged .npy header: shape {shape}.")
    if header.nbytes > size - header.offset:
        raise ValueError(
            f"{name} is truncated: its header asks for {header.nbytes} bytes of data and "
            f"it holds {max(size - header.offset, 0)}."
        )
    return header


def npy(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Map a .npy file of numbers, of any real dtype, byte order and memory order; the array is read-only.

    Returns
    -------
    X : np.memmap, or an empty array

    Raises
    ------
    OSError
        If the file can't be read.
    ValueError
        If it isn't a .npy file of numbers, or its header asks for more than the file holds: nothing is allocated then.

    Notes
    -----
    Memory: none of its own; what is read is the page cache's.
    """
    with open(path, "rb") as stream:
        header = read_header(stream, os.fspath(path), os.fstat(stream.fileno()).st_size)
    if header.nbytes == 0:  # nothing can be mapped
        return np.empty(header.shape, header.dtype)
    return np.memmap(path, header.dtype, "r", header.offset, header.shape, "F" if header.fortran_order else "C")
