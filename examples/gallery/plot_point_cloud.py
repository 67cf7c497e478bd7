"""
A laser scan
============

A scan of a hill with trees and houses becomes a few hundred pieces of like size: what a neural network, a matcher or a
reader's eye takes instead of millions of points. The file is LAZ (extra ``points``), and stays it: the labels come back
as a dimension of their own, and CRS, scale and every other byte are kept. ``kmeans-fast cluster scan.laz -k 300 --voxel
0.5 --colour -o pieces.laz`` does the same.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import laspy
import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import kmeans, sources, voxels
from kmeans_fast.files.clouds import palette

rng = np.random.default_rng(7)


def ground(x, y):
    return 18 * np.exp(-((x - 70) ** 2 + (y - 60) ** 2) / 1800) + 0.06 * x + 1.5 * np.sin(x / 14) * np.cos(y / 17)


# Ground that is denser near the scanner, tree crowns, and houses with gabled roofs; in metres.
x, y = rng.normal((60, 40), 45, (80_000, 2)).T
parts = [np.stack([x, y, ground(x, y)], axis=1)]
for tx, ty in rng.uniform(5, 115, (60, 2)):
    crown = rng.normal(0, 1, (500, 3))
    crown *= 2.8 * rng.uniform(0.3, 1, (500, 1)) / np.linalg.norm(crown, axis=1, keepdims=True)
    parts.append(crown * [1, 1, 1.5] + [tx, ty, ground(tx, ty) + 7])
for hx, hy in [(20, 95), (38, 100), (100, 20), (22, 18), (105, 100)]:
    u, v = rng.uniform(-1, 1, (2, 2500))
    parts.append(np.stack([hx + 7 * u, hy + 5 * v, ground(hx, hy) + 9 - 4 * np.abs(v)], axis=1))
cloud = np.concatenate(parts)
cloud = cloud[((cloud[:, :2] > 0) & (cloud[:, :2] < 120)).all(axis=1)] + [565_000, 5_934_000, 0]  # UTM

folder = TemporaryDirectory()  # until the script ends
path = Path(folder.name, "scan.laz")
header = laspy.LasHeader(version="1.4", point_format=6)
header.scales, header.offsets = [0.001] * 3, [565_000, 5_934_000, 0]
scan = laspy.LasData(header)
scan.xyz = cloud
scan.write(str(path))

# %%
# Voxels of half a metre first: dense places then cost no more than others, and every point is labelled at the end.
points = sources.las(path)
cubes = voxels(points, 0.5)
pieces = kmeans(cubes.means, 300, sample_weight=cubes.weights, random_state=0)
result = cubes.expand(pieces, points)
print(f"{points.shape[0]:,} points in {len(cubes.means):,} voxels; {len(result.counts)} pieces")

# %%
# Colours as ``--colour`` gives them.
xyz = scan.xyz - np.array([565_000, 5_934_000, 0])
order = np.argsort(xyz @ [0.37, -0.7, 0.62])  # far ones first
fig, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", subplot_kw={"projection": "3d"})
drawn = {"height": plt.get_cmap("viridis")(xyz[:, 2] / 30), "300 pieces": palette(300)[result.labels] / 255}
for ax, (title, colours) in zip(axes, drawn.items(), strict=True):
    ax.scatter(*xyz[order].T, c=colours[order], s=2.0, lw=0, depthshade=False, rasterized=True)
    ax.set_box_aspect((120, 120, 30), zoom=1.2)
    ax.view_init(38, -62)
    ax.set(title=title, xlim=(0, 120), ylim=(0, 120), zlim=(0, 30))
    ax.set_axis_off()

plt.show()
