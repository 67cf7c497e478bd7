"""
Numbers and categories at once: flats
=====================================

1500 flats have an area, an age and a rent, and also a district and a heating. k-prototypes takes both
kinds of columns as they are: means for the numbers, the most frequent category for the rest. `gamma` is
what a category that differs costs; 0 would leave the numbers alone, and much would let the categories
decide.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from kmeans_fast import KPrototypes
from kmeans_fast.plots import palette

rng = np.random.default_rng(3)
kind = rng.choice(3, 1500, p=[0.4, 0.35, 0.25])
area = np.clip(np.array([45, 95, 80])[kind] + rng.normal(0, 14, 1500), 18, None)
flats = pd.DataFrame(
    {
        "area, m²": area.round(),
        "age, years": np.clip(np.array([30, 12, 75])[kind] + rng.normal(0, 12, 1500), 0, None).round(),
        "rent": (area * np.array([15, 11, 13])[kind] * rng.normal(1, 0.08, 1500)).round(),
        "district": np.where(rng.random(1500) < 0.8, np.array(["centre", "north", "old town"])[kind], "south"),
        "heating": pd.Categorical(
            np.where(rng.random(1500) < 0.8, np.array(["gas", "heat pump", "stove"])[kind], "oil")
        ),
    }
)

# %%
# Numbers are scaled alike first, so that square metres and rents count the same.
numbers = ["area, m²", "age, years", "rent"]
scaled = flats.copy()
scaled[numbers] = (flats[numbers] - flats[numbers].mean()) / flats[numbers].std()
model = KPrototypes(n_clusters=3, random_state=0).fit(scaled)
groups = model.to_frame()
groups[numbers] = groups[numbers] * flats[numbers].std() + flats[numbers].mean()
print(f"gamma={model.gamma_:.2f}", groups.round().to_string(index=False), sep="\n")

# %%
# On the left the numbers, with stars at the means. On the right the districts of each cluster.
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
colours = palette(3)
left.scatter(flats["area, m²"], flats["rent"], s=9, c=colours[model.labels_], linewidths=0)
left.scatter(groups["area, m²"], groups["rent"], s=260, c=colours, marker="*", edgecolors="black", zorder=3)
left.set(xlabel="area, m²", ylabel="rent", title="Numbers, and the means of the clusters")

shares = pd.crosstab(flats["district"], model.labels_, normalize="columns")
for cluster in range(3):
    at = np.arange(len(shares)) + (cluster - 1) * 0.27
    name = f"{groups['district'][cluster]}, {groups['heating'][cluster]}"
    right.bar(at, shares[cluster], 0.25, color=colours[cluster], label=name)
right.set_xticks(range(len(shares)), shares.index)
right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
right.set(ylabel="share of the cluster", title="Districts, and the modes of the clusters", ylim=(0, 1))
right.legend(loc="upper center", ncols=3, frameon=False, columnspacing=1, handlelength=1)

plt.show()
