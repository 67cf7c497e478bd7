"""Start a benchmark module in a child process: ``python launch.py MODULE``, from any folder.

The repository root must not come first on the path: its ``kmeans_fast`` folder, uncompiled, would
hide the installed package. So ``benchmarks`` is loaded from its file, and the root goes last, where
it serves a tree that was built in place and never installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Import ``benchmarks.MODULE`` and run its ``main()``."""
    here = {str(FOLDER), str(FOLDER.parent), ""}
    sys.path[:] = [entry for entry in sys.path if entry not in here] + [str(FOLDER.parent)]
    spec = importlib.util.spec_from_file_location(
        "benchmarks", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"benchmarks={FOLDER} must hold an __init__.py.")
    package = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = package
    spec.loader.exec_module(package)
    importlib.import_module(f"benchmarks.{sys.argv.pop(1)}").main()


if __name__ == "__main__":
    main()
