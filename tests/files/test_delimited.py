"""CSV and TSV: what is read, and where what can't be is said to be."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from time import process_time

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from hypothesis import given, settings
from hypothesis import strategies as st

from kmeans_fast.files import FileError, Points, read_points
from kmeans_fast.files._common import Source, UsageError


def read(folder: Path, text: str | bytes, *args: object, name: str = "t.csv", **kw: object) -> Points:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_points(folder / name, *args, **kw)  # type: ignore[arg-type]


def test_names_ids_and_weights_come_from_the_first_line(tmp_path: Path) -> None:
    points = read(tmp_path, "n,x,w,y\n007,1,.5,2\nb,3,2,4e1\n", id_column="n", weights="w")
    np.testing.assert_array_equal(points.X, [[1, 2], [3, 40]])
    assert points.X.flags.c_contiguous
    assert points.feature_names == ["x", "y"]
    assert points.named
    assert points.ids.to_pylist() == ["007", "b"]
    np.testing.assert_array_equal(points.sample_weight, [0.5, 2])
    points = read(tmp_path, "n,x,w,y\n007,1,.5,2\n", ["y", "x"])
    np.testing.assert_array_equal(points.X, [[2, 1]])


def test_a_first_line_with_a_number_is_data_unless_told(tmp_path: Path) -> None:
    points = read(tmp_path, "a,1,2\nb,3,4\n", id_column="x0")
    np.testing.assert_array_equal(points.X, [[1, 2], [3, 4]])
    assert points.feature_names == ["x1", "x2"]
    assert not points.named
    points = read(tmp_path, "2023,2024\n1,2\n", header=True)
    assert points.feature_names == ["2023", "2024"]
    assert points.X.shape == (1, 2)
    with pytest.raises(FileError, match=r"line 1, column 'x0': 'a' is not a number.*--header\.$"):
        read(tmp_path, "a,2024\n1,2\n")
    with pytest.raises(FileError, match="line 1, column 'x0': 'a' is not a number"):
        read(tmp_path, "a,b\n1,2\n", header=False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x;y\n1;2\n", "a.csv"),
        ("x\ty\n1\t2\n", "a.txt"),
        ("x\ty\n1\t2\n", "a.tsv"),
        ("x,y\r\n1,2\r\n", "a"),
        ("x,y\r1,2", "a.csv"),
        ("\ufeffx,y\n1,2\n", "a.csv"),
        ("\n\nx,y\n\n1,2\n\n", "a.csv"),
        (' x , y \n +1 ,"2"\n', "a.csv"),
        ('"x",y\n1,2\n', "a.csv"),
    ],
)
def test_the_usual_spellings_of_a_table_are_read(tmp_path: Path, text: str, name: str) -> None:
    points = read(tmp_path, text, name=name)
    np.testing.assert_array_equal(points.X, [[1, 2]])
    assert points.feature_names == ["x", "y"]


def test_a_delimiter_can_be_given(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, "x|y\n1|2\n", delimiter="|").X, [[1, 2]])
    with pytest.raises(UsageError, match="delimiter='ab' must be one"):
        read(tmp_path, "x\n1\n", delimiter="ab")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3,abc\n", r"t\.csv, line 3, column 'y': 'abc' is not a number; --columns"),
        ("x,y\n1,2\n\n3,1_0\n", r"line 4, column 'y': '1_0' is not a number"),
        ("x,y\n1,2\n3,\n", r"line 3, column 'y': missing value \(''\); fill it in"),
        ("x,y\nNA,2\n", r"line 2, column 'x': missing value \('NA'\)"),
        ("x,y\n1,nan\n", r"line 2, column 'y': missing value \('nan'\)"),
        ("x,y\n1,-inf\n", r"line 2, column 'y': '-inf' is not finite"),
        ("x,y\n1,1e999\n", r"line 2, column 'y': '1e999' is not finite"),
        ("x,y\n1,2\n3\n", r"line 3: 1 fields, and the first line has 2"),
        ("x,y\n1,2\n3,4,5\n", r"line 3: 3 fields, and the first line has 2"),
        ("x,y\n1,2\n3,4,\n", r"line 3: 3 fields"),
        ('x,y\n1,2\n3,"4\n5,6\n', r"line 3: a quote is opened and never closed"),
        ('x,y\n1,"a\nb"\n3,4\n', r"line 2, column 'y': 'a\\nb' is not a number"),
        ("x,y\n1," + "z" * 99 + "\n", r"'z{37}\.\.\.' is not a number"),
        ("", r"t\.csv is empty"),
        ("\n \n", r"t\.csv"),
        ("x,y\n", r"t\.csv has column names but no data"),
        ("x,x\n1,2\n", r"more than one column called 'x'"),
        (b"x,y\n1,\xff\n", r"not UTF-8 text \(byte 0xff\)"),
        (b"\xff\xfex\0", r"not UTF-8 text"),
        (b"x,y\n" + b"1,2\n" * 300_000 + b"\xe9,2\n", r"not UTF-8 text \(byte 0xe9\)"),
        ("x\0,y\n1,2,3\n", r"line 2: 3 fields"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_bad_weight_is_named_and_a_bad_column_left_out_is_not(tmp_path: Path) -> None:
    text = "x,w,s\n1,2,a\n3,,b\n"
    with pytest.raises(FileError, match="line 3, column 'w': missing value"):
        read(tmp_path, text, ["x"], weights="w")
    np.testing.assert_array_equal(read(tmp_path, text, ["x"]).X, [[1], [3]])


def test_missing_columns_are_named_beside_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no columns 'z', 'n'; its columns are 'x', 'y'\."):
        read(tmp_path, "x,y\n1,2\n", ["x", "z"], id_column="n")
    wide = ",".join(f"c{i}" for i in range(50)) + "\n" + ",".join("1" * 50) + "\n"
    with pytest.raises(FileError, match=r"'c19', \.\.\. \(50 in all\)\."):
        read(tmp_path, wide, ["z"])
    with pytest.raises(FileError, match="'x' can't be used twice"):
        read(tmp_path, "x,y\n1,2\n", ["x"], id_column="x")
    with pytest.raises(FileError, match="no column left"):
        read(tmp_path, "x\n1\n", id_column="x")


def test_a_line_longer_than_a_block_is_read(tmp_path: Path) -> None:
    columns = 60_000
    line = ",".join(["0.1234567890123456789"] * columns)
    points = read(tmp_path, f"{line}\n{line}\n")
    assert points.X.shape == (2, columns)


def test_blank_lines_below_a_wide_one_take_no_memory(tmp_path: Path) -> None:
    points = read(tmp_path, ",".join("1" * 20_000) + "\n" * 2_000_000)  # 320 GB, were each a point
    assert points.X.shape == (1, 20_000)


def test_many_digits_that_are_no_number_are_refused_at_once(tmp_path: Path) -> None:
    began = process_time()
    with pytest.raises(FileError, match=r"line 1, column 'x0'.*is not a number"):
        read(tmp_path, "7" * 100_000 + ";\n1\n", header=False, delimiter=",")
    assert process_time() - began < 5  # a pattern that tries every place for the point would take an hour


def test_an_error_keeps_file_and_reason_however_long_a_name_is(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"t\.csv, line 2, column 'aaa.* \.\.\. .*'six' is not a number") as caught:
        read(tmp_path, "a" * 5000 + ",b\nsix,7\n")
    assert len(str(caught.value)) < 1000


def test_columns_of_earlier_points_are_found_by_name_or_else_by_place(tmp_path: Path) -> None:
    like = {"like": ["x", "y"]}
    np.testing.assert_array_equal(read(tmp_path, "y,z,x\n2,9,1\n", **like).X, [[1, 2]])
    np.testing.assert_array_equal(read(tmp_path, "1,2\n", **like).X, [[1, 2]])
    np.testing.assert_array_equal(read(tmp_path, "a,b\n1,2\n", like=["x0", "x1"]).X, [[1, 2]])
    with pytest.raises(FileError, match="no column 'y'"):
        read(tmp_path, "x,b\n1,2\n", **like)
    with pytest.raises(FileError, match=r"has 3 columns of points and must have 2: 'x', 'y'\."):
        read(tmp_path, "1,2,3\n", **like)


def test_quoted_lines_are_one_record_wherever_pyarrow_cuts_its_blocks(tmp_path: Path) -> None:
    # 3 MB in records of two lines, the second of which would pass for a record of its own.
    rows = 100_000
    text = "x,y,s\n" + '1,2,"a\n3,4,b"\n' * rows + "5,6,c\n" * rows
    points = read(tmp_path, text, id_column="s")
    assert len(points.X) == 2 * rows
    np.testing.assert_array_equal(points.X.sum(axis=0), [6 * rows, 8 * rows])


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(NUMBERS, TEXTS), min_size=1))
def test_what_pythons_csv_module_writes_is_read_back(rows: list[tuple[float, str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("x", "s"), *rows])
    source = Source("pipe", None, text.getvalue().encode())
    points = read_points(source, id_column="s")
    np.testing.assert_array_equal(points.X[:, 0], [x for x, _ in rows])
    assert points.ids.to_pylist() == [s for _, s in rows]
