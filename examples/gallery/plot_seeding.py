"""
How k-means++ draws its start
=============================

The first centroid is any sample. Each next one is drawn with a chance in proportion to the squared distance
to the nearest centroid so far (Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007):
dark dots are likely, pale ones are not. Where a star stands the dots around it fade.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import record

X = init_board_gauss(600, 6, random_state=2122)
start = record(X, 6, init="k-means++", random_state=8)[0]

fig, axes = plt.subplots(2, 3, figsize=(10, 6.9), layout="constrained", sharex=True, sharey=True)
squares = np.full(len(X), 1.0)
for j, ax in enumerate(axes.flat):
    chance = squares / squares.sum()
    ax.scatter(*X.T, c=chance / chance.max(), cmap="Blues", vmin=-0.15, s=12)
    ax.plot(*start[:j].T, "*", color="#222222", mec="white", ms=14)
    ax.plot(*start[j], "*", color="#d55e00", mec="white", ms=18)
    ax.set(title=f"star {j + 1}: " + ("any dot" if j == 0 else "the darker the likelier"), aspect="equal")
    distances = ((X - start[j]) ** 2).sum(axis=1)
    squares = distances if j == 0 else np.minimum(squares, distances)

plt.show()
