"""
Silhouettes, sample by sample
=============================

A bar for each sample says how much nearer it is to its own cluster than to the next one: 1 is at home, 0 is at the
border, below 0 another cluster is nearer on average. With the right number of clusters the blades are alike; one that
is too many shows as a thin, short blade.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import clusters, silhouette

X = init_board_gauss(600, 6, random_state=2122)

fig, axes = plt.subplots(2, 3, figsize=(10, 7), layout="constrained")
for (dots, bars), k in zip(axes.T, (4, 6, 8), strict=True):
    result = kmeans(X, k, random_state=0)
    clusters(X, result.labels, result.centroids, dots)
    dots.set_title(f"{k} clusters")
    silhouette(X, result.labels, bars)
    bars.set_xlim(-0.3, 1)

plt.show()
