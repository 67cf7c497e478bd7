"""Every script of examples/gallery runs in a process of its own and draws something that can be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples" / "gallery").glob("plot_*.py"))

# What sphinx-gallery does: run the script, then look at the figures it left open. Prints the share of pixels that
# differ when the data are taken away, for each figure.
RUN = """
import json, runpy, sys
import numpy as np
from matplotlib import pyplot as plt

def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).astype(int)

def cut_off(figure):
    inside = figure.bbox.padded(2)
    for ax in figure.axes:
        for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts):
            box = text.get_window_extent()
            if text.get_text() and not (inside.contains(*box.min) and inside.contains(*box.max)):
                yield text.get_text()

runpy.run_path(sys.argv[1], run_name="__main__")
shares, cut = [], []
for number in plt.get_fignums():
    figure = plt.figure(number)
    drawn = pixels(figure)
    cut += cut_off(figure)
    for ax in figure.axes:
        for artist in [*ax.lines, *ax.collections, *ax.images, *ax.patches, *ax.artists]:
            artist.set_visible(False)
    shares.append(float((drawn != pixels(figure)).any(axis=2).mean()))
print(json.dumps([shares, cut]))
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_draws_a_picture(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(example)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    shares, cut = json.loads(done.stdout.splitlines()[-1])
    assert shares, "it left no figure open"
    assert min(shares) > 0.002, f"a figure shows next to nothing: {shares}"
    assert not cut, "texts that the border of the figure cuts off"


def test_an_example_has_a_title_and_a_text() -> None:
    for example in EXAMPLES:
        quotes, title, rule, *text = example.read_text(encoding="utf-8").splitlines()
        assert (quotes, set(rule)) == ('"""', {"="}), f"{example.name} must begin with a title over a row of ="
        assert len(rule) >= len(title), example.name
        assert text[0] == "", example.name
        assert text[1], example.name


def test_there_are_examples() -> None:
    assert EXAMPLES
