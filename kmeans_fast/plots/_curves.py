"""The curves of `kmeans_fast.choose_k`: elbow, gap, f(K), silhouette and the others, each with what it suggests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ._colours import INK, OKABE_ITO

COLUMNS = 4  # of a figure with all curves
SIZE = 3.0, 2.4  # inches of one of them

NAMES = {
    "icl": "ICL (lowest)",
    "icl_full": "ICL, any shape (lowest)",
    "silhouette": "silhouette (highest)",
    "davies_bouldin": "Davies-Bouldin (lowest)",
    "calinski_harabasz": "Calinski-Harabasz (highest)",
    "f": "f(K) (lowest)",
    "bic": "BIC (lowest)",
    "elbow": "inertia (elbow)",
    "gap": "gap, uniform (first within 1 s.e.)",
    "gap_pca": "gap, PCA box (first within 1 s.e.)",
    "stability": "stability (highest)",
}


class HasCurves(Protocol):
    """What the functions here need of a `kmeans_fast.choosing.Choice`."""

    @property
    def ks(self) -> tuple[int, ...]: ...
    @property
    def curves(self) -> dict[str, NDArray[np.float64]]: ...
    @property
    def errors(self) -> dict[str, NDArray[np.float64]]: ...
    @property
    def suggestions(self) -> dict[str, int | None]: ...


def curve(choice: HasCurves, method: str, ax: Axes | None = None) -> Axes:
    """Draw one method's value of each k, with its standard errors where it has some and a ring at its suggestion.

    Parameters
    ----------
    choice : Choice
        What `kmeans_fast.choose_k` returned.
    method : str
        A method that it computed: "elbow", "gap", "f", "silhouette" ...
    ax : Axes, optional
        Where to draw; the current Axes if left out.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        `choice` has no curve of this name.
    """
    if method not in choice.curves:
        raise ValueError(f"method={method!r} must be one of {', '.join(map(repr, choice.curves))}.")
    ax = plt.gca() if ax is None else ax
    ks, values, best = np.array(choice.ks), choice.curves[method], choice.suggestions[method]
    shown = np.where(np.isfinite(values), values, np.nan)  # infinite where X lies on k points
    ax.errorbar(ks, shown, yerr=choice.errors.get(method), fmt="o-", ms=3.5, lw=1.2, capsize=2, color=OKABE_ITO[0])
    title = f"{NAMES.get(method, method)}: "
    if best is None:
        title += "no suggestion"
    else:
        title += f"{best}"
        ax.axvline(best, color=OKABE_ITO[5], lw=0.8, ls="--", zorder=0)
        ax.plot(best, shown[ks == best], "o", ms=9, mfc="none", mec=OKABE_ITO[5], mew=1.6)
    ax.set_title(title, fontsize=9, color=INK)
    ax.set_xlabel("k")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def curves(
    choice: HasCurves, methods: Sequence[str] | str | None = None, axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw the curves of several methods side by side.

    Parameters
    ----------
    choice : Choice
        What `kmeans_fast.choose_k` returned.
    methods : str or sequence of str, optional
        By default all that it computed.
    axes : sequence of Axes, optional
        One a method; a new figure is made if left out.

    Returns
    -------
    list of Axes

    Raises
    ------
    ValueError
        `choice` has no such curve, or `axes` are not one a method.
    """
    names = [methods] if isinstance(methods, str) else list(choice.curves if methods is None else methods)
    for name in names:
        if name not in choice.curves:
            raise ValueError(f"method={name!r} must be one of {', '.join(map(repr, choice.curves))}.")
    places: list[Any] = _grid(len(names)) if axes is None else list(np.ravel(np.asarray(axes, dtype=object)))
    if len(places) != len(names):
        raise ValueError(f"axes has {len(places)} entries and must have one a method, {len(names)}.")
    return [curve(choice, name, ax) for name, ax in zip(names, places, strict=True)]


def _grid(count: int) -> list[Any]:
    """Make a figure with so many Axes."""
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(SIZE[0] * columns, SIZE[1] * rows), squeeze=False, layout="constrained"
    )
    for spare in axes.flat[count:]:
        figure.delaxes(spare)
    return list(axes.flat[:count])
