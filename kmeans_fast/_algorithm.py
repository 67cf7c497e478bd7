"""Which assignment step makes the passes: dense, by codes in 16 bits, with bounds, by boxes, or by a grid.

All give the same labels, bit for bit; only time and memory differ.
"""

from __future__ import annotations

from . import _distances, _grid, _runtime

ALGORITHMS = ("auto", "lloyd", "codes", "hamerly", "elkan", "boxes", "grid")

# Fewer features stay in registers: scoring every centroid costs no more than looking after bounds.
MIN_FEATURES = 9
MIN_CLUSTERS = 3

# The filter in whole numbers pays where it saves this many multiply-adds a sample; by measurement.
MIN_FILTERED_WORK = {True: 16384, False: 5120}  # float32, float64
MIN_FILTERED_CLUSTERS = {True: 96, False: 64}
MIN_FILTERED_FEATURES = 16
MAX_FILTERED_FEATURES = 65536  # beyond, sums of products would leave an int32

GAPS_SHARE = 32  # samples a cluster from which on the distances between centroids cost little beside a pass

MAX_BOUNDS_BYTES = 48  # a sample, that "auto" may spend: boxes of 8 features in float32, of 5 in float64

# Features and clusters at most, where there is a limit.
MOST = {
    "codes": (8, 4096),  # clusters are sorted by insertion
    "boxes": (8, 1 << 24),  # their indices are kept as float32
    "grid": (3, 1 << 24),
}

# By features, the clusters from which on codes in 16 bits pay, and boxes; measured on AVX-512 and on AVX2, where a
# dense pass takes twice as long, and codes, whose sums are added apart from their products, save less of it.
WIDE = _runtime.isa == "avx512"
NEVER = MOST["codes"][1]
MIN_CODE_CLUSTERS = {
    True: (0, NEVER, *((48, 128, 40) if WIDE else (NEVER, NEVER, NEVER)), 12, 12, 12, 12),  # float32
    False: (0, *((48, 24, 32, 24) if WIDE else (NEVER, 48, 48, 48)), 12, 12, 12, 12),
}
MIN_CODE_SAMPLES = 1 << 15

# Boxes: an order of X costs 15 to 40 dense passes over 8 clusters, and pays where a pass costs much or many are made.
MIN_BOX_SAMPLES = 1 << 15
BOXES_AT_ONCE = (0, 192, 192, 192, 192) if WIDE else (0, 64, 96, 160, 160)  # ten passes cost less than dense ones
BOXES_LATER = (0, 24, 24, 24, 24, 24, 24, 24, 24)  # for runs that are not over by then
PASSES_BEFORE_BOXES = 12

# A grid over the centroids. Nanoseconds by features, from `python -m benchmarks --suite grid` and whole fits: of a
# sample looked up, of the same scored against all (so much, and more for each cluster), and of a cluster built in.
GRID_SAMPLE = (0.0, 2.0, 3.2, 7.0) if WIDE else (0.0, 4.5, 9.0, 16.0)
DENSE_SAMPLE, DENSE_SCORE = 0.3, (0.0, 0.020, 0.023, 0.030) if WIDE else (0.0, 0.065, 0.083, 0.10)
GRID_CLUSTER = (0.0, 1000.0, 1800.0, 4000.0) if WIDE else (0.0, 1500.0, 2700.0, 6000.0)
CODE_SCORE = (0.0, 0.0165, 0.0165, 0.026) if WIDE else DENSE_SCORE
BOX_SAMPLE = 7.0 if WIDE else 9.0  # the same of boxes, in the mean over ten passes


def choose(
    algorithm: str,
    n_samples: int,
    n_features: int,
    n_clusters: int,
    itemsize: int,
    max_bounds_memory: int | None,
    n_threads: int = 1,
    may_copy: bool = True,
) -> str:
    """Return "lloyd", "codes", "hamerly", "boxes" or "grid", to begin with, or the name that was asked for.

    Without `may_copy` "auto" leaves boxes and codes, which copy X.
    """

    def takes(name: str) -> int:
        return bounds_bytes(name, n_samples, n_features, n_clusters, itemsize)

    if algorithm != "auto":
        if not fits(algorithm, n_features, n_clusters):
            most_features, most_clusters = MOST[algorithm]
            raise ValueError(
                f"algorithm={algorithm!r} is for at most {most_features} features and {most_clusters} clusters; "
                f"X has {n_features} features, and n_clusters={n_clusters}."
            )
        if max_bounds_memory is not None and takes(algorithm) > max_bounds_memory:
            raise ValueError(
                f"max_bounds_memory={max_bounds_memory} bytes must be at least {takes(algorithm)} for "
                f"algorithm={algorithm!r} on {n_samples} samples; algorithm='auto' stays below it."
            )
        return algorithm
    limit = bounds_limit(max_bounds_memory, n_samples)
    boxed = may_copy and pays(BOXES_AT_ONCE, n_samples, n_features, n_clusters) and takes("boxes") <= limit
    coded = may_copy and codes_pay(itemsize == 4, n_samples, n_features, n_clusters) and takes("codes") <= limit
    if grid_pays(n_samples, n_features, n_clusters, n_threads, boxed, coded) and takes("grid") <= limit:
        return "grid"
    if boxed:
        return "boxes"
    if coded:
        return "codes"
    bounded = n_features >= MIN_FEATURES and n_clusters >= MIN_CLUSTERS
    return "hamerly" if bounded and takes("hamerly") <= limit else "lloyd"


def fits(algorithm: str, n_features: int, n_clusters: int) -> bool:
    """Say whether an algorithm takes so many features and clusters."""
    most_features, most_clusters = MOST.get(algorithm, (n_features, n_clusters))
    return n_features <= most_features and n_clusters <= most_clusters


def bounds_bytes(algorithm: str, n_samples: int, n_features: int, n_clusters: int, itemsize: int) -> int:
    """Bytes that save distances, beside labels: bounds, the ordered copy of boxes, or a grid."""
    if algorithm == "grid":
        _, cells, lists, work = _grid.sizes(itemsize == 4, n_samples, n_clusters, n_features)
        return 4 * cells + lists + work
    coded = 4 * ((n_features + 1) // 2)
    each = {"lloyd": 0, "codes": coded, "hamerly": 8, "elkan": 8 + 4 * n_clusters, "boxes": 7 + itemsize * n_features}
    return each[algorithm] * n_samples


def bounds_limit(max_bounds_memory: int | None, n_samples: int) -> int:
    """Bytes that "auto" may spend."""
    return MAX_BOUNDS_BYTES * n_samples if max_bounds_memory is None else max_bounds_memory


def codes_pay(single: bool, n_samples: int, n_features: int, n_clusters: int) -> bool:
    """Say whether codes (kmf_codes_tpl.h) cost less than the scores that they save, where the processor takes them."""
    if n_samples < MIN_CODE_SAMPLES or not fits("codes", n_features, n_clusters) or not _distances.takes_codes():
        return False
    return MIN_CODE_CLUSTERS[single][n_features] <= n_clusters < MOST["codes"][1]


def pays(boxes: tuple[int, ...], n_samples: int, n_features: int, n_clusters: int) -> bool:
    """Say whether boxes pay here, at once or later."""
    if n_samples < MIN_BOX_SAMPLES or n_features >= len(boxes) or not fits("boxes", n_features, n_clusters):
        return False
    return n_clusters >= boxes[n_features]


def grid_pays(
    n_samples: int, n_features: int, n_clusters: int, n_threads: int, boxed: bool = False, coded: bool = False
) -> bool:
    """Say whether a grid, which one thread builds, costs less than scoring every centroid, or than boxes or codes."""
    if not fits("grid", n_features, n_clusters):
        return False
    other = BOX_SAMPLE if boxed else DENSE_SAMPLE + (CODE_SCORE if coded else DENSE_SCORE)[n_features] * n_clusters
    return n_samples * (other - GRID_SAMPLE[n_features]) > n_clusters * GRID_CLUSTER[n_features] * n_threads


def filters(single: bool, n_features: int, n_clusters: int) -> bool:
    """Say whether the filter in whole numbers (kmf_filter_tpl.h) costs less than the scores that it saves."""
    return (
        n_features * n_clusters >= MIN_FILTERED_WORK[single]
        and n_clusters >= MIN_FILTERED_CLUSTERS[single]
        and MIN_FILTERED_FEATURES <= n_features <= MAX_FILTERED_FEATURES
    )


def gaps_pay(n_samples: int, n_clusters: int) -> bool:
    """Say whether the distances between centroids cost little beside a pass."""
    return GAPS_SHARE * n_clusters <= n_samples
