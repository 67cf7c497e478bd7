"""Ask the compiler at hand what it can do, by compiling a few lines; used by setup.py alone.

Whether there is a compiler, whether it finds Python.h and how it is told to use OpenMP are all
answered by a probe, never guessed from the name of the system. What a probe prints is hidden: one
that fails is an answer, not an error.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from setuptools.errors import CompileError, ExecError, LinkError, PlatformError

EMPTY_PROBE = "int main(void) { return 0; }\n"
PYTHON_PROBE = "#include <Python.h>\n" + EMPTY_PROBE
OPENMP_PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"

INSTALL_COMPILER = {
    "linux": "install 'gcc' (apt, dnf)",
    "darwin": "run 'xcode-select --install'",
    "win32": "install 'Build Tools for Visual Studio' with its C++ workload",
}
INSTALL_HEADERS = {
    "linux": "install 'python3-dev' (apt) or 'python3-devel' (dnf)",
    "darwin": "install Python from python.org or Homebrew",
    "win32": "install Python from python.org",
}
INSTALL_OPENMP = {
    "linux": "'libomp-dev' (apt) or 'libomp-devel' (dnf) brings it to clang",
    "darwin": "'brew install libomp' brings it",
    "win32": "MSVC brings it",
}


class Flags(NamedTuple):
    """Compiler and linker arguments that belong together."""

    compile: list[str]
    link: list[str]


NO_FLAGS = Flags([], [])


def say(message: str) -> None:
    """Print one line that is not lost among the compiler's."""
    print(f"kmeans_fast: {message}", file=sys.stderr, flush=True)


def advice(table: dict[str, str]) -> str:
    """Return what `table` tells a user of this system to do."""
    return table.get(sys.platform, table["linux"])


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send stdout and stderr, those of child processes too, to nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with open(os.devnull, "w") as null:
        try:
            os.dup2(null.fileno(), 1)
            os.dup2(null.fileno(), 2)
            yield
        finally:
            for target, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, target)
                os.close(copy)


def compiles(compiler: Any, source: str, flags: Flags = NO_FLAGS, *, link: bool = False) -> bool:
    """Say whether `compiler` (a setuptools compiler) takes `source` with `flags`."""
    with tempfile.TemporaryDirectory() as folder, silence():
        file = Path(folder, "probe.c")
        file.write_text(source)
        try:
            objects = compiler.compile([str(file)], output_dir=folder, extra_postargs=flags.compile)
            if link:
                program = str(Path(folder, "probe"))
                compiler.link_executable(objects, program, extra_postargs=flags.link)
        except (CompileError, LinkError, ExecError, PlatformError, OSError):
            return False
    return True


def require_compiler(compiler: Any) -> None:
    """Stop with one line where no extension module could be built.

    Raises
    ------
    SystemExit
        No C compiler works, or it does not find Python.h.
    """
    if not compiles(compiler, EMPTY_PROBE):
        raise SystemExit(f"kmeans_fast: no working C compiler; {advice(INSTALL_COMPILER)}.")
    if not compiles(compiler, PYTHON_PROBE):
        raise SystemExit(f"kmeans_fast: Python.h is missing; {advice(INSTALL_HEADERS)}.")


def openmp_candidates(compiler_type: str) -> Iterator[Flags]:
    """Yield the ways in which compilers are told to use OpenMP, the likeliest first."""
    if compiler_type == "msvc":
        yield Flags(["/openmp"], [])
        return
    yield Flags(["-fopenmp"], ["-fopenmp"])
    if sys.platform != "darwin":
        return
    # Apple's clang knows the pragmas, but ships neither the header nor the library.
    conda = os.environ.get("CONDA_PREFIX", sys.prefix)
    for prefix in (conda, "/opt/homebrew/opt/libomp", "/usr/local/opt/libomp"):
        yield Flags(
            ["-Xpreprocessor", "-fopenmp", f"-I{prefix}/include"],
            [f"-L{prefix}/lib", "-lomp", f"-Wl,-rpath,{prefix}/lib"],
        )


def find_openmp(compiler: Any) -> Flags:
    """Return the first way to OpenMP that compiles and links, or no flags; say which in one line.

    The environment variable KMEANS_FAST_OPENMP=0 turns OpenMP off, =1 makes its absence an error.

    Raises
    ------
    SystemExit
        KMEANS_FAST_OPENMP=1, and this compiler has no OpenMP.
    """
    if os.environ.get("KMEANS_FAST_OPENMP") == "0":
        say("KMEANS_FAST_OPENMP=0 turns OpenMP off; building for one thread.")
        return NO_FLAGS
    for flags in openmp_candidates(compiler.compiler_type):
        if compiles(compiler, OPENMP_PROBE, flags, link=True):
            say(f"OpenMP found ({' '.join(flags.compile)}).")
            return flags
    if os.environ.get("KMEANS_FAST_OPENMP") == "1":
        raise SystemExit(f"kmeans_fast: KMEANS_FAST_OPENMP=1 needs a compiler with OpenMP; {advice(INSTALL_OPENMP)}.")
    say(f"this compiler has no OpenMP ({advice(INSTALL_OPENMP)}); building for one thread.")
    return NO_FLAGS
