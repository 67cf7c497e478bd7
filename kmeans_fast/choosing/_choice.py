"""What choose_k returns: every curve, what each suggests, and the fits behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._need import need

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """Curves of each method over k, and the k that each suggests.

    Attributes
    ----------
    ks : tuple of int
        Numbers of clusters, ascending; shorter than asked for where X has no more distinct samples.
    inertia : float64 array of shape (n_ks,)
    curves : dict of str to float64 array of shape (n_ks,)
        One a method, in the order asked for; nan where a method has no value (most have none for k = 1).
    errors : dict of str to float64 array of shape (n_ks,)
        Standard errors, for the methods that repeat: "gap", "gap_pca", "stability".
    suggestions : dict of str to int or None
        The k of each method; None where it has none.
    decides : str
        The method that `best_k` follows.
    centroids : dict of int to float64 array of shape (k, n_features)
        The fit of each k.
    n_sampled : int
        Samples that "icl" and "silhouette" looked at; n_samples if it was all.
    """

    ks: tuple[int, ...]
    inertia: Floats
    curves: dict[str, Floats]
    errors: dict[str, Floats]
    suggestions: dict[str, int | None]
    decides: str
    centroids: dict[int, NDArray[Any]]
    n_sampled: int
    _labels: dict[int, NDArray[np.int32]] = field(repr=False)
    _X: Any = field(repr=False)

    @property
    def best_k(self) -> int | None:
        """The suggestion of `decides`."""
        return self.suggestions[self.decides]

    @property
    def table(self) -> Any:
        """A pandas frame: k, inertia, a column a method, and one a standard error, which ends in "_se"."""
        columns: dict[str, Any] = {"k": self.ks, "inertia": self.inertia}
        for name, curve in self.curves.items():
            columns[name] = curve
            if name in self.errors:
                columns[f"{name}_se"] = self.errors[name]
        return need("pandas", "choose_k", "choose").DataFrame(columns)

    def labels(self, k: int | None = None) -> NDArray[np.int32]:
        """Return the labels of the fit of `k`, by default `best_k`: those kept, else computed from X."""
        k = self.best_k if k is None else k
        if k not in self.centroids:
            raise ValueError(f"k={k} must be one of ks={self.ks}.")
        if k in self._labels:
            return self._labels[k]
        if self._X is None:
            raise ValueError(f"The labels of k={k} were pickled without X; choose_k(..., keep_labels=True) keeps them.")
        from .._predict import predict

        return predict(self._X, self.centroids[k])

    def plot(self, methods: Any = None) -> Any:
        """Draw the curves in one figure, each with its suggestion; see `kmeans_fast.plots.curves`."""
        from ..plots import curves

        return curves(self, methods)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without X, which may be large or a file."""
        return self.__dict__ | {"_X": None}

    def __repr__(self) -> str:
        """Say what each method suggests."""
        others = ", ".join(f"{name}={k}" for name, k in self.suggestions.items())
        return f"Choice(best_k={self.best_k} by {self.decides}; {others})"
