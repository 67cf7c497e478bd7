"""``python benchmarks/cluster_simulation.py``: what an iteration would cost on 1 to 1,000 workers.

Measured here, by one thread: a pass over one block (`_block.make_pass`) and joining two results (`_tree.merge`).
Stated, not measured: the network and the scheduler, below; of a task's overhead Dask's documentation says "somewhere
between 200us and 1ms" (https://docs.dask.org/en/latest/best-practices.html, "Avoid Very Large Graphs"). Then events
are played through: the scheduler hands out tasks one after the other; a worker fetches the centroids from one that has
them and runs its blocks on its threads; results are joined in groups of FAN_IN, each fetched over the link of the
worker that joins. Links carry one message at a time, in each direction.

A model, so that one can see which limit comes first; no promise.
"""

from __future__ import annotations

import argparse
import heapq
import time
from dataclasses import dataclass

import numpy as np

from kmeans_fast._samples import ArraySource
from kmeans_fast.distributed import _block, _tree
from kmeans_fast.distributed._dask import FAN_IN

LATENCY = 0.5e-3  # seconds of a message
SCHEDULER = 0.5e-3  # seconds of the scheduler's one thread for a task
THREADS = 4  # of a worker
WORKERS = (1, 3, 10, 30, 100, 300, 1000)


@dataclass(frozen=True)
class Measured:
    """Seconds of a pass over a block and of one join of two results; bytes of a result."""

    block: float
    join: float
    n_bytes: int


def measure(rows: int, d: int, k: int) -> Measured:
    """Measure on blobs, in float32: a pass with bounds, between two sets of near centroids."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((k, d))
    X = (rng.standard_normal((rows, d)) + centres[rng.integers(k, size=rows)]).astype(np.float32)
    block = _block.Block(ArraySource(X), None, 0, _block.grain_rows(d, k))
    survey = _block.Survey(k, np.zeros(d), total_squares=1.0, total_weight=float(rows), single=True)
    seconds, before = [], None
    for serial in range(4):
        centroids = centres + 0.01 * rng.standard_normal((k, d))
        began = time.process_time()
        this = _block.Pass(serial, survey, True, centroids)
        nodes, _ = _block.make_pass(block, this, before)
        seconds.append(time.process_time() - began)
        before = this
    one = nodes[0][2]
    _tree.merge([[(0, 0, one)], [(0, 1, one)]])
    began = time.process_time()
    for _ in range(10):
        _tree.merge([[(0, 0, one)], [(0, 1, one)]])
    return Measured(float(np.median(seconds[1:])), (time.process_time() - began) / 10, one.nbytes)


def iteration(workers: int, blocks_each: int, m: Measured, bandwidth: float, scheduler: float = SCHEDULER) -> float:
    """Return the seconds from new centroids at the client to joined sums at the client."""
    wire = m.n_bytes / bandwidth
    n_blocks = workers * blocks_each
    # Centroids: each holder serves one worker at a time, so holders double every round.
    arrive, senders = [0.0] * workers, [LATENCY + wire]
    arrive[0] = senders[0]
    for worker in range(1, workers):
        ready = heapq.heappop(senders) + LATENCY + wire
        arrive[worker] = ready
        for _ in range(2):
            heapq.heappush(senders, ready)
    # Blocks: neighbours lie on the same worker; tasks leave the scheduler one after the other.
    free = [[at] * THREADS for at in arrive]
    done = []
    for i in range(n_blocks):
        threads = free[i // blocks_each]
        ready = max(heapq.heappop(threads), (i + 1) * scheduler + LATENCY) + m.block
        heapq.heappush(threads, ready)
        done.append(ready)
    # Joins: the joining worker holds the first of a group and fetches those that are elsewhere, over its own link.
    home = [i // blocks_each for i in range(n_blocks)]
    clock = max(n_blocks * scheduler, 0.0)
    while len(done) > 1:
        joined, at = [], []
        for i in range(0, len(done), FAN_IN):
            clock += scheduler
            group = range(i, min(i + FAN_IN, len(done)))
            others = sum(home[g] != home[i] for g in group)
            ready = max(max(done[g] for g in group), clock if others else 0.0) + LATENCY
            joined.append(ready + others * wire + (len(group) - 1) * m.join)
            at.append(home[i])
        done, home = joined, at
    return done[0] + LATENCY + wire


def main() -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1 << 18, help="of a block")
    parser.add_argument("--blocks", type=int, default=4, help="of a worker")
    options = parser.parse_args()
    print(f"{THREADS} threads and {options.blocks} blocks of {options.rows} rows a worker; latency {1e3 * LATENCY} ms")
    for d, k in ((16, 50), (64, 1000), (128, 10_000)):
        m = measure(options.rows if k < 10_000 else options.rows // 16, d, k)
        block = Measured(m.block * (1 if k < 10_000 else 16), m.join, m.n_bytes)
        print(f"\nd={d}, k={k}: block {1e3 * block.block:.1f} ms, join {1e3 * m.join:.2f} ms, {m.n_bytes / 1e6:.2f} MB")
        print("| workers | rows | 1 Gbit/s, ms | 10 Gbit/s, ms | 25 Gbit/s, ms | 10 Gbit/s, 1 us a task, ms |")
        print("|---:|---:|---:|---:|---:|---:|")
        for workers in WORKERS:
            times = [iteration(workers, options.blocks, block, gigabits * 1.25e8) for gigabits in (1, 10, 25)]
            times.append(iteration(workers, options.blocks, block, 1.25e9, scheduler=1e-6))
            rows = workers * options.blocks * options.rows
            print(f"| {workers} | {rows:.2g} | " + " | ".join(f"{1e3 * t:.0f}" for t in times) + " |")


if __name__ == "__main__":
    main()
