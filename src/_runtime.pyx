# cython: boundscheck=False, wraparound=False, cdivision=True
"""What this process may use: the instruction set, chosen once at import, and the threads."""
import os

from cpython.pycapsule cimport PyCapsule_New

cdef extern from *:
    """
    #define KMF_IMPLEMENTATION
    #ifdef _OPENMP
    #include <omp.h>
    #define KMF_OPENMP _OPENMP
    #else
    #define KMF_OPENMP 0
    #define omp_get_max_threads() 1
    #endif
    #if defined(__clang__)
    #define KMF_COMPILER "clang " __clang_version__
    #elif defined(__GNUC__)
    #define KMF_COMPILER "gcc " __VERSION__
    #elif defined(_MSC_VER)
    #define KMF_COMPILER "MSVC"
    #else
    #define KMF_COMPILER "unknown"
    #endif
    """
    int KMF_OPENMP
    const char *KMF_COMPILER
    int omp_get_max_threads() nogil

from kmf cimport kmf_kernels, kmf_select

# Multiply-adds that take longer than waking a team of threads: some 50 us against 5 to 20.
cdef double WORK_OF_A_THREAD = 500_000.0

cdef bint _team_used = False
cdef bint _forked = False


def _select():
    """Choose the kernels; KMEANS_FAST_ISA forces one."""
    name = os.environ.get("KMEANS_FAST_ISA", "").strip().lower()
    cdef bytes raw = name.encode()
    cdef const kmf_kernels *chosen = kmf_select(raw)
    if chosen == NULL:
        runnable = [isa for isa in ("scalar", "avx2", "avx512", "neon") if _runs(isa)]
        raise ImportError(
            f"KMEANS_FAST_ISA={name!r} must be one that this machine runs: {', '.join(runnable)}."
        )
    return PyCapsule_New(<void *> chosen, "kmf_kernels", NULL), chosen.isa.decode()


def _runs(str isa):
    cdef bytes raw = isa.encode()
    return kmf_select(raw) != NULL


def runnable_isas():
    """Names of the instruction sets that this build and this machine run, slowest first."""
    return tuple(isa for isa in ("scalar", "avx2", "avx512", "neon") if _runs(isa))


# The other extension modules take the table of kernels from this capsule.
kernels, isa = _select()
openmp = KMF_OPENMP > 0
compiler = KMF_COMPILER.decode()


def _cpu_quota():
    """CPUs that a container's quota allows, or a large number where there is none."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()[:2]
            return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max": no limit
        return 1 << 16


cdef int _quota = _cpu_quota()


def available_threads():
    """Threads that OpenMP (OMP_NUM_THREADS, threadpoolctl) and the container's quota allow now."""
    if _forked:
        return 1
    return max(1, min(omp_get_max_threads(), _quota))


def choose_threads(n_threads, double work):
    """Threads for `work` floating-point operations: `n_threads`, or all; one where the work is small."""
    global _team_used
    cdef int threads = 1 if _forked else (available_threads() if n_threads is None else n_threads)
    if not openmp or work < 2 * WORK_OF_A_THREAD:
        threads = 1
    elif work < threads * WORK_OF_A_THREAD:
        threads = <int> (work / WORK_OF_A_THREAD)
    if threads > 1:
        _team_used = True
    return threads


def _after_fork():
    """A child of a process whose OpenMP threads ran has none of them and would wait for ever."""
    global _forked
    _forked = _team_used


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
