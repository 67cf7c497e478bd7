"""Parquet in; CSV, TSV, Parquet and JSON out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, BinaryIO

import numpy as np

from .._memory import memory_limit
from ..sources import parquet
from ..sources._parquet import BUFFER, group_rows
from ._common import FileError, Source, listed, need, one_line
from .delimited import fill
from .points import Columns, Points, choose

PLAUSIBLE = 1000  # bytes of X for one of the file
ROWS = 65536  # rows held at a time when writing JSON


def read_parquet(source: Source, wanted: Columns) -> Points:
    """Read the points of a Parquet file: float32 if no column is wider, else float64.

    Raises
    ------
    FileError
        If the file is damaged, or a column of numbers holds text, nulls, NaN or infinity.
    """
    pa = need("pyarrow", "reading Parquet")
    pq = need("pyarrow.parquet", "reading Parquet")
    where = str(source.path) if source.path else pa.BufferReader(source.data)
    try:
        # Buffered: else the row group's columns are read whole, and lie beside X.
        with pq.ParquetFile(where, buffer_size=BUFFER, pre_buffer=False) as file:
            return _read_parquet(pa, file, source, wanted)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FileError(f"{source.name} can't be read as Parquet: {one_line(error)}.") from None


def _read_parquet(pa: Any, file: Any, where: Source, wanted: Columns) -> Points:
    """Read an open Parquet file, one batch of rows in memory beside X; X that memory would not hold is read later."""
    schema, source = file.schema_arrow, where.name
    try:
        rows = sum(group_rows(file.metadata, source))
    except ValueError as error:
        raise FileError(str(error)) from None
    if rows == 0:
        raise FileError(f"{source} has columns but no rows.")
    chosen = choose(schema.names, wanted, source)
    features = [schema.names[i] for i in chosen.features]
    numbers = features if wanted.weights is None else [*features, wanted.weights]
    for name in numbers:
        _check_numeric(pa.types, schema.field(name), source)
    narrow = all(schema.field(name).type in (pa.float32(), pa.float16()) for name in features)
    dtype = np.dtype(np.float32 if narrow else np.float64)
    if where.path and rows * len(features) * dtype.itemsize > memory_limit(stream=False):
        others = [name for name in (wanted.ids, wanted.weights) if name is not None]
        held = pa.Table.from_batches(file.iter_batches(columns=others), pa.schema([schema.field(n) for n in others]))
        weight = None if wanted.weights is None else held[wanted.weights].to_numpy()
        ids = None if wanted.ids is None else held[wanted.ids]
        return Points(parquet(where.path, features), features, True, ids, weight)
    size = where.path.stat().st_size if where.path else len(where.data)
    if rows * len(features) * dtype.itemsize > PLAUSIBLE * size:  # X is made for rows that are there
        _check_rows(sum(batch.num_rows for batch in file.iter_batches(columns=features[:1])), rows, source)
    X = np.empty((rows, len(features)), dtype)
    weights = None if wanted.weights is None else np.empty(rows)
    names, row = [], 0
    needed = [*numbers, *([] if wanted.ids is None else [wanted.ids])]
    for batch in file.iter_batches(columns=needed):
        stop = row + batch.num_rows
        if stop > rows:
            _check_rows(stop, rows, source)
        for name in numbers:
            _check_present(batch.column(name), f"{source}, column {name!r}", row)
        finite = fill(X[row:stop], batch, features)
        if weights is not None:
            weights[row:stop] = batch.column(wanted.weights).to_numpy(zero_copy_only=False)
        if not finite:
            i, j = np.argwhere(~np.isfinite(X[row:stop]))[0]
            raise FileError(f"{source}, row {row + i + 1}, column {features[j]!r}: {X[row + i, j]} is not finite.")
        if wanted.ids is not None:
            names.append(batch.column(wanted.ids))
        row = stop
    _check_rows(row, rows, source)
    return Points(X, features, True, pa.chunked_array(names) if names else None, weights)


def _check_rows(held: int, promised: int, source: str) -> None:
    if held != promised:
        raise FileError(f"{source} is damaged: it holds {held} rows and promises {promised}.")


def _check_numeric(types: Any, field: Any, source: str) -> None:
    """Refuse a column whose type isn't a number's."""
    kind = field.type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)):
        raise FileError(
            f"{source}, column {field.name!r} holds {kind}, not numbers; --columns chooses the columns to use, "
            "--id-column the one of names, cluster --one-hot takes texts."
        )


def _check_present(column: Any, where: str, row: int) -> None:
    """Refuse nulls, naming the first one's row, counted from 1."""
    if column.null_count:
        first = row + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))) + 1
        raise FileError(
            f"{where}, row {first}: missing value; fill it in (cluster --impute), or leave out the row or the column."
        )


def write_table(stream: BinaryIO, table: Mapping[str, Any], form: str) -> None:
    """Write named columns of one length.

    Parameters
    ----------
    stream : binary file
        Need not be able to seek.
    table : mapping of str to array
        NumPy or pyarrow arrays, or lists.
    form : {"csv", "tsv", "parquet", "json"}
        JSON is a list of records.

    Raises
    ------
    FileError
        If a column can't be written in this form.
    """
    if form == "json":
        _write_json(stream, table)
        return
    pa = need("pyarrow", f"writing {form}")
    try:
        arrow = pa.table(dict(table))
        if form == "parquet":
            need("pyarrow.parquet", "writing Parquet").write_table(arrow, stream)
            return
        pc = need("pyarrow.csv", "writing CSV")
        delimiter = "\t" if form == "tsv" else ","
        names = io.StringIO()  # pyarrow would quote every name
        csv.writer(names, delimiter=delimiter, lineterminator="\n").writerow(table)
        stream.write(names.getvalue().encode())
        # What pyarrow calls quoting where needed quotes all text.
        quoting = "none" if all(_is_bare(pa, column) for column in arrow.columns) else "needed"
        options = pc.WriteOptions(include_header=False, delimiter=delimiter, quoting_style=quoting)
        pc.write_csv(arrow, stream, options)
    except pa.ArrowException as error:
        raise FileError(f"the columns {listed(table)} can't be {form}: {one_line(error)}.") from None


def _is_bare(pa: Any, column: Any) -> bool:
    """Tell whether a column of a CSV file can do without quotes."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return bool(pa.types.is_primitive(kind))
    compute = need("pyarrow.compute", "writing CSV")
    return not compute.any(compute.match_substring_regex(column, '[",\t\r\n]')).as_py()


def _write_json(stream: BinaryIO, table: Mapping[str, Any]) -> None:
    """Write a list of records, some rows at a time."""
    length = len(next(iter(table.values())))
    separator = b"[\n"
    for start in range(0, length, ROWS):
        columns = [_plain(column[start : start + ROWS]) for column in table.values()]
        for record in zip(*columns, strict=True):
            text = json.dumps(dict(zip(table, record, strict=True)), default=str, ensure_ascii=False)
            stream.write(separator + text.encode())
            separator = b",\n"
    stream.write(b"\n]\n" if length else b"[]\n")


def _plain(column: Any) -> list[Any]:
    """Return a column as Python objects; JSON has no infinity."""
    if hasattr(column, "to_pylist"):
        return list(column.to_pylist())
    array = np.asarray(column)
    values: list[Any] = array.tolist()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return [value if isfinite(value) else None for value in values]
    return values
