"""A .npy file larger than memory should hold: read rate, rate of an iteration, peak memory; beside other libraries.

    python benchmarks/launch.py scale --rows 5e8 --clusters 256

Each library runs in a process of its own, on the file; the read rate is measured in the process that it is held
against, by the same number of threads into buffers of the same size.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
FEATURES, CENTRES, SPREAD, PIECE = 3, 256, 2.0, 1 << 20
HEADER = ("library", "seconds", "an iteration", "GB/s", "read GB/s", "share", "compute", "peak MB", "anonymous MB", "")
Row = dict[str, Any]


def main() -> None:
    """Make the file, run every library on it, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=5e8)
    parser.add_argument("--clusters", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--memory", default="256M", help="KMEANS_FAST_MEMORY; default 256M")
    parser.add_argument("--folder", type=Path, default=None, help="where the file goes; a temporary folder by default")
    parser.add_argument("--libraries", nargs="+", default=list(LIBRARIES), choices=list(LIBRARIES))
    parser.add_argument("--keep", type=Path, help="use this file, made where it is not there, and leave it")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(LIBRARIES[options.worker](options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        options.folder = Path(folder)
        if options.keep is None or not options.keep.exists():
            make(path_of(options), int(options.rows))
        options.rows = len(np.load(path_of(options), mmap_mode="r"))  # of a file that was there, those that it has
        print(f"{options.rows} x {FEATURES} float32, {options.clusters} clusters, {os.cpu_count()} processors\n")
        print("| " + " | ".join(HEADER) + " |\n|" + " --- |" * len(HEADER))
        for name in options.libraries:
            print(table_row(name, run(name, options), options), flush=True)


def path_of(options: argparse.Namespace) -> Path:
    """Return the path of the file."""
    return options.keep or Path(options.folder) / "X.npy"


def make(path: Path, n: int) -> None:
    """Write n samples of CENTRES blobs."""
    rng = np.random.default_rng(1)
    centres = rng.random((CENTRES, FEATURES), np.float32) * 100
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, FEATURES)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n, PIECE):
            rows = min(PIECE, n - start)
            block = rng.standard_normal((rows, FEATURES), np.float32) * SPREAD
            block += centres[rng.integers(CENTRES, size=rows)]
            block.tofile(file)


def run(name: str, options: argparse.Namespace) -> Row:
    """Run one library in a process of its own; what it cannot do is said, not measured."""
    command = [sys.executable, str(HERE / "launch.py"), "scale", "--worker", name]
    command += ["--rows", str(options.rows), "--clusters", str(options.clusters)]
    command += ["--iterations", str(options.iterations), "--folder", str(options.folder)]
    if options.keep:
        command += ["--keep", str(options.keep)]
    env = {**os.environ, "KMEANS_FAST_MEMORY": options.memory, "KMEANS_FAST_SCRATCH": str(options.folder)}
    done = subprocess.run(command, env=env, text=True, capture_output=True)
    if done.returncode:
        return {"note": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def table_row(name: str, row: Row, options: argparse.Namespace) -> str:
    """Format what a process measured."""
    gigabytes = options.rows * FEATURES * 4 / 1e9
    each, read = row.get("iteration"), row.get("read")
    rate = gigabytes / each if each else None
    cells = [row.get("seconds"), each, rate, read, rate / read if rate and read else None, row.get("compute")]
    shown = ["" if value is None else f"{value:.3g}" for value in cells]
    shown += [f"{row[key]:.0f}" if key in row else "" for key in ("peak", "anonymous")]
    return "| " + " | ".join([name, *shown, row.get("note", "")]) + " |"


# --- what runs in a process of its own ---


def status(field: str) -> float:
    """Return a field of /proc/self/status in MB; 0 where there is none."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) * 1.024e-3 for line in lines if line.startswith(field)), 0.0)


class Peaks(threading.Thread):
    """The largest anonymous memory, which the system cannot take back, sampled; the whole is VmHWM or ru_maxrss."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.anonymous = 0.0
        self.start()

    def run(self) -> None:
        """Sample twenty times a second."""
        while True:
            self.anonymous = max(self.anonymous, status("RssAnon"))
            time.sleep(0.05)

    def row(self) -> Row:
        """Return both peaks in MB."""
        unit = 1e-6 if sys.platform == "darwin" else 1.024e-3  # bytes there, KiB elsewhere
        largest = max(status("VmHWM"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
        return {"peak": largest, "anonymous": self.anonymous}


def read_rate(path: Path) -> float:
    """GB/s of as many threads as kmeans_fast reads with, into buffers of the same size."""
    from kmeans_fast._file import READERS
    from kmeans_fast._samples import BLOCK_BYTES

    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:

        def read(first: int) -> None:
            buffer = bytearray(BLOCK_BYTES)
            for at in range(first * BLOCK_BYTES, size, READERS * BLOCK_BYTES):
                os.preadv(file.fileno(), [buffer], at)

        began = time.perf_counter()
        threads = [threading.Thread(target=read, args=(first,)) for first in range(READERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return size / (time.perf_counter() - began) / 1e9


def evict(path: Path) -> None:
    """Take the file out of the page cache, so that the next reading is the disk's."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def kmeans_fast(options: argparse.Namespace, cold: bool = False) -> Row:
    """Fit the file; `cold` evicts it before every iteration and measures the disk."""
    from kmeans_fast import kmeans

    path, peaks, stamps = path_of(options), Peaks(), []
    before: Callable[[], None] = (lambda: evict(path)) if cold else (lambda: None)
    rates = []

    def watch(state: Any) -> None:
        stamps.append(time.perf_counter())
        before()
        if cold or state.iteration == 1:
            rates.append(read_rate(path))  # beside the iterations, not after them: others use this machine too
            before()
        stamps.append(time.perf_counter())

    X = np.load(path, mmap_mode="r")
    began = time.perf_counter()
    r = kmeans(X, options.clusters, max_iter=options.iterations, tol=0, random_state=0, callback=watch)
    seconds = time.perf_counter() - began
    rates.append(read_rate(path))
    each = np.median(np.array(stamps[2::2]) - np.array(stamps[1:-1:2]))
    found = {"seconds": seconds, "iteration": float(each), "read": float(np.median(rates)), **peaks.row()}
    note = (
        f"{r.algorithm}, {r.n_threads} threads, inertia / n {r.inertia / len(X):.6g}, start {stamps[0] - began:.1f} s"
    )
    return {**found, "compute": compute(X, r.centroids, r.algorithm) * len(X), "note": note}


def compute(X: Any, centroids: Any, algorithm: str) -> float:
    """Seconds a sample of passes over rows that are in memory: what reading has to hide behind."""
    from kmeans_fast._iterate import make_pass
    from kmeans_fast._problem import Problem
    from kmeans_fast._samples import as_samples

    some = np.array(X[: 1 << 22])
    problem = Problem(as_samples(some), len(centroids), None, None, algorithm)
    engine, centroids, new = problem.engine(), centroids.astype(float), np.empty(centroids.shape)
    engine.reset()
    times = []
    for passed in range(5):
        began = time.perf_counter()
        make_pass(problem, engine, centroids, passed == 0)
        engine.finish(new)
        times.append(time.perf_counter() - began)
    return float(np.median(times[1:])) / len(some)


def kmeans_fast_cold(options: argparse.Namespace) -> Row:
    """Do the same from the disk."""
    return kmeans_fast(options, cold=True)


def minibatch(options: argparse.Namespace) -> Row:
    """scikit-learn has no exact fit out of memory: one epoch of MiniBatchKMeans.partial_fit, and what it ends at."""
    from sklearn.cluster import MiniBatchKMeans

    path, peaks = path_of(options), Peaks()
    X = np.load(path, mmap_mode="r")
    model = MiniBatchKMeans(options.clusters, random_state=0, batch_size=PIECE, n_init=1)
    began = time.perf_counter()
    for start in range(0, len(X), PIECE):
        model.partial_fit(np.array(X[start : start + PIECE]))
    seconds = time.perf_counter() - began
    total = -sum(model.score(np.array(X[start : start + PIECE])) for start in range(0, len(X), PIECE))
    note = f"one epoch, not exact, inertia / n {total / len(X):.6g}; the map is in its peak"
    return {"seconds": seconds, "iteration": seconds, **peaks.row(), "note": note}


def faiss(options: argparse.Namespace) -> Row:
    """FAISS takes a pointer to all of X; a map is one, whose pages stay in the process. It counts n in an int."""
    from faiss import Kmeans

    path, peaks = path_of(options), Peaks()
    X = np.load(path, mmap_mode="r")
    start = np.ascontiguousarray(X[:: -(-len(X) // options.clusters)])
    spent = []
    for iterations in (1, 1 + options.iterations):
        model = Kmeans(FEATURES, options.clusters, niter=iterations, max_points_per_centroid=len(X), seed=0)
        began = time.perf_counter()
        model.train(X, init_centroids=start)
        spent.append(time.perf_counter() - began)
    each = (spent[1] - spent[0]) / options.iterations
    note = f"exact, inertia / n {model.obj[-1] / len(X):.6g}; start given"
    return {"seconds": spent[1], "iteration": each, **peaks.row(), "note": note}


def dask_ml(options: argparse.Namespace) -> Row:
    """dask-ml's KMeans over a dask array of the map, in threads."""
    import dask.array
    from dask_ml.cluster import KMeans

    path, peaks = path_of(options), Peaks()
    X = dask.array.from_array(np.load(path, mmap_mode="r"), chunks=(PIECE, FEATURES))
    start = X[:: -(-len(X) // options.clusters)].compute()
    spent = []
    for iterations in (1, 1 + options.iterations):
        began = time.perf_counter()
        model = KMeans(len(start), init=start, max_iter=iterations, tol=0).fit(X)
        spent.append(time.perf_counter() - began)
    each = (spent[1] - spent[0]) / options.iterations
    note = f"inertia_ {float(model.inertia_) / len(X):.6g} a sample (not squared); start given"
    return {"seconds": spent[1], "iteration": each, **peaks.row(), "note": note}


LIBRARIES: dict[str, Callable[[argparse.Namespace], Row]] = {
    "kmeans_fast": kmeans_fast,
    "kmeans_fast, from disk": kmeans_fast_cold,
    "scikit-learn MiniBatchKMeans": minibatch,
    "FAISS": faiss,
    "dask-ml": dask_ml,
}
