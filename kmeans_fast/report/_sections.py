"""What was found: verdict, clusters, sizes, typical samples, outliers, and how to find it again."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _details
from .._result import KMeansResult
from .._samples import Samples
from .._version import __version__
from . import _pictures, page
from ._found import Found

MOST_CLUSTERS = 100  # in a table
MOST_FEATURES = 8
MOST_OUTLIERS = 20
CLUSTERS_AT_ALL = "Are there clusters at all?"


def verdict(found: Any) -> page.Markup:
    """Say whether there are clusters at all, and by what tests; or why that can't be said."""
    if isinstance(found, str):
        return page.section(CLUSTERS_AT_ALL, page.text(found))
    rows = [(e.test, e.says, f"{e.statistic:.3g}", f"{e.reference:.3g}", f"{e.p_value:.2g}") for e in found.evidence]
    headings = ["test", "says", "statistic", "without clusters", "p"]
    said = f"<strong>{page.text(found.verdict)}</strong>"
    return page.section(CLUSTERS_AT_ALL, said, *([page.table(headings, rows, words=(0, 1))] if rows else []))


def choice(found: Any) -> page.Markup:
    """Show the curves of `choose_k`, and what each suggests."""
    picture = _pictures.curves(found)
    alt = f"The curves of {len(found.curves)} methods over the number of clusters, each with what it suggests"
    best = {name: "none" if k is None else str(k) for name, k in found.suggestions.items()}
    said = (
        f"Of {found.ks[0]} to {found.ks[-1]}: <strong>{best[found.decides]}</strong> by {found.decides}, which decides."
    )
    caption = "Rings are the suggestions: " + ", ".join(f"{name} {k}" for name, k in best.items()) + "."
    return page.section("How many clusters?", said, page.figure(picture, alt, caption))


def clusters(samples: Samples, found: Found) -> page.Markup:
    """Show the samples in the colours of their clusters."""
    picture, caption = _pictures.clusters(samples, found)
    alt = f"The samples in the colours of their {found.n_clusters} clusters, and where the centroids are"
    return page.section("Clusters", "Each sample has the colour of its cluster.", page.figure(picture, alt, caption))


def sizes(found: Found) -> page.Markup:
    """List the clusters with their sizes, and the ids nearest to each centroid."""
    rows = [
        (
            found.swatches[label],
            f"{len(rows):,}",
            f"{len(rows) / found.n_samples:.1%}",
            f"{found.medians[label]:.4g}" if len(rows) else "empty",
            page.Markup(", ".join(page.name(found.name(row)) for row in found.typical(label))),
        )
        for label, rows in enumerate(found.members[:MOST_CLUSTERS])
    ]
    headings = ["cluster", "samples", "share", "median distance", "nearest to the centroid"]
    said = "How many samples each cluster has, how far from its centroid they are, and which are the most typical."
    return page.section("Sizes and typical samples", said, page.table(headings, rows, words=(0, 4)), *_rest(found))


def centroids(found: Found) -> page.Markup:
    """List the coordinates of the centroids, in the features that tell them apart best."""
    points = found.result.centroids.astype(np.float64)
    chosen = np.sort(np.argsort(-points.std(axis=0), kind="stable")[:MOST_FEATURES])
    rows = [
        (swatch, *(f"{value:.4g}" for value in point[chosen]))
        for swatch, point in zip(found.swatches[:MOST_CLUSTERS], points, strict=False)
    ]
    said = "The mean of each cluster."
    if len(chosen) < len(found.features):
        said += f" Of {len(found.features):,} features, those {len(chosen)} in which the centroids differ most."
    headings = ["cluster", *(page.name(found.features[f]) for f in chosen)]
    return page.section("Centroids", said, page.table(headings, rows, words=(0,)), *_rest(found))


def outliers(found: Found) -> page.Markup:
    """List the samples that are far from their centroid, the farthest for their cluster first."""
    rows, shown = np.flatnonzero(found.flags), found.farthest(MOST_OUTLIERS)
    said = (
        f"{len(rows):,} of {found.n_samples:,} samples are farther from their centroid than Q3 + {_details.FENCE:g} "
        "(Q3 - Q1) of the distances in their cluster (Tukey 1977). Of a normal cluster in the plane it is 1 in 100."
    )
    cells = [
        (page.name(found.name(row)), found.swatches[label], f"{found.distances[row]:.4g}", f"{times:.3g}")
        for row, label, times in zip(shown, found.result.labels[shown], found.times_median(shown), strict=True)
    ]
    headings = ["sample", "cluster", "distance", "times the median"]
    parts = [page.table(headings, cells, words=(0,))] if len(rows) else []
    if len(rows) > len(shown):
        parts.append(page.note(f"The {len(shown)} that are farthest for their cluster."))
    return page.section("Outliers", said, *parts)


def fit(result: KMeansResult, command: str | None) -> page.Markup:
    """Say how the fit went, and how to repeat it."""
    restarts = len(result.restarts)
    rows = [
        ("inertia", f"{result.inertia:.10g}"),
        (
            "iterations",
            f"{result.n_iter}; {'converged' if result.converged else 'not converged'}: {result.stop_reason}",
        ),
        ("restarts", f"{restarts}, of which {result.times_found} found this inertia" if restarts > 1 else "1"),
        ("version", f"kmeans_fast {__version__}, {result.algorithm}, {result.isa}, {result.compute_dtype}"),
    ]
    parts = [page.table(["", ""], rows, words=(0, 1))]
    if command is not None:
        parts.append(page.note("The same file and this command give the same clusters:"))
        parts.append(page.Markup(f"<pre><code>{page.text(command)}</code></pre>"))
    return page.section("The fit", "How it went, and how to repeat it.", *parts)


def _rest(found: Found) -> list[page.Markup]:
    """Say that a table was cut."""
    if found.n_clusters <= MOST_CLUSTERS:
        return []
    return [page.note(f"The first {MOST_CLUSTERS} of {found.n_clusters:,} clusters.")]
