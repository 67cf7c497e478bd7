"""Trials of reading: any bytes give a value or an error that names the file, soon and in memory that the file is worth.

Here files are those of mutations.py, the same for a seed; explore.py lets atheris find others. TMPDIR in memory is much
faster.
"""

from __future__ import annotations

import random
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import mutations
import numpy as np
import seeds
from campaign import Step, Trial, folder

import kmeans_fast
from kmeans_fast import _atomic, _checkpoint, sources
from kmeans_fast._reading import read_blocks
from kmeans_fast.files import FileError, load_model, model, preparation, raw, read_points
from kmeans_fast.files.preparation import Wish

SECONDS = 5.0  # of CPU for one file
MARGIN, PER_BYTE = 32 << 20, 1 << 10  # bytes of memory for any file, and for one of its bytes
LONGEST = 1000  # characters of an error
ROWS = 4096  # of a block


@dataclass(frozen=True)
class Loader:
    """A kind of file: what reads it, good ones, and how bytes are framed so that more than the frame is looked at.

    Attributes
    ----------
    suffix : str
    reads : sequence of callable
        Each is given the path.
    seeds : callable
        Gives good files, without their frames.
    frame, seal : callable
        Make a file of bytes; and set right, in a whole file, the digest that a mutation broke.
    words : sequence of bytes
        What such files say.
    """

    suffix: str
    reads: Sequence[Callable[[Path], object]]
    seeds: Callable[[], list[bytes]]
    frame: Callable[[bytes], bytes] = bytes
    seal: Callable[[bytes], bytes] = bytes
    words: Sequence[bytes] = ()

    def check(self, path: Path, data: bytes) -> bool:
        """Read the bytes; say whether they were a good file to one of the readers."""
        path.write_bytes(data)
        good = False
        for read in self.reads:
            began = process_time()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                read(path)
                good = True
            except OSError:
                pass
            except ValueError as error:
                if type(error) not in (ValueError, FileError) or not _is_clear(str(error), path):
                    raise AssertionError(f"no clear error: {error!r}") from error
            took, held = process_time() - began, tracemalloc.get_traced_memory()[1] - before
            assert took < SECONDS, f"{took:.1f} s for {len(data)} bytes"
            assert held < MARGIN + PER_BYTE * len(data), f"{held} bytes of memory for {len(data)} of a file"
        return good


def _is_clear(said: str, path: Path) -> bool:
    return path.name in said and "\n" not in said and len(said) <= LONGEST


def _all(X: Any) -> None:
    """Read everything, in blocks where it is not an array."""
    if isinstance(X, np.ndarray):
        X.tobytes()
    else:
        for _ in read_blocks(X, np.dtype(np.float64), min(ROWS, max(X.shape[0], 1))):
            pass


def _points(path: Path, **how: Any) -> None:
    _all(read_points(path, **how).X)


def _opened(path: Path) -> None:
    _all(sources.find(path, "X"))


def _raw(path: Path) -> None:
    preparation.learn(raw.read_raw(str(path), None, None, None, None, None), Wish(one_hot=True))


def _resumed(path: Path) -> None:
    kmeans_fast.kmeans(seeds.fitted(), 4, checkpoint=path, checkpoint_every=1e9, **seeds.FIT)


def _parquet(path: Path) -> None:
    try:
        _opened(path)
    except TypeError as error:  # a column of something else, which `sources.parquet` promises
        raise ValueError(str(error)) from error


PLY_WORDS = (
    b"element vertex 3\n",
    b"property list uchar int i\n",
    b"element a 9\n",
    b"property float q\n",
    b"end_header\n",
)
LOADERS = {
    "model": Loader(".kmf", [load_model], seeds.model, partial(seeds.sealed, model.KIND), seeds.seal),
    "checkpoint": Loader(".ckpt", [_resumed], seeds.checkpoint, partial(seeds.sealed, _checkpoint.KIND), seeds.seal),
    "npy": Loader(
        ".npy", [_opened, _points], seeds.npy, seeds.framed_npy, words=(b"'<f8'", b"'|O'", b"'<U9'", b"(2, 2)", b"()")
    ),
    "npz": Loader(".npz", [_points], seeds.npy, seeds.framed_npz),
    "csv": Loader(
        ".csv",
        [_points, partial(_points, header=False, id_column="x0"), partial(_points, columns=["x"], weights="y"), _raw],
        seeds.csv,
        words=(b"\n", b"\r", b",", b";", b"\t", b'"', b'""', b"\n\n", b"\xff", b"\0", b"NA", b"x,y\n", b"\xef\xbb\xbf"),
    ),
    "parquet": Loader(
        ".parquet", [_parquet, _points, partial(_points, columns=["y"], id_column="x"), _raw], seeds.parquet
    ),
    "ply": Loader(".ply", [_opened, _points], seeds.ply, words=PLY_WORDS),
    "las": Loader(".las", [_opened, partial(_points, columns=["z", "intensity"])], seeds.las),
}


def begin(loader: Loader, path: Path, good: Sequence[bytes]) -> None:
    """Say nothing, wait for no disk, leave the machine some memory; read the good files, and import what they need."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (1 << 34, resource.RLIM_INFINITY))
    _atomic.os.fsync = lambda _: None  # type: ignore[assignment] # nobody cuts the power here
    for data in good:
        assert loader.check(path, loader.frame(data)), "a good file is refused"
    tracemalloc.start(1)


def fuzz(name: str) -> Callable[[int], Step]:
    """Files of one kind, mutated."""

    def start(seed: int) -> Step:
        loader = LOADERS[name]
        good, path = loader.seeds(), folder() / f"a{loader.suffix}"
        begin(loader, path, good)

        def step(case: int) -> bool:
            rng = random.Random(f"{seed} {case}")
            data = mutations.mutate(rng, rng.choice(good), rng.choice(good), loader.words)
            whole = loader.frame(data)
            if rng.random() < 0.25:
                whole = loader.seal(mutations.mutate(rng, whole, loader.frame(rng.choice(good)), loader.words))
            return loader.check(path, whole)

        return step

    return start


def _read(figures: Sequence[bool]) -> str:
    return f"{sum(figures)} read, {len(figures) - sum(figures)} refused in words"


TRIALS = [Trial(f"fuzz {name}", 100_000, fuzz(name), _read) for name in LOADERS]
