"""One measured row, and how rows are judged: ratios of medians, quality, promises kept or not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import sqrt
from statistics import mean, median, variance
from typing import Any

from .cases import Case
from .competitors import BASELINE, COMPETITORS, OURS

EQUAL_QUALITY = 1e-3  # relative difference of inertia up to which two fits did the same work
# Seedings are random: a mean potential is higher only if it is so by this much and by more than
# two standard errors.
EQUAL_SEEDING = 1e-2
STANDARD_ERRORS = 2.0


@dataclass
class Row:
    """One competitor on one case; times in seconds, memory in bytes beyond X."""

    case: Case
    competitor: str
    job: str
    seconds: list[float] = field(default_factory=list)
    inertias: list[float] = field(default_factory=list)  # float64, one function for everybody
    own_inertias: list[float | None] = field(default_factory=list)
    n_iter: list[int | None] = field(default_factory=list)
    memory: int | None = None
    busy_cpus: float = 0.0  # CPUs that others used just before: above 0.1, distrust the times
    detail: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    blas: list[str] = field(default_factory=list)
    error: str = ""
    marks: list[str] = field(default_factory=list)  # what makes the row not quite comparable
    ratio: float | None = None  # scikit-learn's median over this one's
    ratio_best: float | None = None  # ours alone: the best peer's median over ours
    target: float | None = None
    target_best: float | None = None
    fma_peak: float | None = None  # operations a second of multiply-adds here, on the instruction set that ran

    @property
    def distances_share(self) -> float | None:
        """Distances computed over samples x clusters x iterations; None where the library does not count them."""
        count, n_iter = self.detail.get("n_distances"), self.n_iter[0] if self.n_iter else None
        return count / (self.case.n_samples * self.case.n_clusters * n_iter) if count is not None and n_iter else None

    @property
    def peak_share(self) -> float | None:
        """2 d operations for each distance computed, a second, over the peak: what was left out does not count."""
        count = self.detail.get("n_distances")
        if count is None or self.fma_peak is None or not self.seconds:
            return None
        return 2.0 * self.case.n_features * count / self.median / self.fma_peak

    @property
    def bytes_per_sample(self) -> float | None:
        """Memory beyond X at its peak."""
        return None if self.memory is None else self.memory / self.case.n_samples

    @property
    def median(self) -> float:
        """Median seconds."""
        return median(self.seconds)

    @property
    def inertia(self) -> float:
        """Mean inertia over the seeds."""
        return mean(self.inertias)

    @property
    def verdict(self) -> str:
        """Say "met" or "missed" against scikit-learn, "" where nothing is promised."""
        return _verdict(self.ratio, self.target, "unequal quality" in self.marks)

    @property
    def verdict_best(self) -> str:
        """Say "met" or "missed" against the best peer."""
        return _verdict(self.ratio_best, self.target_best, "unequal quality" in self.marks)

    def to_json(self) -> dict[str, Any]:
        """Everything, with the derived figures, for results/latest.json."""
        record = asdict(self) | {"case": asdict(self.case), "row": self.case.name}
        if self.seconds:
            record |= {"median": self.median, "min": min(self.seconds), "inertia": self.inertia}
            record |= {"verdict": self.verdict, "verdict_best": self.verdict_best}
            record |= {"distances_share": self.distances_share, "peak_share": self.peak_share}
        return record


def _verdict(ratio: float | None, target: float | None, unequal: bool) -> str:
    if ratio is None or target is None:
        return ""
    return "met" if ratio >= target and not unequal else "missed"


SEEDING_TARGET = 5.0  # k-means++ against scikit-learn's at equal quality, every row


def judge(rows: list[Row], quick: bool = False) -> None:
    """Fill ratios, targets and marks of the rows of one case, in place."""
    done = {row.competitor: row for row in rows if row.seconds}
    baseline, ours = done.get(BASELINE), done.get(OURS)
    for row in done.values():
        _mark(row, baseline)
        if baseline:
            row.ratio = baseline.median / row.median
    if ours is None:
        return
    if ours.job == "seeding":
        ours.target = None if quick else SEEDING_TARGET
    elif ours.job == "fit":
        ours.target = ours.case.target("vs_sklearn")
        ours.target_best = ours.case.target("vs_best")
    else:
        ours.target = ours.case.target("default_fit")
    peers = [row.median for row in done.values() if _is_worthy_peer(row, ours)]
    if peers:
        ours.ratio_best = min(peers) / ours.median


def _is_worthy_peer(row: Row, ours: Row) -> bool:
    """Tell whether a peer counts as "best peer": one that ended higher than we did does not."""
    as_good = row.inertia <= ours.inertia * (1.0 + EQUAL_QUALITY)
    return COMPETITORS[row.competitor].counts_as_peer and as_good


def _error(row: Row, baseline: Row) -> float:
    """Relative standard error of the difference of two mean inertias; infinite for single seeds."""
    samples = row.inertias, baseline.inertias
    if min(map(len, samples)) < 2:
        return float("inf")
    return sqrt(sum(variance(values) / len(values) for values in samples)) / baseline.inertia


def _mark(row: Row, baseline: Row | None) -> None:
    """Say what a reader must know: unequal quality, other iterations, the adapter's own note."""
    if baseline is not None and row is not baseline:
        difference = row.inertia / baseline.inertia - 1.0
        # A fit from the same start must match; a random one must only be no worse.
        unequal = {
            "fit": not abs(difference) <= EQUAL_QUALITY,  # so that NaN counts as unequal
            "default_fit": difference > EQUAL_QUALITY,
            "quality": difference > EQUAL_QUALITY,
            "seeding": difference > max(EQUAL_SEEDING, STANDARD_ERRORS * _error(row, baseline)),
        }[row.job]
        if unequal:
            row.marks.append("unequal quality")
        if row.job == "fit" and row.n_iter[0] not in (None, baseline.n_iter[0]):
            row.marks.append(f"{row.n_iter[0]} iterations")
    note = COMPETITORS[row.competitor].note
    if note and row.job == "fit":
        row.marks.append(note)
