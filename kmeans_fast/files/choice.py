"""`-k auto`: are there clusters at all, and if so how many. It decides; `commands` clusters."""

from __future__ import annotations

from typing import Any

from . import Points
from ._common import need

AUTO = "auto"
K_MAX = 15  # numbers of clusters looked at by default: 2 to 15


def choose(points: Points, k_max: int | None, seed: int, n_threads: int | None) -> tuple[int, dict[str, Any]]:
    """Choose the number of clusters, 1 where the verdict is that there are none.

    Returns
    -------
    k : int
    told : dict
        What the summary says of it: "clusterability" (the verdict and its evidence) and "choice" (the method and its
        curve), plain values that JSON holds.
    """
    choosing = need("kmeans_fast.choosing", "-k auto", "choose")
    weight = points.sample_weight
    found = choosing.clusterability(points.X, sample_weight=weight, random_state=seed, n_threads=n_threads)
    told = {"clusterability": _plain(found)}
    if not found.has_clusters:
        return 1, told | {"choice": {"n_clusters": 1, "method": "clusterability"}}
    k, choice = _best(choosing, points, min(k_max or K_MAX, found.n_samples), seed, n_threads)
    return k, told | {"choice": choice}


def _plain(found: Any) -> dict[str, Any]:
    """Lay a verdict out for JSON, which has no NaN."""
    tests: list[dict[str, Any]] = [
        {name: value if value == value else None for name, value in vars(evidence).items()}
        for evidence in found.evidence
    ]
    return {**vars(found), "evidence": tests}


def _best(choosing: Any, points: Points, k_max: int, seed: int, n_threads: int | None) -> tuple[int, dict[str, Any]]:
    """Choose k of 2 to k_max by the gap statistic: that there are clusters is known."""
    found = choosing.gap(
        points.X, range(2, k_max + 1), sample_weight=points.sample_weight, random_state=seed, n_threads=n_threads
    )
    k = found.best_k
    return k, {
        "n_clusters": k,
        "method": "gap statistic",
        "figure": "gap",
        "ks": list(found.ks),
        "curve": found.gap.tolist(),
    }


def lines(summary: dict[str, Any]) -> dict[str, str]:
    """Say verdict and choice in words, for the text of a summary."""
    choice = summary["choice"]
    said = {"verdict": summary["clusterability"]["verdict"]}
    if choice["method"] == "clusterability":
        return said | {"chosen": "one cluster: there are none to divide into (-k N divides all the same)"}
    ks, values = choice["ks"], choice["curve"]
    at = ks.index(choice["n_clusters"])
    near = ", ".join(f"{values[i]:.3g} at {ks[i]}" for i in range(max(at - 1, 0), min(at + 2, len(ks))))
    return said | {
        "chosen": f"k={choice['n_clusters']} by {choice['method']}, of {ks[0]} to {ks[-1]}: {choice['figure']} {near}"
    }
