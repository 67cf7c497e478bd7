"""The demo's page: one HTML file that carries its pictures, style and text, and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

STYLE = """
:root { color-scheme: light; --ink: #1f2a33; --soft: #5b6873; --line: #dfe3e6; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 62rem; background: #fcfcfa;
       color: var(--ink); font: 1.05rem/1.6 system-ui, sans-serif; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 .5rem; }
p { max-width: 42rem; margin: .5rem 0 1rem; }
.lead, figcaption, .note { color: var(--soft); }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr));
       gap: 1.25rem; }
.pair { grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; border: 1px solid var(--line);
             border-radius: 6px; background: white; }
figcaption { font-size: .92rem; line-height: 1.45; margin-top: .5rem; }
.palette { display: flex; height: 3rem; margin: 1.25rem 0 .5rem; border-radius: 6px;
           overflow: hidden; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; white-space: nowrap; }
th { font-size: .85rem; font-weight: 600; color: var(--soft); }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
thead th { border-bottom: 2px solid var(--line); }
tbody tr:nth-child(even) td { border-bottom: 1px solid var(--line); }
tbody tr:nth-child(even) td:first-child { font-size: .85rem; color: var(--soft); }
strong { color: var(--blue); }
.note { font-size: .92rem; }
@media (max-width: 36rem) {
  body { padding: 1.25rem 1rem 3rem; }
  table, tbody tr:nth-child(even) td:first-child, th { font-size: .7rem; }
  th, td { padding: .35rem .12rem; }
  td:first-child { white-space: normal; }
}
"""


def page(title: str, lead: str, sections: list[str]) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{lead}</p>\n' + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def section(heading: str, text: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n<p>{text}</p>\n" + "\n".join(parts) + "</section>"


def row(*figures: str, pair: bool = False) -> str:
    return f'<div class="row{" pair" if pair else ""}">\n' + "\n".join(figures) + "\n</div>"


def figure(source: str, alt: str, caption: str) -> str:
    return f'<figure><img src="{source}" alt="{escape(alt)}"><figcaption>{caption}</figcaption></figure>'


def square(side: float = 3.6) -> tuple[Figure, Any]:
    """Open a figure as large as a third of the page, or another side in inches."""
    return plt.subplots(figsize=(side, side), layout="constrained")


def board(side: float = 3.6) -> tuple[Figure, Any]:
    """Open a square figure with the limits of a board and the three ticks that matter."""
    fig, ax = square(side)
    ax.set(xlim=(-1.03, 1.03), ylim=(-1.03, 1.03), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    return fig, ax


def svg(fig: Figure) -> str:
    """Close a figure and return it as the address of an embedded SVG."""
    file = BytesIO()
    fig.savefig(file, format="svg", dpi=220)  # of the dots, which are pixels
    plt.close(fig)
    return _address("svg+xml", file)


def photograph(pixels: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return _address("jpeg", file)


def indexed(labels: NDArray[Any], colours: NDArray[np.uint8]) -> str:
    """Embed an image of palette colours as an indexed PNG: it holds these colours and no others."""
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(colours.tobytes())
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return _address("png", file)


def palette_strip(colours: NDArray[np.uint8], counts: NDArray[Any]) -> str:
    """Draw the colours from dark to light, each as wide as its share of the pixels."""
    order = np.argsort(colours @ [0.2126, 0.7152, 0.0722])
    spans = "".join(f'<span style="flex:{counts[j]};background:rgb{tuple(colours[j].tolist())}"></span>' for j in order)
    alt = f"The palette: {len(colours)} colours from dark to light, as wide as their use"
    return f'<div class="palette" role="img" aria-label="{alt}">{spans}</div>'


def table(headings: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>" for cells in rows)
    return f'<div class="table"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _address(kind: str, file: BytesIO) -> str:
    return f"data:image/{kind};base64,{b64encode(file.getvalue()).decode()}"
