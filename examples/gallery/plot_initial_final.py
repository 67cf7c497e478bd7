"""
Initial against final centroids
===============================

Hollow circles are where a run began, arrows lead to the stars where it ended. The start is random, so
some centroids have a long way to go.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board
from kmeans_fast.plots import clusters, moves

X = init_board(400, random_state=1)
start = X[:7]
result = kmeans(X, 7, init=start)

fig, ax = plt.subplots(figsize=(6, 6), layout="constrained")
clusters(X, result.labels, result.centroids, ax)
moves(start, result, ax)
ax.set_title(f"{result.n_iter} iterations")

plt.show()
