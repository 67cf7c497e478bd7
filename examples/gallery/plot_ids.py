"""
Ids: who is in which cluster, who is typical, who is far out
============================================================

Two months of the same shops, clustered one after the other. The index of a frame stays with its rows, so
groups, typical members and outliers have names; and labels matched to the earlier fit stay what they were.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from kmeans_fast import kmeans
from kmeans_fast.plots import clusters

rng = np.random.default_rng(4)
kinds = np.array([[20, 2], [60, 12], [110, 6], [140, 20]])  # visitors a day, sales in thousands
kind = rng.integers(4, size=120)
names = [f"shop {i}" for i in range(120)]
may = pd.DataFrame(kinds[kind] + rng.normal(0, [7, 1.2], (120, 2)), names, ["visitors", "sales"])
may.loc["shop 7"] = [90, 23]
june = may + rng.normal([4, 1], [4, 0.5], (120, 2))

# %%
# The largest cluster is 0, and so on; the frame has the index of the data.
scale = may.std()
r = kmeans(may / scale, 4, n_init=10, random_state=0).ordered("size")
print(r.to_frame(details=True).round(2).head(8))
print({label: len(members) for label, members in r.groups().items()})
print("far out:", list(may.index[r.outliers(fence=3)]))

# %%
# June from another start: without matching the labels would be in any order. The names are those of the
# shops nearest to each centroid.
later = kmeans(june / scale, 4, n_init=10, random_state=1).ordered(r)
print("shops that changed cluster:", list(may.index[r.labels != later.labels]))

label_box = {"boxstyle": "round", "fc": "white", "ec": "0.8", "alpha": 0.85}
fig, axes = plt.subplots(1, 2, figsize=(10, 4.8), sharex=True, sharey=True, layout="constrained")
for ax, title, X, fit in zip(axes, ("May", "June"), (may, june), (r, later), strict=True):
    clusters(X, fit.labels, fit.centroids * scale.to_numpy(), ax)
    typical = {name: f"{label}: {name}" for label, (name,) in fit.exemplars().items()}
    far = {name: name for name in X.index[fit.outliers(fence=3)]}
    for name, text in (typical | far).items():
        ax.annotate(text, X.loc[name], (0, 14), textcoords="offset points", ha="center", bbox=label_box)
    ax.set(title=title, xlabel="visitors a day", ylabel="sales, thousands", aspect="auto", ylim=(-1, 27))

plt.show()
