"""Files that atheris finds by the lines of Python they reach: `python torture/explore.py csv folder -runs=100000`.

It goes on with the files in the folder, puts there what reaches more, and takes libFuzzer's options. What is watched
must be imported here, which is why the trials of fuzz.py are elsewhere.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris
import mutations

WATCHED = ["kmeans_fast", "numpy.lib", "zipfile", "json", "csv", "laspy"]
OURS = 0.5  # of the mutations; the others are libFuzzer's

with atheris.instrument_imports(include=WATCHED):
    import fuzz


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    name, found, *options = sys.argv[1:]
    loader, path = fuzz.LOADERS[name], fuzz.folder() / f"a{fuzz.LOADERS[name].suffix}"
    seeds = loader.seeds()
    for number, data in enumerate(seeds):
        Path(found, f"seed-{number}").write_bytes(data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < OURS:
            return mutations.mutate(rng, data, rng.choice(seeds), loader.words)[:most]
        mutated: bytes = atheris.Mutate(data, most)
        return mutated

    fuzz.begin(loader, path, seeds)
    atheris.Setup(
        [sys.argv[0], *options, found], lambda data: loader.check(path, loader.frame(data)), custom_mutator=mutate
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
