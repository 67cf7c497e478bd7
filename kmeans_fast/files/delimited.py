"""CSV and TSV: pyarrow parses; where it refuses, a slow reader finds line, column and value.

The rules, which `kmeans-fast cluster --help` repeats:

- UTF-8; blank lines are skipped; fields may be quoted with ``"``.
- The delimiter is a tab in .tsv and .tab files, else whichever of comma, tab and semicolon the
  first line has most of.
- The first line holds column names unless one of its fields is a number. A wrong guess that way
  is an error at line 1, never a lost point.
- Nothing is skipped or filled in: a missing value, NaN or infinity among numbers is an error.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from ._common import FileError, Source, UsageError, need, one_line
from .points import Chosen, Columns, Points, choose, default_names

BLOCK = 1 << 20  # bytes read at a time when counting quotes; also the longest first line
FIELD = 64  # bytes allowed a field where a line of many columns is longer than a block
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MISSING = {"", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "nil", "?", "-", "."}


class _Layout(NamedTuple):
    """What the first lines say about a file."""

    names: list[str]
    named: bool
    header_lines: int  # lines before the first record of data
    delimiter: str


def read_delimited(source: Source, wanted: Columns, header: bool | None = None, delimiter: str | None = None) -> Points:
    """Read the points of a CSV or TSV file as float64.

    Parameters
    ----------
    source : Source
    wanted : Columns
    header : bool, optional
        Whether the first line holds column names; by default the rule above decides.
    delimiter : str, optional
        One character; by default the rule above decides.

    Raises
    ------
    UsageError
        If `delimiter` isn't one ASCII character.
    FileError
        At the first ragged line or field that isn't a finite number, with its place and value.
    """
    layout = survey(source, header, delimiter)
    chosen = choose(layout.names, wanted, source.name, layout.named)
    quotes, lines = count(source)
    if quotes % 2:
        explain(source, layout, chosen)  # an unclosed quote swallows the rest of the file
    # No more points than lines, nor than delimiters allow: pages of X that stay unused cost nothing.
    most = min(lines, (source.size + 1) // len(layout.names))
    X = np.empty((most, len(chosen.features)))
    weights = None if chosen.weights is None else np.empty(most)
    ids, row, finite = [], 0, True
    try:
        for batch in batches(source, layout, chosen, quotes > 0):
            stop = row + batch.num_rows
            finite = finite and fill(X[row:stop], batch, [str(i) for i in chosen.features])
            if weights is not None:
                finite = finite and fill(weights[row:stop, None], batch, [str(chosen.weights)])
            if chosen.ids is not None:
                ids.append(batch.column(str(chosen.ids)))
            row = stop
    except need("pyarrow", "reading CSV").ArrowException as error:
        explain(source, layout, chosen)
        raise FileError(f"{source.name} can't be read as CSV: {one_line(error)}.") from None
    if row == 0:
        raise FileError(f"{source.name} has column names but no data.")
    if not finite:
        explain(source, layout, chosen)
        raise FileError(f"{source.name} holds a value that isn't a finite number.")
    return Points(
        X[:row],
        [layout.names[i] for i in chosen.features],
        layout.named,
        need("pyarrow", "reading CSV").chunked_array(ids) if ids else None,
        None if weights is None else weights[:row],
    )


def fill(rows: npt.NDArray[Any], batch: Any, columns: list[str]) -> bool:
    """Copy columns of a record batch into rows of X; tell if all of it is finite."""
    for j, name in enumerate(columns):
        rows[:, j] = batch.column(name).to_numpy(zero_copy_only=False)
    return bool(np.isfinite(rows).all())


def batches(source: Source, layout: _Layout, chosen: Chosen, quoted: bool, texts: bool = False) -> Iterator[Any]:
    """Parse the chosen columns with pyarrow, a block at a time; they are called by their positions.

    The reader that makes a table would keep all of it beside X. Features are numbers, or all of them `texts`.
    """
    pa = need("pyarrow", "reading CSV")
    pc = need("pyarrow.csv", "reading CSV")
    types = {str(i): pa.string() if texts else pa.float64() for i in chosen.features}
    if chosen.weights is not None:
        types[str(chosen.weights)] = pa.float64()
    if chosen.ids is not None:  # as it is spelt: 007 stays 007
        types[str(chosen.ids)] = pa.string()
    options = (
        pc.ReadOptions(
            column_names=[str(i) for i in range(len(layout.names))],
            skip_rows=layout.header_lines,
            block_size=max(BLOCK, FIELD * len(layout.names)),
        ),
        pc.ParseOptions(delimiter=layout.delimiter, newlines_in_values=quoted),
        # No spelling of "missing" is accepted for a number: it has to be an error.
        pc.ConvertOptions(column_types=types, include_columns=list(types), null_values=[]),
    )
    try:
        with (
            pa.OSFile(str(source.path)) if source.path else pa.BufferReader(source.data) as stream,
            pc.open_csv(stream, *options) as reader,
        ):
            yield from reader
    except OSError as error:  # pyarrow's, which names no file
        raise OSError(error.errno, one_line(error), source.name) from None


def survey(source: Source, header: bool | None, delimiter: str | None) -> _Layout:
    """Find the delimiter and the names from the first line that isn't blank."""
    if delimiter is None:
        delimiter = "\t" if source.suffix in {".tsv", ".tab"} else None
    if delimiter is None:
        with _text(source) as lines:
            try:
                first = next((line for line in iter(lambda: lines.readline(BLOCK), "") if line.strip()), "")
            except UnicodeDecodeError as error:
                _not_text(source, error)
        delimiter = max(",\t;", key=first.count)
    elif len(delimiter) != 1 or ord(delimiter) > 127 or delimiter in '"\r\n':
        raise UsageError(f"delimiter={delimiter!r} must be one ASCII character, not a quote.")
    for _, end, fields in _records(source, delimiter):
        fields = [text.strip() for text in fields]
        if header is None:
            header = not any(_NUMBER.fullmatch(text) for text in fields)
        if not header:
            return _Layout(default_names(len(fields)), False, 0, delimiter)
        names = [text or f"x{i}" for i, text in enumerate(fields)]
        return _Layout(names, True, end, delimiter)
    raise FileError(f"{source.name} is empty.")


def explain(source: Source, layout: _Layout, chosen: Chosen) -> None:
    """Raise at the first record that has no place in the table; return if there is none."""
    needed = [*chosen.features, *([] if chosen.weights is None else [chosen.weights])]
    for start, end, fields in _records(source, layout.delimiter):
        where = f"{source.name}, line {start}"
        if len(fields) != len(layout.names):
            raise FileError(f"{where}: {len(fields)} fields, and the first line has {len(layout.names)}.")
        if end <= layout.header_lines:
            continue
        for i in needed:
            text = fields[i].strip(" \t")
            if not (_NUMBER.fullmatch(text) and math.isfinite(float(text))):
                hint = _what_is_wrong(text)
                if start == 1 and layout.header_lines == 0:
                    hint += " If line 1 holds column names, say --header."
                raise FileError(f"{where}, column {layout.names[i]!r}: {hint}")


def line_of(source: Source, layout: _Layout, row: int) -> int:
    """Return the line at which a record of data begins."""
    records = _records(source, layout.delimiter)
    starts = (start for start, end, _ in records if end > layout.header_lines)
    return next(line for i, line in enumerate(starts) if i == row)


def _what_is_wrong(text: str) -> str:
    """Say why a field isn't a finite number."""
    shown = repr(text if len(text) <= 40 else text[:37] + "...")
    if text.lower() in MISSING:
        return f"missing value ({shown}); fill it in (cluster --impute), or leave out the line or the column."
    if _NUMBER.fullmatch(text) or text.lower().lstrip("+-") in {"inf", "infinity"}:
        return f"{shown} is not finite."
    return (
        f"{shown} is not a number; --columns chooses the columns to use, --id-column the one of names, cluster "
        "--one-hot takes texts."
    )


def _records(source: Source, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the first line, last line and fields of each record that isn't blank."""
    line = 0
    with _text(source) as text:
        # strict: a quote that is never closed is an error, not the rest of the file in one field
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            for fields in reader:
                if fields:
                    yield line + 1, reader.line_num, fields
                line = reader.line_num
        except csv.Error as error:
            what = "a quote is opened and never closed" if "end of data" in str(error) else error
            raise FileError(f"{source.name}, line {line + 1}: {what}.") from None
        except UnicodeDecodeError as error:
            _not_text(source, error)


def _text(source: Source) -> io.TextIOWrapper:
    """Open the file as text; a byte-order mark is no part of the first name."""
    return io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="")


def _not_text(source: Source, error: UnicodeDecodeError) -> NoReturn:
    """Say which byte isn't text."""
    byte = error.object[error.start]
    raise FileError(f"{source.name} is not UTF-8 text (byte 0x{byte:02x}); save it as UTF-8 first.") from None


def count(source: Source) -> tuple[int, int]:
    """Count the quotes, and the lines at most.

    Only a file without quotes can be cut at any line end, which lets pyarrow parse it in parallel.
    """
    quotes, lines = 0, 1
    with source.open() as stream:
        for block in iter(lambda: stream.read(BLOCK), b""):
            quotes += block.count(b'"')
            lines += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
    return quotes, lines
