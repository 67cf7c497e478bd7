"""`-k auto`: are there clusters at all, and if so how many. It decides; `commands` clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from . import Points
from ._common import need

if TYPE_CHECKING:
    from kmeans_fast.choosing import Choice, Clusterability

AUTO: Final = "auto"
DECIDES = "icl"  # of the methods of `choose_k`
SHOWN = (DECIDES, "silhouette", "gap", "f", "elbow", "calinski_harabasz")  # on a page
K_MAX = 15  # numbers of clusters looked at by default: 2 to 15


@dataclass(frozen=True)
class Chosen:
    """A number of clusters, 1 where the verdict is that there are none, and why."""

    n_clusters: int
    verdict: Clusterability
    choice: Choice | None

    def told(self) -> dict[str, Any]:
        """Give what the summary says of it, in plain values that JSON holds."""
        choice: dict[str, Any] = {"n_clusters": self.n_clusters, "method": "clusterability"}
        if self.choice is not None:
            curve = _no_nan(self.choice.curves[DECIDES])
            choice |= {"method": DECIDES, "ks": list(self.choice.ks), "curve": curve}
        return {"clusterability": _plain(self.verdict), "choice": choice}


def choose(
    points: Points,
    k_max: int | None,
    seed: int,
    n_threads: int | None,
    shown: bool = False,
    methods: Sequence[str] = (DECIDES,),
) -> Chosen:
    """Choose the number of clusters by ICL, the first of `methods`; the others are for their curves."""
    choosing = need("kmeans_fast.choosing", "-k auto", "choose")
    options = {"sample_weight": points.sample_weight, "random_state": seed, "n_threads": n_threads}
    verdict = choosing.clusterability(points.X, **options)
    if not verdict.has_clusters:
        return Chosen(1, verdict, None)
    ks = range(2, min(k_max or K_MAX, verdict.n_used) + 1)  # that there are clusters is known
    choice = choosing.choose_k(points.X, ks, method=methods, progress=shown, **options)
    return Chosen(choice.best_k or 1, verdict, choice)


def _plain(found: Any) -> dict[str, Any]:
    """Lay a verdict out for JSON, which has no NaN."""
    tests = [dict(zip(vars(e), _no_nan(vars(e).values()), strict=True)) for e in found.evidence]
    return {**vars(found), "evidence": tests}


def _no_nan(values: Iterable[Any]) -> list[Any]:
    return [None if isinstance(value, float) and not isfinite(value) else value for value in values]


def lines(summary: dict[str, Any]) -> dict[str, str]:
    """Say verdict and choice in words, for the text of a summary."""
    choice = summary["choice"]
    said = {"verdict": summary["clusterability"]["verdict"]}
    if choice["method"] == "clusterability":
        return said | {"chosen": "one cluster: there are none to divide into (-k N divides all the same)"}
    ks, values = choice["ks"], choice["curve"]
    at = ks.index(choice["n_clusters"])
    near = ", ".join(f"{values[i]:.6g} at {ks[i]}" for i in range(max(at - 1, 0), min(at + 2, len(ks))))
    return said | {
        "chosen": f"k={choice['n_clusters']} by {choice['method'].upper()}, of {ks[0]} to {ks[-1]}: {near} (lowest)"
    }
