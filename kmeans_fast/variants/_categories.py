"""Tables of categories and numbers: columns of arrays and frames, and categories as small integer codes.

Categories of a column are its distinct values in sorted order, a missing value last. Codes take 1 byte for up to 254
categories in every column, 2 for up to 65278, else 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._frames import narwhals
from .._samples import as_array, check_shape, is_frame

# The greatest code is that of an unknown value, and the bytes 0xfe pad (src/_modes.pyx).
LARGEST = 1e150  # a number whose square stays in float64
SMALL_RANGE = 1 << 16  # of integers that are counted rather than sorted
WIDTHS = ((0xFE, np.uint8), (0xFEFE, np.uint16), (0xFEFEFEFE, np.uint32))


class Table:
    """X behind the boundary, read by columns."""

    def __init__(self, X: Any, name: str = "X") -> None:
        self.name, self.original = name, X
        self.frame: Any = None
        if is_frame(X):
            self.pandas = hasattr(X, "iloc")
            self.frame = X if self.pandas else _eager(X, name)
            self.names: Sequence[Any] = list(self.frame.columns)
            shape = (len(self.frame), len(self.names))
        else:
            array = as_array(X, name)
            if array.dtype.kind in "US" and not hasattr(X, "__array__"):
                array = np.array(X, object)  # a list of rows: numbers in it stay numbers
            self.array, self.original, shape = array, array, array.shape
        check_shape(shape, name)
        self.n_samples, self.n_features = shape
        if self.frame is None:
            if self.array.dtype.kind == "c":
                raise ValueError(f"Complex data not supported: {name} has dtype {self.array.dtype} and must be real.")
            self.names = range(self.n_features)

    def column(self, f: int) -> Any:
        """Return a column: an array, or the categorical of pandas."""
        if self.frame is None:
            return self.array[:, f]
        series = self.frame.iloc[:, f] if self.pandas else self.frame[:, f]
        if self.pandas and series.dtype.name == "category":
            return series.array
        values = series.to_numpy()
        if values.dtype.kind == "O" and not self.pandas:
            values[:] = series.to_list()  # Python's own objects
        return values

    def numbers(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return columns as a float64 array."""
        out = np.empty((self.n_samples, len(columns)))
        for position, f in enumerate(columns):
            column = self.column(f)
            try:
                out[:, position] = column
            except (TypeError, ValueError):
                raise self._no_numbers(f) from None
            bad = np.flatnonzero(~(np.abs(out[:, position]) <= LARGEST))
            if len(bad):
                value, where = out[bad[0], position], self.where(int(bad[0]), f)
                if np.isnan(value):
                    raise ValueError(f"{self.name} has NaN in {where}; fill missing numbers or drop such rows first.")
                raise ValueError(f"{self.name} has {value} in {where}; a number must be finite and within {LARGEST}.")
        return out

    def holds_numbers(self, f: int) -> bool:
        """Say whether a column is one of numbers; truth values are categories."""
        column = self.column(f)
        if not isinstance(column, np.ndarray) or column.dtype.kind != "O":
            return getattr(column.dtype, "kind", "O") in "iuf" and isinstance(column, np.ndarray)
        return all(is_missing(value) or (isinstance(value, Real) and not isinstance(value, bool)) for value in column)

    def where(self, row: int, f: int) -> str:
        """Name a place."""
        return f"row {row}, column {self.names[f]!r}"

    def _no_numbers(self, f: int) -> Exception:
        for row, value in enumerate(self.column(f)):
            try:
                float(value)
            except (TypeError, ValueError):
                where = self.where(row, f)
                if is_missing(value):
                    return ValueError(
                        f"{self.name} has a missing value in {where}; fill missing numbers or drop such rows first."
                    )
                return ValueError(f"{self.name} has {value!r} in {where}, which is no number; name it in categorical=.")
        return ValueError(f"{self.name} has column {self.names[f]!r}, which is not one of numbers.")


class Encoder:
    """The categories of some columns, and codes for them."""

    def __init__(self, columns: Sequence[int], missing: str) -> None:
        self.columns, self.missing = list(columns), missing
        self.categories: list[NDArray[Any]] = []

    def fit(self, table: Table) -> NDArray[Any]:
        """Find the categories and return the codes, shape (n_samples, n_columns)."""
        found = [_distinct(table, f) for f in self.columns]
        for f, (values, places) in zip(self.columns, found, strict=True):
            self.categories.append(self._sorted(table, f, values, places))
        self.tables = [{_key(value): code for code, value in enumerate(known)} for known in self.categories]
        most = max((len(known) for known in self.categories), default=0)
        self.dtype = next(dtype for limit, dtype in WIDTHS if most <= limit)
        return self._encode(table, found)

    def transform(self, table: Table, refusal: str = "") -> NDArray[Any]:
        """Return codes; a value that is no category has the greatest one, or is an error that ends in `refusal`."""
        return self._encode(table, [_distinct(table, f) for f in self.columns], refusal)

    def decode(self, codes: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the categories of codes, column by column."""
        return [known[codes[:, f]] for f, known in enumerate(self.categories)]

    def offsets(self) -> NDArray[np.int64]:
        """Return where each column begins in a list of all categories, and where the last one ends."""
        return np.cumsum([0, *(len(known) for known in self.categories)], dtype=np.int64)

    def _encode(self, table: Table, found: list[Any], refusal: str = "") -> NDArray[Any]:
        codes = np.empty((table.n_samples, len(self.columns)), self.dtype)
        greatest = int(np.iinfo(self.dtype).max)
        for position, (f, (values, places)) in enumerate(zip(self.columns, found, strict=True)):
            known = self.tables[position]
            translated = [known.get(_key(value), greatest) for value in values]
            for value, code in zip(values, translated, strict=True):
                if isinstance(value, float) and abs(value) == np.inf:
                    raise ValueError(f"{table.name} has inf in column {table.names[f]!r}; a category must be finite.")
                if code == greatest and is_missing(value) and self.missing == "error":
                    raise _gap_error(table, f, values, places)
                if code == greatest and refusal:
                    row = int(np.flatnonzero(places == values.index(value))[0])
                    raise ValueError(f"{table.name} has {value!r} in {table.where(row, f)}, {refusal}")
            codes[:, position] = np.array(translated, self.dtype)[places]
        return codes

    def _sorted(self, table: Table, f: int, values: list[Any], places: NDArray[Any]) -> NDArray[Any]:
        present = [value for value in values if not is_missing(value)]
        gap = len(present) < len(values)
        if gap and self.missing == "error":
            raise _gap_error(table, f, values, places)
        try:
            present.sort()
        except TypeError:
            kinds = sorted({type(value).__name__ for value in present})
            raise TypeError(
                f"{table.name} has column {table.names[f]!r} with values of types {', '.join(kinds)}, which have no "
                "order; make them one type (an argument must be a string or a number)."
            ) from None
        if not gap:
            same = np.array(present)
            if same.ndim == 1 and same.dtype.kind in "biuf":
                return same
        out = np.empty(len(present) + gap, object)
        out[: len(present)] = present
        return out


def is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, NaT or pandas.NA."""
    if isinstance(value, (float, np.floating, np.datetime64)):
        return bool(value != value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _eager(X: Any, name: str) -> Any:
    try:
        return narwhals().from_native(X, eager_only=True)
    except TypeError:
        kind = type(X).__name__
        raise TypeError(f"{name} is a {kind} and must be an array or an eager frame: collect it first.") from None


def _gap_error(table: Table, f: int, values: list[Any], places: NDArray[Any]) -> ValueError:
    gaps = [place for place, value in enumerate(values) if is_missing(value)]
    row = int(np.flatnonzero(np.isin(places, gaps))[0])
    return ValueError(
        f"{table.name} has a missing value (NaN or None) in {table.where(row, f)}; fill it or drop the row, or pass "
        "missing='category' to make it a category of its own."
    )


def _key(value: Any) -> Any:
    return None if is_missing(value) else value


def _distinct(table: Table, f: int) -> tuple[list[Any], NDArray[Any]]:
    """Return the distinct values of a column, in any order, and the place of each row among them."""
    column = table.column(f)
    if not isinstance(column, np.ndarray):  # the categorical of pandas, where -1 is missing
        kept, places = _small(column.codes)
        known = column.categories.tolist()
        return [None if code < 0 else known[code] for code in kept], places
    if np.can_cast(column.dtype, np.int64) and int(column.max()) - int(column.min()) < SMALL_RANGE:
        kept, places = _small(column)
        return np.array(kept).astype(column.dtype).tolist(), places
    if column.dtype.kind in "biufM":
        values, places = np.unique(column, return_inverse=True)
        return list(values) if column.dtype.kind == "M" else values.tolist(), places.reshape(-1)
    order: dict[Any, int] = {}
    try:
        places = np.fromiter((order.setdefault(value, len(order)) for value in column.tolist()), np.intp, len(column))
    except TypeError:
        row = next(row for row, value in enumerate(column) if not _hashable(value))
        raise TypeError(
            f"{table.name} has {column[row]!r} in {table.where(row, f)}: a category must be hashable (an argument must "
            "be a string or a number)."
        ) from None
    return list(order), places


def _small(column: NDArray[Any]) -> tuple[list[int], NDArray[Any]]:
    """np.unique with the inverse, in a tenth of its time, for integers that lie close together."""
    low = int(column.min())
    shifted = column.astype(np.int64) - low
    seen = np.bincount(shifted) > 0
    return (np.flatnonzero(seen) + low).tolist(), (np.cumsum(seen) - 1)[shifted]


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
