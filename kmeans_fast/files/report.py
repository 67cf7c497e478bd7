"""What a fit tells a person when it is done: a summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import choice

if TYPE_CHECKING:
    from kmeans_fast import KMeansResult

SIZES = 12  # clusters whose sizes the text lists one by one


def summarise(result: KMeansResult, **more: Any) -> dict[str, Any]:
    """Return what happened as plain values that JSON holds; `more` comes first."""
    return {
        **more,
        "n_samples": len(result.labels),
        "n_features": result.centroids.shape[1],
        "n_clusters": len(result.centroids),
        "inertia": result.inertia,
        "n_iter": result.n_iter,
        "converged": result.converged,
        "stop_reason": result.stop_reason,
        "sizes": result.counts.tolist(),
        "n_restarts": len(result.restarts),
        "best_restart": result.best_restart,
        "times_found": result.times_found,
        "restarts": [
            {
                "inertia": restart.inertia,
                "n_iter": restart.n_iter,
                "converged": restart.converged,
                "stop_reason": restart.stop_reason,
            }
            for restart in result.restarts
        ],
        "algorithm": result.algorithm,
        "isa": result.isa,
        "n_threads": result.n_threads,
        "compute_dtype": result.compute_dtype,
        "memory_bytes": result.memory,
    }


def text(summary: dict[str, Any]) -> str:
    """Lay a summary out for a person."""
    s = summary
    sizes = sorted(s["sizes"], reverse=True)
    lines = {
        "points": f"{s['n_samples']:,} x {s['n_features']} from {s['input']}",
        "clusters": f"{s['n_clusters']}, of {sizes[-1]:,} to {sizes[0]:,} points",
        "inertia": f"{s['inertia']:.10g}",
        "iterations": f"{s['n_iter']}, {'converged' if s['converged'] else 'not converged'}: {s['stop_reason']}",
        "restarts": _restarts(s),
        "seed": f"{s['seed']}, init {s['init']}",
        "ran": f"{s['algorithm']}, {s['isa']}, {s['compute_dtype']}, {s['n_threads']} "
        f"thread{'s' * (s['n_threads'] != 1)}; {s['memory_bytes'] / 2**20:.1f} MiB beyond the "
        f"points; {s['seconds']:.2f} s",
    }
    if "n_voxels" in s:
        lines["points"] += f", as {s['n_voxels']:,} voxels of {s['voxel']:g}"
    if "choice" in s:
        lines = {"points": lines["points"], **choice.lines(s)} | lines
    if len(sizes) <= SIZES:
        lines["clusters"] = f"{s['n_clusters']}, of {', '.join(map(str, s['sizes']))} points"
    return "".join(f"{name:<11}{value}\n" for name, value in lines.items())


def _restarts(s: dict[str, Any]) -> str:
    """Say how the restarts differed, so that a lucky find is seen as one."""
    if s["n_restarts"] == 1:
        return "1"
    found = s["times_found"]
    times = {1: "once", 2: "twice"}.get(found, f"{found} times")
    inertias = [restart["inertia"] for restart in s["restarts"]]
    said = f"best of {s['n_restarts']} restarts found {times}; inertia {min(inertias):.6g} to {max(inertias):.6g}"
    return said if found > 1 else f"{said}; more restarts (--n-init) may find better"


def table(summary: dict[str, Any]) -> dict[str, list[str]]:
    """Lay a summary out as two columns of text; lists are JSON."""
    values = [v if isinstance(v, str) else json.dumps(v) for v in summary.values()]
    return {"name": list(summary), "value": values}
