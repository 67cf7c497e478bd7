"""A LAS or LAZ file written again with a label a point; every byte that need not change is copied.

laspy would write header and records from what it understood of them. Here they are the input's own bytes: CRS, scales,
offsets, extended records, waveforms, undocumented extra bytes. Only what says where things lie is put right.
"""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from kmeans_fast.sources._las import LasCloud, worded
from kmeans_fast.sources._las_layout import COMPRESSED, COPC, EXTRA_BYTES, LASZIP, RECORD_SIZES, VLR
from kmeans_fast.sources._spool import reopen

from ._common import FileError, need
from .outputs import LABEL

UINT8, UINT32, UINT64 = 1, 5, 7  # LAS's numbers of the types
COLOURED = {0: 2, 1: 3, 6: 7}  # point formats without colours, and the same with them
COLOURS_AT = {2: 20, 3: 28, 5: 28, 7: 30, 8: 30, 10: 30}  # bytes of a record before its colours
LOSSY = (9, 10)  # lazrs (0.8.2) writes other waveforms than it is given where points are of several scanner channels
DESCRIPTOR = struct.Struct("<2xBB32s124x32s")  # of an extra dimension: type, options, name, description
SIZES = (0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8)  # of extra dimensions, by type
COPIED = 1 << 20
LONGEST_VLR = 0xFFFF


class LasRewriter:
    """Writes the points of `source` again, labelled.

    Parameters
    ----------
    source : LasCloud
    compress : bool
        Whether to write LAZ.
    colour : bool
        Whether to colour points by cluster, in place of the colours they have.

    Raises
    ------
    FileError, ValueError
        If the points can't take a label or colours, or be compressed.
    ImportError
        If lazrs is needed and missing.
    """

    def __init__(self, source: LasCloud, compress: bool, colour: bool) -> None:
        self.source, self.colour = source, colour
        layout, packed = source.layout, source.header.point_format.dtype()
        self.old_size = layout.record_size
        self.form = layout.point_format
        if colour and self.form not in COLOURS_AT:
            if self.form not in COLOURED:
                raise FileError(f"{source.path} has point format {self.form}, which no format with colours extends.")
            self.form = COLOURED[self.form]
        self.base = RECORD_SIZES[layout.point_format]  # bytes before the extra dimensions
        self.label_at: int | None = None
        if LABEL in packed.names:
            dimension = source.header.point_format.dimension_by_name(LABEL)
            dtype, self.label_at = packed.fields[LABEL]
            if dtype.str not in ("<i4", "<u4") or dimension.is_scaled:
                raise FileError(
                    f"{source.path} has a dimension {LABEL!r} of its own: {dtype}; it must be int32 or uint32."
                )
        self.wider = RECORD_SIZES[self.form] - self.base
        self.new_size = self.old_size + self.wider + (4 if self.label_at is None else 0)
        if self.new_size > LONGEST_VLR:
            raise FileError(f"{source.path} has points of {self.old_size} bytes; there is no room for a label.")
        self.laz = self._compressor() if compress else None

    def write(self, stream: BinaryIO, labels: npt.NDArray[np.int32], palette: npt.NDArray[np.uint8]) -> None:
        """Write the file; a colour a cluster is used if colours were asked for."""
        source, layout = self.source, self.source.layout
        with reopen(source.path, source.stream) as original:
            blocks = self._vlrs(original)
            header = bytearray(_bytes(original, 0, layout.header_size))
            gap = _bytes(original, max([layout.header_size, *(v.stop for v in layout.vlrs)]), layout.point_offset)
            offset = layout.header_size + sum(map(len, blocks)) + len(gap)
            form = self.form | (COMPRESSED if self.laz else 0)
            struct.pack_into("<IIBH", header, 96, offset, len(blocks), form, self.new_size)
            if self.form != layout.point_format:
                header[25] = max(layout.minor, 2)  # LAS 1.2 brought colours
            stream.write(bytes(header) + b"".join(blocks) + gap)
            disk = _Disk(stream)
            try:
                with worded(f"{source.path} can't be written again"):
                    self._write_points(disk, labels, palette.astype(np.uint16) * 257)
            except ValueError as error:
                raise disk.error or error from None
            self._write_tail(stream, original, header)
        stream.seek(0)
        stream.write(header)
        stream.seek(0, 2)

    def _compressor(self) -> Any:
        if self.form in LOSSY:
            raise FileError(f"{self.source.path} has point format {self.form}, which can't be compressed: write .las.")
        lazrs = need("lazrs", "writing LAZ", "points")
        with worded(f"points of format {self.form} can't be compressed, write .las"):
            return lazrs.LazVlr.new_for_compression(self.form, self.new_size - RECORD_SIZES[self.form])

    def _vlrs(self, original: BinaryIO) -> list[bytes]:
        """Give the variable length records, that of the extra dimensions with the label's."""
        blocks, described = [], b""
        for v in self.source.layout.vlrs:
            kind = v.user_id, v.record_id
            if kind == EXTRA_BYTES and self.label_at is None:
                described = _bytes(original, v.data, v.stop)
            elif kind != LASZIP and v.user_id != COPC:  # which points into the old file
                blocks.append(_bytes(original, v.start, v.stop))
        if self.label_at is None:
            record = self._described(described)
            if len(record) > LONGEST_VLR:
                raise FileError(f"{self.source.path} has no room for a label: {len(record)} bytes of extra dimensions.")
            blocks.append(_vlr(EXTRA_BYTES, record, b"Extra Bytes Record"))
        if self.laz:
            blocks.append(_vlr(LASZIP, self.laz.record_data(), b"lazrs"))
        return blocks

    def _described(self, known: bytes) -> bytes:
        """Describe the label after the extra dimensions there are; bytes nobody described are left undocumented."""
        extra = self.old_size - self.base
        parts = [known[i : i + DESCRIPTOR.size] for i in range(0, len(known), DESCRIPTOR.size)] if extra else []
        left = extra - sum(_described_size(part) for part in parts)
        while left > 0:  # as numbers: not every reader knows LAS's own type for such bytes
            kind = UINT64 if left >= SIZES[UINT64] else UINT8
            parts.append(DESCRIPTOR.pack(kind, 0, b"undocumented%d" % left, b""))
            left -= SIZES[kind]
        return b"".join([*parts, DESCRIPTOR.pack(UINT32, 0, LABEL.encode(), b"k-means cluster")])

    def _write_points(self, stream: Any, labels: npt.NDArray[np.int32], palette: npt.NDArray[np.uint16]) -> None:
        compressor = need("lazrs", "writing LAZ", "points").LasZipCompressor(stream, self.laz) if self.laz else None
        done = 0
        for records in self.source.packed():
            part = labels[done : done + len(records)]
            old = records.view(np.uint8).reshape(len(records), self.old_size)
            new = np.zeros((len(records), self.new_size), np.uint8)
            new[:, : self.base] = old[:, : self.base]
            new[:, self.base + self.wider : self.old_size + self.wider] = old[:, self.base :]
            at = self.new_size - 4 if self.label_at is None else self.label_at + self.wider
            new[:, at : at + 4] = part.astype("<u4")[:, np.newaxis].view(np.uint8)
            if self.colour:
                at = COLOURS_AT[self.form]
                new[:, at : at + 6] = palette.astype("<u2")[part].view(np.uint8)
            if compressor is None:
                stream.write(new.data)
            else:
                compressor.compress_many(new.reshape(-1))
            done += len(records)
        if compressor is not None:
            compressor.done()

    def _write_tail(self, stream: BinaryIO, original: BinaryIO, header: bytearray) -> None:
        """Copy what stands behind the points, and say in the header where it went."""
        layout, moved = self.source.layout, dict[int, int]()
        kept = [v for v in layout.evlrs if v.user_id != COPC]
        ranges = [(v.start, v.stop) for v in kept]
        if layout.waveforms and not any(start == layout.waveforms for start, _ in ranges):
            ranges.append((layout.waveforms, layout.size))  # LAS 1.3 has them without a record of 1.4
        for start, stop in ranges:
            moved[start] = stream.tell()
            while start < stop:
                start += stream.write(_bytes(original, start, min(start + COPIED, stop)))
        if layout.waveforms:
            struct.pack_into("<Q", header, 227, moved[layout.waveforms])
        if layout.minor >= 4:
            first = moved[kept[0].start] if kept else 0
            struct.pack_into("<QI", header, 235, first, len(kept))


class _Disk:
    """A stream for lazrs, which hides why a write failed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.seek, self.tell, self.flush, self._write = stream.seek, stream.tell, stream.flush, stream.write
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self._write(data)
        except OSError as error:
            self.error = error
            raise


def _bytes(stream: BinaryIO, start: int, stop: int) -> bytes:
    stream.seek(start)
    data = stream.read(stop - start)
    if len(data) != stop - start:
        raise FileError(f"{getattr(stream, 'name', 'the input')} was cut while it was copied.")
    return data


def _vlr(kind: tuple[bytes, int], data: bytes, description: bytes) -> bytes:
    return VLR.pack(kind[0], kind[1], len(data), description) + data


def _described_size(descriptor: bytes) -> int:
    kind, options = descriptor[2], descriptor[3]
    if kind == 0:
        return options
    times, base = divmod(kind - 1, 10)
    return SIZES[base + 1] * (times + 1)
