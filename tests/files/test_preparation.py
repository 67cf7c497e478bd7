"""Preparation: what scikit-learn's transformers give, kept as plain numbers, and hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")

import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kmeans_fast.files import FileError, Model, load_model, save_model
from kmeans_fast.files.preparation import Preparation, Wish, learn
from kmeans_fast.files.raw import read_raw

TEXT = "name,age,income,town\nAda,30,1000,Ulm\nBo,31,,Ulm\nCy,,1100,Bonn\nDi,60,9000,\nEd,61,9100,Kiel\n"
ALL = Wish(standardize=True, one_hot=True, impute="median")
REST = {"columns": None, "id_column": None, "weights": None, "header": None, "delimiter": None}


def prepared(path: Path, text: str, wish: Wish, like: Preparation | None = None, **options: Any) -> Any:
    """Write a file; learn from it, or apply what was learnt."""
    path.write_text(text)
    options = {"columns": None, "id_column": None, "weights": None, "header": None, "delimiter": None} | options
    found = read_raw(str(path), like=like, **options)
    return learn(found, wish) if like is None else like.apply(found)


def test_columns_become_what_the_transformers_of_scikit_learn_make_of_them(tmp_path: Path) -> None:
    made, points = prepared(tmp_path / "a.csv", TEXT, ALL, id_column="name")
    columns = np.array(
        [
            [30, 1000, "Ulm"],
            [31, np.nan, "Ulm"],
            [np.nan, 1100, "Bonn"],
            [60, 9000, None],
            [61, 9100, "Kiel"],
        ],
        object,
    )
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent", missing_values=None), OneHotEncoder(sparse_output=False)
    )
    expected = make_pipeline(
        make_column_transformer((SimpleImputer(strategy="median"), [0, 1]), (texts, [2])), StandardScaler()
    ).fit_transform(columns)
    np.testing.assert_array_equal(points.X, expected)
    assert points.feature_names == made.feature_names == ["age", "income", "town_Bonn", "town_Kiel", "town_Ulm"]
    assert points.ids.to_pylist() == ["Ada", "Bo", "Cy", "Di", "Ed"]
    own = made.unscaled(points.X)
    np.testing.assert_allclose(own[:, 0], [30, 31, 45.5, 60, 61])
    np.testing.assert_allclose(own[:, 2:].sum(axis=1), 1)


def test_what_was_learnt_survives_json_and_is_applied_bit_for_bit(tmp_path: Path) -> None:
    made, points = prepared(tmp_path / "a.csv", TEXT, ALL, id_column="name")
    again = Preparation.of(json.loads(json.dumps(made.plain())))
    np.testing.assert_array_equal(prepared(tmp_path / "a.csv", TEXT, ALL, again, id_column="name").X, points.X)
    # Other order, a column more, all of the texts and numbers missing: found by name, filled in.
    other = prepared(tmp_path / "b.csv", "more,town,income,age\n1,,,30\n", ALL, again)
    np.testing.assert_allclose(made.unscaled(other.X), [[30, 5050, 0, 0, 1]], atol=1e-12)


def test_each_wish_alone_does_its_own_part(tmp_path: Path) -> None:
    full = "age,town\n1,a\n3,b\n"
    made, points = prepared(tmp_path / "a.csv", full, Wish(one_hot=True))
    assert points.X.tolist() == [[1, 1, 0], [3, 0, 1]]
    assert made.unscaled(points.X) is points.X
    _, points = prepared(tmp_path / "a.csv", "age\n1\n?\n3\n5\n", Wish(impute="mean"))
    assert points.X.ravel().tolist() == [1, 3, 3, 5]
    _, points = prepared(tmp_path / "a.csv", "age\n1\n3\n", Wish(standardize=True))
    assert points.X.ravel().tolist() == [-1, 1]


def test_a_constant_column_stays_finite(tmp_path: Path) -> None:
    made, points = prepared(tmp_path / "a.csv", "a,b\n7,1\n7,2\n7,3\n", Wish(standardize=True))
    assert points.X[:, 0].tolist() == [0, 0, 0]
    assert made.unscaled(points.X)[:, 0].tolist() == [7, 7, 7]


def test_weights_count_in_the_scale(tmp_path: Path) -> None:
    made, points = prepared(tmp_path / "a.csv", "a,w\n0,3\n4,1\n", Wish(standardize=True), weights="w")
    assert made.mean is not None
    assert made.mean.tolist() == [1]
    assert points.sample_weight.tolist() == [3, 1]


def test_parquet_and_arrays_are_prepared_too(tmp_path: Path) -> None:
    table = pa.table({"age": [1, None, 3], "town": pa.array(["a", "b", None]).dictionary_encode()})
    pq.write_table(table, tmp_path / "a.parquet")
    _, points = learn(read_raw(str(tmp_path / "a.parquet"), **REST), Wish(one_hot=True, impute="mean"))
    assert points.X.tolist() == [[1, 1, 0], [2, 0, 1], [3, 1, 0]]
    np.save(tmp_path / "a.npy", np.array([[1, np.nan], [3, 4]], np.float32))
    _, points = learn(read_raw(str(tmp_path / "a.npy"), **REST), Wish(impute="mean"))
    assert points.X.tolist() == [[1, 4], [3, 4]]
    assert not points.named


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": pa.array([], pa.float64())}, "has columns but no rows"),
        ({"a": [1.0, float("inf")]}, r"row 2, column 'a': inf is not finite"),
        ({"a": [[1], [2]]}, r"column 'a' holds list<.*>, neither numbers nor texts"),
        (None, "can't be read as Parquet: .*[^.]\\.$"),
    ],
)
def test_what_parquet_holds_for_no_preparation_is_named(tmp_path: Path, columns: Any, message: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1") if columns is None else pq.write_table(pa.table(columns), path)
    with pytest.raises(FileError, match=message):
        read_raw(str(path), **REST)


def test_a_weight_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,w\n1,1\n2,nan\n")
    with pytest.raises(FileError, match=r"a\.csv, line 3, column 'w': missing value"):
        read_raw(str(tmp_path / "a.csv"), **REST | {"weights": "w"})


HOSTILE: list[tuple[str, Wish, str]] = [
    ('a\n1\n""\n', Wish(standardize=True), r"t\.csv, line 3, column 'a': missing value; fill it in"),
    ("a,b\n1,\n2,?\n", ALL, r"t\.csv, line 2, column 'b' has missing values only; leave it out of --columns"),
    ("a,b\n1,x\n2,y\n", Wish(impute="mean"), r"line 2, column 'b': 'x' is not a number; --one-hot takes texts"),
    ("a\n1\n\n2\nx\n", ALL, r"line 5, column 'a': 'x' stands among numbers; a column must hold numbers or texts"),
    ("a\n1\ninf\n", ALL, r"column 'a': 'inf' stands among numbers"),
    ("a\n1\n1e999\n", ALL, r"line 3, column 'a': inf is not finite"),
    ("a,b\n1,2\n3\n", ALL, r"line 3: 1 fields, and the first line has 2"),
    ('a,b\n1,"2\n', ALL, r"a quote is opened and never closed"),
    ("a,b\n", ALL, r"has column names but no data"),
    (
        "id\n" + "".join(f"n{i}\n" for i in range(300)),
        ALL,
        r"column 'id' holds 300 different texts, which must be <= 256 for --one-hot",
    ),
]


@pytest.mark.parametrize(("text", "wish", "message"), HOSTILE)
def test_what_no_preparation_mends_is_one_line_that_names_the_place(
    tmp_path: Path, text: str, wish: Wish, message: str
) -> None:
    with pytest.raises(FileError, match=message) as caught:
        prepared(tmp_path / "t.csv", text, wish, header=True)
    assert "\n" not in str(caught.value)


LATER: list[tuple[str, str]] = [
    ("age,town\n1,a\n2,c\n", r"b\.csv, line 3, column 'town': 'c' was not there when .* must be one of 'a', 'b'\."),
    ("age,town\n1,\n", r"b\.csv, line 2, column 'town': missing value"),
    ("age,town\nold,a\n", r"column 'age' holds texts and must hold numbers"),
    ("age\n1\n", r"b\.csv has no column 'town'"),
]


@pytest.mark.parametrize(("text", "message"), LATER)
def test_points_that_do_not_fit_what_was_learnt_are_refused(tmp_path: Path, text: str, message: str) -> None:
    made, _ = prepared(tmp_path / "a.csv", "age,town\n1,a\n3,b\n", Wish(one_hot=True))
    with pytest.raises(FileError, match=message):
        prepared(tmp_path / "b.csv", text, ALL, made)


def test_a_model_carries_it_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    made, _ = prepared(tmp_path / "a.csv", TEXT, ALL, id_column="name")
    centroids = np.zeros((2, 5))
    save_model(Model(centroids, tuple(made.feature_names), {}, made.plain()), tmp_path / "m")
    carried = load_model(tmp_path / "m").preparation
    assert carried is not None
    assert Preparation.of(carried).feature_names == made.feature_names
    save_model(centroids, tmp_path / "plain")
    assert load_model(tmp_path / "plain").preparation is None
    plain = made.plain()
    damaged: list[tuple[Any, str]] = [
        (plain | {"scale": [0.0] * 5}, "scale must be positive"),
        (plain | {"mean": [0.0]}, "one a feature"),
        (plain | {"mean": None}, "come with a mean"),
        (plain | {"rules": []}, "one a feature"),
        (plain | {"rules": [{"name": "a", "fill": "x", "categories": None}]}, "is damaged"),
        (plain | {"rules": [{"name": "a", "fill": None, "categories": [1]}]}, "must be texts"),
        ({"rules": [{}]}, "categories"),
        ([], "list indices"),
        (made.plain() | {"rules": plain["rules"][:1], "mean": None, "scale": None}, "gives 1 features and must give 5"),
    ]
    for i, (nonsense, message) in enumerate(damaged):
        save_model(centroids, tmp_path / str(i), preparation=nonsense)
        with pytest.raises(FileError, match=rf"header that makes no sense: .*{message}"):
            load_model(tmp_path / str(i))
