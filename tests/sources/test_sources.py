"""X from files and streams: the bits of the array in memory, whatever the format and however it is cut."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py")
pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")
pytest.importorskip("zarr")

import h5py
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kmeans_fast import KMeans, KMedians, kmeans, predict, sources
from kmeans_fast._samples import ArraySource, as_samples
from kmeans_fast._seed import METHODS
from kmeans_fast.sources._selected import Selected

Array = NDArray[Any]
N, K = 2503, 5


class Chunked:
    """An object whose iterators start anew; it counts the chunks that it gave."""

    def __init__(self, X: Any, *cuts: int) -> None:
        self.X, self.cuts, self.n_given = X, [0, *sorted(cuts), len(X)], 0

    def __iter__(self) -> Any:
        for start, stop in pairwise(self.cuts):
            self.n_given += 1
            yield self.X[start:stop]


def points(n: int = N, d: int = 3, dtype: Any = np.float32) -> Array:
    rng = np.random.default_rng(7)
    return (rng.normal(size=(n, d)) + 4 * rng.integers(0, K, (n, 1))).astype(dtype)


def names(X: Array) -> list[str]:
    return [f"f{i}" for i in range(X.shape[1])]


def table(X: Array) -> Any:
    return pa.table(dict(zip(names(X), X.T.copy(), strict=True)))


def as_npy(X: Array, folder: Path) -> Any:
    np.save(folder / "X.npy", X)
    return folder / "X.npy"


def as_fortran_npy(X: Array, folder: Path) -> Any:
    np.save(folder / "F.npy", np.asfortranarray(X))
    return str(folder / "F.npy")


def as_big_endian_npy(X: Array, folder: Path) -> Any:
    np.save(folder / "B.npy", X.astype(X.dtype.newbyteorder(">")))
    return folder / "B.npy"


def as_npy_of_version_3(X: Array, folder: Path) -> Any:
    with open(folder / "V.npy", "wb") as stream:
        np.lib.format.write_array(stream, X, version=(3, 0))
    return folder / "V.npy"


def as_memmap(X: Array, folder: Path) -> Any:
    return np.load(as_npy(X, folder), mmap_mode="r")


def as_hdf5(X: Array, folder: Path) -> Any:
    with h5py.File(folder / "X.h5", "w") as file:
        file.create_dataset("deep/X", data=X, chunks=(211, 2), compression="gzip")
        file["labels"] = np.arange(len(X))
    return folder / "X.h5"


def as_hdf5_dataset_without_chunks(X: Array, folder: Path) -> Any:
    with h5py.File(folder / "C.h5", "w") as file:
        file["X"] = X
    return h5py.File(folder / "C.h5")["X"]


def as_zarr(X: Array, folder: Path) -> Any:
    zarr.save(str(folder / "X.zarr"), X)
    return folder / "X.zarr"


def as_zarr_array(X: Array, folder: Path) -> Any:
    store = zarr.open(str(folder / "A.zarr"), mode="w", shape=X.shape, chunks=(173, 2), dtype=X.dtype)
    store[:] = X
    return store


def as_parquet(X: Array, folder: Path) -> Any:
    pq.write_table(table(X), folder / "X.parquet", row_group_size=331)
    return folder / "X.parquet"


def as_parquet_folder(X: Array, folder: Path) -> Any:
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    pq.write_table(table(X[:1000]), parts / "a.parquet", row_group_size=77)
    pq.write_table(table(X[:0]), parts / "b.parquet")
    pq.write_table(table(X[1000:]), parts / "c.parquet")
    (parts / "_metadata.parquet").write_bytes(b"not read")
    return parts


def as_dataset(X: Array, folder: Path) -> Any:
    return pads.dataset(as_parquet(X, folder))


def as_filtered_dataset(X: Array, folder: Path) -> Any:
    wide = table(np.vstack([X, X])).append_column("keep", pa.array(np.repeat([True, False], len(X))))
    pq.write_table(wide, folder / "W.parquet")
    dataset = pads.dataset(folder / "W.parquet").filter(pads.field("keep"))
    return sources.arrow(dataset, names(X))


FORMATS = {
    **{f.__name__[3:]: f for f in (
        as_npy, as_fortran_npy, as_big_endian_npy, as_npy_of_version_3, as_memmap, as_hdf5,
        as_hdf5_dataset_without_chunks, as_zarr, as_zarr_array, as_parquet, as_parquet_folder, as_dataset,
        as_filtered_dataset,
    )},
    "table": lambda X, folder: table(X),
    "record batches": lambda X, folder: table(X).to_batches(max_chunksize=300),
    "list of arrays": lambda X, folder: [X[:1], X[1:1], X[1:2000], X[2000:]],
    "tuple of frames": lambda X, folder: (pd.DataFrame(X[:9]), pd.DataFrame(X[9:])),
    "list of files": lambda X, folder: [as_fortran_npy(X[:900], folder), as_npy(X[900:], folder)],
    "iterable": lambda X, folder: Chunked(X, 0, 7, 7, 1200),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_bits_of_the_array_in_memory(name, dtype, tmp_path):
    X = points(dtype=dtype)
    of_ints = dtype == np.int16 and name in ("table", "record batches", "tuple of frames")
    expected = kmeans(X.astype(np.float64) if of_ints else X, K, random_state=3)  # frames of ints are float64
    given_ = FORMATS[name](X, tmp_path)
    r = kmeans(given_, K, random_state=3)
    assert r.centroids.dtype == expected.centroids.dtype
    assert r.inertia == expected.inertia
    np.testing.assert_array_equal(r.centroids, expected.centroids)
    np.testing.assert_array_equal(r.distances, expected.distances)
    np.testing.assert_array_equal(r.labels, expected.labels)
    np.testing.assert_array_equal(predict(given_, expected.centroids), expected.labels)


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 700), max_size=6),
    init=st.sampled_from(METHODS),
    d=st.sampled_from([1, 5]),
    weighted=st.booleans(),
)
def test_chunks_of_any_size_give_the_same_bits(cuts, init, d, weighted):
    X = points(700, d, np.float64)
    weight = np.arange(len(X)) % 3 if weighted else None
    options: dict[str, Any] = {"init": init, "sample_weight": weight, "random_state": 1}
    expected = kmeans(X, K, **options)
    for chunks in (Chunked(X, *cuts), list(Chunked(X, *cuts))):
        r = kmeans(chunks, K, **options)
        assert r.inertia == expected.inertia
        np.testing.assert_array_equal(r.centroids, expected.centroids)
        np.testing.assert_array_equal(r.labels, expected.labels)


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 90), max_size=5),
    reads=st.lists(st.tuples(st.integers(0, 89), st.integers(1, 90)), max_size=6),
    rows=st.lists(st.integers(0, 89), min_size=1, max_size=20),
)
def test_rows_are_read_and_taken_in_any_order(cuts, reads, rows):
    X = points(90, 2, np.int32)
    source = as_samples(Chunked(X, *cuts)).source
    for start, length in reads:
        stop = min(start + length, 90)
        out = np.empty((stop - start, 2))
        source.read(start, stop, out)
        np.testing.assert_array_equal(out, X[start:stop])
        np.testing.assert_array_equal(source.take(np.array(rows)), X[rows])


@pytest.mark.parametrize(
    "options",
    [{"algorithm": "hamerly"}, {"algorithm": "elkan"}, {"algorithm": "boxes"}, {"quality": "best"}, {"n_init": 4}],
    ids=str,
)
def test_every_way_of_fitting_gives_the_bits_of_the_array_in_memory(options):
    X = points()
    expected, r = (kmeans(given_, K, random_state=2, **options) for given_ in (X, Chunked(X, 500, 501)))
    assert r.inertia == expected.inertia
    np.testing.assert_array_equal(r.labels, expected.labels)


def test_restarts_read_a_stream_one_after_the_other(monkeypatch):
    monkeypatch.setattr("kmeans_fast._restarts.WORTH_A_THREAD", 0.0)
    X = points(300)
    chunks = Chunked(X, 100, 200)
    r = kmeans(chunks, K, init="random", n_init=6, random_state=0)
    assert r.inertia == kmeans(X, K, init="random", n_init=6, random_state=0).inertia
    assert chunks.n_given <= 3 * (
        sum(run.n_iter + 3 for run in r.restarts) + 3
    )  # chunks of a pass, and few more passes


def test_a_pass_opens_each_chunk_once_and_rows_that_were_taken_are_kept():
    X = points(1000, 2)
    chunks = Chunked(X, *range(100, 1000, 100))
    source = as_samples(chunks).source
    assert chunks.n_given == 10  # to count the rows
    for start in range(0, 1000, 130):
        source.read(start, min(start + 130, 1000), np.empty((min(130, 1000 - start), 2)))
    assert chunks.n_given == 20
    source.take(np.array([5, 950, 5]))
    assert chunks.n_given == 30
    source.take(np.array([950, 950]))
    assert chunks.n_given == 30


def test_taken_rows_beyond_the_limit_are_dropped_and_read_again(monkeypatch):
    monkeypatch.setattr("kmeans_fast.sources._parts.KEPT_BYTES", 100)
    X = points(500, 2, np.float64)
    source = as_samples(Chunked(X, 250)).source
    for rows in (np.arange(4), np.arange(2, 7), np.arange(100), np.array([499])):
        np.testing.assert_array_equal(source.take(rows), X[rows])
        assert source._values.nbytes <= 100


def test_columns_are_chosen_in_the_order_that_is_asked_for_and_name_the_features(tmp_path):
    X = points(dtype=np.float64)
    chosen = sources.parquet(as_parquet(X, tmp_path), columns=["f2", "f0"])
    model = KMeans(K, random_state=0).fit(chosen)
    assert model.feature_names_in_.tolist() == ["f2", "f0"]
    np.testing.assert_array_equal(model.labels_, kmeans(X[:, [2, 0]], K, random_state=0).labels)
    np.testing.assert_array_equal(model.predict(pd.DataFrame(X[:, [2, 0]], columns=["f2", "f0"])), model.labels_)
    with pytest.raises(ValueError, match=r"names should match .*\['f0', 'f2'\]"):
        model.predict(sources.parquet(tmp_path / "X.parquet", columns=["f0", "f2"]))
    with (
        pytest.raises(ValueError, match="expecting 2 features"),
        pytest.warns(UserWarning, match="valid feature names"),
    ):
        model.predict(as_npy(X, tmp_path))


def test_some_columns_of_everything_are_read_block_by_block(monkeypatch):
    monkeypatch.setattr("kmeans_fast.sources._selected.ROWS", 128)
    X, asked = points(500), []

    class Asked(ArraySource):
        def read(self, start, stop, out):
            asked.append(stop - start)
            super().read(start, stop, out)

    np.testing.assert_array_equal(np.asarray(Selected(Asked(X), [2, 0])), X[:, [2, 0]])
    assert asked == [128, 128, 128, 116]


def test_the_variants_and_methods_of_the_estimator_take_files(tmp_path):
    X = points(400, 2, np.float64)
    path, chunks = as_npy(X, tmp_path), Chunked(X, 99)
    np.testing.assert_array_equal(
        KMedians(3, random_state=0).fit(chunks).labels_, KMedians(3, random_state=0).fit(X).labels_
    )
    model = KMeans(3, random_state=0).fit(path)
    np.testing.assert_array_equal(model.transform(chunks), model.transform(X))
    assert model.score(chunks) == model.score(X)
    init = kmeans(chunks, 3, init=lambda X, k, random_state: np.asarray(X)[:k])
    np.testing.assert_array_equal(init.labels, kmeans(X, 3, init=X[:3]).labels)


def test_an_object_with_the_protocol_is_taken_as_it_is():
    class Squares:
        shape, dtype, feature_names = (1000, 2), np.dtype(np.float64), ["n", "n2"]

        def read(self, start, stop, out):
            out[:, 0] = np.arange(start, stop)
            out[:, 1] = out[:, 0] ** 2

        def take(self, rows):
            return np.stack([rows, rows.astype(float) ** 2], axis=1)

    X = np.empty((1000, 2))
    Squares().read(0, 1000, X)
    model = KMeans(4, random_state=0).fit(Squares())
    np.testing.assert_array_equal(model.labels_, KMeans(4, random_state=0).fit(X).labels_)
    assert model.feature_names_in_.tolist() == ["n", "n2"]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ((x for x in [points()]), TypeError, r"X is a generator, which can be read once alone; the fit needs several"),
        (pa.RecordBatchReader.from_batches(table(points()).schema, table(points()).to_batches()), TypeError,
         r"X is a RecordBatchReader, which can be read once alone"),
        ([points(9), points(5, 2)], ValueError, r"X has 2 columns in chunk 1, whose first row is row 9, and 3 in"),
        ([pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]})], ValueError,
         r"X has the columns \['b'\] in chunk 1, whose first row is row 1, and \['a'\]"),
        (Chunked([["a", "b"]] * 4, 2), TypeError, r"chunk 0 of X has dtype <U1 and must hold real numbers"),
        ([points(4), points(4).astype("M8[s]")], TypeError, r"chunk 1 of X has dtype datetime64\[s\] and must hold"),
        ([points(0)], ValueError, r"X has 1 chunks and no rows"),
        ("points.csv", ValueError, r"X='points.csv' must be .* \.ply; kmeans_fast\.files\.read_points reads CSV\."),
    ],
)  # fmt: skip
def test_what_is_no_source_is_refused_in_a_sentence(X, error, message):
    with pytest.raises(error, match=message):
        kmeans(X, 2)


def test_an_iterable_that_does_not_start_anew_or_changes_is_refused_and_not_waited_for():
    class Once:
        def __init__(self, *lengths):
            self.lengths = list(lengths)

        def __iter__(self):
            return (points(n) for n in [self.lengths.pop(0)] * 2) if self.lengths else iter(())

    with pytest.raises(ValueError, match="X gave more chunks at first; the fit needs several passes"):
        kmeans(Once(0, 0, 50), 2)
    with pytest.raises(ValueError, match=r"X has shape \(40, 3\) in chunk 0, which had \(50, 3\) at first"):
        kmeans(Once(0, 0, 50, 40, 40), 2)


def test_what_gives_other_rows_than_it_has_is_refused(tmp_path):
    class Lies:
        shape, dtype = (50, 3), np.dtype(np.float32)

        def __getitem__(self, rows):
            return points(50)[rows, :2]

    with pytest.raises(ValueError, match=r"X\[0:1\] has shape \(1, 2\) and must be \(1, 3\)"):
        kmeans(Lies(), 2)

    class Shrinks:
        schema, n = table(points()).schema, 60

        def count_rows(self):
            return 60

        def to_batches(self, columns, **_):
            return table(points(self.n)).select(columns).to_batches()

    dataset = Shrinks()
    source = sources.arrow(dataset)
    dataset.n = 40
    with pytest.raises(ValueError, match=r"Part 0 of X ends before row 40: it has changed since it was counted"):
        source.read(0, 60, np.empty((60, 3)))
    (tmp_path / "X.zarr").write_bytes(b"no store")
    with pytest.raises(ValueError, match=r"X\.zarr can't be read as Zarr: "):
        kmeans(tmp_path / "X.zarr", 2)


def test_columns_of_lists_are_refused():
    lists = pads.dataset(pa.table({"a": [[1.0], [2.0]]}))
    with pytest.raises(TypeError, match=r"X has column 'a' of type list<.*> and must have numbers alone"):
        kmeans(lists, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named_by_chunk_or_file_and_row(value, tmp_path):
    X = points()
    X[1500, 1] = value
    for given_ in (Chunked(X, 1000, 1400), [X[:1000], X[1000:1400], X[1400:]]):
        message = r"X contains (NaN|infinity) in row 1500 \(chunk 2, row 100 of it\), column 1;"
        with pytest.raises(ValueError, match=message):
            kmeans(given_, 2)
        with pytest.raises(ValueError, match=message):
            predict(given_, np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"in row 1500 \(row 500 of .*c\.parquet\), column 1 \('f1'\);"):
        kmeans(as_parquet_folder(X, tmp_path), 2)


@pytest.mark.parametrize("kind", [pa.int32(), pa.bool_(), pa.decimal128(12, 2), pa.float32()])
def test_a_missing_value_of_a_column_names_its_row(kind, tmp_path):
    column = pa.array([1, 0, 1, 1, None, 1], pa.int32()).cast(kind)
    pq.write_table(pa.table({"a": column, "b": range(6)}), tmp_path / "X.parquet", row_group_size=2)
    for act in (lambda X: kmeans(X, 2), lambda X: predict(X, np.zeros((1, 2)))):
        with pytest.raises(ValueError, match=r"row 4.*, column (0 \()?'a'"):
            act(tmp_path / "X.parquet")


def test_a_column_that_is_missing_or_holds_text_is_refused(tmp_path):
    pq.write_table(pa.table({"a": [1.0], "t": ["x"]}), tmp_path / "X.parquet")
    with pytest.raises(TypeError, match=r"X\.parquet has column 't' of type string and must have numbers alone"):
        kmeans(tmp_path / "X.parquet", 1)
    with pytest.raises(ValueError, match=r"X\.parquet has no column 'z'; its columns are 'a', 't'\."):
        sources.parquet(tmp_path / "X.parquet", ["z"])
    with pytest.raises(TypeError, match="columns='a' must be a list of names"):
        sources.parquet(tmp_path / "X.parquet", "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="is a folder without Parquet files"):
        kmeans(tmp_path / "empty", 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("npy", r"X\.npy is truncated: its header asks for 30036 bytes of data and it holds \d+\."),
        ("hdf5", r"X\.h5 can't be read as HDF5: .*truncated"),
        ("parquet", r"X\.parquet can't be read as Parquet"),
    ],
)
def test_a_truncated_file_is_refused_before_anything_is_read(name, message, tmp_path):
    path = FORMATS[name](points(), tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=message):
        kmeans(path, 2)


def test_a_parquet_file_of_other_rows_than_it_promises_is_refused_by_its_name(tmp_path):
    path = tmp_path / "X.parquet"
    pq.write_table(pa.table({"x": np.arange(100.0)}), path, compression="none", use_dictionary=False)
    whole, said = path.read_bytes(), []
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    hundred, more = b"\xc8\x01", b"\xd0\x01"  # 100 and 104, as Thrift writes them, in several places
    changed = [whole[: m.start()] + more + whole[m.end() :] for m in re.finditer(hundred, whole)]
    for damaged in [*changed, whole[:footer] + whole[footer:].replace(hundred, more)]:
        path.write_bytes(damaged)
        try:
            kmeans(path, 2, random_state=0)
        except ValueError as error:
            said.append(str(error))
    assert said
    assert all(str(path) in message and "\n" not in message for message in said)
    assert any("X.parquet is damaged, or has changed" in message for message in said), said


def test_a_header_that_asks_for_too_much_or_for_pickles_is_refused(tmp_path):
    header = np.lib.format.magic(1, 0)
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**40}, 4), }}".ljust(117).encode() + b"\n"
    (tmp_path / "X.npy").write_bytes(header + len(text).to_bytes(2, "little") + text)
    with pytest.raises(ValueError, match="is truncated: its header asks for 35184372088832 bytes"):
        kmeans(tmp_path / "X.npy", 2)
    np.save(tmp_path / "O.npy", np.array([[print]]), allow_pickle=True)
    with pytest.raises(ValueError, match="holds pickled Python objects, which are refused"):
        kmeans(tmp_path / "O.npy", 1)


def test_a_dataset_of_several_is_asked_for_by_name(tmp_path):
    X = points()
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file["a"], file["b/c"] = X, X[:10]
    with pytest.raises(ValueError, match=r"has the two-dimensional datasets 'a', 'b/c'; say which, as dataset="):
        kmeans(tmp_path / "X.h5", 2)
    assert sources.hdf5(tmp_path / "X.h5", "b/c").shape == (10, 3)
    with pytest.raises(ValueError, match="has no dataset 'b'; those of two dimensions are 'a', 'b/c'"):
        sources.hdf5(tmp_path / "X.h5", "b")
    group = zarr.open_group(str(tmp_path / "G.zarr"), mode="w")
    for name in ("a", "b"):
        group.create_array(name, shape=X.shape, dtype=X.dtype)[:] = X
    with pytest.raises(ValueError, match="two-dimensional datasets"):
        kmeans(tmp_path / "G.zarr", 2)
    np.testing.assert_array_equal(
        kmeans(sources.zarr(tmp_path / "G.zarr", "b"), K, random_state=0).labels, kmeans(X, K, random_state=0).labels
    )


@pytest.mark.parametrize(
    ("module", "path", "said"),
    [("h5py", "X.h5", "reading HDF5"), ("zarr", "X.zarr", "reading Zarr"), ("pyarrow", "X.parquet", "reading Parquet")],
)
def test_a_missing_package_is_named_with_its_extra(module, path, said, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ImportError, match=rf'{said} needs {module}; install it with: pip install "kmeans_fast\[sources\]"'
    ):
        kmeans(tmp_path / path, 2)


def test_a_file_needs_the_packages_of_its_own_format_alone(tmp_path, run_python):
    path = str(as_npy(points(), tmp_path))
    run_python(
        f"import sys, kmeans_fast; kmeans_fast.kmeans({path!r}, 2); kmeans_fast.kmeans([[1.0], [2.0]], 1);"
        "assert not {'h5py', 'zarr', 'pyarrow', 'sklearn'} & set(sys.modules)"
    )
