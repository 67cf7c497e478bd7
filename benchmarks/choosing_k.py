"""Choosing k: how often each method is right, and what a sweep with a gap statistic costs beside scikit-learn's.

Boards are `init_board_gauss(800, k, min_separation=...)` for k = 2 to 10, and uniform ones, whose k is 1. Times are CPU
seconds of one thread: scikit-learn's sweep is timed on one reference and counts for X and the others too.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from kmeans_fast import choose_k
from kmeans_fast.choosing import gap
from kmeans_fast.datasets import init_board, init_board_gauss

N_BOARD, K_MAX, SEEDS, QUICK_SEEDS = 800, 15, 20, 2
SEPARATIONS = (3.0, 2.0)
TRUE_K = range(2, 11)
N_REFERENCES, N_SWEEP = 20, 1_000_000
UNIFORM = 0.0  # stands for a board without clusters
# Name, spread across, length over width, ks of boards whose clusters are all alike.
SHAPES = (("round, of one spread", 0.07, 1, (2, 4, 6, 8)), ("four times as long as wide", 0.03, 4, (2, 3, 4, 6)))
SHAPE_SEEDS = 5


def choose_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Rates on boards, then the race."""
    seeds = QUICK_SEEDS if options.quick else (options.repeats or SEEDS)
    parts, records = [], []
    for separation in SEPARATIONS:
        boards = [rates(k, separation, seeds) for k in TRUE_K] + [rates(1, UNIFORM, seeds)]
        head = f"min_separation={separation:g}, {seeds} boards for each k, n = {N_BOARD}, ks = {K_MAX}"
        parts.append(f"{head}\n\n{table(boards, seeds)}")
        records += boards
    for name, spread, ratio, ks in SHAPES:
        found = shaped_rates(spread, ratio, ks)
        parts.append(f"{name}: " + ", ".join(f"{method} {right}/{of}" for method, (right, of) in found.items()))
        records.append({"shape": name, "right": found})
    raced = race(N_SWEEP // 20 if options.quick else N_SWEEP)
    parts.append(
        f"k = 1..{K_MAX} with {N_REFERENCES} references, n = {raced['n']:g} in 2-D, CPU seconds of one thread: "
        f"kmeans_fast {raced['ours']:.1f}, scikit-learn {raced['sklearn']:.0f} ({raced['sklearn_one']:.1f} a sweep), "
        f"ratio {raced['ratio']:.1f} (target 20)"
    )
    return "\n\n".join(parts), [*records, raced]


def rates(k: int, separation: float, seeds: int) -> dict[str, Any]:
    """Suggestions of every method on the boards of one k."""
    suggestions: dict[str, list[int | None]] = {}
    for seed in range(seeds):
        if separation == UNIFORM:
            X = init_board(N_BOARD, random_state=seed)
        else:
            X = init_board_gauss(N_BOARD, k, min_separation=separation, random_state=100 * k + seed)
        for method, found in choose_k(X, K_MAX, random_state=seed, n_threads=1).suggestions.items():
            suggestions.setdefault(method, []).append(found)
    return {"k": k, "separation": separation, "suggestions": suggestions}


def shaped(k: int, seed: int, spread: float, ratio: int, n: int = 600) -> NDArray[np.float64]:
    """Gaussians of one shape and any direction, far enough apart."""
    rng = np.random.default_rng(seed)
    while True:
        centers = rng.uniform(-1, 1, (k, 2))
        distances = np.linalg.norm(centers[:, None] - centers, axis=2) + 9 * np.eye(k)
        if distances.min() > 6 * spread * max(1, ratio / 1.5):
            break
    parts = []
    for center in centers:
        angle = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        parts.append(center + (rng.normal(0, spread, (n // k, 2)) * [ratio, 1]) @ turn.T)
    return np.concatenate(parts)


def shaped_rates(spread: float, ratio: int, ks: tuple[int, ...]) -> dict[str, tuple[int, int]]:
    """How many boards of one shape each method gets right, and of how many."""
    right: dict[str, list[bool]] = {}
    for k in ks:
        for seed in range(SHAPE_SEEDS):
            X = shaped(k, seed, spread, ratio)
            choice = choose_k(X, 12, n_references=10, n_resamples=5, random_state=seed, n_threads=1)
            for method, found in choice.suggestions.items():
                right.setdefault(method, []).append(found == k)
    return {method: (sum(found), len(found)) for method, found in right.items()}


def table(boards: list[dict[str, Any]], seeds: int) -> str:
    """Markdown: a row a method, the boards it got right for each k, and the share over all Gaussian ones."""
    ks = [str(board["k"]) if board["separation"] != UNIFORM else "uniform" for board in boards]
    lines = ["| method | " + " | ".join(ks) + " | right |", "|---|" + "---:|" * (len(ks) + 1)]
    rows = []
    for method in boards[0]["suggestions"]:
        right = [board["suggestions"][method].count(board["k"]) for board in boards]
        rows.append((sum(right[:-1]) / (seeds * (len(boards) - 1)), method, right))
    for share, method, right in sorted(rows, key=lambda row: -row[0]):
        lines.append(f"| {method} | " + " | ".join(map(str, right)) + f" | {share:.1%} |")
    return "\n".join(lines)


def race(n: int) -> dict[str, Any]:
    """Sweep uniform points with the gap statistic, and one reference through scikit-learn's KMeans."""
    from sklearn.cluster import KMeans

    X = init_board(n, random_state=0)
    began = time.process_time()
    gap(X, K_MAX, n_references=N_REFERENCES, random_state=0, n_threads=1)
    ours = time.process_time() - began
    reference = np.random.default_rng(0).random((n, 2), dtype=np.float32)
    with threadpool_limits(1):
        began = time.process_time()
        for k in range(1, K_MAX + 1):
            KMeans(k, random_state=0).fit(reference)
        one = time.process_time() - began
    theirs = one * (1 + N_REFERENCES)
    return {"n": n, "ours": ours, "sklearn_one": one, "sklearn": theirs, "ratio": theirs / ours}
