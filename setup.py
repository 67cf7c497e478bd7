"""Build the extension modules: src/_x.pyx becomes kmeans_fast._x.

Everything that is data stands in pyproject.toml; here stands what has to be found out on the machine:
whether a C compiler and Python.h are there, and how this compiler is told to use OpenMP. Both are asked
by compiling a few lines (a probe), never by guessing from the name of the system. No instruction-set flag
is set: the kernels in src/kmf carry their own target regions and are chosen when the package is imported.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError, ExecError, LinkError, PlatformError

SRC = Path("src")
HEADERS = sorted(SRC.glob("kmf/*.h"))
PXD = SRC / "kmf.pxd"
JOBS = min(2, os.cpu_count() or 1)
# -fno-math-errno lets sqrt be one instruction. -ffast-math is left out on purpose: linking with it sets
# flush-to-zero for the whole process that imports us.
OPTIMISE = {
    "msvc": ["/O2"],
    "unix": ["-O3", "-fno-math-errno"],
    "mingw32": ["-O3", "-fno-math-errno"],
}

EMPTY_PROBE = "int main(void) { return 0; }\n"
PYTHON_PROBE = "#include <Python.h>\n" + EMPTY_PROBE
OPENMP_PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"

INSTALL_COMPILER = {
    "linux": "install one with 'apt install gcc' (Debian, Ubuntu) or 'dnf install gcc' (Fedora)",
    "darwin": "install one with 'xcode-select --install'",
    "win32": "install 'Build Tools for Visual Studio' with its C++ workload",
}
INSTALL_HEADERS = {
    "linux": "install them with 'apt install python3-dev' (Debian, Ubuntu) or "
    "'dnf install python3-devel' (Fedora)",
    "darwin": "install Python from python.org or Homebrew",
    "win32": "install Python from python.org",
}


class Flags(NamedTuple):
    """Compiler and linker arguments that belong together."""

    compile: list[str]
    link: list[str]


def openmp_candidates(compiler_type: str) -> Iterator[Flags]:
    """Yield the ways in which compilers are told to use OpenMP, the likeliest first."""
    if compiler_type == "msvc":
        yield Flags(["/openmp"], [])
        return
    yield Flags(["-fopenmp"], ["-fopenmp"])
    if sys.platform != "darwin":
        return
    # Apple's clang knows the pragmas, but ships neither the header nor the library.
    prefixes = [
        os.environ.get("CONDA_PREFIX", sys.prefix),
        "/opt/homebrew/opt/libomp",
        "/usr/local/opt/libomp",
    ]
    for prefix in prefixes:
        yield Flags(
            ["-Xpreprocessor", "-fopenmp", f"-I{prefix}/include"],
            [f"-L{prefix}/lib", "-lomp", f"-Wl,-rpath,{prefix}/lib"],
        )


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Hide what a probe's compiler prints: a probe that fails is an answer, not an error."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 1)
        os.dup2(null.fileno(), 2)
        try:
            yield
        finally:
            for target, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, target)
                os.close(copy)


def one_line(message: str) -> None:
    print(f"kmeans_fast: {message}", file=sys.stderr, flush=True)


class BuildExt(build_ext):
    """Probe the compiler, translate the .pyx files side by side, and compile them side by side."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or JOBS
        # The object files do not know which flags made them, so a forced choice rebuilds them.
        self.force = self.force or "KMEANS_FAST_OPENMP" in os.environ

    def run(self) -> None:
        try:
            super().run()
        except PlatformError as error:  # MSVC is looked for before any probe can run
            raise SystemExit(
                f"kmeans_fast: no C compiler ({error}); {self.advice(INSTALL_COMPILER)}."
            ) from None

    def build_extensions(self) -> None:
        self.check_compiler()
        openmp = self.find_openmp()
        for extension in self.extensions:
            extension.extra_compile_args += (
                OPTIMISE.get(self.compiler.compiler_type, []) + openmp.compile
            )
            extension.extra_link_args += openmp.link
        self.translate()
        super().build_extensions()

    def translate(self) -> None:
        """Turn every .pyx into C under build_temp, so that src/ holds sources alone."""
        from Cython.Build import cythonize

        translated = cythonize(
            list(self.extensions),
            include_path=[str(SRC)],
            build_dir=str(Path(self.build_temp) / "cython"),
            nthreads=JOBS if len(self.extensions) > 1 else 0,
            force=self.force,
            compiler_directives={"language_level": 3},
        )
        sources = {extension.name: extension.sources for extension in translated}
        for extension in self.extensions:
            extension.sources = sources[extension.name]

    def probe(self, source: str, flags: Flags, *, link: bool) -> bool:
        """Say whether this compiler takes `source` with `flags`."""
        with tempfile.TemporaryDirectory() as folder, silence():
            file = Path(folder, "probe.c")
            file.write_text(source)
            try:
                objects = self.compiler.compile(
                    [str(file)], output_dir=folder, extra_postargs=flags.compile
                )
                if link:
                    self.compiler.link_executable(
                        objects, str(Path(folder, "probe")), extra_postargs=flags.link
                    )
            except (CompileError, LinkError, ExecError, PlatformError, OSError):
                return False
        return True

    def advice(self, table: dict[str, str]) -> str:
        return table.get(sys.platform, table["linux"])

    def check_compiler(self) -> None:
        """Stop with one line where no extension could be built."""
        nothing = Flags([], [])
        if not self.probe(EMPTY_PROBE, nothing, link=False):
            raise SystemExit(
                f"kmeans_fast: no working C compiler; {self.advice(INSTALL_COMPILER)}."
            )
        if not self.probe(PYTHON_PROBE, nothing, link=False):
            raise SystemExit(
                f"kmeans_fast: no Python headers (Python.h); {self.advice(INSTALL_HEADERS)}."
            )

    def find_openmp(self) -> Flags:
        """Return the first way to OpenMP that compiles and links, or no flags at all."""
        if os.environ.get("KMEANS_FAST_OPENMP") == "0":
            one_line("OpenMP is turned off by KMEANS_FAST_OPENMP=0; building for one thread.")
            return Flags([], [])
        for flags in openmp_candidates(self.compiler.compiler_type):
            if self.probe(OPENMP_PROBE, flags, link=True):
                one_line(f"OpenMP found ({' '.join(flags.compile)}).")
                return flags
        one_line(
            "this compiler has no OpenMP (macOS: 'brew install libomp'); building for one thread."
        )
        return Flags([], [])


class BuildPy(build_py):
    """Put the C headers and the .pxd beside the Python modules, for packages that build on the kernels."""

    def shared_files(self) -> dict[str, Path]:
        package = Path(self.build_lib, "kmeans_fast")
        targets = {str(package / "include" / "kmf" / header.name): header for header in HEADERS}
        if PXD.exists():
            targets[str(package / PXD.name)] = PXD
        return targets

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # get_include() finds src/ itself there
            return
        for target, source in self.shared_files().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(str(source), target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs = super().get_outputs(include_bytecode)
        return [*outputs, *([] if self.editable_mode else self.shared_files())]


def extensions() -> list[Any]:
    depends = [str(path) for path in [*HEADERS, *sorted(SRC.glob("*.pxd"))]]
    return [
        Extension(
            f"kmeans_fast.{path.stem}",
            [str(path)],
            include_dirs=[str(SRC), str(SRC / "kmf")],
            depends=depends,
        )
        for path in sorted(SRC.glob("_*.pyx"))
    ]


if (
    __name__ == "__main__"
):  # cythonize's worker processes import this file where fork is not to be had
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExt, "build_py": BuildPy})
