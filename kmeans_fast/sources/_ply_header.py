"""The header of a PLY file, checked against the file's size before anything trusts it.

Source: G. Turk, "The PLY Polygon File Format" (1994).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

LONGEST_LINE, LONGEST_HEADER = 4096, 1 << 20
ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
TYPES = {
    "char": "i1",
    "uchar": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float": "f4",
    "double": "f8",
    "float32": "f4",
    "float64": "f8",
}
POINTS = "vertex"


class HeaderError(ValueError):
    """The header is none, or asks for more than the file holds."""


@dataclass(frozen=True)
class Element:
    """One kind of thing: how many, and its scalar properties; `lists` says whether others are lists."""

    name: str
    count: int
    properties: dict[str, str]
    lists: int = 0

    def dtype(self, order: str) -> np.dtype[np.void]:
        """Give the layout of one of them in a binary file."""
        return np.dtype([(name, order + code) for name, code in self.properties.items()])

    def least_bytes(self, text: bool) -> int:
        """Say how many bytes they take at the least: a digit and a separator a value, an empty list."""
        if text:
            return self.count * 2 * (len(self.properties) + self.lists)
        return self.count * (self.dtype("<").itemsize + self.lists)


@dataclass(frozen=True)
class PlyHeader:
    """What a header says.

    Attributes
    ----------
    lines : tuple of bytes
        As in the file, line ends included.
    form : str
        One of `ORDERS`.
    before, after : tuple of Element
        What stands before and after the points.
    points : Element
    """

    lines: tuple[bytes, ...]
    form: str
    before: tuple[Element, ...]
    points: Element
    after: tuple[Element, ...]

    @property
    def text(self) -> bool:
        """Whether the values are text."""
        return self.form == "ascii"

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Layout of a point in a binary file."""
        return self.points.dtype(ORDERS[self.form])

    @property
    def size(self) -> int:
        """Bytes of the header."""
        return sum(map(len, self.lines))

    @property
    def start(self) -> int:
        """Where the points of a binary file start."""
        return self.size + sum(e.least_bytes(False) for e in self.before)

    @property
    def lines_before(self) -> int:
        """How many lines of a text file stand before its points, blank ones left out."""
        return sum(e.count for e in self.before if e.properties or e.lists)


def read_header(stream: BinaryIO) -> PlyHeader:
    """Read and check the header.

    Raises
    ------
    HeaderError
        Says what is wrong, without the file's name.
    """
    lines = _lines(stream)
    form, elements, names = "", list[Element](), set[str]()
    for number, raw in enumerate(lines[1:-1], 2):
        try:
            match raw.decode("ascii", "replace").split():
                case ["format", name, "1.0"] if name in ORDERS and not form and not elements:
                    form = name
                case ["comment" | "obj_info", *_]:
                    pass
                case ["element", name, count] if name not in names and count.isascii():
                    names.add(name)
                    elements.append(Element(name, int(count) if count.isdigit() else _bad(), {}))
                case ["property", "list", length, item, _] if TYPES[length][0] != "f" and TYPES[item]:
                    elements[-1] = replace(elements[-1], lists=elements[-1].lists + 1)
                case ["property", kind, name] if name not in elements[-1].properties:
                    elements[-1].properties[name] = TYPES[kind]
                case _:
                    _bad()
        except (LookupError, ValueError):
            raise HeaderError(f"has a damaged header: line {number} is {raw[:60]!r}") from None
    if not form:
        raise HeaderError(f"has a damaged header: no format line with one of {', '.join(ORDERS)}")
    at = next((i for i, e in enumerate(elements) if e.name == POINTS), None)
    if at is None or not elements[at].properties:
        raise HeaderError(f"has no points: no element {POINTS!r} with properties")
    header = PlyHeader(tuple(lines), form, tuple(elements[:at]), elements[at], tuple(elements[at + 1 :]))
    _check(header, os.fstat(stream.fileno()).st_size)
    return header


def _lines(stream: BinaryIO) -> list[bytes]:
    """Read the header's lines, `end_header` the last of them."""
    lines, size = [stream.readline(LONGEST_LINE)], 0
    if lines[0].strip() != b"ply":
        raise HeaderError("is not a PLY file: its first line is not 'ply'")
    while lines[-1].strip() != b"end_header":
        lines.append(stream.readline(LONGEST_LINE))
        size += len(lines[-1])
        if not lines[-1].endswith(b"\n") or size > LONGEST_HEADER:
            raise HeaderError(f"has a damaged or truncated header: no end_header after {size} bytes")
    return lines


def _bad() -> int:
    raise ValueError


def _check(header: PlyHeader, size: int) -> None:
    """Refuse points that can't be found by their number, and more of anything than the file can hold."""
    if header.points.lists:
        raise HeaderError(f"has lists among the properties of {POINTS!r}; they must be single numbers")
    if not header.text and any(e.lists for e in header.before):
        raise HeaderError(f"has lists before its points: element {POINTS!r} must come first")
    elements = (*header.before, header.points, *header.after)
    asked = header.size + sum(e.least_bytes(header.text) for e in elements)
    if asked > size + header.text:  # a text's last line may lack its end
        raise HeaderError(f"is truncated: its header asks for at least {asked} bytes and it has {size}")
