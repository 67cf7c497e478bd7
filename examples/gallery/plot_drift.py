"""
Clusters that drift
===================

A stream of chunks in which one cluster walks around the others. ``partial_fit`` without a half-life averages over all
that it has seen, and loses the walker; with ``half_life=2000`` what is 2,000 samples old counts half, and its centroid
follows, a little behind.
"""

import numpy as np
from matplotlib import pyplot as plt

from kmeans_fast import MiniBatchKMeans
from kmeans_fast.plots import palette

rng = np.random.default_rng(0)
STILL = np.array([[-1.5, 0.0], [1.5, 0.0]])
N_CHUNKS, CHUNK = 120, 300


def truth(step: int) -> np.ndarray:
    """Return the three means at a time; the first one walks three quarters of a circle."""
    angle = -0.25 * np.pi + 1.5 * np.pi * step / N_CHUNKS
    return np.vstack([4 * np.array([np.cos(angle), np.sin(angle)]), STILL])


fig, axes = plt.subplots(1, 2, figsize=(11, 5.4), layout="constrained", sharex=True, sharey=True)
for ax, half_life in zip(axes, (None, 2000.0), strict=True):
    model, ways, shown = MiniBatchKMeans(3, init=truth(0), half_life=half_life), [], []
    for step in range(N_CHUNKS):
        X = truth(step)[rng.integers(3, size=CHUNK)] + rng.normal(0, 0.25, (CHUNK, 2))
        model.partial_fit(X)
        ways.append(model.cluster_centers_.copy())
        shown.append(X[:12])
    ax.scatter(*np.concatenate(shown).T, c=np.repeat(np.arange(N_CHUNKS), 12), cmap="Greys", s=5, vmin=-40)
    for colour, way in zip(palette(3), np.swapaxes(ways, 0, 1), strict=True):
        ax.plot(*way.T, color=colour, lw=2.5)
        ax.plot(*way[-1], "*", color=colour, mec="black", ms=19)
    ax.plot(*truth(N_CHUNKS - 1).T, "o", mfc="none", mec="black", ms=19, label="where the clusters are at the end")
    lag = np.linalg.norm(model.cluster_centers_[0] - truth(N_CHUNKS - 1)[0])
    ax.set(title=f"half_life={half_life:g}" if half_life else "no half-life", aspect="equal")
    ax.legend(loc="lower left")
    print(f"half_life={half_life}: the walker's centroid lags by {lag:.2f}")

plt.show()
