"""
Names of chosen dots
====================

A frame has names in its index. Here the sample of each cluster that is nearest to its centroid, and the
five that are farthest, are named; names move until none covers another, a dot or a star.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import annotate, clusters

X = init_board_gauss(120, 6, random_state=2122)
shops = pd.DataFrame(X, columns=["east", "north"], index=[f"shop {i}" for i in range(1, len(X) + 1)])
result = kmeans(shops, 6, random_state=0)

order = np.lexsort((result.distances, result.labels))
nearest = order[np.searchsorted(result.labels[order], range(6))]
farthest = np.argsort(result.distances)[-5:]

fig, ax = plt.subplots(figsize=(7, 7), layout="constrained")
clusters(shops, result.labels, result.centroids, ax)
ax.margins(0.1)
annotate(shops, which=nearest, ax=ax, weight="bold")
annotate(shops, which=farthest, ax=ax, style="italic")
ax.set(xlabel="east", ylabel="north", title="bold: most typical; italic: least")

plt.show()
