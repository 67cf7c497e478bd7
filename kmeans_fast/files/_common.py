"""What the readers and writers share: their error, their optional packages, their source.

Nothing here knows a file format.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .._need import need as need_with_extra
from .._need import one_line as one_line

LISTED = 20  # names quoted in one message; a wide file would fill the screen
LONGEST = 800  # characters of a message, which quotes names that may be anything


class FileError(ValueError):
    """A file's contents can't be used; the message is one line that names the file, a long one without its middle."""

    def __init__(self, message: str) -> None:
        half = LONGEST // 2
        super().__init__(message if len(message) <= LONGEST else f"{message[:half]} ... {message[-half:]}")


class UsageError(ValueError):
    """The options don't fit together; the message is one line."""


def need(module: str, purpose: str, extra: str = "cli") -> Any:
    """Import an optional package when it is used, or name the extra that brings it, which is `cli` for most here."""
    return need_with_extra(module, purpose, extra)


def listed(names: Iterable[str]) -> str:
    """Quote names for a message, the first 20 of them."""
    names = list(names)
    text = ", ".join(map(repr, names[:LISTED]))
    return text if len(names) <= LISTED else f"{text}, ... ({len(names)} in all)"


@dataclass(frozen=True)
class Source:
    """Where bytes come from: a file on disk, or what a pipe held, read once.

    A file is opened again by each reader (or mapped); a pipe can't be, so its bytes are kept.
    """

    name: str
    path: Path | None
    data: bytes = b""

    @classmethod
    def of(cls, where: str | os.PathLike[str] | Source) -> Source:
        """Return the source for a path, or for standard input when `where` is ``-``.

        Raises
        ------
        OSError
            If there is no such file, or it can't be read.
        FileError
            If it is a folder, or holds nothing.
        """
        if isinstance(where, Source):
            return where
        if where == "-":
            source = cls("standard input", None, sys.stdin.buffer.read())
        else:
            path = Path(where)
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode) and path.suffix.lower() == ".zarr":
                return cls(str(path), path)
            if stat.S_ISDIR(mode):
                raise FileError(f"{path} is a folder and must be a file.")
            # Not a regular file: a named pipe, or the shell's <(command).
            source = cls(str(path), path) if stat.S_ISREG(mode) else cls(str(path), None, path.read_bytes())
        if source.size == 0:
            raise FileError(f"{source.name} is empty.")
        return source

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data) if self.path is None else self.path.stat().st_size

    @property
    def suffix(self) -> str:
        """Extension in lower case, with its dot; empty for a pipe."""
        return "" if self.path is None else self.path.suffix.lower()

    def open(self) -> BinaryIO:
        """Open the bytes for reading, from the start."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")
