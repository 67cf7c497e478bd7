"""
A million points, and ten times as many
=======================================

Beyond a million dots a picture shows whatever was drawn last. ``rasterize=True``, the default for more than that,
counts the points of each pixel instead (datashader, extra ``dense-plot``): the colour is the mix of the
clusters there, the strength says how many. 1e7 points take hardly longer.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import clusters

X = init_board_gauss(1_000_000, 8, random_state=7)
result = kmeans(X, 8, random_state=0)

fig, axes = plt.subplots(1, 2, figsize=(10, 5.2), layout="constrained")
for ax, rasterize in zip(axes, (False, True), strict=True):
    clusters(X, result.labels, result.centroids, ax, rasterize=rasterize)
    ax.set_title("counted in pixels" if rasterize else "dot by dot")

plt.show()
