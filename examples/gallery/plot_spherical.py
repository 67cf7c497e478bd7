"""
Directions instead of places
============================

Words in a text, ratings of a person, spectra: where only the proportions count, samples are alike if they point
the same way, however long they are. ``SphericalKMeans`` clusters by the cosine (Dhillon and Modha, "Concept
decompositions for large sparse text data using clustering", 2001); k-means cuts the same data by length.
"""

from itertools import permutations

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import KMeans, SphericalKMeans
from kmeans_fast.plots import palette

rng = np.random.default_rng(1)
kind = rng.integers(4, size=800)
angle = np.array([0.25, 0.7, 1.05, 1.4])[kind] + rng.normal(0, 0.05, 800)
length = rng.gamma(2.0, 1.5, 800) + 0.3
X = np.column_stack([np.cos(angle), np.sin(angle)]) * length[:, None]

fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained", sharex=True, sharey=True)
for ax, variant in zip(axes, (KMeans, SphericalKMeans), strict=True):
    model = variant(4, n_init=5, random_state=0).fit(X)
    agree = max(np.mean(np.array(order)[model.labels_] == kind) for order in permutations(range(4)))
    ax.scatter(*X.T, c=np.array(palette(4))[model.labels_], s=8)
    centers = model.cluster_centers_ * (1.0 if variant is KMeans else 11.0)
    if variant is KMeans:
        ax.plot(*centers.T, "*", color="black", mec="white", ms=17)
    for center in centers if variant is SphericalKMeans else ():
        ax.annotate("", center, (0, 0), arrowprops={"arrowstyle": "->", "lw": 2})
    ax.set(title=f"{variant.__name__}: {agree:.0%} of samples right", aspect="equal", xlim=(0, None), ylim=(0, None))

plt.show()
