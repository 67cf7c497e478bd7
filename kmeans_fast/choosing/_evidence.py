"""The three statistics of `clusterability`: they judge nothing.

Each value is larger the more there are clusters. The gap statistic and the dip have one for each scale (number of
clusters, of neighbours); the judge takes the scale that stands out most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from ._dip import dip
from ._gap import gap

Floats = NDArray[np.float64]

CLUSTERS = (2, 3, 4, 5, 6, 8, 10, 14, 20, 28, 40)
PER_CLUSTER = 5  # samples a cluster at least
LEAST_VIEWERS, VIEWED = 32, 10_000  # samples from which distances are looked at, and distances where samples are few
FEWEST = 20  # distances of which a dip is taken: fewer say little
PROBES = 300  # of Hopkins' statistic, each kind


def cluster_numbers(n_samples: int) -> tuple[int, ...]:
    """Return the numbers of clusters that the gap statistic looks at."""
    return tuple(k for k in CLUSTERS if k <= max(2, n_samples // PER_CLUSTER))


def gains(X: Floats, n_references: int, rng: np.random.Generator, n_threads: int | None) -> Floats:
    """Return log(W_1 / W_k) for k of `cluster_numbers`, W_k the inertia of k clusters: of X, then of each reference."""
    ks = (1, *cluster_numbers(len(X)))
    found = gap(X, ks, n_references=n_references, quality="standard", random_state=rng, n_threads=n_threads)
    logs = np.vstack([found.log_inertia, found.reference_log_inertia])
    return logs[:, :1] - logs[:, 1:]


def neighbourhoods(n_samples: int) -> list[int]:
    """Return how many nearest samples a viewer looks at: all, a half, a quarter ... not below `FEWEST`."""
    counts = [n_samples - 1]
    while counts[-1] // 2 >= FEWEST:
        counts.append(counts[-1] // 2)
    return counts


def viewers_dips(X: Floats, rng: np.random.Generator) -> Floats:
    """Return, for each m of `neighbourhoods`, sqrt(m) times the dip of a viewer's m smallest distances, in the mean.

    A viewer inside a cluster sees its own cluster, then a valley, then the others, whatever the dimension. Looking at
    fewer neighbours finds the valley where clusters are many.

    Source: A. Kalogeratos, A. Likas, "Dip-means: an incremental clustering method for estimating the number of
    clusters", Advances in Neural Information Processing Systems 25 (2012).
    """
    viewers = rng.permutation(len(X))[: max(LEAST_VIEWERS, VIEWED // len(X))]
    distances = np.sort(cdist(X[viewers], X), axis=1)[:, 1:]
    counts = neighbourhoods(len(X))
    return np.array([m**0.5 * np.mean([dip(row[:m]) for row in distances]) for m in counts])


def unimodal_dips(n_samples: int) -> Floats:
    """Return what `viewers_dips` expects at most, in the mean, where each distribution of distances has one mode.

    That is sqrt(m) times the mean dip of m uniform numbers, for Hartigan's test the worst case of one mode:
    0.390 - 0.235 / sqrt(m) fits a simulation of 2000 to 6000 samples each, m from 10 to 4000, within 0.005
    (benchmarks/clusterability.py --dips).
    """
    return 0.390 - 0.235 / np.sqrt(neighbourhoods(n_samples))


def hopkins(X: Floats, rng: np.random.Generator) -> Floats:
    """Return U / (U + W): U of distances from random places in X's box to X, W from samples to their nearest.

    1/2 for uniform points, towards 1 for clumps, less for a lattice. Distances themselves are summed, not their d-th
    powers, in which a single one counts for all where there are many features.

    Source: B. Hopkins, J. G. Skellam, "A new method for determining the type of distribution of plant individuals",
    Annals of Botany 18 (1954); G. R. Cross, A. K. Jain, "Measurement of clustering tendency", IFAC (1982).
    """
    count = min(PROBES, len(X))
    places = rng.uniform(X.min(axis=0), X.max(axis=0), (count, X.shape[1]))
    tree = KDTree(X)
    to_places = tree.query(places)[0].sum()
    to_samples = tree.query(X[rng.permutation(len(X))[:count]], 2)[0][:, 1].sum()
    return np.array([to_places / (to_places + to_samples)])
