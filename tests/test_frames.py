"""pandas and polars frames in, their index or ids kept on the way out."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("polars")
pytest.importorskip("pyarrow")

import pandas as pd
import polars as pl
import pyarrow as pa

from kmeans_fast import kmeans, predict


@pytest.fixture
def X(blobs: Any) -> Any:
    return blobs(300, 3, 4)


def assert_same_fit(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_array_equal(a.centroids, b.centroids)
    assert a.inertia == b.inertia


MAKERS = {
    "pandas": lambda X: pd.DataFrame(X, columns=list("abc")),
    "pandas, one column at a time": lambda X: pd.DataFrame({name: X[:, i].copy() for i, name in enumerate("abc")}),
    "pandas, nullable": lambda X: pd.DataFrame(X, columns=list("abc")).convert_dtypes(),
    "pandas, pyarrow": lambda X: pd.DataFrame(X, columns=list("abc")).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda X: pl.DataFrame(X, schema=list("abc")),
    "pyarrow": lambda X: pa.table({name: X[:, i] for i, name in enumerate("abc")}),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_frame_gives_the_fit_of_its_values(X, name, dtype):
    X = X.astype(dtype)
    frame = MAKERS[name](X)
    for init in (X[:4].astype(float), "k-means++", "random"):
        assert_same_fit(kmeans(frame, 4, init=init, random_state=0), kmeans(X, 4, init=init, random_state=0))
    centroids = X[:4].astype(float)
    np.testing.assert_array_equal(predict(frame, centroids), predict(X, centroids))


@pytest.mark.parametrize(
    "columns",
    [
        [0, 1, 2],
        [2, 0, 1],
        ["a", "a", "b"],
        [("x", 1), ("x", 2), ("y", 1)],
        [1.5, None, 3],
    ],
)
def test_columns_are_read_in_order_whatever_their_names(X, columns):
    frame = pd.DataFrame(X)
    frame.columns = columns
    assert_same_fit(kmeans(frame, 4, random_state=0), kmeans(X, 4, random_state=0))


def test_columns_of_different_types_are_read_as_numbers(X):
    values = np.column_stack([np.round(X[:, 0]), X[:, 1].astype(np.float32), X[:, 2] > 0]).astype(float)
    parts = {"i": values[:, 0].astype(np.int16), "f": values[:, 1].astype(np.float32), "b": values[:, 2].astype(bool)}
    for frame in (pd.DataFrame(parts), pl.DataFrame(parts), pd.DataFrame(parts).convert_dtypes()):
        assert_same_fit(kmeans(frame, 4, random_state=0), kmeans(values, 4, random_state=0))


def test_a_view_of_a_frame_and_a_frame_of_many_blocks_are_read_right(X):
    frame = pd.DataFrame(X, columns=list("abc"))
    assert_same_fit(kmeans(frame.iloc[::-2], 4, random_state=0), kmeans(X[::-2], 4, random_state=0))
    big = np.repeat(X, 700, axis=0)
    parts = {name: big[:, i] for i, name in enumerate("abc")}
    for make in (pd.DataFrame, pl.DataFrame):
        assert_same_fit(kmeans(make(parts), 4, init=X[:4], max_iter=3), kmeans(big, 4, init=X[:4], max_iter=3))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"n": [1.0, 2.0, None], "m": [1, 2, 3]}),
        pd.DataFrame({"n": pd.array([1, 2, None], "Int64"), "m": [1, 2, 3]}),
        pd.DataFrame({"n": pd.array([1.5, 2, None], "double[pyarrow]"), "m": [1, 2, 3]}),
        pl.DataFrame({"n": [1, 2, None], "m": [1, 2, 3]}),
        pl.DataFrame({"n": [True, False, None], "m": [1, 2, 3]}),
    ],
)
def test_a_missing_value_is_an_error_that_names_its_place(frame):
    with pytest.raises(ValueError, match=r"^X contains NaN in row 2, column 0; every value must be finite"):
        kmeans(frame, 2)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_column_of_text_or_dates_is_an_error_that_names_it(make):
    dates = np.array(["2024-01-01", "2024-01-02"], "M8[ns]")
    for column, values in (("town", ["Bonn", "Ulm"]), ("when", dates)):
        with pytest.raises(TypeError, match=rf"^X has column '{column}' of type .* and must have numbers alone: leave"):
            kmeans(make({"n": [1.0, 2.0], column: values}), 1)


@pytest.mark.filterwarnings("ignore::polars.exceptions.PerformanceWarning")
def test_a_lazy_frame_is_an_error_that_says_so(X):
    with pytest.raises(TypeError, match=r"(?i)lazy|eager"):
        kmeans(pl.DataFrame(X).lazy(), 2)


def test_a_series_is_no_table(X):
    for series in (pd.Series(X[:, 0]), pl.Series(X[:, 0])):
        with pytest.raises(ValueError, match=r"^X has shape \(300,\) and must be 2-dimensional"):
            kmeans(series, 2)


@pytest.mark.parametrize("make", [lambda X: pd.DataFrame(X)[:0], lambda X: pl.DataFrame(X)[:0]])
def test_a_frame_without_rows_is_refused(X, make):
    with pytest.raises(ValueError, match=r"^Found array with 0 sample"):
        kmeans(make(X), 1)


def test_a_frame_without_columns_is_refused():
    for frame in (pd.DataFrame(index=range(3)), pl.DataFrame()):
        with pytest.raises(ValueError, match=r"^Found array with 0 (feature|sample)"):
            kmeans(frame, 1)


# Out


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([f"id{i}" for i in range(300)], name="who"),
        pd.Index([7] * 300),
        pd.date_range("2024-01-01", periods=300),
        pd.MultiIndex.from_product([range(3), range(100)], names=["a", "b"]),
    ],
)
def test_to_frame_keeps_the_index_of_a_pandas_frame(X, index):
    r = kmeans(pd.DataFrame(X, index=index), 4, random_state=0)
    frame = r.to_frame()
    pd.testing.assert_index_equal(frame.index, index)
    assert list(frame.columns) == ["label", "distance"]
    np.testing.assert_array_equal(frame["label"], r.labels)
    np.testing.assert_allclose(frame["distance"], np.linalg.norm(X - r.centroids[r.labels], axis=1), rtol=1e-12)


def test_to_frame_comes_in_the_library_of_x_else_in_pandas_or_as_asked(X):
    assert type(kmeans(pl.DataFrame(X), 2).to_frame()) is pl.DataFrame
    assert type(kmeans(pa.table({"a": X[:, 0]}), 2).to_frame()) is pa.Table
    assert type(kmeans(X, 2).to_frame()) is pd.DataFrame
    assert type(kmeans(X, 2).to_frame(backend="polars")) is pl.DataFrame
    assert type(kmeans(pl.DataFrame(X), 2).to_frame(backend="pandas")) is pd.DataFrame


def test_to_frame_without_an_index_numbers_the_samples(X):
    for frame in (kmeans(X, 2).to_frame(), kmeans(pl.DataFrame(X), 2).to_frame()):
        assert list(frame.columns) == ["id", "label", "distance"]
        np.testing.assert_array_equal(frame["id"], np.arange(300))


def test_to_frame_takes_ids_of_the_user_and_of_the_index_into_polars(X):
    ids = [f"s{i}" for i in range(300)]
    assert kmeans(X, 2).to_frame(ids)["id"].tolist() == ids
    assert kmeans(pd.DataFrame(X), 2).to_frame(pd.Series(ids))["id"].tolist() == ids
    assert kmeans(X, 2).to_frame(pl.Series(ids), backend="polars")["id"].to_list() == ids
    assert kmeans(pd.DataFrame(X, index=ids), 2).to_frame(backend="polars")["id"].to_list() == ids


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_details_are_margin_and_outlier_in_every_library(X, backend):
    r = kmeans(MAKERS[backend](X), 4, random_state=0)
    table = (
        pa.table(r.to_frame(details=True)) if backend != "pandas" else pa.Table.from_pandas(r.to_frame(details=True))
    )
    columns = [name for name in table.column_names if name not in ("id", "__index_level_0__")]
    assert columns == ["label", "distance", "margin", "outlier"]
    np.testing.assert_array_equal(table["margin"].to_numpy(), r.margins)
    np.testing.assert_array_equal(table["outlier"].to_numpy(), r.outliers())


def test_a_pickled_result_keeps_the_index(X):
    index = pd.MultiIndex.from_product([range(3), range(100)], names=["a", "b"])
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(kmeans(pd.DataFrame(X, index=index), 4)))))
    pd.testing.assert_index_equal(again.to_frame().index, index)
    assert set(again.exemplars()) == {0, 1, 2, 3}
    assert again.groups()[0].names == ["a", "b"]


def test_a_pickled_result_still_gives_frames(X):
    r = kmeans(X, 4, random_state=0)
    frame = pickle.loads(pickle.dumps(r)).to_frame(backend="polars")
    np.testing.assert_array_equal(frame["label"].to_numpy(), r.labels)


def test_a_result_keeps_the_names_of_the_columns(X):
    named = kmeans(pd.DataFrame(X, columns=list("abc")), 3, random_state=0)
    for r in (named, pickle.loads(pickle.dumps(named)), named.ordered("size")):
        assert r.feature_names == ["a", "b", "c"]
    assert kmeans(X, 3, random_state=0).feature_names is None
    assert kmeans(pd.DataFrame(X), 3, random_state=0).feature_names is None  # its columns are numbered


def test_a_result_refuses_to_label_columns_in_another_order(X):
    frame = pd.DataFrame(X, columns=list("abc"))
    r = kmeans(frame, 3, random_state=0)
    for same in (frame, pl.DataFrame(X, schema=list("abc")), X):  # without names they are taken as they stand
        np.testing.assert_array_equal(r.predict(same), r.labels)
    with pytest.raises(ValueError, match=r"^X has the columns \['b', 'a', 'c'\] and must have \['a', 'b', 'c'\], as"):
        r.predict(frame[["b", "a", "c"]])


def test_a_backend_that_is_not_installed_is_named(run_python):
    code = """
import sys
sys.modules["polars"] = None
from kmeans_fast import kmeans
kmeans([[1.0], [2.0]], 1).to_frame(backend="polars")
"""
    assert "ImportError: to_frame(backend='polars') needs polars; install it." in run_python(code, fails=True)


def test_an_ordered_result_keeps_the_index(X):
    frame = pd.DataFrame(X, index=[f"s{i}" for i in range(300)])
    r = kmeans(frame, 4, random_state=0).ordered("size")
    assert r.to_frame().index.equals(frame.index)
    assert r.to_frame()["label"].value_counts(sort=False).sort_index().is_monotonic_decreasing


def test_a_frame_is_not_changed(X):
    for make in (MAKERS["pandas"], MAKERS["pandas, nullable"]):
        frame = make(X)
        kept = frame.copy(deep=True)
        kmeans(frame, 3)
        pd.testing.assert_frame_equal(frame, kept)
