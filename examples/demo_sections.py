"""The sections of the demo's page: what each picture shows and what is said beside it."""

from __future__ import annotations

from typing import Any

import demo_page as html
import numpy as np
from numpy.typing import NDArray

from kmeans_fast import KMeansResult
from kmeans_fast.plots import OKABE_ITO, clusters, convergence, voronoi

Array = NDArray[Any]

WIDE = 5.4  # inches: the side of a figure that takes half of the page


def photograph(pixels: Array, result: KMeansResult) -> str:
    """Show the photograph before and after, and its palette."""
    n, k = len(result.labels), len(result.centroids)
    colours = np.rint(result.centroids * 255).astype(np.uint8)
    levels = 255 * (result.inertia / pixels.size) ** 0.5
    before = html.figure(
        html.photograph(pixels),
        "A Chinese pavilion with red eaves above trees and a lake",
        f"Before: {len(np.unique(pixels.reshape(-1, 3), axis=0)):,} colours.",
    )
    after = html.figure(
        html.indexed(result.labels.reshape(pixels.shape[:2]), colours),
        f"The same pavilion in {k} colours: the sky shows bands, all else looks alike",
        f"After: {k} colours.",
    )
    return html.section(
        f"A photograph in {k} colours",
        f"Each of the {n:,} pixels is a point in the cube of red, green and blue. The {k} "
        "centroids become the palette, and every pixel takes the colour of its centroid: "
        f"{levels:.1f} of 255 levels away, in the root mean square.",
        html.row(before, after, pair=True),
        html.palette_strip(colours, result.counts),
        html.note("The palette from dark to light, each colour as wide as its use."),
    )


def boards(uniform: tuple[Array, KMeansResult], gauss: tuple[Array, KMeansResult]) -> str:
    """Show the tutorial's two boards, and how the inertia of the first fell."""
    pictures = []
    for kind, (X, result) in (("uniform", uniform), ("Gaussian", gauss)):
        n, k = len(X), len(result.centroids)
        caption = f"{n} {kind} points, k = {k}: {result.n_iter} iterations, "
        alt = f"{n} {kind} points in {k} colours, a star in the middle of each colour"
        pictures.append(_dots(X, result, alt, f"{caption}inertia {result.inertia:.2f}."))
    fig, ax = html.square()
    convergence(uniform[1], ax)
    ax.set_ylim(0, 1.1 * max(uniform[1].inertia_history))
    alt = "A curve that falls steeply, then levels out: inertia against iteration"
    pictures.append(html.figure(html.svg(fig), alt, "The inertia of the uniform board, falling."))
    return html.section(
        "The tutorial's boards",
        "Dots take the colour of their cluster; stars are the centroids. On a uniform board "
        "k-means cuts the square into even parts, although there are no clusters to find. "
        "Where points do gather, the stars settle in their midst.",
        html.row(*pictures),
    )


def dense_board(X: Array, result: KMeansResult) -> str:
    """Show the Voronoi cells of a dense board beside its dots."""
    k = len(result.centroids)
    fig, ax = html.board(WIDE)
    voronoi(result.centroids, ax)
    alt = f"A square tiled by {k} cells of many colours, most of them hexagons, a star in each"
    cells = html.figure(html.svg(fig), alt, "The cells: every place belongs to its nearest star.")
    alt = f"{len(X):,} dots that fill the same cells with the same colours"
    dots = _dots(X, result, alt, f"The {len(X):,} points that made them.", WIDE)
    return html.section(
        "A dense board and its Voronoi cells",
        f"With {len(X):,} points and {k} clusters the board turns into a honeycomb: the border "
        "between two clusters is the line halfway between their centroids.",
        html.row(cells, dots, pair=True),
    )


def starts(X: Array, bad: KMeansResult, good: KMeansResult, ten: dict[str, KMeansResult]) -> str:
    """Show a bad random start, k-means++ on the same data, and ten restarts from each."""
    fig, ax = html.square()
    for (init, result), colour, shape in zip(ten.items(), OKABE_ITO[1::-1], "os", strict=True):
        inertias = [restart.inertia for restart in result.restarts]
        fill = colour if shape == "o" else "none"  # a square around a dot hides nothing
        ax.plot(range(1, len(inertias) + 1), inertias, shape, c=colour, mfc=fill, label=init)
    ax.set(xlabel="restart", ylabel="inertia")
    ax.set_ylim(0, 1.35 * max(line.get_ydata().max() for line in ax.lines))
    ax.legend(frameon=False, loc="upper right", ncols=2, handletextpad=0.1)
    found = ", ".join(f"{result.times_found} times from {init}" for init, result in ten.items())
    return html.section(
        "Where it starts decides where it ends",
        "Lloyd's algorithm only ever walks downhill. From an unlucky draw it stops with several "
        "stars in one cluster and one star among several clusters, and no further iteration "
        "helps. k-means++ spreads its start over the data; restarts guard against what is left "
        "to chance.",
        html.row(
            _dots(
                X,
                bad,
                "Six clusters of points; some hold two or three stars, others share one",
                f"A bad random start: inertia <strong>{bad.inertia:.2f}</strong>.",
            ),
            _dots(
                X,
                good,
                "The same points with one star in the middle of each of the six clusters",
                f"k-means++ on the same data: inertia <strong>{good.inertia:.2f}</strong>.",
            ),
            html.figure(
                html.svg(fig),
                "The inertia of ten restarts from random points and of ten from k-means++",
                f"Ten restarts of each; the best was found {found}.",
            ),
        ),
    )


def _dots(X: Array, result: KMeansResult, alt: str, caption: str, side: float = 3.6) -> str:
    fig, ax = html.board(side)
    clusters(X, result.labels, result.centroids, ax)
    return html.figure(html.svg(fig), alt, caption)
