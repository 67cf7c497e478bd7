"""
Clusters and outliers at once
=============================

k-means with outliers left out (Chawla and Gionis, "k-means--: a unified approach to clustering and outlier
detection", 2013): in every iteration the farthest samples belong to no cluster. The planted ones, in every
direction, are found, and pull no center; those of k-means are pulled, or stand among them.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import KMeans, TrimmedKMeans
from kmeans_fast.plots import OUTLIER, palette

rng = np.random.default_rng(3)
truth = np.array([[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6], [0.6, 0.6], [0.0, 0.0]])
X = np.repeat(truth, 95, axis=0) + rng.normal(0, 0.1, (475, 2))
angle, radius = rng.uniform(0, 2 * np.pi, 25), rng.uniform(1.6, 7.0, 25)
X = np.vstack([X, np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])])

fig, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained", sharex=True, sharey=True)
for ax, model in zip(axes, (KMeans(5, random_state=0), TrimmedKMeans(5, 25, random_state=0)), strict=True):
    model.fit(X)
    left_out = model.labels_ == -1
    ax.scatter(*X[~left_out].T, c=np.array(palette(5))[model.labels_[~left_out]], s=8)
    ax.plot(*X[left_out].T, "x", color=OUTLIER, ms=6, label="left out")
    ax.plot(*model.cluster_centers_.T, "*", color="black", mec="white", ms=17, label="center")
    ax.set(title=type(model).__name__, aspect="equal")
    ax.legend(loc="lower left")
print("planted outliers found:", np.array_equal(np.flatnonzero(left_out), np.arange(475, 500)))
print(f"outliers lie beyond {model.threshold_:.2f}:", model.predict([[0.0, 0.9], [0.0, 0.1]], outliers=True))

plt.show()
