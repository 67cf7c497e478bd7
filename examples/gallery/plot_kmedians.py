"""
Medians stand where means are pulled away
=========================================

A board of five clusters, and 5% of its samples far off to one side. Means follow them; component-wise medians
(``KMedians``, whose distances are sums of absolute differences) nearly stay where the clusters are.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import KMeans, KMedians
from kmeans_fast.plots import OUTLIER

truth = np.array([[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6], [0.6, 0.6], [0.0, 0.0]])


def board(seed):
    """Clusters of 200 samples; 10 of each are thrown off to the upper right."""
    rng = np.random.default_rng(seed)
    X = np.repeat(truth, 200, axis=0) + rng.normal(0, 0.08, (1000, 2))
    thrown = np.arange(1000) % 20 == 0
    X[thrown] += rng.uniform(0.5, 3.0, (50, 2))
    return X, thrown


def errors(centers):
    """Distance of each true center to the nearest found one."""
    return np.linalg.norm(truth[:, None] - centers[None], axis=2).min(axis=1)


X, thrown = board(0)
fig, axes = plt.subplots(1, 2, figsize=(9.5, 4.7), layout="constrained")
for ax, (variant, colour) in zip(axes, {KMeans: "#d55e00", KMedians: "#0072b2"}.items(), strict=True):
    model = variant(5, n_init=10, random_state=0).fit(X)
    ax.plot(*X[~thrown].T, ".", color="0.7", ms=3)
    ax.plot(*X[thrown].T, "x", color=OUTLIER, ms=5)
    ax.plot(*truth.T, "o", mfc="none", mec="black", ms=14, label="truth")
    ax.plot(*model.cluster_centers_.T, "*", color=colour, mec="white", ms=17, label=variant.__name__)
    far = errors(model.cluster_centers_).mean()
    ax.set(title=f"{variant.__name__}: mean distance to truth {far:.3f}", aspect="equal")
    ax.legend(loc="lower right")

# %%
# The same on 20 boards: the mean distance of the true centers to the nearest found one.
found = {KMeans: [], KMedians: []}
for variant, distances in found.items():
    for seed in range(20):
        distances.append(errors(variant(5, n_init=5, random_state=seed).fit(board(seed)[0]).cluster_centers_).mean())
fig, ax = plt.subplots(figsize=(4.5, 4), layout="constrained")
ax.boxplot(list(found.values()), tick_labels=[variant.__name__ for variant in found], widths=0.5)
ax.set(title="20 boards", ylabel="mean distance to truth", ylim=(0, None))
print({variant.__name__: round(float(np.median(distances)), 3) for variant, distances in found.items()})

plt.show()
