"""
Bisecting k-means: clusters in clusters
=======================================

``BisectingKMeans`` splits one cluster in two, again and again, so that clusters for k = 2, 4 and 8 lie
within each other: a border once drawn stays. ``KMeans`` starts anew for each k; its inertia is lower,
and its borders move.
"""

from matplotlib import pyplot as plt

from kmeans_fast import BisectingKMeans, KMeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import clusters

X = init_board_gauss(3000, 9, random_state=4)

# %%
# Each column has twice the clusters of the one before it. In the upper row none reaches over an older border.
fig, axes = plt.subplots(2, 3, figsize=(10, 6.8), layout="constrained")
for row, estimator in zip(axes, (BisectingKMeans, KMeans), strict=True):
    for ax, k in zip(row, (2, 4, 8), strict=True):
        model = estimator(k, random_state=0).fit(X)
        clusters(X, model.labels_, model.cluster_centers_, ax)
        ax.set(title=f"{estimator.__name__}, k = {k}, inertia {model.inertia_:.0f}", xticks=[], yticks=[])

# %%
# Which cluster is split next: the one of the largest inertia, or the one of the most points. The second keeps sizes
# alike, the first lowers the inertia more.
fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for ax, strategy in zip(axes, ("biggest_inertia", "largest_cluster"), strict=True):
    model = BisectingKMeans(8, bisecting_strategy=strategy, random_state=0).fit(X)
    sizes = sorted(((model.labels_ == j).sum() for j in range(8)), reverse=True)
    ax.bar(range(8), sizes, color="#0072b2")
    ax.set(title=f"{strategy}: inertia {model.inertia_:.0f}", xlabel="cluster, by size", xticks=range(8))
axes[0].set_ylabel("points")

plt.show()
