"""HDF5 and Zarr on the command line: arrays that are read in blocks when they are used."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..sources import hdf5, zarr
from ..sources._selected import Selected
from ..sources._sliced import Sliced
from ._common import FileError, Source
from .points import Columns, Points, choose, default_names


def read_stored(source: Source, wanted: Columns, kind: str, dataset: str | None) -> Points:
    """Open an array of an HDF5 file or a Zarr store.

    Raises
    ------
    FileError
        If it comes by a pipe, is damaged, or it isn't clear which array is meant; or as `choose`.
    """
    if source.path is None:
        raise FileError(f"{source.name} can't be read as {kind}: it must be a file.")
    try:
        array = (hdf5 if kind == "hdf5" else zarr)(source.path, dataset)
    except ValueError as error:
        raise FileError(str(error).replace("dataset=", "--dataset")) from None
    if len(array.shape) != 2 or array.dtype.kind not in "fiub":
        raise FileError(
            f"{source.name} has an array of shape {array.shape} and dtype {array.dtype}; it must be (n_samples, "
            "n_features) of real numbers."
        )
    X = Sliced(array)
    names = default_names(X.shape[1])
    features, ids, weights = choose(names, wanted, source.name, named=False)
    chosen = X if features == list(range(X.shape[1])) else Selected(X, features)

    def column(i: int | None) -> npt.NDArray[Any] | None:
        return None if i is None else np.asarray(Selected(X, [i]))[:, 0]

    return Points(chosen, [names[i] for i in features], False, column(ids), column(weights))
