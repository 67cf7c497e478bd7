"""
Are there clusters at all?
==========================

k-means divides whatever it is given. ``clusterability`` asks first whether there is anything to find: it compares
X with uniform points in X's box by three tests, and says yes only if all three agree. One Gaussian is clumped
but is one clump; outliers make two clusters fit better than one but leave no valley between them; the steps
of rounded numbers are no clumps.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import clusterability
from kmeans_fast.datasets import init_board, init_board_gauss

rng = np.random.default_rng(0)
boards = {
    "uniform": init_board(200, random_state=0),
    "one Gaussian": rng.normal(size=(200, 2)),
    "one Gaussian, outliers": np.r_[rng.normal(size=(190, 2)), rng.uniform(-15, 15, (10, 2))],
    "whole numbers": rng.integers(0, 12, (200, 2)),
    "two Gaussians": init_board_gauss(200, 2, min_separation=2, random_state=1),
    "seven Gaussians": init_board_gauss(200, 7, min_separation=2, random_state=1),
}

# %%
# The verdict of each board, and the tests that speak for clusters.
fig, axes = plt.subplots(2, 3, figsize=(10, 6.9), layout="constrained")
for ax, (name, X) in zip(axes.flat, boards.items(), strict=True):
    found = clusterability(X, random_state=0)
    speak = [test.test for test in found.evidence if test.clustered]
    ax.plot(*X.T, "o", color="#0072b2" if found.has_clusters else "0.55", ms=3.5)
    said = "clusters" if found.has_clusters else "no clusters"
    ax.set_title(f"{name}: {said}\ntests for clusters: {', '.join(speak) or 'none'}", fontsize=9)
    ax.set_aspect("equal", adjustable="datalim")
    print(f"{name}: {found.verdict}")

# %%
# The evidence of the last board, test by test.
for test in found.evidence:
    print(f"{test.test:8} p = {test.p_value:.2f}: {test.says}")

plt.show()
