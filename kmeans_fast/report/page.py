"""The pieces of a page: one HTML file that carries its pictures, style and text, and loads nothing.

Text is escaped here, once: what is markup already is `Markup`, everything else is text.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from typing import Any

STYLE = """
:root { color-scheme: light; --ink: #1f2a33; --soft: #5b6873; --line: #dfe3e6; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 62rem; background: #fcfcfa;
       color: var(--ink); font: 1.05rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 .5rem; }
p { max-width: 42rem; margin: .5rem 0 1rem; }
.lead, figcaption, .note { color: var(--soft); }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr));
       gap: 1.25rem; }
.pair { grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; max-width: 46rem; }
figure img { display: block; width: 100%; height: auto; border: 1px solid var(--line);
             border-radius: 6px; background: white; }
figcaption { font-size: .92rem; line-height: 1.45; margin-top: .5rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .4rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-size: .85rem; font-weight: 600; color: var(--soft); }
thead th { border-bottom-width: 2px; }
.text { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 6rem; }
td svg { display: block; margin-left: auto; }
pre { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 6px; background: white;
      white-space: pre-wrap; overflow-wrap: anywhere; font-size: .92rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px; }
strong { color: var(--blue); }
.note { font-size: .92rem; }
@media (max-width: 36rem) {
  body { padding: 1.25rem 1rem 3rem; }
  table { font-size: .85rem; }
  th, td { padding: .35rem; }
  .text { min-width: 4.5rem; }
}
"""
LONGEST_NAME = 60
# Should anything slip through: the browser itself is told to load and run nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: Any) -> Markup:
    """Escape what is not markup."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def name(value: Any) -> Markup:
    """Show a name from the data: cut where it is long, and kept from turning the text around it."""
    shown = str(value)
    return Markup(f"<bdi>{text(shown if len(shown) <= LONGEST_NAME else shown[:LONGEST_NAME] + '…')}</bdi>")


def page(title: str, lead: str, sections: Iterable[str], style: str = "") -> str:
    """Build the whole page; `lead` and the sections are markup."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n"
        f'<h1>{text(title)}</h1>\n<p class="lead">{lead}</p>\n' + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def section(heading: str, said: str, *parts: str) -> Markup:
    """Put a heading and a paragraph over parts; `said` and the parts are markup."""
    return Markup(f"<section>\n<h2>{text(heading)}</h2>\n<p>{said}</p>\n" + "\n".join(parts) + "</section>")


def note(said: str) -> Markup:
    """Say something beside the matter; `said` is markup."""
    return Markup(f'<p class="note">{said}</p>')


def row(*figures: str, pair: bool = False) -> Markup:
    """Lay figures side by side where there is room."""
    return Markup(f'<div class="row{" pair" if pair else ""}">\n' + "\n".join(figures) + "\n</div>")


def figure(source: str, alt: str, caption: str) -> Markup:
    """Show an embedded picture; `caption` is markup."""
    return Markup(f'<figure><img src="{source}" alt="{text(alt)}"><figcaption>{caption}</figcaption></figure>')


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, words: Sequence[int] = ()) -> Markup:
    """Lay out cells; the columns numbered in `words` hold words, the others numbers."""
    kinds = [' class="text"' if column in words else "" for column in range(len(headings))]

    def cells(tag: str, values: Sequence[Any]) -> str:
        return "".join(f"<{tag}{kind}>{text(value)}</{tag}>" for kind, value in zip(kinds, values, strict=True))

    body = "\n".join(f"<tr>{cells('td', values)}</tr>" for values in rows)
    head = f"<thead><tr>{cells('th', headings)}</tr></thead>"
    return Markup(f'<div class="table"><table>\n{head}\n<tbody>\n{body}\n</tbody>\n</table></div>')


def svg(figure: Any) -> str:
    """Return a matplotlib figure as the address of an embedded SVG, the same bytes for the same picture."""
    import matplotlib as mpl

    file = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "kmeans_fast"}):
        figure.savefig(file, format="svg", dpi=220, metadata={"Date": None})  # dpi: of the dots, which are pixels
    return address("svg+xml", file.getvalue())


def address(kind: str, image: bytes) -> str:
    """Return the address of an embedded image."""
    return f"data:image/{kind};base64,{b64encode(image).decode()}"
