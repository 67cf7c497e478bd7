"""What the estimators share: X, names and random states scikit-learn's way, and what is done with fitted centroids."""
# scikit-learn has no types of its own.
# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _predict
from ._problem import Floats
from ._random import as_generator
from ._samples import Samples, as_samples
from ._validate import as_weight, check_n_clusters


class ByCentroids(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin):
    """What estimators of means do with `cluster_centers_` and `n_threads`: predict, transform, score."""

    cluster_centers_: NDArray[Any]
    n_threads: int | None

    def predict(self, X: Any) -> NDArray[np.int32]:
        """Label each sample with its nearest centroid, the lowest index where several are: int32, shape (n_samples,).

        X is whatever `fit` takes; with other features, NaN or infinity it is a ValueError, before `fit` NotFittedError.
        """
        check_is_fitted(self)
        return _predict.predict(wrap(self, X), self.cluster_centers_, self.n_threads)

    def transform(self, X: Any) -> NDArray[Any]:
        """Return the distances to all centroids, shape (n_samples, n_clusters).

        They are float32 for float32 and float16 X, else float64. X and errors as in `predict`.
        """
        check_is_fitted(self)
        return _predict.transform(wrap(self, X), self.cluster_centers_, self.n_threads)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the weighted sum of squared distances to the nearest centroids; X and errors as in `predict`."""
        check_is_fitted(self)
        samples = wrap(self, X)
        weight = as_weight(sample_weight, samples.n_samples)
        return -_predict.inertia(samples, self.cluster_centers_, weight, self.n_threads)

    def __sklearn_tags__(self) -> Any:
        """Say that `transform` keeps float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`, for ClassNamePrefixFeaturesOutMixin."""
        return len(self.cluster_centers_)


def checked(estimator: Any, X: Any, sample_weight: Any) -> tuple[Samples, Floats | None]:
    """Wrap the X of a fit, and check that it has samples of positive weight for all clusters."""
    samples = wrap(estimator, X, reset=True)
    weight = as_weight(sample_weight, samples.n_samples)
    check_n_clusters(estimator.n_clusters, samples.n_samples, weight)
    return samples, weight


def generator(random_state: Any) -> np.random.Generator:
    """Return the generator of a fit; as in scikit-learn, None draws from NumPy's global state."""
    return as_generator(np.random if random_state is None else random_state)


def wrap(estimator: Any, X: Any, *, reset: bool = False) -> Samples:
    """Wrap X; set or check the estimator's n_features_in_ and feature_names_in_."""
    samples = as_samples(X)
    n_features = samples.n_features
    unnamed = type(X) is np.ndarray and not hasattr(estimator, "feature_names_in_")
    if unnamed and (reset or n_features == getattr(estimator, "n_features_in_", n_features)):
        estimator.n_features_in_ = n_features  # as validate_data does, in a twentieth of its time
    else:
        _check_names(estimator, samples, reset)
    return samples


def _check_names(estimator: Any, samples: Samples, reset: bool) -> None:
    """Set or check the names of the features, scikit-learn's way; those of a file, which it does not know, our own."""
    X, names = samples.original, samples.feature_names
    if X is not samples.source or names is None:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    elif reset:
        estimator.n_features_in_, estimator.feature_names_in_ = samples.n_features, np.array(names, object)
    elif names != list(fitted := getattr(estimator, "feature_names_in_", names)):
        raise ValueError(f"The feature names should match those that were passed during fit: {names} != {fitted}.")


def with_random_state(init: Callable[..., Any]) -> Callable[..., Any]:
    """Call `init` as scikit-learn does: with an array, and a RandomState (on the same numbers)."""

    def start(X: Any, n_clusters: int, random_state: np.random.Generator) -> Any:
        legacy = np.random.RandomState(random_state.bit_generator)
        return init(np.asarray(X), n_clusters, random_state=legacy)

    return start
