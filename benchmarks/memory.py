"""Peak memory of a call, beyond what the process held when the call began."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): writing 5 resets the peak resident set size


class PeakMemory:
    """Context manager; ``bytes`` is the growth of the resident peak, None where unknown.

    Linux resets its high-water mark on request, which makes the figure exact. Elsewhere getrusage's
    maximum serves, which hides growth below an earlier peak; Windows gives None.
    """

    bytes: int | None = None

    def __enter__(self) -> PeakMemory:
        gc.collect()
        _return_free_memory()
        with contextlib.suppress(OSError):
            CLEAR_REFS.write_text(RESET_PEAK)
        self._before = _resident("VmRSS:")
        return self

    def __exit__(self, *error: object) -> None:
        after = _resident("VmHWM:")
        if self._before is not None and after is not None:
            self.bytes = max(after - self._before, 0)


def _resident(field: str) -> int | None:
    """Resident bytes: now ("VmRSS:") or at the peak ("VmHWM:")."""
    if STATUS.exists():
        lines = STATUS.read_text().splitlines()
        found = [line.split()[1] for line in lines if line.startswith(field)]
        return int(found[0]) * 1024 if found else None
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _return_free_memory() -> None:
    """Hand freed heap back to the system: glibc keeps it, and a call that reuses it looks free."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
