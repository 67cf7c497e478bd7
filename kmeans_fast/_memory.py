"""The one place that allocates: every buffer of a fit is made, counted and refused here.

Past a limit, arrays of an element a sample live in scratch files without a name, mapped; their pages leave the
process when `drop` is called, between blocks, and the system keeps in its cache what there is room for.
"""

from __future__ import annotations

import errno
import mmap
import os
import weakref
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

LIMIT, FOLDER = "KMEANS_FAST_MEMORY", "KMEANS_FAST_SCRATCH"  # environment variables
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SHARE, SHARE_OF_STREAM = 1 / 2, 1 / 64  # of the machine's memory, for X in memory and for X that is read as it goes
LEAST_LIMIT = 1 << 27
UNKNOWN_MEMORY = 1 << 33
COPY_BYTES = 1 << 23  # what of a mapped array is touched between two drops

Block = TypeVar("Block")


class Workspace:
    """Makes arrays and counts their bytes, so that a result can say what it took beyond X.

    Arrays of `n_samples` bytes or more are mapped from scratch files once memory holds `limit` bytes.
    """

    def __init__(self, n_samples: int = 0, limit: int | None = None) -> None:
        self.n_bytes = 0
        self.peak = 0
        self.n_samples, self.limit = n_samples, limit
        self._maps: list[weakref.ref[mmap.mmap]] = []

    @property
    def spilled(self) -> bool:
        """Whether any array is mapped from a scratch file."""
        return bool(self._maps)

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Allocate an array whose content is undefined.

        Raises
        ------
        MemoryError
            There is no room in memory.
        OSError
            There is none in the scratch folder, which it names.
        """
        n_bytes = (prod(shape) if isinstance(shape, tuple) else int(shape)) * np.dtype(dtype).itemsize
        total = self.n_bytes + n_bytes
        if self.limit is not None and total > self.limit and n_bytes >= max(self.n_samples, 1):
            array = self._mapped(n_bytes).view(dtype).reshape(shape)
        else:
            array = np.empty(shape, dtype)
        self.n_bytes = total
        if total > self.peak:
            self.peak = total
        return array

    def release(self, n_bytes: int) -> None:
        """Say that all but the first `n_bytes` are free again."""
        self.n_bytes = n_bytes

    def drop(self) -> None:
        """Let the pages of mapped arrays go: they are in their files, and come back when they are touched."""
        if self._maps and hasattr(mmap, "MADV_DONTNEED"):
            for held in self._maps:
                pages = held()
                if pages is not None:
                    pages.madvise(mmap.MADV_DONTNEED)

    def dropping(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the blocks, and drop after each."""
        for block in blocks:
            yield block
            self.drop()

    def copy(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        """Copy an array of an element a sample without having all its pages in memory."""
        step = max(COPY_BYTES // target.itemsize, 1)
        for start in range(0, len(target), step):
            target[start : start + step] = source[start : start + step]
            self.drop()

    def _mapped(self, n_bytes: int) -> NDArray[np.uint8]:
        pages = scratch(n_bytes)
        self._maps = [held for held in self._maps if held() is not None] + [weakref.ref(pages)]
        return np.frombuffer(pages, np.uint8)


def scratch(n_bytes: int) -> mmap.mmap:
    """Map a new file that has no name, and whose blocks are reserved: a full disk shows here, not at some write."""
    import tempfile  # loaded when it is used

    folder = scratch_folder() or tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=folder, prefix="kmeans_fast-") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            else:
                for start in range(0, n_bytes, COPY_BYTES):
                    file.write(bytes(min(COPY_BYTES, n_bytes - start)))
                file.flush()
            return mmap.mmap(file.fileno(), n_bytes)
    except OSError as error:
        what = "is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"failed ({error.strerror})"
        message = (
            f"the scratch folder {what}: {n_bytes} bytes were needed; "
            f"set {FOLDER} to another folder or {LIMIT} to more memory"
        )
        if error.errno == errno.EFBIG:  # no file holds so much, wherever it is
            raise MemoryError(f"{message}: {folder!r}") from None
        raise OSError(error.errno, message, folder) from None


def scratch_folder() -> str | None:
    """KMEANS_FAST_SCRATCH, TMPDIR, /var/tmp (on disk where /tmp is memory), or None: any folder."""
    last = "/var/tmp" if os.access("/var/tmp", os.W_OK) else None
    return os.environ.get(FOLDER) or os.environ.get("TMPDIR") or last


def memory_limit(stream: bool) -> int:
    """Bytes that arrays of an element a sample may take in memory.

    KMEANS_FAST_MEMORY ("700M", "2G", or bytes); by default 1/64 of the machine's memory if X is read from a file as the
    fit goes (128 MiB at the least), half of it if X is in memory itself.
    """
    given = os.environ.get(LIMIT)
    if given:
        number = given.strip().upper().removesuffix("B").removesuffix("I")
        unit = number[-1:] if number[-1:] in UNITS else ""
        try:
            return int(float(number.removesuffix(unit)) * UNITS[unit])
        except (ValueError, OverflowError):
            raise ValueError(f"{LIMIT}={given!r} must be a number of bytes, as in 700M or 2G.") from None
    return _default_limit(stream)


@lru_cache(2)
def _default_limit(stream: bool) -> int:
    return max(int(machine_memory() * (SHARE_OF_STREAM if stream else SHARE)), LEAST_LIMIT)


@lru_cache(1)
def machine_memory() -> int:
    """Bytes of memory of the machine, or of the container if that is less."""
    try:
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        most = UNKNOWN_MEMORY
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, encoding="ascii") as file:
                most = min(most, int(file.read()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return most
