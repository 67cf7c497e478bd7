"""What is told of each iteration: a line for `verbose`, and scikit-learn's callbacks (1.9)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ._progress import can_draw
from ._restarts import n_restarts
from ._watch import FitState

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as torn_down
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support."""

    def torn_down(method: Any) -> Any:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Watch", "with_callbacks"]


def with_callbacks(method: Callable[..., None]) -> Callable[..., None]:
    """Do what scikit-learn's decorator does where there are callbacks: it takes a twentieth of a small fit."""
    watched = torn_down(method)

    @wraps(method)
    def call(model: Any, *args: Any) -> None:
        (watched if hasattr(model, "_skl_callbacks") else method)(model, *args)

    return call


class Watch:
    """The core's callback for one fit; false if there is nobody to tell.

    scikit-learn's callbacks see a tree of tasks: fit, its restarts, their iterations. The core
    reports an iteration when it is over, so its task begins and ends at once. A callback that
    returns True ends the fit with the best result so far.
    """

    def __init__(self, model: Any, X: Any, sample_weight: Any) -> None:
        self.drawn = bool(model.verbose == 1) and can_draw()  # a bar, in place of lines
        self.verbose = model.verbose and not self.drawn
        self.fit: Any = None
        self.restart: Any = None
        if hasattr(model, "_skl_callbacks"):
            metadata = None if sample_weight is None else {"sample_weight": sample_weight}
            self.about = {"estimator": model, "X": X, "metadata": metadata}
            self.fit = model._init_callback_context(max_subtasks=n_restarts(model.n_init, model.init, model.quality))
            self.fit.call_on_fit_task_begin(**self.about)

    def __bool__(self) -> bool:
        return bool(self.verbose) or self.fit is not None

    def __call__(self, state: FitState) -> bool:
        """Report an iteration; say whether to stop."""
        if self.verbose:
            restart = f"Restart {state.restart + 1} of {state.n_init}, " if state.n_init > 1 else ""
            print(
                f"{restart}iteration {state.iteration}: inertia {state.inertia:.10g}, {state.n_changed} labels changed"
            )
        return self.fit is not None and self._tell(state)

    def _tell(self, state: FitState) -> bool:
        if state.iteration == 1:
            self._end_restart()
            self.restart = self.fit.subcontext("restart", max_subtasks=state.max_iter)
            self.restart.call_on_fit_task_begin(**self.about)
        self.so_far = {
            **self.about,
            "reconstruction_attributes": {"cluster_centers_": state.centroids},
        }
        iteration = self.restart.subcontext("iteration")
        iteration.call_on_fit_task_begin(**self.about)
        stop: bool = iteration.call_on_fit_task_end(**self.so_far)
        return stop

    def _end_restart(self) -> None:
        if self.restart is not None:
            self.restart.call_on_fit_task_end(**self.so_far)

    def close(self) -> None:
        """End the open tasks of a model that is fitted now."""
        if self.fit is not None:
            self._end_restart()
            self.fit.call_on_fit_task_end(**self.about, reconstruction_attributes={})
