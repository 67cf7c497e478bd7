"""A PLY file written again with a label a point; whatever else it holds is copied."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import copyfileobj
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from kmeans_fast.sources._ply import PlyCloud
from kmeans_fast.sources._ply_header import LONGEST_LINE, ORDERS, POINTS
from kmeans_fast.sources._spool import reopen

from ._common import FileError
from .outputs import LABEL

RED_GREEN_BLUE = ("red", "green", "blue")
ROWS = 50_000


class PlyRewriter:
    """Writes the points of `source` again, labelled, in the same form.

    Parameters
    ----------
    source : PlyCloud
    colour : bool
        Whether to colour points by cluster, in place of the colours they have.

    Raises
    ------
    FileError
        If a property of the label's or a colour's name has another type.
    """

    def __init__(self, source: PlyCloud, colour: bool) -> None:
        self.source, self.header = source, source.header
        wanted = {LABEL: ("int", ("i4", "u4")), **(dict.fromkeys(RED_GREEN_BLUE, ("uchar", ("u1",))) if colour else {})}
        there = self.header.points.properties
        for name, (_, codes) in wanted.items():
            if there.get(name, codes[0]) not in codes:
                kinds = " or ".join(codes)
                raise FileError(f"{source.path} has a property {name!r} of type {there[name]}; it must be {kinds}.")
        self.names = tuple(wanted)
        self.new = {name: kind for name, (kind, _) in wanted.items() if name not in there}

    def write(self, stream: BinaryIO, labels: npt.NDArray[np.int32], palette: npt.NDArray[np.uint8]) -> None:
        """Write the file; a colour a cluster is used if colours were asked for."""
        for line in self._header():
            stream.write(line)
        with reopen(self.source.path, self.source.stream) as original:
            original.seek(self.header.size)
            if self.header.text:
                self._write_lines(stream, original, labels, palette)
            else:
                stream.write(original.read(self.header.start - self.header.size))
                self._write_records(stream, labels, palette)
                original.seek(self.header.start + self.header.points.count * self.header.dtype.itemsize)
            copyfileobj(original, stream)

    def _header(self) -> Iterator[bytes]:
        """Give the header's lines with the new properties behind those of a point."""
        inside, last = False, 0
        for i, line in enumerate(self.header.lines):
            words = line.split()
            if words[:1] == [b"element"]:
                inside = words[1] == POINTS.encode()
            elif inside and words[:1] == [b"property"]:
                last = i
        for i, line in enumerate(self.header.lines):
            yield line
            if i == last:
                end = line[len(line.rstrip()) :]
                yield from (f"property {kind} {name}".encode() + end for name, kind in self.new.items())

    def _values(self, labels: npt.NDArray[Any], palette: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        colours = palette[labels] if len(self.names) > 1 else np.empty((0, 3))
        return dict(zip(self.names, (labels, *colours.T), strict=False))

    def _write_records(self, stream: BinaryIO, labels: npt.NDArray[Any], palette: npt.NDArray[Any]) -> None:
        order, old = ORDERS[self.header.form], self.header.dtype
        codes = {name: order + ("i4" if name == LABEL else "u1") for name in self.new}
        dtype = np.dtype([*old.descr, *codes.items()])
        for start in range(0, len(labels), ROWS):
            part = labels[start : start + ROWS]
            records = self.source.packed(start, start + len(part))
            out = np.empty(len(part), dtype)
            out.view(np.uint8).reshape(len(part), -1)[:, : old.itemsize] = records.view(np.uint8).reshape(len(part), -1)
            for name, values in self._values(part, palette).items():
                out[name] = values
            stream.write(out.data)

    def _write_lines(
        self, stream: BinaryIO, original: BinaryIO, labels: npt.NDArray[Any], palette: npt.NDArray[Any]
    ) -> None:
        """Append to the line of each point; blank lines and those of other elements stay."""
        places = {name: i for i, name in enumerate(self.header.points.properties)}
        every = self._values(np.arange(len(palette)), palette)
        texts = {name: [b"%d" % value for value in values.tolist()] for name, values in every.items()}
        replaced = [(places[name], texts[name]) for name in self.names if name in places]
        ends = [b"".join(b" " + texts[name][label] for name in self.new) for label in range(len(palette))]
        row = -self.header.lines_before
        while row < len(labels):
            line = original.readline(LONGEST_LINE)
            if not line:
                raise FileError(f"{self.source.path} was cut while it was copied.")
            if row >= 0 and not line.isspace():
                body, label = line.rstrip(), int(labels[row])
                end = line[len(body) :]
                if replaced:
                    fields = body.split()
                    for place, text in replaced:
                        fields[place] = text[label]
                    body = b" ".join(fields)
                line = body + ends[label] + end
            row += not line.isspace()
            stream.write(line)
