"""How near the assignment kernels come to the machine: their share of peaks measured here and now.

The peaks and the kernels are C programs, compiled into a temporary folder with the compiler of the
environment variable CC (cc by default). The bound of a row is the larger of the bytes of X over the
read bandwidth and the least arithmetic over its measured peak.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .cases import Case, quick, select
from .machine import cpu_flags
from .peak_loops import c_source, here, loops
from .tables import align, milliseconds

C_FOLDER = Path(__file__).resolve().parent / "c"
KMF_FOLDER = C_FOLDER.parent.parent / "src" / "kmf"
FLAGS = ("-O3", "-std=gnu11", "-pthread")
LARGEST_MIX = 32  # features above which the argmin's share of the arithmetic vanishes
FMA_TARGET, BOUND_TARGET = 0.85, 0.80  # promised shares, see Assignment.verdict
DENSE_FEATURES, DENSE_CLUSTERS = 32, 64  # from here on the share of the FMA peak is promised
Peaks = dict[tuple[str, str, str, int], float]
HEADER = ("row", "isa", "threads", "ms", "GFLOP/s", "of FMA peak", "bound ms", "by", "of bound", "")


def peak_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    """Measure peaks, then the kernels of every ISA here on the chosen rows."""
    isas = runnable_isas()
    if not isas:
        return "left out: no loops are written for this processor", []
    cases = [case for case in select(options.rows or [], options.dtypes) if case.kind == "blobs"]
    cases = [quick(case) for case in cases] if options.quick else cases
    features = sorted({case.n_features for case in cases if case.n_features <= LARGEST_MIX})
    threads = sorted({1, options.threads})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            peaks = measure_peaks(folder, isas, features, threads)
            compile_c("assign.c", folder / "assign", KMF_FOLDER)
            records = [
                assignment(folder / "assign", case, isa, n_threads, peaks)
                for case in cases
                for isa in isas
                for n_threads in threads
            ]
        except (OSError, subprocess.CalledProcessError) as error:
            return f"left out: {getattr(error, 'stderr', '') or error}", []
    lines = [
        f"{isa} {dtype} {mix} {n}: {rate / 1e9:.1f} {'GB/s' if mix == 'read' else 'GFLOP/s'}"
        for (isa, dtype, mix, n), rate in peaks.items()
        if not mix.startswith("mix")
    ]
    machine = [{"peaks": {" ".join(map(str, key)): rate for key, rate in peaks.items()}}]
    table = align([HEADER, *(_line(record) for record in records)])
    return "\n".join([*lines, "", table]), machine + records


def fma_peaks(threads: int) -> dict[tuple[str, str], float]:
    """Operations a second of multiply-adds by (isa, dtype) on so many threads; {} where they cannot be measured."""
    isas = runnable_isas()
    try:
        with tempfile.TemporaryDirectory() as name:
            peaks = measure_peaks(Path(name), isas, [], [threads]) if isas else {}
    except (OSError, subprocess.CalledProcessError):  # no compiler
        return {}
    return {(isa, f"float{dtype[1:]}"): rate for (isa, dtype, mix, _), rate in peaks.items() if mix == "fma"}


def runnable_isas() -> list[str]:
    """Instruction sets with loops that this processor runs, the fastest first."""
    flags = cpu_flags()
    wanted = {"avx512": "avx512f", "avx2": "avx2"}
    if here() == "x86":
        return [isa for isa, flag in wanted.items() if flag in flags]
    return ["neon"] if here() == "arm64" else []


def compile_c(source: str, program: Path, *include: Path) -> None:
    """Compile one file of c/; CalledProcessError carries what the compiler said."""
    command = [*os.environ.get("CC", "cc").split(), *FLAGS, *(f"-I{path}" for path in include)]
    command += [str(C_FOLDER / source), "-o", str(program), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)


def measure_peaks(folder: Path, isas: list[str], features: list[int], threads: list[int]) -> Peaks:
    """Rates by (isa, dtype, mix, threads): flops, pairs or bytes a second."""
    (folder / "loops.h").write_text(c_source(loops(isas, features)))
    compile_c("peak.c", folder / "peak", folder)
    done = run(folder / "peak", *threads)
    fields = [line.split() for line in done.splitlines()]
    return {(isa, dtype, mix, int(n)): float(rate) for isa, dtype, mix, n, rate in fields}


def run(program: Path, *arguments: object) -> str:
    """Output of a compiled program."""
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def assignment(program: Path, case: Case, isa: str, n_threads: int, peaks: Peaks) -> dict[str, Any]:
    """Time one kernel and set it beside the peaks."""
    n, d, k = case.n_samples, case.n_features, case.n_clusters
    dtype = f"f{case.dtype[-2:]}"
    seconds = float(run(program, isa, n_threads, case.dtype, n, d, k))
    flops = 2.0 * case.work / seconds
    peak = peaks[isa, dtype, "fma", n_threads]
    mix = peaks.get((isa, dtype, f"mix{d}", n_threads))
    arithmetic = n * k / mix if mix else 2.0 * case.work / peak
    memory = n * d * int(case.dtype[-2:]) / 8 / peaks["any", "any", "read", n_threads]
    bound = max(arithmetic, memory)
    dense = d >= DENSE_FEATURES and k >= DENSE_CLUSTERS
    met = flops / peak >= FMA_TARGET if dense else bound / seconds >= BOUND_TARGET
    return {
        "row": case.name,
        "isa": isa,
        "threads": n_threads,
        "seconds": seconds,
        "flops": flops,
        "share_of_fma_peak": flops / peak,
        "bound": bound,
        "bound_by": "memory" if memory > arithmetic else "arithmetic",
        "share_of_bound": bound / seconds,
        "target": FMA_TARGET if dense else BOUND_TARGET,
        "verdict": "met" if met else "missed",
    }


def _line(record: dict[str, Any]) -> tuple[str, ...]:
    return (
        record["row"],
        record["isa"],
        str(record["threads"]),
        milliseconds(record["seconds"]),
        f"{record['flops'] / 1e9:.0f}",
        f"{record['share_of_fma_peak']:.0%}",
        milliseconds(record["bound"]),
        record["bound_by"],
        f"{record['share_of_bound']:.0%}",
        f"{record['verdict']} {record['target']:.0%}",
    )
