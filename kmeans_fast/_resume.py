"""What a fit saves in its checkpoint, and how it goes on from there to the same bits.

Labels are not saved: a pass by the centroids that made them gives them back. The sums of the slices are, since samples
that came and went have left their rounding there. Finished restarts leave their figures, the best one its centroids.
"""

from __future__ import annotations

import numbers
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _runtime
from ._algorithm import ALGORITHMS
from ._checkpoint import Arrays, Checkpoint, digest
from ._improve import Pause, swap_counts
from ._iterate import Halt, Run, label
from ._problem import Floats, Problem
from ._restarts import Best, Start
from ._version import __version__

DTYPES = tuple(np.dtype(kind).str for kind in (np.float32, np.float64))
COUNTS = ("best_counts", "lengths", "swaps")  # arrays of integers
POSITIONS = {"pos": 624, "buffer_pos": 4}  # in the buffers of MT19937 and Philox, and behind the last
ROWS = 256  # of X, evenly spaced, that are looked at beside its total squares to know it again


class Keeper:
    """Saves where a fit stands, and sets one back to where it stood; `best` holds the restarts that are over."""

    def __init__(
        self, path: Any, every: float, problem: Problem, rng: np.random.Generator | None, about: dict[str, Any]
    ) -> None:
        self.problem, self.rng = problem, rng
        self.checkpoint = Checkpoint(path, every, _identity(problem, rng, about))
        self.best, self.best_dtype = Best(), ""
        self.under_way: Halt | Pause | None = None
        self.pending: tuple[Pause, Any] | None = None
        found = self.checkpoint.load()
        if found is not None:
            try:
                self._restore(*found)
            except (LookupError, TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"{path} has a state that makes no sense: {error!r:.300}.") from None
            self._set_back(found[0])

    def start(self, seed: Start) -> Start:
        """Return what begins a restart: `seed`, or at first what was under way."""

        def begin() -> Floats | Halt | Pause:
            under_way, self.under_way = self.under_way, None
            return seed() if under_way is None else under_way

        return begin

    def due(self) -> bool:
        """Say whether it is time to save."""
        return self.checkpoint.due()

    def halted(self, halt: Halt) -> None:
        """Save a loop between two passes."""
        figures = {name: getattr(halt, name) for name in ("lowest", "stalled", "n_distances", "rounding", "laps")}
        arrays = {"centroids": halt.centroids, "labelled_by": halt.labelled_by}
        if halt.sums is not None:
            arrays["sums"] = halt.sums
        self._save({"halt": figures}, arrays | {"history": np.array(halt.inertia_history)}, self._state_of_rng())

    def paused(self, pause: Pause) -> None:
        """Save a search between two swaps when it is time, and remember it for `save_pause`."""
        if pause.labelled_by is not None:
            # Copies: the last descent is going to write where the centroids are.
            held = replace(pause, centroids=pause.centroids.copy(), labelled_by=pause.labelled_by.copy())
            self.pending = held, self._state_of_rng()
            if self.due():
                self.save_pause()

    def save_pause(self) -> None:
        """Save a search as it was paused last; where a loop was stopped, it has saved itself, and there is none."""
        if self.pending is not None:
            pause, state_of_rng = self.pending
            figures = asdict(pause)
            arrays = {name: figures.pop(name) for name in ("centroids", "labelled_by")}
            self._save({"pause": figures}, arrays | {"history": np.array(figures.pop("history"))}, state_of_rng)

    def ended(self, last: bool) -> None:
        """Save after a restart that came to its own end, and is in `best`."""
        self.pending = None
        if self.best.at == len(self.best.runs) - 1:
            self.best_dtype = self.problem.dtype.str
        if last or self.due():
            self._save({}, {}, self._state_of_rng())

    def _state_of_rng(self) -> Any:
        return None if self.rng is None else _plain(self.rng.bit_generator.state)

    def _save(self, state: dict[str, Any], arrays: Arrays, state_of_rng: Any) -> None:
        runs, problem = self.best.runs, self.problem
        state = {"rng": state_of_rng, "dtype": problem.dtype.str, "algorithm": problem.algorithm} | state
        if runs:
            best = runs[self.best.at]
            state |= {
                "reasons": [run.stop_reason for run in runs],
                "best": self.best.at,
                "best_dtype": self.best_dtype,
                "rounded": bool(best.rounded),
                "n_distances": best.n_distances,
            }
            arrays = arrays | {
                "inertias": np.array([run.inertia for run in runs]),
                "swaps": np.array([(run.n_tried, run.n_accepted) for run in runs], np.int64),
                "lengths": np.array([run.n_iter for run in runs], np.int64),
                "histories": np.concatenate([run.inertia_history for run in runs]),
                "best_centroids": best.centroids,
                "best_counts": best.counts,
            }
        self.checkpoint.save(state, arrays)

    def _restore(self, state: dict[str, Any], arrays: Arrays) -> None:
        """Take over what a file says; its digest is no signature, so all that code is going to trust is checked."""
        problem = self.problem
        if state["dtype"] not in DTYPES or state["algorithm"] not in ALGORITHMS:
            raise ValueError(f"dtype={state['dtype']!r:.50} and algorithm={state['algorithm']!r:.50} must be known")
        if "reasons" in state:
            self._restore_best(state, arrays)
        if self.rng is not None:
            if not _alike(state["rng"], self._state_of_rng()):
                raise ValueError("rng must be a state of the same generator")
            self.rng.bit_generator.state = _from_plain(state["rng"])
        k, d = problem.n_clusters, problem.samples.n_features
        if "halt" in state or "pause" in state:
            centroids, labelled_by = (_checked(arrays, name, (k, d)) for name in ("centroids", "labelled_by"))
            history = _checked(arrays, "history", (arrays["history"].size,)).tolist()
            if "pause" in state:
                figures = _figures(state["pause"], Pause)
                if self.rng is None or figures["at"] >= len(swap_counts(problem)):
                    raise ValueError(f"pause={figures} must be one of a search")
                self.under_way = Pause(centroids, labelled_by, history=history, **figures)
                return
            sums = _checked(arrays, "sums", (problem.n_slices(), k, d + 2)) if "sums" in arrays else None
            self.under_way = Halt(centroids, labelled_by, sums, history, **_figures(state["halt"], Halt))

    def _restore_best(self, state: dict[str, Any], arrays: Arrays) -> None:
        """Make finished restarts anew from their figures."""
        best, reasons, n = self.best, state["reasons"], len(state["reasons"])
        if state["best_dtype"] not in DTYPES or type(state["best"]) is not int or not 0 <= state["best"] < n:
            raise ValueError(f"best={state['best']!r:.50} must be >= 0 and < {n}")
        lengths = _checked(arrays, "lengths", (n,))
        histories = _checked(arrays, "histories", (lengths.sum(),))
        inertias, swaps = _checked(arrays, "inertias", (n,)), _checked(arrays, "swaps", (n, 2))
        for reason, inertia, history, (tried, accepted) in zip(
            reasons, inertias.tolist(), np.split(histories, np.cumsum(lengths)[:-1]), swaps.tolist(), strict=True
        ):
            run = Run(np.empty(0), str(reason), inertia=inertia, inertia_history=history.tolist())
            run.n_tried, run.n_accepted = tried, accepted
            best.runs.append(run)
        best.at, run = state["best"], best.runs[state["best"]]
        k, d = self.problem.n_clusters, self.problem.samples.n_features
        run.centroids, run.counts = _checked(arrays, "best_centroids", (k, d)), _checked(arrays, "best_counts", (k,))
        run.rounded, run.n_distances = bool(state["rounded"]), _count(state["n_distances"])
        self.best_dtype = state["best_dtype"]

    def _set_back(self, state: dict[str, Any]) -> None:
        """Make the labels of the best restart by a pass, and go on as the file says."""
        if self.best.runs:
            self.problem.resume(self.best_dtype, state["algorithm"])
            label(self.problem, self.best.runs[self.best.at].centroids)
            self.best.copy_labels(self.problem)
        self.problem.resume(state["dtype"], state["algorithm"])


def _identity(problem: Problem, rng: np.random.Generator | None, about: dict[str, Any]) -> dict[str, Any]:
    """Return what decides about the bits of a fit: another one's checkpoint is of no use."""
    samples, weight = problem.samples, problem.weight
    rows = np.unique(np.linspace(0, samples.n_samples - 1, ROWS).astype(np.intp))
    init, random_state = about["init"], about["random_state"]
    if isinstance(init, np.ndarray):
        init = digest(init)
    elif callable(init):
        init = getattr(init, "__qualname__", type(init).__name__)
    if isinstance(random_state, numbers.Integral):
        random_state = int(random_state)
    elif random_state is not None:  # NumPy's global state is a different one every time
        random_state = None if rng is None or random_state is np.random else digest(rng.bit_generator.state)
    return about | {
        "init": init,
        "random_state": random_state,
        "n_clusters": problem.n_clusters,
        "isa": _runtime.isa,
        "version": __version__,
        "X.shape": [samples.n_samples, samples.n_features],
        "X.dtype": samples.source.dtype.str,
        "sample_weight": None if weight is None else digest(weight[rows], float(weight.sum())),
        "X": digest(samples.take(rows), problem.origin, problem.total_squares, problem.variance),
    }


def _checked(arrays: Arrays, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array that is going to be trusted."""
    array, dtype = arrays[name], np.int64 if name in COUNTS else np.float64
    if (
        array.shape != shape
        or array.dtype != dtype
        or not np.isfinite(array).all()
        or (name in COUNTS and array.min() < 0)
    ):
        raise TypeError(f"{name} must be finite numbers of shape {shape}")
    return array


def _figures(figures: Any, kind: type[Halt] | type[Pause]) -> dict[str, Any]:
    """Return the numbers of a halt or a pause."""
    checks = {"int": _count, "float": _number, "bool": _flag}
    kinds = {field.name: checks[str(field.type)] for field in fields(kind) if field.type in checks}
    if not isinstance(figures, dict) or figures.keys() != kinds.keys():
        raise ValueError(f"it must have {', '.join(kinds)}")
    return {name: kinds[name](value) for name, value in figures.items()}


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{value!r:.50} must be true or false")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:  # a fit goes on to count
        raise ValueError(f"{value!r:.50} must be a count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not np.isfinite(float(value)):
        raise ValueError(f"{value!r:.50} must be a finite number")
    return float(value)


def _alike(state: Any, now: Any) -> bool:
    """Say whether a generator can take a state: NumPy would read past its buffers from a position that is none."""
    if isinstance(now, dict):
        if not isinstance(state, dict) or state.keys() != now.keys():
            return False
        return all(
            _alike(state[name], now[name]) and (name not in POSITIONS or 0 <= state[name] <= POSITIONS[name])
            for name in now
        )
    if isinstance(now, list):
        return isinstance(state, list) and len(state) == len(now) and all(map(_alike, state, now))
    return type(state) is type(now) and (not isinstance(now, str) or state == now)


def _plain(state: Any) -> Any:
    """Turn the state of a bit generator into what JSON holds: arrays into lists."""
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    if isinstance(state, np.ndarray):
        return {"array": state.tolist(), "dtype": state.dtype.str}
    return state.item() if isinstance(state, np.generic) else state


def _from_plain(state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    if state.keys() == {"array", "dtype"}:
        return np.array(state["array"], state["dtype"])
    return {name: _from_plain(value) for name, value in state.items()}
