"""The page of a clustering: what it shows, that it is well-formed, and that no name from the data is markup."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")
pytest.importorskip("scipy")

import pandas as pd

from kmeans_fast import choose_k, clusterability, kmeans, report
from kmeans_fast.report import _pictures

HOSTILE = [
    "<script>document.title='hacked'</script>",
    '"><img src=http://evil.example/x onerror="document.title=\'hacked\'">',
    "'--></style></title><svg/onload=alert(1)>",
    "&lt;b&gt; $\\frac$ \u202eright to left",
    "long " * 100,
]
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Tags with their attributes, and the text of each table's cells; refuses tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.headings: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "h2":
            self.headings.append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
        elif "h2" in self.open:
            self.headings[-1] += data

    def table(self, *headings: str) -> list[list[str]]:
        """Return the rows of the first table with these headings on the left."""
        return next(rows for head, *rows in self.tables if head[: len(headings)] == list(headings))


def assert_loads_nothing(text: str) -> Page:
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "a", "base", "form"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("href", "srcset", "action") for name in attributes)
        assert (attributes.get("src") or "data:").startswith("data:")
    outside = re.sub(r'"data:image/[^"]*"', "", text)
    assert not re.search(r"url\(|@import", outside)
    return page


@pytest.fixture(scope="module")
def board():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(m, 0.3, (50, 2)) for m in ((0, 0), (9, 0), (0, 9))] + [[[3.0, 3.0]]])
    ids = [f"p{i}" for i in range(len(X))]
    ids[-1] = HOSTILE[0]
    return X, ids, kmeans(X, 3, init=X[[0, 50, 100]])


def test_a_page_has_data_clusters_sizes_ids_outliers_and_the_command(board):
    X, ids, r = board
    text = report.html(X, r, ids=ids, feature_names=["x", "y & z"], name="a<b>.csv", command="kmeans-fast 'a<b>.csv'")
    page = assert_loads_nothing(text)
    assert page.headings == ["Data", "Clusters", "Sizes and typical samples", "Centroids", "Outliers", "The fit"]
    assert [row[0] for row in page.table("feature")] == ["x", "y & z"]
    assert [float(value) for value in page.table("feature")[1][2:]] == pytest.approx(
        [X[:, 1].min(), X[:, 1].mean(), X[:, 1].max(), X[:, 1].std()], rel=1e-3
    )
    sizes = page.table("cluster", "samples")
    assert [int(row[1]) for row in sizes] == r.counts.tolist()
    assert [row[4].split(", ") for row in sizes] == [list(names) for names in r.exemplars(3, ids).values()]
    outliers = page.table("sample")
    assert outliers[0][0] == HOSTILE[0]
    assert {row[0] for row in outliers} == {ids[row] for row in np.flatnonzero(r.outliers())}
    assert "<code>kmeans-fast &#x27;a&lt;b&gt;.csv&#x27;</code>" in text
    assert "<title>Clusters of a&lt;b&gt;.csv</title>" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_from_the_data_becomes_markup(board, hostile):
    X, _, r = board
    text = report.html(X, r, ids=[hostile] * len(X), feature_names=[hostile, "y"], name=hostile, command=hostile)
    page = assert_loads_nothing(text)
    shown = hostile if len(hostile) <= 60 else hostile[:60] + "…"
    assert page.table("sample")[0][0] == shown
    assert page.table("feature")[0][0] == shown
    plain = Page(report.html(X, r, ids=["a"] * len(X), feature_names=["x", "y"], name="X", command="c"))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]


@pytest.mark.parametrize("n_features", [1, 2, 3, 30])
def test_the_picture_is_whole_in_any_dimension(blobs, n_features):
    X = blobs(200, n_features, 4)
    page = assert_loads_nothing(report.html(X, kmeans(X, 4, random_state=0)))
    (source,) = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    kind, data = source.split(";base64,")
    assert kind == "data:image/svg+xml"
    assert ElementTree.fromstring(b64decode(data)).tag.endswith("svg")


def test_the_picture_says_what_it_leaves_out_and_how_its_axes_lie(blobs, monkeypatch):
    X = blobs(200, 2, 4)
    r = kmeans(X, 4, random_state=0)
    assert "are drawn" not in (whole := report.html(X, r))
    assert "different scales" not in whole
    flat = X * [1.0, 1e-4]
    assert "The axes have different scales." in report.html(flat, kmeans(flat, 4, random_state=0))
    monkeypatch.setattr(_pictures, "MOST_DOTS", 50)
    (drawn,) = re.findall(r"(\d+) of 200 samples are drawn", report.html(X, r))
    assert 4 <= int(drawn) < 80  # and those that have names


def test_more_features_than_samples_and_the_smallest_fits_have_pages():
    rng = np.random.default_rng(0)
    for X, k in ((rng.random((20, 1200)), 2), (np.zeros((5, 3)), 1), (rng.random((1, 4)), 1), (rng.random((2, 2)), 2)):
        assert_loads_nothing(report.html(X, kmeans(X, k, random_state=0)))
    with pytest.warns(UserWarning, match="distinct"):
        r = kmeans(np.zeros((9, 2)), 3, random_state=0)
    assert "empty" in report.html(np.zeros((9, 2)), r)


def test_frames_name_their_columns_and_rows(blobs):
    pl = pytest.importorskip("polars")
    X = blobs(90, 2, 3)
    frame = pd.DataFrame(X, columns=["height", "width"], index=[f"row {i}" for i in range(90)])
    r = kmeans(frame, 3, random_state=0)
    page = Page(report.html(frame, r))
    assert [row[0] for row in page.table("feature")] == ["height", "width"]
    assert f"row {r.exemplars()[0][0][4:]}" in page.table("cluster")[0][4]
    polars = pl.DataFrame(X, schema=["height", "width"])
    assert [row[0] for row in Page(report.html(polars, kmeans(polars, 3))).table("feature")] == ["height", "width"]


def test_a_verdict_comes_with_its_evidence(board):
    X, _, r = board
    found = clusterability(X, random_state=0)
    page = Page(report.html(X, r, verdict=found))
    assert page.headings[1] == "Are there clusters at all?"
    assert [row[:2] for row in page.table("test")] == [[e.test, e.says] for e in found.evidence]
    assert "too few &lt;" in report.html(X, r, verdict="too few <")


def test_a_choice_comes_with_its_curves_and_what_each_suggests(board):
    X, _, r = board
    text = report.html(
        X, r, choice=choose_k(X, 5, method=["silhouette", "f", "davies_bouldin", "elbow"], random_state=0)
    )
    page = assert_loads_nothing(text)
    assert page.headings[1:3] == ["How many clusters?", "Clusters"]
    assert "Of 1 to 5: <strong>3</strong> by silhouette, which decides." in text
    assert "silhouette 3, f 3, davies_bouldin 4, elbow 3." in text
    assert sum(tag == "img" for tag, _ in page.tags) == 2


def test_long_tables_are_cut_and_say_so(blobs):
    X = blobs(2000, 25, 5)
    text = report.html(X, kmeans(X, 120, random_state=0, max_iter=2))
    for said in ("The first 100 of 120 clusters.", "The first 20 of 25 features.", "those 8 in which the centroids"):
        assert said in text


def test_a_page_is_the_same_for_the_same_fit(board):
    X, ids, r = board
    assert report.html(X, r, ids=ids) == report.html(X, r, ids=ids)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"ids": ["a"]}, r"^ids has 1 entries and must have n_samples=151\.$"),
        ({"feature_names": ["a"]}, r"^feature_names has 1 entries and must have n_features=2\.$"),
    ],
)
def test_names_that_do_not_fit_are_refused(board, more, message):
    X, _, r = board
    with pytest.raises(ValueError, match=message):
        report.html(X, r, **more)
    with pytest.raises(ValueError, match=r"^X has shape \(9, 2\) and must have that of the result's"):
        report.html(X[:9], r)
