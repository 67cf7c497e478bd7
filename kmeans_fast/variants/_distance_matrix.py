"""A matrix of distances at the boundary: checked block by block, copied only if its dtype or layout asks for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 64
SYMMETRIC = 1e-5  # of the largest distance: what may lie between d(i, j) and d(j, i); rounding in float32 is 1e-7


def as_distances(X: Any) -> NDArray[Any]:
    """Return a checked square matrix; C-ordered native float32 and float64 is not copied."""
    matrix = np.asarray(X)
    if matrix.dtype.kind not in "fiub":
        matrix = matrix.astype(np.float64)
    dtype = np.dtype(np.float32 if matrix.dtype.itemsize == 4 and matrix.dtype.kind == "f" else np.float64)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"X has shape {matrix.shape} and must be square for metric='precomputed'.")
    matrix = np.ascontiguousarray(matrix, dtype)
    check_distances(matrix, "X")
    return matrix


def check_distances(matrix: NDArray[Any], name: str, *, square: bool = True) -> None:
    """Name the first entry that no distance can be; only a square matrix has a diagonal and is symmetric."""
    largest = 0.0
    for start in range(0, len(matrix), BLOCK_ROWS):
        rows = matrix[start : start + BLOCK_ROWS]
        _refuse(~np.isfinite(rows), rows, start, name, "must be finite")
        _refuse(rows < 0, rows, start, name, "must be >= 0")
        largest = max(largest, float(rows.max(initial=0.0)))
    if not square:
        return
    slack = SYMMETRIC * largest
    diagonal = np.abs(matrix.diagonal()) > slack
    if diagonal.any():
        i = int(diagonal.argmax())
        raise ValueError(f"{name} has {matrix[i, i]} in row {i}, column {i}; the diagonal must be zero.")
    for start in range(0, len(matrix), BLOCK_ROWS):
        stop = start + BLOCK_ROWS
        rows = matrix[start:stop, start:]
        mirrored = matrix[start:, start:stop].T
        wrong = np.abs(rows - mirrored) > slack
        if wrong.any():
            row, column = (start + int(i) for i in np.argwhere(wrong)[0])
            raise ValueError(
                f"{name} has {matrix[row, column]} in row {row}, column {column}, but {matrix[column, row]} in row "
                f"{column}, column {row}; distances must be symmetric."
            )


def _refuse(wrong: NDArray[np.bool_], rows: NDArray[Any], start: int, name: str, rule: str) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        hint = "; drop points that no path joins" if np.isposinf(rows[row, column]) else ""
        raise ValueError(
            f"{name} has {rows[row, column]} in row {start + row}, column {column}; distances {rule}{hint}."
        )
