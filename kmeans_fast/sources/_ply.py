"""PLY point clouds: binary of both byte orders read where they are, text parsed once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .._file import Records
from ._parquet import check_columns
from ._ply_header import LONGEST_LINE, HeaderError, PlyHeader, read_header
from ._spool import Spool, reopen

Array = NDArray[Any]
COORDINATES = ("x", "y", "z")
PARSED = 50_000  # points parsed at once


class PlyCloud:
    """The points of a PLY file, read in blocks.

    Parameters
    ----------
    path : str or path-like
    columns : sequence of str, optional
        Properties of the element ``vertex``; x, y, z by default, or all where it has none of these.

    Attributes
    ----------
    shape : (n_points, n_properties)
    dtype : numpy.dtype
        Of the selected properties together; float64 for text, whose digits often are more than its ``float`` holds.
    feature_names : list of str
    names : tuple of str
        All properties there are.

    Raises
    ------
    ValueError
        If the file is no PLY file, is damaged or truncated, or has no such property.

    Notes
    -----
    Memory: a few blocks. Text is parsed once, into a scratch file (8 bytes a value) in the scratch folder.
    """

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> None:
        self.path = os.fspath(path)
        self.stream = open(self.path, "rb")  # noqa: SIM115 lives as long as the source
        try:
            self.header = header = read_header(self.stream)
        except HeaderError as error:
            raise ValueError(f"{self.path} {error}.") from None
        codes = header.points.properties
        self.names = tuple(codes)
        default = COORDINATES if set(COORDINATES) <= set(codes) else codes
        self.feature_names = list(default) if columns is None else check_columns(columns)
        for name in self.feature_names:
            if name not in codes:
                raise ValueError(f"{self.path} has no property {name!r}; its points have {', '.join(codes)}.")
        n = header.points.count
        self.shape = (n, len(self.feature_names))
        self.dtype = (
            np.dtype(np.float64) if header.text else np.result_type(*(codes[name] for name in self.feature_names))
        )
        self._records: Records
        if header.text:
            row = np.dtype((self.dtype, (len(self.feature_names),)))
            self._records = Spool(self._parsed(), row, n, self.path)
        else:
            self._records = Records(self.stream, header.start, header.dtype, n, self.path)

    def read(self, start: int, stop: int, out: Array) -> None:
        """Write points [start, stop) to `out`."""
        self._copy(self._records.read(start, stop), out)

    def take(self, rows: Array) -> Array:
        """Return the given points."""
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        self._copy(self._records.take(rows), out)
        return out

    def packed(self, start: int, stop: int) -> Array:
        """Return points [start, stop) of a binary file with all their properties."""
        return self._records.read(start, stop)

    def _copy(self, records: Array, out: Array) -> None:
        if records.dtype.names is None:
            np.copyto(out, records, casting="unsafe")
            return
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and named later
            for f, name in enumerate(self.feature_names):
                np.copyto(out[:, f], records[name], casting="unsafe")

    def _parsed(self) -> Iterator[Array]:
        order = {name: i for i, name in enumerate(self.header.points.properties)}
        places = [order[name] for name in self.feature_names]
        with reopen(self.path, self.stream) as stream:
            lines, done = point_lines(stream, self.header), 0
            while part := list(islice(lines, PARSED)):
                yield self._parse(part, places, len(order), done)
                done += len(part)

    def _parse(self, lines: list[bytes], places: list[int], width: int, done: int) -> Array:
        try:
            values = np.loadtxt(lines, comments=None, ndmin=2)
            if values.shape == (len(lines), width):
                return values[:, places]
        except ValueError:
            pass
        for row, line in enumerate(lines, done):
            fields = line.split()
            if len(fields) != width:
                raise ValueError(f"{self.path}: point {row} has {len(fields)} values and must have {width}.")
            for name, field in zip(self.header.points.properties, fields, strict=True):
                try:
                    float(field)
                except ValueError:
                    text = field.decode("ascii", "replace")
                    raise ValueError(
                        f"{self.path}: point {row} has {name} = {text[:60]!r}; it must be a number."
                    ) from None
        raise ValueError(f"{self.path}: points {done} to {done + len(lines) - 1} can't be read.")


def point_lines(stream: BinaryIO, header: PlyHeader) -> Iterator[bytes]:
    """Give the line of each point of a text file, blank lines left out; the stream is then behind the last one."""
    stream.seek(header.size)
    wanted = (line for line in iter(partial(stream.readline, LONGEST_LINE), b"") if not line.isspace())
    return islice(wanted, header.lines_before, header.lines_before + header.points.count)
