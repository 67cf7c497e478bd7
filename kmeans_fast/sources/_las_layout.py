"""Where things lie in a LAS or LAZ file, each checked against the file's size before anything trusts it.

Knows bytes and offsets; dimensions are laspy's business. Source: ASPRS, "LAS Specification 1.4 - R15" (2019).
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

SIGNATURE = b"LASF"
VERSIONS = range(5)  # 1.0 to 1.4
HEADER_SIZES = (227, 227, 227, 235, 375)  # at least, by version
RECORD_SIZES = (20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67)  # at least, by point format
VLR, EVLR = struct.Struct("<2x16sHH32s"), struct.Struct("<2x16sHQ32s")
VARIABLE = 0xFFFFFFFF  # LASzip's chunk size where chunks differ
MOST_POINTS = 1 << 16  # a byte: LASzip's models never let a symbol cost less than 2^-15 / ln 2 bits
LAYERED = 3  # LASzip's number of the compressor that keeps dimensions in layers
LAYERS = {10: 9, 11: 1, 12: 2, 13: 1}  # of LASzip's items; of bytes (14) one each
COMPRESSED = 0x80  # bit of the point format's byte
LASZIP, EXTRA_BYTES, COPC = (b"laszip encoded", 22204), (b"LASF_Spec", 4), b"copc"


class LayoutError(ValueError):
    """The bytes are no LAS file, or fewer than its header asks for."""


class Block(NamedTuple):
    """A variable length record: who made it, and where it lies, its own header included."""

    user_id: bytes
    record_id: int
    start: int
    data: int
    stop: int


@dataclass(frozen=True)
class Layout:
    """What the fixed part of a header says.

    Attributes
    ----------
    minor, header_size, point_offset, point_format, record_size, n_points, compressed
        As in the header; `n_points` from the field of 64 bits where there is one.
    waveforms : int
        Where waveform packets start in this file; 0 without.
    vlrs, evlrs : tuple of Block
    size : int
        Of the file.
    """

    minor: int
    header_size: int
    point_offset: int
    point_format: int
    record_size: int
    n_points: int
    compressed: bool
    waveforms: int
    vlrs: tuple[Block, ...]
    evlrs: tuple[Block, ...]
    size: int

    def vlr(self, user_id: bytes, record_id: int) -> Block | None:
        """Find a record."""
        return next((v for v in self.vlrs if (v.user_id, v.record_id) == (user_id, record_id)), None)


def read_layout(stream: BinaryIO) -> Layout:
    """Read and check the header of a LAS or LAZ file.

    Raises
    ------
    LayoutError
        Says what is wrong, without the file's name.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(max(HEADER_SIZES))
    if not head.startswith(SIGNATURE):
        raise LayoutError("is not a LAS or LAZ file: it does not start with LASF")
    if len(head) < HEADER_SIZES[0]:
        raise LayoutError(f"is truncated: it ends after {size} bytes, within its header")
    major, minor = head[24], head[25]
    if major != 1 or minor not in VERSIONS:
        raise LayoutError(f"has LAS version {major}.{minor}; 1.0 to 1.4 are read")
    header_size, offset, n_vlrs, form, record_size, n_points = struct.unpack_from("<HIIBHI", head, 94)
    numbers = struct.unpack_from("<6d", head, 131)
    if header_size < HEADER_SIZES[minor] or header_size > size:
        raise LayoutError(f"is damaged or truncated: its header of {header_size} bytes must have {HEADER_SIZES[minor]}")
    if not header_size <= offset <= size:
        raise LayoutError(f"is truncated: its points start at byte {offset} and it has {size}")
    point_format = form & 0x3F
    if point_format >= len(RECORD_SIZES):
        raise LayoutError(f"has point format {point_format}; 0 to {len(RECORD_SIZES) - 1} are read")
    if record_size < RECORD_SIZES[point_format]:
        raise LayoutError(
            f"has points of {record_size} bytes; format {point_format} takes {RECORD_SIZES[point_format]}"
        )
    if not all(map(math.isfinite, numbers)) or 0 in numbers[:3]:
        raise LayoutError(f"has scales {numbers[:3]} and offsets {numbers[3:]}; they must be finite, no scale 0")
    waveforms = struct.unpack_from("<Q", head, 227)[0] if minor >= 3 else 0
    first_evlr, n_evlrs, long_count = struct.unpack_from("<QIQ", head, 235) if minor >= 4 else (0, 0, 0)
    layout = Layout(
        minor=minor,
        header_size=header_size,
        point_offset=offset,
        point_format=point_format,
        record_size=record_size,
        n_points=n_points if minor < 4 else long_count,
        compressed=bool(form & COMPRESSED),
        waveforms=waveforms if head[6] & 2 else 0,
        vlrs=_walk(stream, VLR, header_size, n_vlrs, offset),
        evlrs=_walk(stream, EVLR, first_evlr, n_evlrs, size),
        size=size,
    )
    _check_points(stream, layout)
    return layout


def _walk(stream: BinaryIO, form: struct.Struct, start: int, count: int, end: int) -> tuple[Block, ...]:
    """Find `count` variable length records from `start` on, all before `end`."""
    blocks = []
    for number in range(count):
        data = start + form.size
        if data > end:
            raise LayoutError(f"is damaged or truncated: it ends within variable length record {number} of {count}")
        stream.seek(start)
        user_id, record_id, length, _ = form.unpack(stream.read(form.size))
        if data + length > end:
            raise LayoutError(
                f"is damaged or truncated: its variable length record {number} asks for {length} bytes and "
                f"{end - data} are there"
            )
        blocks.append(Block(user_id.split(b"\0")[0], record_id, start, data, data + length))
        start = data + length
    return tuple(blocks)


def _check_points(stream: BinaryIO, layout: Layout) -> None:
    """Refuse a file that cannot hold the points it promises."""
    if not layout.compressed:
        there = (layout.size - layout.point_offset) // layout.record_size
        if there < layout.n_points:
            raise LayoutError(f"is truncated: its header asks for {layout.n_points} points and it holds {there}")
        return
    laszip = layout.vlr(*LASZIP)
    if laszip is None or laszip.stop - laszip.data < 16:
        raise LayoutError("is damaged: it is compressed and has no LASzip record")
    if layout.n_points == 0:
        return
    stream.seek(layout.point_offset)
    where = stream.read(8)
    if where == b"\xff" * 8:  # written to a pipe: the place of the table comes last
        stream.seek(max(layout.size - 8, 0))
        where = stream.read(8)
    table = int.from_bytes(where, "little", signed=True)
    if len(where) < 8 or not layout.point_offset + 8 <= table <= layout.size - 8:
        raise LayoutError(f"is truncated: its table of chunks is at byte {table} and it has {layout.size}")
    stream.seek(table + 4)
    chunks = int.from_bytes(stream.read(4), "little")
    if chunks > table - layout.point_offset - 8:
        raise LayoutError(f"is damaged: {chunks} chunks can't lie in {table - layout.point_offset} bytes of points")
    stream.seek(laszip.data + 12)
    in_chunk = int.from_bytes(stream.read(4), "little")
    most = layout.size * MOST_POINTS if in_chunk == VARIABLE else min(layout.size * MOST_POINTS, chunks * in_chunk)
    if layout.n_points > most:
        raise LayoutError(f"is damaged: its header asks for {layout.n_points} points and it can hold {most} at most")


def check_chunks(stream: BinaryIO, layout: Layout, sizes: Iterable[int]) -> None:
    """Refuse compressed chunks that ask for more bytes than the file has, which a decompressor would allocate.

    Parameters
    ----------
    sizes : iterable of int
        Bytes of each chunk, from the file's table.
    """
    laszip = layout.vlr(*LASZIP)
    assert laszip is not None
    stream.seek(laszip.data)
    record = stream.read(laszip.stop - laszip.data)
    layers = 0
    if int.from_bytes(record[:2], "little") == LAYERED:
        for kind, size, _ in struct.iter_unpack("<HHH", record[34 : 34 + (len(record) - 34) // 6 * 6]):
            layers += LAYERS.get(kind, size)
    start, points = layout.point_offset + 8, 0
    for number, size in enumerate(sizes):
        if start + size > layout.size:
            raise LayoutError(f"is truncated: chunk {number} has {size} bytes and {layout.size - start} are there")
        if layers:
            stream.seek(start + layout.record_size)
            head = stream.read(4 + 4 * layers)
            count, *lengths = struct.unpack(f"<{1 + layers}I", head.ljust(4 + 4 * layers, b"\xff"))
            if layout.record_size + 4 + 4 * layers + sum(lengths) > size:
                raise LayoutError(f"is damaged: chunk {number} has {size} bytes and its layers {sum(lengths)}")
            points += count
        start += size
    if layers and points != layout.n_points:
        raise LayoutError(f"is damaged: its header asks for {layout.n_points} points and its chunks hold {points}")
