"""
The danger of a bad random start
================================

Lloyd's algorithm goes downhill from where it starts, and stays in the first hollow it finds. A random
start that puts several centroids into one cluster leaves others to share one, for good. k-means++ draws
each next centroid far from those it has, and seldom fails; restarts make up for the rest.
"""

from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import clusters, convergence

X = init_board_gauss(600, 6, random_state=2122)
runs = {
    "one random start": kmeans(X, 6, init="random", n_init=1, random_state=8),
    "k-means++": kmeans(X, 6, init="k-means++", random_state=8),
}

fig, axes = plt.subplots(1, 2, figsize=(10, 5.2), layout="constrained", sharex=True, sharey=True)
for ax, (name, result) in zip(axes, runs.items(), strict=True):
    clusters(X, result.labels, result.centroids, ax)
    ax.set_title(f"{name}: inertia {result.inertia:.1f}")

# %%
# Nothing in the bad run says that it is bad: its curve falls and levels out, as that of the good one does.
fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, result in runs.items():
    convergence(result, ax)
    ax.lines[-1].set_label(name)
ax.set_ylim(bottom=0)
ax.legend()

# %%
# Ten random starts: how many found the best of them?
ten = kmeans(X, 6, init="random", n_init=10, random_state=0)
print([round(restart.inertia, 1) for restart in ten.restarts])
print(f"the best, {ten.inertia:.1f}, was found {ten.times_found} times of 10")

plt.show()
