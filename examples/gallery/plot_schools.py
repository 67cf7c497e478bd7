"""
Schools in a city with rivers
=============================

Where should five schools stand so that pupils walk little? k-means measures straight lines, and pupils
cannot walk over water. ``travel_distance`` measures walks that cross rivers at bridges alone, and
``KMedoids`` takes its matrix: its schools stand where some pupil lives, so none stands in the river.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import KMedoids, kmeans
from kmeans_fast.barriers import travel_distance
from kmeans_fast.plots import clusters

rng = np.random.default_rng(3)
t = np.linspace(-0.2, 10.2, 60)
river = np.column_stack([5 + 1.3 * np.sin(0.7 * t), t])
stream = np.column_stack([np.linspace(5, -0.2, 30), 4.2 + 0.6 * np.sin(np.linspace(0, 4, 30))])
stream[0] = river[np.abs(river[:, 1] - stream[0, 1]).argmin()]  # it flows into the river
bridges = [river[18], river[55], stream[12]]

towns = np.array([[5.9, 1.2], [5.2, 5.0], [4.3, 7.9], [1.6, 4.4], [8.6, 3.2], [8.2, 8.2], [1.2, 8.6]])
homes = np.concatenate([town + 0.8 * rng.standard_normal((90, 2)) for town in towns])
homes = homes[((homes > 0) & (homes < 10)).all(axis=1)]  # kilometres

# %%
# The walk from every home to every other, in kilometres: once for 600 homes, half a second.
walk = travel_distance(homes, [river, stream], bridges)

# %%
# The naive answer: centroids, each moved to the nearest home, and pupils go where the straight line is shortest.
naive = kmeans(homes, 5, n_init=10, random_state=0)
naive_schools = np.hypot(*(homes[:, None] - naive.centroids).transpose(2, 0, 1)).argmin(axis=0)
naive_walk = walk[np.arange(len(homes)), naive_schools[naive.labels]]

# %%
# The right one: medoids of the walks.
medoids = KMedoids(5, metric="precomputed", random_state=0).fit(walk)
right_walk = walk[np.arange(len(homes)), medoids.medoid_indices_[medoids.labels_]]

print(f"mean walk: k-means {naive_walk.mean():.2f} km, medoids of real walks {right_walk.mean():.2f} km")
print(f"longest:   k-means {naive_walk.max():.2f} km, medoids of real walks {right_walk.max():.2f} km")

# %%
# Rings mark the pupils who walk more than 3 km.
answers = {
    "k-means": (naive.labels, naive_schools, naive_walk),
    "medoids of real walks": (medoids.labels_, medoids.medoid_indices_, right_walk),
}
fig, axes = plt.subplots(1, 2, figsize=(10, 5.6), layout="constrained")
for ax, (name, (labels, schools, walks)) in zip(axes, answers.items(), strict=True):
    for water in (river, stream):
        ax.plot(*water.T, color="#9ecae1", lw=6, zorder=0, solid_capstyle="round")
    clusters(homes, labels, homes[schools], ax)
    ax.plot(*np.transpose(bridges), "s", color="#7f4f24", ms=9, mec="white", label="bridge")
    far = walks > 3
    ax.plot(*homes[far].T, "o", mfc="none", mec="black", ms=6, mew=0.8, label=f"walks more than 3 km: {far.sum()}")
    ax.set(title=f"{name}: mean walk {walks.mean():.2f} km", xlim=(0, 10), ylim=(0, 10), xticks=[], yticks=[])
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)

plt.show()
