"""A scan as `kmeans-fast cluster` meets it: what decoding costs, what float32 would cost, what voxels save.

    python -m benchmarks.clouds

Seconds are of one processor (time.process_time, n_threads=1), so that a busy machine does not show.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kmeans_fast import kmeans, predict, voxels
from kmeans_fast.files.clouds import palette
from kmeans_fast.files.las import LasRewriter
from kmeans_fast.sources._las import LasCloud

from .machine import timed

N, K, SIDE = 2_000_000, 5000, 250  # points, clusters, metres
CORNER = np.array([565_000.0, 5_934_000.0, 0.0])  # UTM


def scan(path: Path) -> np.ndarray[Any, Any]:
    """Write waves of ground, 32 points a square metre, at millimetres; return the integers."""
    import laspy

    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, SIDE, (2, N))
    z = 10 * np.sin(x / 40) * np.cos(y / 30) + rng.normal(0, 0.05, N)
    header = laspy.LasHeader(version="1.4", point_format=6)
    header.scales, header.offsets = np.full(3, 0.001), CORNER
    las = laspy.LasData(header)
    las.X, las.Y, las.Z = np.rint(1000 * np.stack([x, y, z])).astype(np.int32)
    las.write(str(path))
    return np.stack([las.X, las.Y, las.Z], axis=1)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stored = scan(Path(folder) / "scan.laz")
        cloud, out = LasCloud(Path(folder) / "scan.laz"), np.empty((N, 3))
        first, _ = timed(lambda: cloud.read(0, N, out))
        again, _ = timed(lambda: cloud.read(0, N, out))
        print(f"{N:,} points: decoded in {first:.2f} s, read again in {again:.3f} s")
        direct, r = timed(lambda: kmeans(cloud, K, random_state=0, n_threads=1))
        wrote, _ = timed(
            lambda: LasRewriter(cloud, True, True).write((Path(folder) / "b.laz").open("wb"), r.labels, palette(K))
        )
        print(f"k={K}: {direct:.1f} s, {r.n_iter} iterations, inertia {r.inertia:.6g}; written again in {wrote:.2f} s")
        middle = np.rint(stored.mean(axis=0))
        local = ((stored - middle) * 0.001).astype(np.float32)
        labels = predict(local, r.centroids - CORNER - middle * 0.001, n_threads=1)
        print(f"float32 about the middle: {np.count_nonzero(labels != r.labels)} labels of {N:,} differ from float64's")
        for size in (0.25, 0.5, 1.0):
            made, cubes = timed(lambda size=size: voxels(cloud, size))
            means, weights = cubes
            fit, few = timed(
                lambda means=means, weights=weights: kmeans(
                    means, K, sample_weight=weights, random_state=0, n_threads=1
                )
            )
            rest, all_ = timed(lambda few=few, cubes=cubes: cubes.expand(few, cloud, n_threads=1))
            print(
                f"voxels of {size}: {len(means):,}; {made:.1f} + {fit:.1f} + {rest:.1f} s (made, fit, every point), "
                f"inertia {all_.inertia / r.inertia - 1:+.2%}"
            )


if __name__ == "__main__":
    main()
