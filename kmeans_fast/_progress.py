"""A bar (tqdm) of a fit that runs: iteration, inertia, samples that moved, distances saved, speed, time left."""

from __future__ import annotations

import importlib.util
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import log
from typing import Any

from ._need import need
from ._watch import Callback, FitState

INTERVAL = 0.1  # seconds between two drawings
WINDOW = 10  # iterations whose trend tells how many are left
FORMAT = "{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}]{postfix}"


@contextmanager
def drawing(progress: Any, callback: Callback | None) -> Iterator[Callback | None]:
    """Give a callback that draws a bar and calls the other one; with "auto" only where that can be.

    Raises
    ------
    ImportError
        If `progress` is true and tqdm is missing.
    ValueError
        If `progress` is neither a bool nor "auto".
    """
    if progress not in (True, False, "auto"):
        raise ValueError(f"progress={progress!r} must be True, False or 'auto'.")
    if not progress or (progress == "auto" and not can_draw()):
        yield callback
        return
    bar = Bar()
    try:
        yield bar if callback is None else lambda state: bar(state) or callback(state)
    finally:
        bar.close()


def can_draw() -> bool:
    """Say whether standard error is a terminal, and tqdm there."""
    return sys.stderr is not None and sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None


class Bar:
    """A callback of `kmeans` that draws on standard error; `close` takes the bar away.

    Time left is an estimate. The squared shift of the centroids falls by about the same factor in every iteration, so
    the last ten say when it will pass `tol`; with tol=0 the number of samples that moved stands in. `max_iter` is the
    limit of both. Restarts to come are taken to last as long as those before.
    """

    def __init__(self) -> None:
        tqdm = need("tqdm", "the progress bar", "progress").tqdm
        self.bar: Any = tqdm(leave=False, bar_format=FORMAT)
        self.due = 0.0  # tqdm's own clock stands still when a restart sets the count back
        self.restart, self.restart_began = -1, 0.0
        self.recent: deque[FitState] = deque(maxlen=WINDOW)
        self.drawn: FitState | None = None

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()

    def __call__(self, state: FitState) -> bool:
        """Take note of an iteration, draw if it is time, and stop nothing."""
        if state.restart != self.restart:
            before = self.recent[-1].elapsed if self.recent else 0.0
            self.restart, self.restart_began, self.drawn = state.restart, before, None
            self.recent.clear()
        self.recent.append(state)
        if state.elapsed >= self.due:
            self.due = state.elapsed + INTERVAL
            self.bar.total, self.bar.n = state.max_iter, state.iteration
            self.bar.set_description_str(f"restart {state.restart + 1} of {state.n_init}", refresh=False)
            self.bar.set_postfix_str(self._told(state), refresh=False)
            self.bar.refresh()
            self.drawn = state
        return False

    def _told(self, state: FitState) -> str:
        before = self.drawn
        counted, made, began = state.n_distances, state.iteration, self.restart_began
        if before is not None and before.iteration < made and before.n_distances <= counted:
            counted, made, began = counted - before.n_distances, made - before.iteration, before.elapsed
        pruned = 1.0 - counted / (made * float(state.n_samples) * len(state.centroids))
        speed = made * state.n_bytes / max(state.elapsed - began, 1e-9)
        return (
            f"inertia {state.inertia:.6g}, {100 * state.n_changed / state.n_samples:.3g}% moved, "
            + (f"{100 * pruned:.3g}% pruned, " if 0.0 <= pruned < 1.0 else "")
            + f"{speed / 1e9:.3g} GB/s, {_clock(self._left(state))} left"
        )

    def _left(self, state: FitState) -> float:
        """Estimate the seconds that are left."""
        first = self.recent[0]
        made = state.iteration - first.iteration
        pace = (state.elapsed - first.elapsed) / made if made > 0 else state.elapsed - self.restart_began
        now, then, end = state.centroid_shift, first.centroid_shift, state.shift_limit
        if end == 0.0:
            now, then, end = state.n_changed, first.n_changed, 0.5
        left = float(state.max_iter - state.iteration)
        if made > 0 and then > now > 0.0 < end:
            left = min(left, max(0.0, log(now / end) * made / log(then / now)))
        seconds = left * pace
        over, to_come = state.restart, state.n_init - state.restart - 1
        each = self.restart_began / over if over else state.elapsed + seconds
        return seconds + to_come * each


def _clock(seconds: float) -> str:
    """Write seconds as 59 s, 1:00 or 1:00:00."""
    whole = round(seconds)
    minutes = f"{whole // 60 % 60}:{whole % 60:02d}"
    if whole < 60:
        return f"{whole} s"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes.zfill(5)}"
