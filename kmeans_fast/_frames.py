"""Frames (pandas, polars, pyarrow, ...) through narwhals: read by blocks, their index or ids kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._need import need
from ._samples import ArraySource

BACKENDS = ("pandas", "polars", "pyarrow")


def narwhals() -> Any:
    """Return the interface of narwhals that stays as it is."""
    return need("narwhals.stable.v2", "a frame", "frames")


class FrameSource:
    """The columns of a frame, all numeric, read a block of rows at a time."""

    readers = 0

    def __init__(self, frame: Any, name: str) -> None:
        nw = narwhals()
        unique = getattr(frame.columns, "is_unique", True)
        if not unique:  # pandas allows a name twice; columns are read by position
            frame = frame.set_axis(range(frame.shape[1]), axis=1)
        if type(frame).__name__ == "RecordBatch":  # of pyarrow, which narwhals leaves out
            import pyarrow

            frame = pyarrow.Table.from_batches([frame])
        try:
            self.frame = nw.from_native(frame, eager_only=True)
        except TypeError:
            kind = type(frame).__name__
            raise TypeError(f"{name} is a {kind} and must be an array or an eager frame: collect it first.") from None
        self.shape = (self.frame.shape[0], self.frame.shape[1])
        columns = self.frame.schema
        for column, dtype in columns.items():
            if not (dtype.is_numeric() or dtype == nw.Boolean):
                raise TypeError(
                    f"{name} has column {column!r} of type {dtype} and must have numbers alone: leave it out, and name "
                    "rows by the index or by to_frame(ids=...)."
                )
        texts = all(isinstance(column, str) for column in columns)
        self.feature_names = list(columns) if texts and unique else None
        float32 = all(dtype == nw.Float32 for dtype in columns.values())
        self.dtype = np.dtype(np.float32 if float32 else np.float64)
        values = getattr(frame, "values", None)
        # A pandas frame of one dtype is an array already, and its rows need no conversion of their own.
        if float32 and isinstance(values, np.ndarray) and values.base is not None:
            self.inner: ArraySource | None = ArraySource(values)
        else:
            self.inner = None

    def read(self, start: int, stop: int, out: NDArray[Any]) -> None:
        """Convert rows into `out`, column by column; a missing value becomes NaN."""
        if self.inner is not None:
            self.inner.read(start, stop, out)
            return
        for f in range(self.shape[1]):  # by position: a pandas column may be named 5, or 1 where 0 is
            out[:, f] = _floats(self.frame[start:stop, f])

    def take(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the given rows."""
        if self.inner is not None:
            return self.inner.take(rows)
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        for f in range(self.shape[1]):
            out[:, f] = _floats(self.frame[rows, f])
        return out


def _floats(column: Any) -> NDArray[Any]:
    values: NDArray[Any] = column.to_numpy()
    return values if values.dtype.kind in "fiub" else _with_nan(values)


def _with_nan(values: NDArray[Any]) -> NDArray[Any]:
    """Nullable columns arrive as objects: None and pandas.NA become NaN."""
    return np.array(
        [np.nan if value is None or value != value or str(value) == "<NA>" else value for value in values.tolist()],
        np.float64,
    )


def label_frame(like: Any, index: Any, ids: Any, columns: dict[str, Any], backend: str | None) -> Any:
    """Build a frame in the library of `like`, else in pandas.

    Rows are named by a column id from `ids`; without it by the pandas `index`, as a column where the frame is not of
    pandas; without both they are numbered.
    """
    if backend is None:
        root = type(like).__module__.partition(".")[0]
        backend = root if root in BACKENDS else "pandas"
    elif backend not in BACKENDS:
        raise ValueError(f"backend={backend!r} must be one of {', '.join(map(repr, BACKENDS))}.")
    if ids is None and (index is None or backend != "pandas"):
        ids = np.arange(len(columns["label"])) if index is None else np.asarray(index)
    if ids is not None:
        columns = {"id": ids, **columns}
    if backend == "pandas":
        try:
            import pandas
        except ImportError:
            raise ImportError("to_frame needs pandas or polars; install one of them.") from None
        return pandas.DataFrame(columns, index=index if "id" not in columns else None)
    nw = narwhals()
    try:
        return nw.from_dict(columns, backend=backend).to_native()
    except ModuleNotFoundError:
        raise ImportError(f"to_frame(backend={backend!r}) needs {backend}; install it.") from None
