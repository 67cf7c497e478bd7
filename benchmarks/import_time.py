"""How long ``import kmeans_fast`` takes beside ``import numpy``, each in fresh processes."""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import Any

from .machine import child_command, child_environment

TARGET = 1.3  # promised: no more than 1.3 x import numpy
REPEATS = 15


def main() -> None:
    """Child: time one import; kmeans_fast brings NumPy with it."""
    name = sys.argv[1]
    start = perf_counter()
    module = __import__(name)
    seconds = perf_counter() - start
    print(seconds, module.__version__)  # a bare folder imports too, and has no version


def import_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Import both in turn and return a line of text and its record."""
    seconds: dict[str, list[float]] = {"numpy": [], "kmeans_fast": []}
    for _ in range(options.repeats or REPEATS):
        for name in seconds:
            child = subprocess.run(
                **child_command("import_time", name),
                env=child_environment(options.threads),
                capture_output=True,
                text=True,
            )
            if child.returncode:
                return f"import {name} failed: {child.stderr.strip().splitlines()[-1]}", []
            seconds[name].append(float(child.stdout.split()[0]))
    numpy, ours = median(seconds["numpy"]), median(seconds["kmeans_fast"])
    verdict = "met" if ours <= TARGET * numpy else "missed"
    text = (
        f"import kmeans_fast {1e3 * ours:.1f} ms, import numpy {1e3 * numpy:.1f} ms, "
        f"ratio {ours / numpy:.2f} (promised <= {TARGET}: {verdict})"
    )
    return text, [{"seconds": seconds, "ratio": ours / numpy, "target": TARGET, "verdict": verdict}]
