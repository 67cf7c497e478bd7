"""``python -m benchmarks --suite cluster``: k-means on a Dask cluster of processes, beside dask-ml and Spark MLlib.

Same samples, same blocks, already in the workers' memory, same number of iterations; the same start where a library
takes one (Spark draws its own). CPU is that of all processes of the cluster and of the caller: on a busy machine it is
the figure to compare. Each library runs in a cluster of its own, started before the clock.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil

from .worker import common_inertia

CASES = {"4e5x16x50": (400_000, 16, 50), "2e5x64x200": (200_000, 64, 200)}
WORKERS, BLOCKS, ITERATIONS = 2, 8, 10
LONG = 1e9  # samples x features x clusters from which dask-ml's default fit takes many minutes
HEAP = "2g"  # of the Java process
NAMES = ("kmeans_fast", "dask-ml", "Spark MLlib")


def cluster_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Return a table and its rows."""
    records = []
    for case, (n, d, k) in CASES.items():
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, d)) + 2 * rng.standard_normal((k, d))[rng.integers(k, size=n)]
        start = X[rng.choice(n, k, replace=False)]
        for job in ("ten iterations", "default fit")[: 2 if n * d * k < LONG else 1]:
            for name, run in zip(NAMES, (ours, dask_ml, spark), strict=True):
                record = {"case": case, "job": job, "library": name}
                try:
                    record |= run(X, k, start if job == "ten iterations" else None)
                except Exception as error:
                    record["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                records.append(record)
                print(record, flush=True)
    return table(records), records


def ours(X: Any, k: int, start: Any) -> dict[str, Any]:
    from kmeans_fast.dask import KMeans

    return on_dask(KMeans, X, k, start)


def dask_ml(X: Any, k: int, start: Any) -> dict[str, Any]:
    from dask_ml.cluster import KMeans

    return on_dask(KMeans, X, k, start)


def on_dask(kind: Any, X: Any, k: int, start: Any) -> dict[str, Any]:
    """Fit an estimator that takes a dask array and the names of scikit-learn."""
    import dask.array as da
    import distributed

    warnings.simplefilter("ignore")
    given = {"init": start, "max_iter": ITERATIONS, "tol": 0} if start is not None else {}
    model = kind(k, random_state=0, **given)
    with (
        distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        data = da.from_array(X, chunks=(-(-len(X) // BLOCKS), X.shape[1])).persist()
        distributed.wait(data)
        model.fit(data[: len(X) // 50])  # code is loaded
        with measured() as record:
            model.fit(data)
        return record | {"inertia": common_inertia(X, model.cluster_centers_), "iterations": int(model.n_iter_)}


def spark(X: Any, k: int, start: Any) -> dict[str, Any]:
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import col

    builder = SparkSession.builder.master(f"local[{WORKERS}]").config("spark.driver.memory", HEAP)
    session = builder.config("spark.ui.enabled", "false").config("spark.log.level", "ERROR").getOrCreate()
    try:
        import pyarrow

        rows = pyarrow.table({"x": pyarrow.FixedSizeListArray.from_arrays(X.ravel(), X.shape[1])})
        frame = session.createDataFrame(rows).repartition(BLOCKS).select(array_to_vector(col("x")).alias("features"))
        frame = frame.cache()
        frame.count()

        def fit(data: Any) -> Any:
            given = {"initMode": "random", "maxIter": ITERATIONS, "tol": 0.0} if start is not None else {}
            return KMeans(k=k, seed=0, **given).fit(data)

        fit(frame.limit(len(X) // 50))
        with measured() as record:
            model = fit(frame)
        found = np.array(model.clusterCenters())
        return record | {"inertia": common_inertia(X, found), "iterations": int(model.summary.numIter)}
    finally:
        session.stop()


@contextmanager
def measured() -> Iterator[dict[str, Any]]:
    """Wall seconds, and CPU seconds of this process and its descendants."""
    record: dict[str, Any] = {}
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield record
    record["wall_s"], record["cpu_s"] = time.perf_counter() - wall, cpu_seconds() - cpu


def cpu_seconds() -> float:
    me = psutil.Process()
    total = 0.0
    for process in (me, *me.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def table(records: list[dict[str, Any]]) -> str:
    """Lay out the rows, with ratios to ours."""
    lines = [
        "| n, d, k | job | library | wall s | CPU s | iterations | inertia | CPU, x ours | wall, x ours |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for r in records:
        head = f"| {r['case']} | {r['job']} | {r['library']} |"
        if "error" in r:
            lines.append(f"{head} {r['error']} | | | | | |")
            continue
        base = next(o for o in records if (o["case"], o["job"]) == (r["case"], r["job"]))
        lines.append(
            f"{head} {r['wall_s']:.2f} | {r['cpu_s']:.2f} | {r['iterations']} | {r['inertia']:.5g} "
            f"| {r['cpu_s'] / base['cpu_s']:.1f} | {r['wall_s'] / base['wall_s']:.1f} |"
        )
    return "\n".join(lines)
