"""
Medoids: clusters by any distance
=================================

A medoid is a sample: the one with the smallest sum of distances to the rest of its cluster. It needs no
mean, only distances, so words can be clustered as well as points. Here the distance is the number of
letters to insert, delete or replace (Levenshtein 1966), and the centres are words.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import KMedoids

STEMS = ["mountain", "kitchen", "lantern", "weather", "button"]
rng = np.random.default_rng(0)


def misspelt(word: str) -> str:
    """Replace, drop or double a letter, twice."""
    for _ in range(2):
        i = int(rng.integers(1, len(word)))
        word = word[:i] + ["aeinrst"[rng.integers(7)], "", 2 * word[i]][rng.integers(3)] + word[i + 1 :]
    return word


def edits(a: str, b: str) -> int:
    """Count the edits from one word to another (Wagner and Fischer 1974)."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (letter != other))
    return row[-1]


words = np.array([*STEMS, *(misspelt(stem) for stem in STEMS for _ in range(24))])
distances = np.array([[edits(a, b) for b in words] for a in words])

# %%
# The matrix goes in, and the medoids are rows of it: their words are the spellings that the others come from.
model = KMedoids(5, metric="precomputed", random_state=0).fit(distances)
print("medoids:", ", ".join(words[model.medoid_indices_]))
for j, medoid in enumerate(model.medoid_indices_):
    print(f"{words[medoid]}: {', '.join(words[model.labels_ == j][1:7])} ...")

# %%
# Rows and columns in the order of the clusters, nearest to their medoid first: dark squares are clusters.
own = distances[np.arange(len(words)), model.medoid_indices_[model.labels_]]
order = np.lexsort((own, model.labels_))
fig, ax = plt.subplots(figsize=(6.4, 5.2), layout="constrained")
image = ax.imshow(distances[np.ix_(order, order)], cmap="viridis")
middles = [np.flatnonzero(model.labels_[order] == j).mean() for j in range(5)]
ax.set_yticks(middles, words[model.medoid_indices_])
ax.set(xticks=[], title="Edits between words, in clusters around a word")
fig.colorbar(image, label="edits")

# %%
# One far point moves a mean as far as it likes, but a medoid hardly: it stays a sample in the midst of the others.
points = np.concatenate([rng.standard_normal((60, 2)), rng.normal([8, 0], 1, (60, 2)), [[60, 40]]])
medoids = KMedoids(2, random_state=0).fit(points)
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for j, colour in enumerate(["#0072b2", "#e69f00"]):
    ax.plot(*points[medoids.labels_ == j].T, "o", color=colour, ms=4)
    mean = points[medoids.labels_ == j].mean(axis=0)
    ax.plot(*mean, "x", color="black", ms=9, mew=2, label="mean of the cluster" if j else None)
ax.plot(*medoids.cluster_centers_.T, "*", color="black", mec="white", ms=16, label="medoid")
ax.set(xlim=(-4, 13), ylim=(-4, 4), aspect="equal", title="A point at (60, 40), outside the picture, pulls a mean")
ax.legend(loc="upper right")

plt.show()
