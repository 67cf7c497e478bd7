"""One file that says where long work stands: saved every so many seconds, whole or not at all, and read back once.

Nothing here knows k-means; `_resume.py` says what a fit saves. Any long work uses it alike::

    checkpoint = Checkpoint(path, every, {"n_samples": n, "X": digest(...), ...})  # what must be the same to go on
    found = checkpoint.load()  # (state, arrays), or None: no such file; ValueError: damaged, or of another problem
    while ...:
        if checkpoint.due():
            checkpoint.save(state, arrays)  # plain values that JSON holds, and named arrays

A disk that refuses costs a warning, not the work: the file stays as it was before.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._atomic import check_target, replacing
from ._log import log
from ._sealed import Kind

Arrays = dict[str, NDArray[Any]]

SCHEMA = 1
KIND = Kind(b"\x89KMC\r\n\x1a\n", "checkpoint", (SCHEMA,), 1 << 36)  # 64 GiB
DIGEST = "sha256:"
DTYPES = ("<f8", "<f4", "<i8", "<i4")


class Checkpoint:
    """A file that work is saved to and resumed from.

    Parameters
    ----------
    path : str or path-like
        Links are followed; the folder must be there and writable.
    every : float
        Seconds between two savings; 0 saves whenever there is something to save.
    problem : dict
        Plain values that say what is worked on: another problem's file is refused, and the message names the first one
        that differs.

    Raises
    ------
    OSError
        If `path` can't be written.
    """

    def __init__(self, path: str | os.PathLike[str], every: float, problem: Mapping[str, Any]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"checkpoint={path!r} must be a path.")
        self.path, self.every, self.problem = check_target(path, overwrite=True), every, dict(problem)
        self.mark = hashlib.sha256(os.fsencode(self.path.name)).hexdigest()[:8] + "-"
        self.saved = perf_counter()

    def load(self) -> tuple[dict[str, Any], Arrays] | None:
        """Return the state and the arrays saved last, or None where there is no file.

        Raises
        ------
        ValueError
            If the file is no checkpoint, damaged, or of another problem.
        """
        for left in self.path.parent.glob(f".kmeans-fast-{self.mark}*.tmp"):  # by a kill amid a saving
            with suppress(OSError):
                left.unlink()
        if not self.path.exists():
            return None
        problem, state, arrays = read(self.path)
        for name in self.problem | problem:
            there, here = problem.get(name), self.problem.get(name)
            if there != here:
                unreadable = str(here).startswith(DIGEST) and str(there).startswith(DIGEST)
                differs = (
                    f"{name} differs" if unreadable else f"{name:.50} is {there!r:.200} there and {here!r:.200} here"
                )
                raise ValueError(f"checkpoint {self.path} is of another problem: {differs}; delete it to start anew.")
        log.info("resumed from %s", self.path)
        return state, arrays

    def due(self) -> bool:
        """Say whether it is time to save."""
        return perf_counter() - self.saved >= self.every

    def save(self, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Replace the file; warn, and say no, where the disk refuses."""
        began = perf_counter()
        little = {name: np.ascontiguousarray(a, a.dtype.newbyteorder("<")) for name, a in arrays.items()}
        table = [[name, a.dtype.str, a.shape] for name, a in little.items()]
        n_bytes = sum(a.nbytes for a in little.values())
        text = KIND.encode({"problem": self.problem, "state": dict(state), "arrays": table}, n_bytes)
        try:
            with replacing(self.path, overwrite=True, mark=self.mark) as stream:
                KIND.write(stream, SCHEMA, text, little.values())
        except OSError as error:
            message = f"checkpoint {self.path} could not be written: {error.strerror or error}. The work goes on"
            kept = "; the checkpoint before is as it was." if self.path.exists() else "."
            warnings.warn(message + kept, RuntimeWarning, stacklevel=2)
            return False
        finally:
            self.saved = perf_counter()
        log.info("checkpoint %s written: %d bytes in %.3f s", self.path, n_bytes, self.saved - began)
        return True


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any], Arrays]:
    """Return problem, state and arrays of a checkpoint; ValueError where it is damaged or makes no sense."""
    with open(path, "rb") as stream:
        _, text, data = KIND.read(stream, os.fstat(stream.fileno()).st_size, str(path))
    try:
        header = json.loads(text)
        if not isinstance(header, dict) or header.keys() != {"problem", "state", "arrays"}:
            raise ValueError("it must have the keys arrays, problem, state.")
        if not isinstance(header["problem"], dict) or not isinstance(header["state"], dict):
            raise ValueError("problem and state must be objects.")
        return header["problem"], header["state"], _split(header["arrays"], data)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} has a header that makes no sense: {error!s:.300}") from None


def _split(table: Any, data: bytes) -> Arrays:
    """Cut the bytes into arrays, of the machine's own byte order and writable."""
    arrays: Arrays = {}
    at = 0
    for name, dtype, shape in table:
        if dtype not in DTYPES or not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError(
                f"{name!r:.50} must be an array of {', '.join(DTYPES)}, not {dtype!r:.50} of shape {shape!r:.50}."
            )
        count = 1
        for length in shape:
            count *= length  # of Python's integers, which don't overflow
        size = count * int(dtype[-1])
        if at + size > len(data):
            break
        part = np.frombuffer(data, dtype, count, at).reshape(shape)
        arrays[name], at = part.astype(part.dtype.newbyteorder("=")), at + size
    if len(arrays) != len(table) or at != len(data):
        raise ValueError(f"its arrays don't add up to {len(data)} bytes.")
    return arrays


def digest(*parts: Any) -> str:
    """Return a short name for arrays, bytes or plain values, by which a problem is known again."""
    made = hashlib.sha256()
    for part in parts:
        made.update(np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return DIGEST + made.hexdigest()[:32]
