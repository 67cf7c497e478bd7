"""The engine of a problem, and the buffers that it works in: made here, once, and trusted in the compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _boxes, _distances, _grid, _lloyd
from ._algorithm import filters, gaps_pay

if TYPE_CHECKING:
    from ._problem import Problem

SLICES_OF_A_THREAD = 4  # with so many a thread keeps a chunk from its labels to its sums, and all stay busy
LATENT = 4.0  # multiply-adds in the time of adding up a number that is not in L2, as the sums of all slices are
FARTHER = 1.0 + 1e-6  # outdoes the rounding of the radius
LEAF, SMALL_LEAF = 128, 32  # samples of a leaf of boxes; more cost scores, fewer cost tests
MANY_CLUSTERS = 8192  # from here on leaves are small


def make_engine(problem: Problem) -> _lloyd.Lloyd:
    """Return an engine for the dtype of the problem, with its buffers; labels and totals are shared by all."""
    single, n, d, k = problem.single, problem.samples.n_samples, problem.samples.n_features, problem.n_clusters
    n_slices = problem.n_slices()
    fused = n_slices >= SLICES_OF_A_THREAD * problem.n_threads or problem.n_threads == 1
    boxes = problem.algorithm == "boxes"
    make = problem.memory.empty
    if not hasattr(problem, "labels"):
        problem.labels = make(n, np.int32)
    n_old = 2 * problem.n_threads * problem.chunk if fused or boxes else problem.block_rows()
    if not problem.engines:
        problem.totals = make((k, d + 4), np.float64)
    bounds, elkan = problem.algorithm in ("hamerly", "elkan"), problem.algorithm == "elkan"
    filtered = problem.algorithm == "hamerly" and filters(single, d, k)
    filter_bytes, filter_work = _distances.filter_bytes(single, k, d) if filtered else (0, 0)
    work = _distances.work_bytes(single, k, d) + bounds * 12 * (problem.chunk + 8) + filter_work
    work += elkan * 8 * (k + 8 + 32 * (k + 16))
    problem.sums[single] = sums = make((n_slices, k, d + 2), np.float64)
    engine = _lloyd.Lloyd(
        single,
        fused,
        problem.chunk,
        problem.samples.strip(problem.dtype),
        problem.n_threads,
        problem.threads_for(LATENT * float(n_slices * k * (d + 2))),
        problem.total_squares,
        problem.labels,
        problem.weight,
        problem.origin,
        sums,
        problem.totals,
        make(_lloyd.scratch_bytes(single, k, d, n_slices, problem.n_threads, n_old, work), np.uint8),
        n_old,
    )
    engine.rounding = problem.rounding
    engine.keep_pages(problem.memory)
    if boxes:
        problem.use_boxes(engine)
    if problem.algorithm == "codes" and _distances.takes_codes():
        samples, centroids = _distances.codes_lengths(n, k, d)
        engine.keep_codes(
            make(samples, np.int32),
            make(centroids, np.int32),
            make(d * problem.dtype.itemsize, np.uint8),
            problem.radius * FARTHER,
            problem.surveyed[1],
        )
    if problem.algorithm == "grid":
        engine.keep_grid(make_grid(single, n, k, d, make))
    if bounds:
        upper, lower, moved = make(n, np.float32), make(n, np.float32), make(k, np.float32)
        gaps_threads = problem.threads_for(float(k * k * d)) if gaps_pay(n, k) else 0
        engine.keep_bounds(
            upper,
            lower,
            moved,
            make((2, k), np.float32),
            make((k, _lloyd.RIVALS), np.int32) if gaps_threads else None,
            make((k, _lloyd.RIVALS + 1), np.float32) if gaps_threads else None,
            make((k, d), np.float64),
            make(k * d * problem.dtype.itemsize, np.uint8),
            make(k, np.int32),
            make(_lloyd.movers_bytes(single, k, d), np.uint8),
            make(filter_bytes, np.uint8) if filter_bytes else None,
            gaps_threads,
        )
    if elkan:
        gaps, drift = make((k, k), np.float32), make(k, np.float32)
        engine.keep_elkan(make((n, k), np.float32), gaps, drift, make(k, np.float64))
    return engine


def keep_boxes(problem: Problem, engine: _lloyd.Lloyd) -> None:
    """Give an engine boxes."""
    single, d, k = problem.single, problem.samples.n_features, problem.n_clusters
    make, rows = problem.memory.empty, problem.block_rows()
    engine.drop_codes()
    order = _order(problem)
    *_, planes, work = _boxes.sizes(single, 0, d, k, order.leaf)
    boxes = _boxes.Boxes(
        order,
        single,
        problem.n_threads,
        make(planes, np.uint8),
        make(work * problem.n_threads, np.uint8),
        make(k, np.float32),
        make((k, d), np.float64),
        make((problem.n_threads, 8), np.int64),
    )
    engine.keep_boxes(boxes, make(rows, np.uint8), make(rows, np.int32))


def _order(problem: Problem) -> _boxes.Order:
    """Return the order of X, made once for all numbers of clusters."""
    single = problem.single
    if single not in problem.orders:
        n, d, k = problem.samples.n_samples, problem.samples.n_features, problem.n_clusters
        make, leaf = problem.memory.empty, LEAF if k < MANY_CLUSTERS else SMALL_LEAF
        copied, leaf_boxes, bricks, _, _ = _boxes.sizes(single, n, d, k, leaf)
        problem.orders[single] = _boxes.Order(
            leaf,
            problem.block_rows(),
            make(n, np.uint32),
            make(copied, np.uint8),
            make(leaf_boxes, np.uint8),
            make(bricks, np.uint8),
            make((n // leaf + 1) * 12, np.uint8),
            make(n, np.uint16),
        )
    return problem.orders[single]


def make_grid(single: bool, n_samples: int, k: int, d: int, make: Callable[[int, Any], Any]) -> _grid.Grid:
    """Return a grid for k centroids, in arrays by `make`."""
    bits, cells, lists, work = _grid.sizes(single, n_samples, k, d)
    return _grid.Grid(single, k, d, bits, make(cells, np.uint32), make(lists, np.uint8), make(work, np.uint8))
