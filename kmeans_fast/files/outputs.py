"""The files a command will write: planned and checked before the work, opened after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .._atomic import check_target, naming, replacing
from ._common import UsageError, need

TABLES = ("csv", "tsv", "parquet", "json")
ARRAYS = ("npy",)
IMAGES = ("png", "jpg", "bmp", "tif", "webp")
CLOUDS = ("las", "laz", "ply")
LABEL = "cluster"  # the dimension or property that a cloud gains
PAGES = ("html",)
PLOTS = ("png", "svg", "pdf")
PACKAGES = {**dict.fromkeys(("csv", "tsv", "parquet"), "pyarrow"), **dict.fromkeys(IMAGES, "PIL")}
_SAME = {"tab": "tsv", "txt": "csv", "pq": "parquet", "jpeg": "jpg", "tiff": "tif"}


@dataclass(frozen=True)
class Output:
    """One file to write, or standard output.

    Attributes
    ----------
    path : str
        ``-`` is standard output.
    form : str
        The format, one of the tuples above.
    force : bool
        Whether an existing file may be replaced.
    """

    path: str
    form: str
    force: bool = False

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for writing: a file appears whole at the end, a pipe as it is written."""
        if self.path == "-":
            with naming("standard output"):
                yield sys.stdout.buffer
                sys.stdout.buffer.flush()
        else:
            with replacing(self.path, overwrite=self.force) as stream:
                yield stream


def plan(
    option: str,
    path: str | None,
    forms: Iterable[str] | None,
    form: str | None = None,
    force: bool = False,
) -> Output | None:
    """Decide how `path` will be written, and refuse now what would fail after the work.

    Parameters
    ----------
    option : str
        What a message calls it.
    path : str or None
        None plans nothing; ``-`` is standard output, CSV unless `form` says otherwise.
    forms : iterable of str or None
        The formats that make sense; None asks for a file of our own format, whatever its name.
    form : str, optional
        The format, whatever the extension.

    Raises
    ------
    UsageError
        If the format isn't known, makes no sense here, or has no file.
    OSError
        If the file exists and `force` is false, or can't be written.
    ImportError
        If the package that writes the format isn't installed.
    """
    if path is None:
        if form is not None:
            raise UsageError(f"--format {form} needs {option}.")
        return None
    known = ""
    if forms is not None:
        asked = form or ("csv" if path == "-" else Path(path).suffix.lstrip("."))
        known = _SAME.get(asked.lower(), asked.lower())
        forms = tuple(forms)
        if known not in forms:
            raise UsageError(f"{option} {path}: format {asked!r} must be one of {', '.join(forms)}.")
    elif path == "-":
        raise UsageError(f"{option} must be a file, not standard output.")
    if path != "-":
        try:
            check_target(path, overwrite=force)
        except FileExistsError:
            raise FileExistsError(f"{path} exists; --force overwrites it.") from None
    if known in PACKAGES and option != "--plot":
        need(PACKAGES[known], f"{option} {path}")
    return Output(path, known, force)


def check_distinct(outputs: Iterable[Output | None]) -> None:
    """Refuse two outputs in one place.

    Raises
    ------
    UsageError
        If two outputs are the same file, or both are standard output.
    """
    seen = set()
    for output in outputs:
        if output is not None:
            place = output.path if output.path == "-" else os.path.realpath(output.path)
            if place in seen:
                raise UsageError(f"two outputs can't both go to {output.path}.")
            seen.add(place)
