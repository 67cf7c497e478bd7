"""The model file: what `predict` needs, without pickle, and never half read.

The layout is that of `_sealed`, schema 1, or 2 with a preparation, which a reader must not overlook. The header has the
keys of `_HEADER_KEYS`; the one array holds the centroids: k*d float32 or float64.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._atomic import naming, replacing
from .._sealed import Kind
from .._validate import as_floats, check_finite
from ._common import FileError, Source, one_line

SCHEMA, PREPARED = 1, 2
KIND = Kind(b"\x89KMF\r\n\x1a\n", "model file", (SCHEMA, PREPARED), 1 << 32)  # 4 GiB
_DTYPES: dict[str, np.dtype[Any]] = {"<f4": np.dtype("<f4"), "<f8": np.dtype("<f8")}
_HEADER_KEYS = {"dtype", "feature_names", "metadata", "n_clusters", "n_features"}


@dataclass(frozen=True, eq=False)
class Model:
    """Centroids and what is known about them.

    Attributes
    ----------
    centroids : ndarray of shape (n_clusters, n_features), float32 or float64
    feature_names : tuple of str or None
        None where the points had no names.
    metadata : dict
        Anything JSON holds: inertia, n_iter, version ...
    preparation : dict or None
        What points must undergo first, as `Preparation.plain` gives it; the centroids are those of points after it.
    """

    centroids: npt.NDArray[Any]
    feature_names: tuple[str, ...] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    preparation: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        centroids = self.centroids
        if centroids.ndim != 2 or 0 in centroids.shape:
            raise ValueError(f"centroids has shape {centroids.shape} and must be (n_clusters >= 1, n_features >= 1).")
        check_finite(centroids, "centroids")
        names = self.feature_names
        if names is not None and len(names) != centroids.shape[1]:
            raise ValueError(f"feature_names has {len(names)} entries and must have n_features={centroids.shape[1]}.")


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    *,
    feature_names: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    preparation: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    model : Model, KMeansResult, KMeans or array of shape (n_clusters, n_features)
        What was fitted on named columns also gives their names.
    path : str or path-like
    feature_names : sequence of str, optional
    metadata : mapping, optional
        Kept as it is; JSON must hold it.
    preparation : mapping, optional
        See `Model`.
    overwrite : bool, default=False

    Raises
    ------
    ValueError
        If the centroids aren't a finite 2-D array, or the file would pass its size limit.
    OSError
        If `path` exists and `overwrite` is false, or can't be written.
    """
    if isinstance(model, Model):
        metadata = model.metadata if metadata is None else metadata
        preparation = model.preparation if preparation is None else preparation
    if feature_names is None:
        feature_names = getattr(model, "feature_names", getattr(model, "feature_names_in_", None))
    centroids = getattr(model, "centroids", getattr(model, "cluster_centers_", model))
    if getattr(centroids, "dtype", None) != np.float32:
        centroids = as_floats(centroids, "model")
    dtype = "<f4" if centroids.dtype == np.float32 else "<f8"
    centroids = np.ascontiguousarray(centroids, _DTYPES[dtype])
    names = None if feature_names is None else tuple(str(name) for name in feature_names)
    checked = Model(centroids, names)
    header = {
        "dtype": dtype,
        "feature_names": checked.feature_names,
        "metadata": dict(metadata or {}),
        "n_clusters": centroids.shape[0],
        "n_features": centroids.shape[1],
        **({} if preparation is None else {"preparation": preparation}),
    }
    schema = SCHEMA if preparation is None else PREPARED
    text = KIND.encode(header, centroids.nbytes)
    with replacing(path, overwrite=overwrite) as stream:
        KIND.write(stream, schema, text, [centroids])


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Parameters
    ----------
    path : str or path-like
        ``-`` reads standard input.

    Returns
    -------
    Model

    Raises
    ------
    FileError
        If it isn't a model file of a schema known here, or any byte isn't as it was written.
    OSError
        If it can't be read.
    """
    source = Source.of(path)
    with naming(source.name), source.open() as stream:
        try:
            schema, text, data = KIND.read(stream, source.size, source.name)
        except ValueError as error:
            raise FileError(str(error)) from None
    try:
        return _decode(text, data, {"preparation"} if schema == PREPARED else set())
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise FileError(f"{source.name} has a header that makes no sense: {one_line(error)}") from None


def _decode(text: bytes, data: bytes, more: set[str]) -> Model:
    """Build the model of an intact file; its header may still be nonsense written on purpose."""
    header = json.loads(text)
    if not isinstance(header, dict) or header.keys() != _HEADER_KEYS | more:
        raise ValueError(f"it must have the keys {sorted(_HEADER_KEYS | more)}.")
    shape = header["n_clusters"], header["n_features"]
    names, metadata = header["feature_names"], header["metadata"]
    if any(type(length) is not int or length < 1 for length in shape):
        raise ValueError(f"shape {shape} must be positive integers.")
    if not isinstance(header["dtype"], str) or header["dtype"] not in _DTYPES:
        raise ValueError(f"dtype {header['dtype']!r} must be one of {list(_DTYPES)}.")
    dtype = _DTYPES[header["dtype"]]
    if shape[0] * shape[1] * dtype.itemsize != len(data):
        raise ValueError(f"shape {shape} doesn't fit {len(data)} bytes of centroids.")
    if not isinstance(metadata, dict):
        raise ValueError("metadata must be an object.")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ValueError("feature_names must be null or strings.")
    # A copy in the machine's own byte order, writable, which the kernels can use.
    centroids = np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    preparation: Any = header.get("preparation")
    if more:
        from .preparation import Preparation  # which reads files by this package

        made = Preparation.of(preparation)
        if len(made.feature_names) != shape[1]:
            raise ValueError(f"its preparation gives {len(made.feature_names)} features and must give {shape[1]}.")
    return Model(centroids, None if names is None else tuple(names), metadata, preparation)
