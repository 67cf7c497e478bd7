"""What a figure depends on besides the code: the machine, the versions, the BLAS kernels."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Pinning OpenBLAS to an older core or cache slows NumPy and scikit-learn down; peers run at their
# best, so the children do not inherit these.
DROPPED_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_DEBUG_CPU_TYPE")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LAUNCH = Path(__file__).resolve().parent / "launch.py"


def child_environment(n_threads: int, old_openblas: bool = False, **extra: str) -> dict[str, str]:
    """Environment of a child process: thread counts set, BLAS pinning dropped.

    An OpenBLAS older than the CPU falls back to kernels of 2006 ("Barcelona"): measured in FAISS's
    wheel on a Zen 5, 4 times as slow as with the kernel named. So ``old_openblas`` names one.
    """
    environment = {k: v for k, v in os.environ.items() if k not in DROPPED_VARIABLES}
    environment.pop("PYTHONPATH", None)
    environment |= {name: str(n_threads) for name in THREAD_VARIABLES}
    if old_openblas and (kernel := _best_openblas_kernel()):
        environment["OPENBLAS_CORETYPE"] = kernel
    return environment | extra


def _best_openblas_kernel() -> str:
    """Kernel that every OpenBLAS of the last years has for this CPU, "" to let it choose."""
    flags = cpu_flags()
    if "avx512f" in flags:
        return "SkylakeX"
    return "Haswell" if "avx2" in flags else ""


def child_command(module: str, *arguments: str) -> dict[str, Any]:
    """``subprocess`` arguments that run ``benchmarks.module`` from a neutral folder."""
    return {"args": [sys.executable, str(LAUNCH), module, *arguments], "cwd": tempfile.gettempdir()}


def available_cpus() -> int:
    """CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe(n_threads: int) -> dict[str, Any]:
    """Machine, date and thread count, for the head of every table."""
    return {
        "cpu": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "cpus": available_cpus(),
        "threads": n_threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "dropped_variables": [name for name in DROPPED_VARIABLES if name in os.environ],
    }


def cpu_flags() -> list[str]:
    """Features of this processor as Linux names them, [] elsewhere."""
    return _cpuinfo("flags").split()


def _cpuinfo(field: str) -> str:
    """First value of ``field`` in Linux's /proc/cpuinfo, "" elsewhere."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), "")


def busy_cpus(seconds: float = 0.25) -> float:
    """CPUs that other processes keep busy just now, on Linux; 0.0 where unknown."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    before = [int(ticks) for ticks in stat.read_text().splitlines()[0].split()[1:]]
    time.sleep(seconds)
    after = [int(ticks) for ticks in stat.read_text().splitlines()[0].split()[1:]]
    spent = [b - a for a, b in zip(before, after, strict=True)]
    idle = spent[3] + spent[4]  # idle, iowait
    return (1.0 - idle / max(sum(spent), 1)) * (os.cpu_count() or 1)


def blas_kernels() -> list[str]:
    """Kernels that the BLAS libraries loaded by this process chose, as threadpoolctl reports."""
    try:
        threadpool_info = importlib.import_module("threadpoolctl").threadpool_info
    except ImportError:
        return []
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return sorted({f"{pool['internal_api']} {pool.get('architecture') or '?'}" for pool in pools})


def module_version(name: str) -> str:
    """``__version__`` of a module that runs from a tree and so has no distribution."""
    return str(getattr(importlib.import_module(name), "__version__", ""))


def module_origin(name: str) -> str:
    """Is module ``name`` the installed one or the tree's own ("installed", "in tree")."""
    file = importlib.import_module(name).__file__ or ""
    return "in tree" if Path(file).resolve().is_relative_to(LAUNCH.parent.parent) else "installed"


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and what it returned."""
    began = time.process_time()
    result = run()
    return time.process_time() - began, result
