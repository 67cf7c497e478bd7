"""The demo's page: what it has beyond the pieces of every report."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from kmeans_fast.report import page as pieces
from kmeans_fast.report.page import address, figure, note, row, section, svg

__all__ = ["figure", "note", "row", "section", "svg"]

STYLE = """
.palette { display: flex; height: 3rem; margin: 1.25rem 0 .5rem; border-radius: 6px; overflow: hidden; }
tbody tr:nth-child(odd) td { border: 0; }
tbody tr:nth-child(even) td:first-child { font-size: .85rem; color: var(--soft); }
"""


def page(title: str, lead: str, sections: list[str]) -> str:
    return pieces.page(title, lead, sections, STYLE)


def table(headings: list[str], rows: list[list[str]]) -> str:
    return pieces.table(headings, rows, words=(0, 1))


def square(side: float = 3.6) -> tuple[Figure, Any]:
    """Open a figure as large as a third of the page, or another side in inches."""
    fig = Figure(figsize=(side, side), layout="constrained")
    return fig, fig.subplots()


def board(side: float = 3.6) -> tuple[Figure, Any]:
    """Open a square figure with the limits of a board and the three ticks that matter."""
    fig, ax = square(side)
    ax.set(xlim=(-1.03, 1.03), ylim=(-1.03, 1.03), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    return fig, ax


def photograph(pixels: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return address("jpeg", file.getvalue())


def indexed(labels: NDArray[Any], colours: NDArray[np.uint8]) -> str:
    """Embed an image of palette colours as an indexed PNG: it holds these colours and no others."""
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(colours.tobytes())
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return address("png", file.getvalue())


def palette_strip(colours: NDArray[np.uint8], counts: NDArray[Any]) -> str:
    """Draw the colours from dark to light, each as wide as its share of the pixels."""
    order = np.argsort(colours @ [0.2126, 0.7152, 0.0722])
    spans = "".join(f'<span style="flex:{counts[j]};background:rgb{tuple(colours[j].tolist())}"></span>' for j in order)
    alt = f"The palette: {len(colours)} colours from dark to light, as wide as their use"
    return f'<div class="palette" role="img" aria-label="{alt}">{spans}</div>'
