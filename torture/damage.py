"""Trials of files: kills while they are written, disks that refuse, bytes that changed."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
from campaign import Exhausted, Skipped, Step, Trial, folder

from kmeans_fast.files import FileError, load_model, save_model
from kmeans_fast.files.arrays import write_npy
from kmeans_fast.files.outputs import Output
from kmeans_fast.files.tables import write_table

WRITING = 2  # of shim.c
LONGEST = 0.004  # seconds until a kill, at random: some ten files are written in that time


def _write_model(path: Path, version: int) -> None:
    save_model(np.full((300, 20), float(version)), path, overwrite=True, metadata={"version": version})


def _read_model(path: Path) -> int:
    model = load_model(path)
    version = int(model.metadata["version"])
    assert (model.centroids == version).all()
    return version


def _table(form: str) -> Callable[[Path, int], None]:
    def write(path: Path, version: int) -> None:
        with Output(str(path), form, force=True).open() as stream:
            if form == "npy":
                write_npy(stream, np.full((500, 3), version))
            else:
                write_table(stream, {"id": np.arange(500), "version": np.full(500, version)}, form)

    return write


# How a file that holds a number, its version, is written.
WRITERS: dict[str, Callable[[Path, int], None]] = {
    "model": _write_model,
    **{form: _table(form) for form in ("csv", "tsv", "npy", "parquet")},
}


def kills(seed: int) -> Step:
    """SIGKILL at any moment of writing leaves the old file or the new one."""
    if not hasattr(os, "fork"):
        raise Skipped("it needs fork")
    place, rng = folder(), np.random.default_rng(seed)
    path, latest = place / "model", 0
    _write_model(path, 0)

    def step(case: int) -> int:
        nonlocal latest
        before = latest
        child = os.fork()
        if child == 0:
            try:
                for version in range(before + 1, before + 10_000):
                    _write_model(path, version)
            finally:
                os._exit(1)
        sleep(rng.uniform(0.0, LONGEST))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "the child ended before it was killed"
        latest = _read_model(path)
        assert latest >= before
        left = [name for name in os.listdir(place) if name != path.name]
        for name in left:
            assert name.startswith(".kmeans-fast-"), name
            os.unlink(place / name)
        return len(left)

    return step


def _left(figures: Sequence[int]) -> str:
    return f"always the old or the new file; {sum(map(bool, figures))} kills hit a file half written beside it"


def full_disks(seed: int) -> Step:
    """Every call that writes fails once, with ENOSPC and EIO: the old file stays, and nothing beside it."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "torture_arm"):
        raise Skipped("shim.c is not loaded")
    library.torture_disarm.restype = ctypes.c_long
    place = folder()
    todo = ((name, code) for name in WRITERS for code in (errno.ENOSPC, errno.EIO))
    now: dict[str, Any] = {"at": next(todo), "nth": 0}

    def step(case: int) -> bool:
        (name, code), nth = now["at"], now["nth"]
        path, write, said = place / name, WRITERS[name], None
        if nth == 0:
            write(path, 1)  # and what is imported for it
        old = path.read_bytes()
        library.torture_arm(WRITING, nth, code)
        try:
            write(path, 2)
        except OSError as error:
            said = error
        finally:
            seen = library.torture_disarm()
        now["nth"] += 1
        assert os.listdir(place) == [name], os.listdir(place)
        if said is None:
            # The name is on the disk, or the folder's own sync failed, which the file has survived.
            assert path.read_bytes() != old
            write(path, 1)
        else:
            assert said.errno == code, said
            assert path.read_bytes() == old, f"{name}: the old file is gone"
        if seen <= nth:
            assert said is None
            path.unlink()
            now["at"], now["nth"] = next(todo, None), 0
            if now["at"] is None:
                raise Exhausted
        return said is not None

    return step


def _refused(figures: Sequence[bool]) -> str:
    return f"{sum(figures)} OSErrors, the old file intact; {len(figures) - sum(figures)} of no consequence"


def flips(seed: int) -> Step:
    """Every truncation and every flipped bit of a model file is an error that says so."""
    path = folder() / "model"
    rng = np.random.default_rng(seed)
    save_model(rng.random((9, 7), np.float32), path, feature_names=list("abcdefg"), metadata={"inertia": 0.5})
    whole = path.read_bytes()

    def step(case: int) -> None:
        if case >= 9 * len(whole):
            raise Exhausted
        if case < len(whole):
            damaged = whole[:case]
        else:
            at, bit = divmod(case - len(whole), 8)
            damaged = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
        path.write_bytes(damaged)
        try:
            load_model(path)
        except FileError:
            return
        raise AssertionError(f"case {case} went unnoticed")

    return step


TRIALS = [
    Trial("kills while writing", 1_000, kills, _left),
    Trial("failing writes", 1, full_disks, _refused, preload=True, exhaustive=True),
    Trial("damaged models", 1, flips, exhaustive=True),
]
