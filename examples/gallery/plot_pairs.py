"""
More than three features: pairs of components
=============================================

Nobody sees ten dimensions. The first principal components show the most that a plane can show; how much
of the variance each carries is written on its axis. Clusters that overlap in one pair often part in another.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import pairs

X = init_board_gauss(2000, 5, n_features=10, random_state=4)
result = kmeans(X, 5, random_state=0)

fig = plt.figure(figsize=(8, 8), layout="constrained")
pairs(X, result.labels, result.centroids, n_components=4)

plt.show()
