"""Trials of files: kills while they are written, disks that refuse, bytes that changed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
from campaign import Exhausted, Skipped, Step, Trial, folder

from kmeans_fast._checkpoint import Checkpoint
from kmeans_fast.files import load_model, save_model
from kmeans_fast.files.arrays import write_npy
from kmeans_fast.files.outputs import Output
from kmeans_fast.files.tables import write_table

WRITING = 2  # of shim.c
EXCUSED = "error closing file"  # pyarrow, of what it has read: it keeps no errno
LONGEST = 0.004  # seconds until a kill, at random: some ten files are written in that time


def _write_model(path: Path, version: int, rows: int = 300) -> None:
    save_model(np.full((rows, 20), float(version)), path, overwrite=True, metadata={"version": version})


def _read_model(path: Path) -> int:
    model = load_model(path)
    version = int(model.metadata["version"])
    assert (model.centroids == version).all()
    return version


def _write_checkpoint(path: Path, version: int, rows: int = 300) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # which is all that a fit says of a disk that refuses
        Checkpoint(path, 0.0, {}).save({"version": version}, {"centroids": np.full((rows, 20), float(version))})


def _read_checkpoint(path: Path) -> int:
    found = Checkpoint(path, 0.0, {}).load()
    assert found is not None
    version = int(found[0]["version"])
    assert (found[1]["centroids"] == version).all()
    left = [name for name in os.listdir(path.parent) if name != path.name]
    assert not left, f"a half written file stays: {left}"
    return version


# Files that are read back: how each is written, with a number, its version, and read.
SEALED: dict[str, tuple[Callable[..., None], Callable[[Path], int]]] = {
    "model": (_write_model, _read_model),
    "checkpoint": (_write_checkpoint, _read_checkpoint),
}


def _table(form: str) -> Callable[[Path, int], None]:
    def write(path: Path, version: int) -> None:
        with Output(str(path), form, force=True).open() as stream:
            if form == "npy":
                write_npy(stream, np.full((500, 3), version))
            else:
                write_table(stream, {"id": np.arange(500), "version": np.full(500, version)}, form)

    return write


def _command(*words: str) -> Callable[[Path, int], None]:
    """Run a command that writes to a path; the version is its seed, and the number of clusters."""

    def write(path: Path, version: int) -> None:
        from kmeans_fast.cli import app

        given = [*words, str(path), "--force", "--quiet", "-k", str(1 + version), "--seed", str(version)]
        sys.argv[1:] = given  # which a report quotes
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = app(given, standalone_mode=False)
        if code:
            raise _Refused(code, said.getvalue())

    return write


class _Refused(Exception):
    """A command that did not end well: its exit code, and what it said."""


# How files that hold their version are written.
WRITERS: dict[str, Callable[[Path, int], None]] = {
    **{name: write for name, (write, _) in SEALED.items()},
    **{form: _table(form) for form in ("csv", "tsv", "npy", "parquet", "json")},
}


def _commands() -> dict[str, Callable[[Path, int], None]]:
    """Say how the commands write what is no table: pictures, plots, a page; and a list of records."""
    from PIL import Image

    place, rng = folder(), np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(place / "in.png")
    np.savetxt(place / "in.csv", rng.random((60, 2)), delimiter=",")
    points, picture = str(place / "in.csv"), str(place / "in.png")
    return {
        "labels.json": _command("cluster", points, "-o"),
        "summary.json": _command("cluster", points, "--summary"),
        **{f"out.{form}": _command("cluster", picture, "-o") for form in ("png", "jpg", "bmp", "tif", "webp")},
        **{f"plot.{form}": _command("cluster", points, "--plot") for form in ("png", "svg", "pdf")},
        "report.html": _command("report", points, "-o"),
    }


def kills(name: str, seed: int) -> Step:
    """SIGKILL at any moment of writing leaves the old file or the new one."""
    if not hasattr(os, "fork"):
        raise Skipped("it needs fork")
    place, rng = folder(), np.random.default_rng(seed)
    path, latest, (write, read) = place / name, 0, SEALED[name]
    write(path, 0)

    def step(case: int) -> int:
        nonlocal latest
        before = latest
        child = os.fork()
        if child == 0:
            try:
                for version in range(before + 1, before + 10_000):
                    write(path, version)
            finally:
                os._exit(1)
        sleep(rng.uniform(0.0, LONGEST))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "the child ended before it was killed"
        left = [name for name in os.listdir(place) if name != path.name]
        latest = read(path)
        assert latest >= before
        for beside in left:
            assert beside.startswith(".kmeans-fast-"), beside
            (place / beside).unlink(missing_ok=True)
        return len(left)

    return step


def _left(figures: Sequence[int]) -> str:
    return f"always the old or the new file; {sum(map(bool, figures))} kills hit a file half written beside it"


def full_disks(writers: Callable[[], dict[str, Callable[[Path, int], None]]], seed: int) -> Step:
    """Every call that writes fails once, with ENOSPC and EIO: the old file stays, and nothing beside it."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "torture_arm"):
        raise Skipped("shim.c is not loaded")
    library.torture_disarm.restype = ctypes.c_long
    place, writing = folder(), writers()
    todo = ((name, code) for name in writing for code in (errno.ENOSPC, errno.EIO))
    now: dict[str, Any] = {"at": next(todo), "nth": 0}

    def step(case: int) -> bool:
        (name, code), nth = now["at"], now["nth"]
        path, write, said = place / name, writing[name], None
        if nth == 0:
            write(path, 1)  # and what is imported for it
        old = path.read_bytes()
        library.torture_arm(WRITING, nth, code)
        try:
            write(path, 2)
        except (OSError, RuntimeWarning, _Refused) as error:
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
            assert os.strerror(code) in str(said) or EXCUSED in str(said), said
            assert path.read_bytes() == old, f"{name}: the old file is gone"
            if isinstance(said, _Refused):
                code, line = said.args
                assert code == 1
                assert line.startswith("kmeans-fast: /"), line
                assert ".tmp" not in line, line
                assert line.count("\n") == 1, line
        if seen <= nth:
            assert said is None
            path.unlink()
            now["at"], now["nth"] = next(todo, None), 0
            if now["at"] is None:
                raise Exhausted
        return said is not None

    return step


def _refused(figures: Sequence[bool]) -> str:
    return f"{sum(figures)} errors, the old file intact; {len(figures) - sum(figures)} of no consequence"


def flips(name: str, seed: int) -> Step:
    """Every truncation and every flipped bit of a file is an error that says so."""
    path, (write, read) = folder() / name, SEALED[name]
    write(path, seed, 2)
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
        said = ""
        try:
            read(path)
        except ValueError as error:
            said = str(error)
        assert said.startswith(str(path)), said or "it went unnoticed"

    return step


TRIALS = [
    *(Trial(f"kills: {name}", 1_000, partial(kills, name), _left) for name in SEALED),
    Trial("failing writes", 1, partial(full_disks, lambda: WRITERS), _refused, preload=True, exhaustive=True),
    Trial("failing writes of commands", 1, partial(full_disks, _commands), _refused, preload=True, exhaustive=True),
    *(Trial(f"damaged {name}", 1, partial(flips, name), exhaustive=True) for name in SEALED),
]
