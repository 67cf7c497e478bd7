"""How a run went, iteration by iteration."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ._colours import OKABE_ITO


class HasHistory(Protocol):
    """What ``convergence`` needs of a result."""

    @property
    def inertia_history(self) -> Any: ...


def convergence(result: HasHistory, ax: Axes | None = None) -> Axes:
    """Draw the inertia of every iteration of ``result``, a `kmeans_fast.KMeansResult`."""
    ax = plt.gca() if ax is None else ax
    history = np.asarray(result.inertia_history)
    ax.plot(np.arange(1, len(history) + 1), history, "o-", ms=4, color=OKABE_ITO[0])
    ax.set(xlabel="iteration", ylabel="inertia")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax
