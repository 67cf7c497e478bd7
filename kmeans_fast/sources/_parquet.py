"""Parquet files and Arrow datasets: chosen columns, a row group or a batch decoded at a time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._need import need, one_line
from .._samples import Source
from .._validate import FILL_IN
from ._parts import Parts

Array = NDArray[Any]
ROWS = 1 << 16  # decoded at once, of a row group
BUFFER = 1 << 20  # bytes of one column read at a time: a row group's columns are not in memory whole
SUFFIXES = (".parquet", ".pq")


class Batch:
    """A pyarrow RecordBatch as a block of rows, which begins at row `first` of X."""

    def __init__(self, batch: Any, names: Sequence[str], dtype: np.dtype[Any], first: int) -> None:
        self.columns = [batch.column(name) for name in names]
        self.names, self.dtype, self.first = names, dtype, first
        self.shape = (batch.num_rows, len(names))

    def read(self, start: int, stop: int, out: Array) -> None:
        """Convert rows into `out`, column by column; a missing float becomes NaN."""
        for f, column in enumerate(self.columns):
            out[:, f] = self._numbers(f, column.slice(start, stop - start), start)

    def take(self, rows: Array) -> Array:
        """Return the given rows."""
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        for f, column in enumerate(self.columns):
            out[:, f] = self._numbers(f, column, 0)[rows]
        return out

    def _numbers(self, f: int, column: Any, start: int) -> Array:
        kind = str(column.type)
        if column.null_count and not kind.startswith(("float", "double", "halffloat")):
            row = self.first + start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise ValueError(f"X has a missing value in row {row}, column {self.names[f]!r}. {FILL_IN}")
        if kind.startswith("decimal"):
            column = column.cast("float64")
        values: Array = column.to_numpy(zero_copy_only=False)
        return values


class Parquet(Parts):
    """Columns of Parquet files, one file after the other, a row group a part; see `parquet`."""

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> None:
        self.pq, self.arrow = (need(name, "reading Parquet", "sources") for name in ("pyarrow.parquet", "pyarrow"))
        self.files = parquet_files(path)
        self.groups: list[tuple[int, int]] = []  # file and row group of each part
        self._file: tuple[int, Any] | None = None
        lengths: list[int] = []
        dtypes: set[np.dtype[Any]] = set()
        names = columns if columns is None else check_columns(columns)
        for i in range(len(self.files)):
            file = self._opened(i)
            names = list(file.schema_arrow.names) if names is None else names
            dtypes.add(dtype_of(file.schema_arrow, names, str(self.files[i])))
            rows = group_rows(file.metadata, str(self.files[i]))
            self.groups.extend((i, group) for group in range(len(rows)))
            lengths.extend(rows)
        super().__init__(lengths, len(names or ()), np.result_type(*dtypes), names)

    def place(self, row: int) -> str | None:
        """Name the file, and the row in it, where there are several."""
        if len(self.files) == 1:
            return None
        part = self._part_of(row)
        file, group = self.groups[part]  # the file's first group is `group` parts before
        return f"row {row - self.starts[part - group]} of {self.files[file]}"

    def _opened(self, i: int) -> Any:
        if self._file is None or self._file[0] != i:
            try:
                # Buffered: else the row group's columns are read whole.
                self._file = i, self.pq.ParquetFile(str(self.files[i]), buffer_size=BUFFER, pre_buffer=False)
            except (self.arrow.ArrowException, OSError, UnicodeDecodeError) as error:
                raise self._damaged(i, error) from None
        return self._file[1]

    def _open(self, part: int) -> Iterator[Source]:
        i, group = self.groups[part]
        first, names = int(self.starts[part]), self.feature_names
        assert names is not None
        batches = self._opened(i).iter_batches(ROWS, row_groups=[group], columns=names, use_threads=False)
        try:
            for batch in batches:
                yield Batch(batch, names, self.dtype, first)
                first += batch.num_rows
        except (self.arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._damaged(i, error) from None

    def _ended(self, part: int, row: int) -> ValueError:
        i, group = self.groups[part]
        return ValueError(
            f"{self.files[i]} is damaged, or has changed since it was counted: row group {group} ends before row {row}."
        )

    def _damaged(self, i: int, error: Exception) -> ValueError:
        return ValueError(f"{self.files[i]} can't be read as Parquet: {one_line(error)}.")


class ArrowDataset(Parts):
    """Columns of a pyarrow.dataset.Dataset, in the order of its scan; see `arrow`."""

    def __init__(self, dataset: Any, columns: Sequence[str] | None = None) -> None:
        self.dataset = dataset
        names = list(dataset.schema.names) if columns is None else check_columns(columns)
        dtype = dtype_of(dataset.schema, names, "X")
        super().__init__([dataset.count_rows()], len(names), dtype, names)

    def _open(self, part: int) -> Iterator[Source]:
        first, names = 0, self.feature_names
        assert names is not None
        batches = self.dataset.to_batches(
            columns=names, batch_size=ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
        for batch in batches:
            yield Batch(batch, names, self.dtype, first)
            first += batch.num_rows


def parquet(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> Parquet:
    """Open chosen columns of a Parquet file, or of all Parquet files in a folder and the folders in it.

    Parameters
    ----------
    path : str or path-like
        The files of a folder are read in the order of their names; those that begin with ``_`` or ``.`` are not.
    columns : sequence of str, optional
        The features, in this order; by default all columns.

    Returns
    -------
    X : Source
        The columns' names become ``feature_names_in_``. Its dtype is NumPy's common one of the columns' types.

    Raises
    ------
    ImportError
        If pyarrow isn't installed.
    OSError, ValueError
        If a file is missing, damaged or truncated, or has no such column.
    TypeError
        If a column holds no numbers.

    Notes
    -----
    A pass reads each row group once and decodes 65,536 rows of it at a time. Memory: these, 1 MB a column, and at most
    32 MB of single rows. Columns that only the folders' names hold (``year=2024``) are not read: give `arrow` a
    pyarrow dataset for them.

    Examples
    --------
    >>> from kmeans_fast import kmeans, sources
    >>> r = kmeans(sources.parquet("trips.parquet", columns=["x", "y"]), 8)  # doctest: +SKIP
    """
    return Parquet(path, columns)


def arrow(dataset: Any, columns: Sequence[str] | None = None) -> ArrowDataset:
    """Open chosen columns of a pyarrow.dataset.Dataset, filtered and partitioned ones among them.

    Its rows are counted first; a pass scans it once, a batch of 65,536 rows at a time. Arguments, errors and memory as
    for `parquet`.
    """
    return ArrowDataset(dataset, columns)


def parquet_files(path: str | os.PathLike[str]) -> list[Path]:
    """Return the file, or the files of a folder, by name."""
    where = Path(path)
    if not where.is_dir():
        return [where]
    inside = (f for f in where.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    files = sorted(f for f in inside if not any(p.startswith(("_", ".")) for p in f.relative_to(where).parts))
    if not files:
        raise ValueError(f"{where} is a folder without Parquet files ({', '.join(SUFFIXES)}).")
    return files


def group_rows(metadata: Any, where: str) -> list[int]:
    """Return the rows of each row group of a Parquet file."""
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
        raise ValueError(
            f"{where} is damaged: it promises {metadata.num_rows} rows, and its row groups {sum(rows)} together."
        )
    return rows


def check_columns(columns: Sequence[str]) -> list[str]:
    """Check names of columns."""
    if isinstance(columns, str) or not all(isinstance(name, str) for name in columns):
        raise TypeError(f"columns={columns!r} must be a list of names.")
    if not len(columns):
        raise ValueError(f"columns={columns!r} must name one column at least.")
    return list(columns)


def dtype_of(schema: Any, names: Sequence[str], where: str) -> np.dtype[Any]:
    """Return the common dtype of columns.

    Raises
    ------
    ValueError
        If one is missing, or its name stands for several.
    TypeError
        If one holds no numbers.
    """
    count, dtypes = Counter(schema.names), set()
    for name in names:
        if count[name] != 1:
            has = "no column" if not count[name] else "more than one column"
            raise ValueError(f"{where} has {has} {name!r}; its columns are {', '.join(map(repr, schema.names))}.")
        kind = schema.field(name).type
        text = str(kind)
        try:
            dtype = np.dtype(np.float64 if text.startswith("decimal") else kind.to_pandas_dtype())
        except NotImplementedError:
            dtype = np.dtype(object)
        if dtype.kind not in "fiub" or text.startswith("dictionary"):
            raise TypeError(f"{where} has column {name!r} of type {text} and must have numbers alone.")
        dtypes.add(dtype)
    return np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
