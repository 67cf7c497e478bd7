"""
A dense board and its Voronoi cells
===================================

With many points and many clusters the uniform board turns into a honeycomb: the border between two
clusters is the line halfway between their centroids, so each centroid's cell is what the frame has of
the places nearer to it than to any other.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board
from kmeans_fast.plots import clusters, voronoi

X = init_board(20_000, random_state=3)
result = kmeans(X, 100, random_state=0)

fig, (cells, dots) = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
voronoi(result.centroids, cells)
clusters(X, result.labels, result.centroids, dots)
cells.set_title("100 cells")
dots.set(title="the 20,000 points that made them", xlim=(-1, 1), ylim=(-1, 1))

# %%
# Faint cells under the dots show which border each dot lies at.
few = kmeans(X[:300], 12, random_state=0)
fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
voronoi(few.centroids, ax, alpha=0.25, stars=False)
clusters(X[:300], few.labels, few.centroids, ax)

plt.show()
