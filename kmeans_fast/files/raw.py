"""Columns as a file has them, text and missing values among them: what `preparation` makes points of.

`read_points` refuses both, and so needs no second copy; here every column is held, as text where the file is text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import delimited, kind_of, read_points
from ._common import FileError, Source, need, one_line
from .points import Columns, choose

if TYPE_CHECKING:
    from .preparation import Preparation

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Column:
    """One column: numbers with NaN where a value is missing, or texts with None.

    Attributes
    ----------
    name : str
    values : float64 array, or array of str objects, of shape (n_samples,)
    """

    name: str
    values: npt.NDArray[Any]

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return bool(self.values.dtype == object)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Where values are missing."""
        values: Any = self.values
        return np.array([text is None for text in values]) if self.is_text else np.isnan(values)


@dataclass(frozen=True)
class Raw:
    """The columns of one file.

    Attributes
    ----------
    columns : list of Column
    named, ids, sample_weight, picture
        As of `Points`.
    place : callable
        Says where a row is: the file, and its line in a text file.
    """

    columns: list[Column]
    named: bool
    ids: Any
    sample_weight: npt.NDArray[Any] | None
    picture: Any
    place: Callable[[int], str]


def read_raw(
    where: str,
    columns: Sequence[str] | None,
    id_column: str | None,
    weights: str | None,
    header: bool | None,
    delimiter: str | None,
    like: Preparation | None = None,
    dataset: str | None = None,
) -> Raw:
    """Read the columns of a file, as `read_points` does but for texts and missing values.

    `like` is an earlier preparation: its columns are read, and its texts as texts.
    """
    source = Source.of(where)
    names = columns if columns is not None or like is None else like.columns
    weight_file = weights if weights is not None and weights.endswith(".npy") else None
    wanted = Columns(names, id_column, None if weight_file else weights, like=columns is None and like is not None)
    texts = [rule.name for rule in like.rules if rule.categories is not None] if like else []
    kind = kind_of(source)
    if kind in ("las", "ply"):
        raise FileError(f"{source.name} is a point cloud; --standardize, --impute and --one-hot need a table.")
    if kind == "csv":
        found = _read_delimited(source, wanted, header, delimiter, texts)
    elif kind == "parquet":
        found = _read_parquet(source, wanted)
    else:
        found = _of_points(source, wanted, dataset)
    if weight_file:
        found = replace(found, sample_weight=read_points(weight_file).X.ravel())
    if like is not None and len(found.columns) != len(like.rules):
        raise FileError(f"{source.name} has {len(found.columns)} columns of points and must have {len(like.rules)}.")
    return found


def _read_delimited(
    source: Source, wanted: Columns, header: bool | None, delimiter: str | None, texts: Collection[str]
) -> Raw:
    """Read the columns of a CSV or TSV file; a column is text if it is one of `texts`, or no field of it is a number.

    Raises
    ------
    FileError
        At the first ragged line, infinity, or text among numbers.
    """
    pa = need("pyarrow", "reading CSV")
    layout = delimited.survey(source, header, delimiter)
    chosen = choose(layout.names, wanted, source.name, layout.named)
    ragged = chosen._replace(features=[])  # all that can be wrong here
    quotes, _ = delimited.count(source)
    if quotes % 2:
        delimited.explain(source, layout, ragged)
    try:
        batches = list(delimited.batches(source, layout, chosen, quotes > 0, texts=True))
    except (pa.ArrowException, ValueError) as error:
        delimited.explain(source, layout, ragged)
        raise FileError(f"{source.name} can't be read as CSV: {one_line(error)}.") from None
    if not sum(len(batch) for batch in batches):
        raise FileError(f"{source.name} has column names but no data.")
    table = pa.Table.from_batches(batches)

    def place(row: int) -> str:
        return f"{source.name}, line {delimited.line_of(source, layout, row)}"

    columns = []
    for i in chosen.features:
        name = layout.names[i]
        columns.append(Column(name, _of_text(table[str(i)], name, name in texts, place)))
    weights = None if chosen.weights is None else table[str(chosen.weights)].to_numpy()
    if weights is not None and not np.isfinite(weights).all():
        delimited.explain(source, layout, ragged)
    return Raw(columns, layout.named, None if chosen.ids is None else table[str(chosen.ids)], weights, None, place)


def _of_text(field: Any, name: str, is_text: bool, place: Callable[[int], str]) -> npt.NDArray[Any]:
    """Turn a column of text into numbers, or keep it where none of it is a number."""
    pa, pc = need("pyarrow", "reading CSV"), need("pyarrow.compute", "reading CSV")
    field = pc.utf8_trim_whitespace(field)
    missing = pc.is_in(pc.utf8_lower(field), pa.array(sorted(delimited.MISSING)))
    field = pc.if_else(missing, None, field)
    numeric = pc.match_substring_regex(field, NUMBER)
    if is_text or (pc.any(pc.invert(numeric)).as_py() and not pc.any(numeric).as_py()):
        return np.array(field.to_pylist(), object)
    if pc.any(pc.invert(numeric)).as_py():
        row = pc.index(numeric, False).as_py()
        raise FileError(
            f"{place(row)}, column {name!r}: {field[row].as_py()!r} stands among numbers; a column must hold numbers "
            "or texts."
        )
    values = pc.cast(field, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return _without_infinity(values, name, place)


def _read_parquet(source: Source, wanted: Columns) -> Raw:
    """Read the columns of a Parquet file: text is what it calls string or dictionary."""
    pa, pq = need("pyarrow", "reading Parquet"), need("pyarrow.parquet", "reading Parquet")
    try:
        file = pq.ParquetFile(str(source.path) if source.path else pa.BufferReader(source.data))
        names = file.schema_arrow.names
        chosen = choose(names, wanted, source.name)
        columns = [names[i] for i in (*chosen.features, chosen.ids, chosen.weights) if i is not None]
        # In batches: else memory is asked for all rows that the footer promises.
        batches = list(file.iter_batches(columns=columns))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FileError(f"{source.name} can't be read as Parquet: {one_line(error)}.") from None
    held, promised = sum(batch.num_rows for batch in batches), file.metadata.num_rows
    if held != promised:
        raise FileError(f"{source.name} is damaged: it holds {held} rows and promises {promised}.")
    if held == 0:
        raise FileError(f"{source.name} has columns but no rows.")
    table = pa.Table.from_batches(batches)

    def place(row: int) -> str:
        return f"{source.name}, row {row + 1}"

    found = []
    for name in (names[i] for i in chosen.features):
        field, kind = table[name], table.schema.field(name).type
        if pa.types.is_dictionary(kind):
            field, kind = field.cast(kind.value_type), kind.value_type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            values = np.array(field.to_pylist(), object)
        else:
            try:
                values = field.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
            except pa.ArrowException:
                raise FileError(f"{source.name}, column {name!r} holds {kind}, neither numbers nor texts.") from None
            _without_infinity(values, name, place)
        found.append(Column(name, values))
    weights = None if wanted.weights is None else table[wanted.weights].to_numpy()
    return Raw(found, True, None if wanted.ids is None else table[wanted.ids], weights, None, place)


def _without_infinity(
    values: npt.NDArray[np.float64], name: str, place: Callable[[int], str]
) -> npt.NDArray[np.float64]:
    """Refuse infinity, which nothing fills in."""
    if np.isinf(values).any():
        row = int(np.isinf(values).argmax())
        raise FileError(f"{place(row)}, column {name!r}: {values[row]} is not finite.")
    return values


def _of_points(source: Source, wanted: Columns, dataset: str | None) -> Raw:
    """Take arrays and pictures apart; they hold numbers, and NaN where one is missing."""
    points = read_points(
        source,
        wanted.features,
        id_column=wanted.ids,
        weights=wanted.weights,
        like=wanted.features if wanted.like else None,
        dataset=dataset,
    )

    def place(row: int) -> str:
        return f"{source.name}, row {row}"

    columns = [
        Column(name, _without_infinity(values.astype(np.float64), name, place))
        for name, values in zip(points.feature_names, np.asarray(points.X).T, strict=True)
    ]
    return Raw(columns, points.named, points.ids, points.sample_weight, points.picture, place)
