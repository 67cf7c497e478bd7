"""LAS and LAZ: the points of laser scans, their millimetres kept.

A coordinate is an integer times a scale plus an offset, computed in float64 as laspy does: the same bits as
``laspy.read(path).xyz``. float32 about a shifted origin holds the millimetres of 16 km, but its scores round: 40 of two
million labels differ at the borders of 5000 clusters (``python -m benchmarks.clouds``). So the kernels run in float64.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._file import Records
from .._need import need, one_line
from ._las_layout import LASZIP, LayoutError, check_chunks, read_layout
from ._parquet import check_columns
from ._spool import Spool, reopen

Array = NDArray[Any]
COORDINATES = ("x", "y", "z")
DECODED, DECODED_BYTES = 50_000, 1 << 26  # points decoded at once, LASzip's usual chunk; fewer where they are wide


class Dimension(NamedTuple):
    """A feature: the name of its integers in a record, what scales them, and their dtype."""

    stored: str
    scale: float
    offset: float
    dtype: np.dtype[Any]


class Stored(NamedTuple):
    """The integers of a file as a source, and what turns them into its values: times `scales`, plus `offsets`."""

    source: LasCloud
    scales: NDArray[np.float64]
    offsets: NDArray[np.float64]


class LasCloud:
    """The points of a LAS or LAZ file, read in blocks.

    Parameters
    ----------
    path : str or path-like
    columns : sequence of str, optional
        Dimensions, as laspy names them: intensity, classification, red, extra dimensions ...; x, y, z by default.

    Attributes
    ----------
    shape : (n_points, n_dimensions)
    dtype : numpy.dtype
        float64, unless no selected dimension has a scale.
    feature_names : list of str
    names : tuple of str
        All dimensions there are.

    Raises
    ------
    ValueError
        If the file is no LAS file, is damaged or truncated, or has no such dimension.
    ImportError
        If laspy or lazrs is missing.

    Notes
    -----
    Memory: a few blocks. LAZ is decoded once, into a scratch file of the integers (12 bytes a point of x, y, z) in the
    scratch folder, since k-means reads the points many times; LAS is read where it is.
    """

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> None:
        self.path = os.fspath(path)
        laspy = need("laspy", "reading LAS files", "points")
        self.stream = open(self.path, "rb", buffering=0)  # noqa: SIM115 lives as long as the source
        try:
            self.layout = read_layout(self.stream)
        except LayoutError as error:
            raise ValueError(f"{self.path} {error}.") from None
        with worded(f"{self.path} has a damaged header"):
            self.stream.seek(0)
            self.header = laspy.LasHeader.read_from(self.stream, read_evlrs=False)
            self._packed = self.header.point_format.dtype()
        self.names = (*COORDINATES, *self.header.point_format.dimension_names)
        self.feature_names = list(COORDINATES) if columns is None else check_columns(columns)
        self.dimensions = tuple(self._dimension(name) for name in self.feature_names)
        n = self.layout.n_points
        self.shape = (n, len(self.dimensions))
        self.stored_dtype = np.result_type(*(d.dtype for d in self.dimensions))
        self.scales = np.array([d.scale for d in self.dimensions])
        self.offsets = np.array([d.offset for d in self.dimensions])
        plain = (self.scales == 1).all() and (self.offsets == 0).all()
        self.dtype = self.stored_dtype if plain else np.dtype(np.float64)
        self._records: Records
        if self.layout.compressed and n:
            self._check_chunks()
            row = np.dtype((self.stored_dtype, (len(self.dimensions),)))
            self._records = Spool(self._decoded(), row, n, self.path)
        else:
            self._records = Records(self.stream, self.layout.point_offset, self._packed, n, self.path)

    def read(self, start: int, stop: int, out: Array) -> None:
        """Write points [start, stop) to `out`."""
        self._scale(self._stored(self._records.read(start, stop)), out)

    def take(self, rows: Array) -> Array:
        """Return the given points."""
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        self._scale(self._stored(self._records.take(rows)), out)
        return out

    @property
    def stored(self) -> Stored:
        """The same points before they are scaled: their sums are exact."""
        inner = copy(self)
        inner.dtype = self.stored_dtype
        inner.scales, inner.offsets = np.ones_like(self.scales), np.zeros_like(self.offsets)
        return Stored(inner, self.scales, self.offsets)

    def _scale(self, stored: Iterable[Array], out: Array) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found and named later
            for f, column in enumerate(stored):
                out[:, f] = column if self.dtype != np.float64 else column * self.scales[f] + self.offsets[f]

    def _stored(self, records: Array) -> Iterable[Array]:
        """Give the integers of records, a column a feature."""
        if records.dtype.names is None:
            return [records[:, f] for f in range(self.shape[1])]
        fields = need("laspy", "reading LAS files", "points").PackedPointRecord(records, self.header.point_format)
        names = self._packed.names
        return [records[d.stored] if d.stored in names else np.asarray(fields[d.stored]) for d in self.dimensions]

    def _decoded(self) -> Iterator[Array]:
        for records in self.packed(whole=False):
            yield np.stack([np.asarray(c, self.stored_dtype) for c in self._stored(records)], axis=1)

    def packed(self, whole: bool = True) -> Iterator[Array]:
        """Read all points in order as the file holds them, some records at a time.

        Unless `whole`, dimensions that are not selected may be 0: LASzip's layers of them are not decoded.
        """
        n, done = self.layout.n_points, 0
        most = min(DECODED, DECODED_BYTES // self._packed.itemsize)
        decompressor = self._decompressor(whole) if self.layout.compressed and n else None
        while done < n:
            stop = min(done + most, n)
            if decompressor is None:
                yield self._records.read(done, stop)
            else:
                data = np.empty((stop - done) * self._packed.itemsize, np.uint8)
                with worded(f"{self.path} is damaged or truncated between points {done} and {stop}"):
                    decompressor.decompress_many(data)
                yield data.view(self._packed)
            done = stop

    def _dimension(self, name: str) -> Dimension:
        packed, header = self._packed, self.header
        if name in COORDINATES:
            axis = COORDINATES.index(name)
            return Dimension(name.upper(), float(header.scales[axis]), float(header.offsets[axis]), packed[axis])
        if name not in self.names:
            raise ValueError(f"{self.path} has no dimension {name!r}; it has {', '.join(self.names)}.")
        found = header.point_format.dimension_by_name(name)
        if found.num_elements != 1:
            raise ValueError(f"{self.path}: {name!r} holds {found.num_elements} values a point and must hold one.")
        dtype = packed[name] if name in (packed.names or ()) else np.dtype(np.uint8)  # or a few bits of a byte
        scale, offset = (found.scales[0], found.offsets[0]) if found.is_scaled else (1.0, 0.0)
        return Dimension(name, float(scale), float(offset), dtype)

    def _open_laz(self) -> tuple[Any, Any, bytes]:
        """Give lazrs, the file at its points, and the LASzip record."""
        lazrs = need("lazrs", "reading LAZ files", "points")
        block = self.layout.vlr(*LASZIP)
        assert block is not None
        stream = reopen(self.path, self.stream)
        stream.seek(block.data)
        vlr = stream.read(block.stop - block.data)
        stream.seek(self.layout.point_offset)
        return lazrs, stream, vlr

    def _check_chunks(self) -> None:
        """Refuse a table of chunks that is cut, or does not fit the points."""
        lazrs, stream, vlr = self._open_laz()
        with stream, worded(f"{self.path} is truncated or damaged: its table of chunks can't be read"):
            laz = lazrs.LazVlr(vlr)
            if laz.item_size() != self.layout.record_size:
                raise ValueError(f"points have {self.layout.record_size} bytes, and {laz.item_size()} when compressed")
            sizes = [size for _, size in lazrs.read_chunk_table(stream, laz)]
        try:
            check_chunks(self.stream, self.layout, sizes)
        except LayoutError as error:
            raise ValueError(f"{self.path} {error}.") from None

    def _decompressor(self, whole: bool) -> Any:
        # One thread: the pool of lazrs does not survive a fork, and k-means reads ahead anyway.
        lazrs, stream, vlr = self._open_laz()
        selection = lazrs.SELECTIVE_DECOMPRESS_ALL
        if not whole and {d.stored for d in self.dimensions} <= {"X", "Y", "Z"}:
            selection = lazrs.SELECTIVE_DECOMPRESS_XY_RETURNS_CHANNEL | lazrs.SELECTIVE_DECOMPRESS_Z
        with worded(f"{self.path} can't be decompressed"):
            return lazrs.LasZipDecompressor(stream, vlr, lazrs.DecompressionSelection(selection))


@contextmanager
def worded(what: str) -> Iterator[None]:
    """Turn what laspy and lazrs raise on damaged bytes, a panic of lazrs among it, into one sentence."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, OSError):
            raise
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise ValueError(f"{what}: {one_line(error)}.") from None
        raise
