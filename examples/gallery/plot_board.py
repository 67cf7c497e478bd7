"""
The board, and what k-means makes of it
=======================================

Two boards of 200 points in the square from -1 to 1: one uniform, without clusters, and one from seven
Gaussians. k-means divides both. On the uniform board it cuts the square into even parts although there
is nothing to find; where points gather, the stars settle in their midst.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board, init_board_gauss
from kmeans_fast.plots import clusters

# sphinx_gallery_thumbnail_number = 2
boards = {
    "uniform": init_board(200, random_state=0),
    "seven Gaussians": init_board_gauss(200, 7, random_state=5),
}

# %%
# The boards as they come.
fig, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for ax, (name, X) in zip(axes, boards.items(), strict=True):
    ax.plot(*X.T, "o", color="0.4", ms=4)
    ax.set(title=name, aspect="equal", xlim=(-1.05, 1.05), ylim=(-1.05, 1.05))

# %%
# The same in seven clusters: dots take the colour of their cluster, stars are the centroids.
fig, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for ax, (name, X) in zip(axes, boards.items(), strict=True):
    result = kmeans(X, 7, random_state=0)
    clusters(X, result.labels, result.centroids, ax)
    ax.set(title=f"{name}: inertia {result.inertia:.1f}", xlim=(-1.05, 1.05), ylim=(-1.05, 1.05))

plt.show()
