"""Parquet in; tables out in every format."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import pyarrow as pa
import pyarrow.parquet as pq

from kmeans_fast.files import FileError, read_points, write_table
from kmeans_fast.files.raw import read_raw
from kmeans_fast.sources import parquet


def save(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "t.parquet", row_group_size=2)
    return folder / "t.parquet"


def test_numbers_ids_and_weights_are_read_from_all_row_groups(tmp_path: Path) -> None:
    path = save(tmp_path, s=["a", "b", "c"], x=[1, 2, 3], y=[True, False, True], w=[1.0, 0.5, 2.0])
    points = read_points(path, id_column="s", weights="w")
    np.testing.assert_array_equal(points.X, [[1, 1], [2, 0], [3, 1]])
    assert points.X.dtype == np.float64
    assert points.ids.to_pylist() == ["a", "b", "c"]
    np.testing.assert_array_equal(points.sample_weight, [1, 0.5, 2])
    assert points.feature_names == ["x", "y"]


def test_float32_columns_stay_float32(tmp_path: Path) -> None:
    path = save(tmp_path, x=pa.array([1, 2], pa.float32()), y=pa.array([1.5, 2.5], pa.float32()))
    assert read_points(path).X.dtype == np.float32


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["a", "b", "c"], r"column 'x' holds string, not numbers; --columns"),
        ([1.0, 2.0, None], r"column 'x', row 3: missing value"),
        ([1.0, float("nan"), 2.0], r"row 2, column 'x': nan is not finite"),
        ([1.0, 2.0, float("inf")], r"row 3, column 'x': inf is not finite"),
        ([[1], [2], [3]], r"holds list<.*>, not numbers"),
        ([dt.date(2024, 1, 1)] * 3, r"holds date32\[day\], not numbers"),
    ],
)
def test_a_column_that_is_no_number_is_named(tmp_path: Path, column: Any, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read_points(save(tmp_path, x=column))


def test_an_empty_or_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, x=pa.array([], pa.float64()))
    with pytest.raises(FileError, match="no rows"):
        read_points(path)
    whole = save(tmp_path, x=list(range(100))).read_bytes()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match=r"t\.parquet can't be read as Parquet"):
            read_points(path)


def test_a_parquet_file_whose_names_are_no_utf8_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"size": [1.0, 2.0]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"size", b"s\xffze"))
    for read in (read_points, parquet, lambda path: read_raw(str(path), None, None, None, None, None)):
        with pytest.raises(ValueError, match=r"t\.parquet can't be read as Parquet: .*utf-8"):
            read(path)


@pytest.mark.parametrize("promised", [1, 201, -1, 2**24, 2**31 - 1, 2**40, 2**62, -(2**63)])
def test_a_parquet_file_that_promises_other_rows_is_refused_at_once(tmp_path: Path, promised: int) -> None:
    path, x = tmp_path / "t.parquet", np.arange(200.0)
    pq.write_table(pa.table({"x": x, "y": x}), path, compression="none", use_dictionary=False)
    whole, said = path.read_bytes(), []
    footer = int.from_bytes(whole[-8:-4], "little")
    for count in re.finditer(b"\x90\x03", whole):  # 200, as Thrift writes it: in the pages, the columns, the footer
        damaged = whole[: count.start()] + zigzag(promised) + whole[count.end() :]
        if count.start() >= len(whole) - 8 - footer:
            damaged = damaged[:-8] + (footer + len(damaged) - len(whole)).to_bytes(4, "little") + b"PAR1"
        path.write_bytes(damaged)
        for read in (read_points, lambda path: read_raw(str(path), None, None, None, None, None)):
            tracemalloc.start()
            try:
                read(path)
            except FileError as error:
                said.append(str(error))
            assert tracemalloc.get_traced_memory()[1] < 1 << 24
            tracemalloc.stop()
    assert all("t.parquet" in message for message in said)
    assert sum("is damaged: it " in message for message in said) >= 2, said


def zigzag(value: int) -> bytes:
    """Return an integer as Thrift's compact protocol has it."""
    value, made = (value << 1 ^ value >> 63) % 2**64, b""
    while value > 127:
        value, made = value >> 7, made + bytes([value & 127 | 128])
    return made + bytes([value])


TABLE = {
    "id": np.array(["a", 'b"', "c,\n", ""]),
    "label": np.array([0, 1, 0, 2], np.int32),
    "distance": np.array([0.1, 1e-300, 5e22, 0.0]),
}


def written(table: Any, form: str) -> bytes:
    stream = io.BytesIO()
    write_table(stream, table, form)
    return stream.getvalue()


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_delimited_table_reads_back_exactly(delimiter: str) -> None:
    text = written(TABLE, "csv" if delimiter == "," else "tsv").decode()
    names, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert names == list(TABLE)
    expected = zip(*(column.tolist() for column in TABLE.values()), strict=True)
    assert [(s, int(i), float(d)) for s, i, d in rows] == list(expected)


def test_plain_ids_are_written_without_quotes() -> None:
    assert written({"id": ["007", "b"], "label": [1, 2]}, "csv") == b"id,label\n007,1\nb,2\n"


def test_json_is_a_list_of_records_and_parquet_keeps_the_types() -> None:
    records = json.loads(written(TABLE, "json"))
    assert records[1] == {"id": 'b"', "label": 1, "distance": 1e-300}
    assert len(records) == 4
    assert json.loads(written({"id": [], "label": []}, "json")) == []
    table = pq.read_table(io.BytesIO(written(TABLE, "parquet")))
    assert table.column("label").type == pa.int32()
    assert table.column("distance").to_pylist() == TABLE["distance"].tolist()


def test_ids_of_other_types_can_be_written() -> None:
    days = pa.array([dt.date(2024, 1, 1), None])
    assert written({"id": days}, "csv") == b"id\n2024-01-01\n\n"
    assert json.loads(written({"id": days}, "json")) == [{"id": "2024-01-01"}, {"id": None}]
    with pytest.raises(FileError, match="'id' can't be csv"):
        written({"id": pa.array([[1], [2]])}, "csv")
