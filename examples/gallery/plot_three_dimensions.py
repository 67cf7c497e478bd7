"""
Three dimensions
================

The board becomes a cube. Stars are drawn above the dots, so that none hides behind its cluster.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import clusters_3d

X = init_board_gauss(1500, 6, n_features=3, random_state=280)
result = kmeans(X, 6, random_state=0)

fig = plt.figure(figsize=(6, 5.6), layout="constrained")
ax = clusters_3d(X, result.labels, result.centroids, fig.add_subplot(projection="3d"))
ax.set_box_aspect(None, zoom=0.9)  # room for the names of the axes
ticks = (-1, 0, 1)
ax.set(xlabel="x", ylabel="y", zlabel="z", xticks=ticks, yticks=ticks, zticks=ticks)

plt.show()
