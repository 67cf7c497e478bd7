"""The demo as a user runs it: a process, its output, and a page that stands alone."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"


class Page(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    @property
    def images(self) -> list[tuple[str, bytes]]:
        """Kind and bytes of each embedded image."""
        sources = [attrs["src"] for tag, attrs in self.tags if tag == "img"]
        parts = [re.fullmatch(r"data:image/([a-z+]+);base64,(.*)", s).groups() for s in sources]
        return [(kind, b64decode(data, validate=True)) for kind, data in parts]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Standard output and the page of one small run, in an empty folder, with no option."""
    folder = tmp_path_factory.mktemp("demo")
    run = subprocess.run([sys.executable, str(DEMO), "--small"], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert [path.name for path in folder.iterdir()] == ["demo.html"]
    return run, folder / "demo.html"


def rows_of(output: str) -> list[list[str]]:
    rows = [re.split(r"\s{2,}", line) for line in output.splitlines()]
    return [row for row in rows if len(row) == 6 and row[1] in ("kmeans_fast", "scikit-learn")]


def test_path_of_the_page_is_printed_last(demo):
    run, path = demo
    assert run.stdout.splitlines()[-1] == str(path.resolve())


def test_progress_bars_run_to_their_end(demo):
    last = {line.split(":")[0]: line for line in demo[0].stderr.splitlines() if "inertia=" in line}
    assert len(last) == 6
    assert all("100%" in bar for bar in last.values())


def test_page_loads_nothing(demo):
    text = demo[1].read_text(encoding="utf-8")
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "a", "base"}
    for _, attributes in page.tags:
        assert not attributes.keys() & {"href", "srcset", "data", "action"}
        assert not any(name.startswith("on") for name in attributes)
    outside_images = re.sub(r"data:image/[^\"]*", "", text)
    assert not re.search(r"https?:|//", outside_images)
    assert not re.search(r"url\(|@import", outside_images)


def test_page_is_readable_on_a_phone_and_without_eyes(demo):
    page = Page(demo[1].read_text(encoding="utf-8"))
    assert ("html", {"lang": "en"}) in page.tags
    viewports = [attrs for tag, attrs in page.tags if attrs.get("name") == "viewport"]
    assert viewports[0]["content"].startswith("width=device-width")
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert len(alts) == len(set(alts)) == 10
    assert all(len(alt) > 20 for alt in alts)


def test_pictures_are_whole(demo):
    images = Page(demo[1].read_text(encoding="utf-8")).images
    assert [kind for kind, _ in images] == ["jpeg", "png"] + ["svg+xml"] * 8
    for kind, data in images:
        if kind == "svg+xml":
            assert ElementTree.fromstring(data).tag.endswith("svg")
        else:
            Image.open(BytesIO(data)).load()


def test_photograph_after_has_the_colours_of_the_palette_and_resembles_the_one_before(demo):
    text = demo[1].read_text(encoding="utf-8")
    before, after = (
        np.asarray(Image.open(BytesIO(data)).convert("RGB"), dtype=float) for _, data in Page(text).images[:2]
    )
    assert before.shape == after.shape
    palette = {tuple(map(int, c)) for c in re.findall(r"background:rgb\((\d+), (\d+), (\d+)\)", text)}
    assert {tuple(map(int, c)) for c in after.reshape(-1, 3)} == palette
    assert len(palette) == 10
    assert np.sqrt(((before - after) ** 2).mean()) < 25


def test_inertia_agrees_with_scikit_learn_from_the_same_start(demo):
    rows = rows_of(demo[0].stdout)
    assert len(rows) == 8
    for ours, theirs in zip(rows[::2], rows[1::2], strict=True):
        assert (ours[1], theirs[1]) == ("kmeans_fast", "scikit-learn")
        inertia, their_inertia = (float(row[3].replace(",", "")) for row in (ours, theirs))
        assert inertia == pytest.approx(their_inertia, rel=2e-3)
        assert all(float(row[4].replace(",", "")) > 0 for row in (ours, theirs))


def test_table_on_the_page_is_the_table_printed(demo):
    text = demo[1].read_text(encoding="utf-8")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", text)
    assert cells == [cell for row in rows_of(demo[0].stdout) for cell in row]


def test_bad_random_start_ends_far_above_k_means_plus_plus(demo):
    output = demo[0].stdout
    bad = float(re.search(r"random start ends at inertia ([\d.]+)", output)[1])
    good = float(re.search(r"k-means\+\+ at ([\d.]+)", output)[1].rstrip("."))
    assert bad > 3 * good
    restarts = re.findall(r"10 restarts, (\S+): ([\d. ]+); the best was found (\d+) times", output)
    assert [init for init, _, _ in restarts] == ["random", "k-means++"]
    assert all(len(inertias.split()) == 10 for _, inertias, _ in restarts)
    assert int(restarts[0][2]) < 10


def test_an_unknown_option_is_refused(tmp_path):
    run = subprocess.run([sys.executable, str(DEMO), "--huge"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 2
    assert "--huge" in run.stderr
    assert not list(tmp_path.iterdir())
