"""How a run went, iteration by iteration."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .._validate import as_floats
from ._colours import OKABE_ITO


def convergence(result: Any, ax: Axes | None = None) -> Axes:
    """Draw the inertia of every iteration, each run on the same Axes in a colour of its own.

    Parameters
    ----------
    result : KMeansResult, or array-like of shape (n_iter,)
        What has an ``inertia_history``, or such a history.
    ax : Axes, optional
        Where to draw; the current Axes if left out.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError, TypeError
        The history is not a row of numbers.
    """
    history = as_floats(getattr(result, "inertia_history", result), "inertia_history")
    if history.ndim != 1 or len(history) == 0:
        raise ValueError(f"inertia_history has shape {history.shape} and must be (n_iter,) with n_iter >= 1.")
    ax = plt.gca() if ax is None else ax
    ax.plot(np.arange(1, len(history) + 1), history, "o-", ms=4, color=OKABE_ITO[len(ax.lines) % len(OKABE_ITO)])
    ax.set(xlabel="iteration", ylabel="inertia")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax
