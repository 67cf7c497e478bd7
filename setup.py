"""Build the extension modules: src/_x.pyx becomes kmeans_fast._x.

Everything that is data stands in pyproject.toml, and what has to be asked of the compiler in
build_probe.py. No instruction-set flag is set here: the kernels in src/kmf carry their own target
regions and are chosen when the package is imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import PlatformError

sys.path.insert(0, str(Path(__file__).parent))  # pip does not put this folder there itself

from build_probe import INSTALL_COMPILER, advice, find_openmp, require_compiler

SRC = Path("src")
HEADERS = sorted(SRC.glob("kmf/*.h"))
PXD = SRC / "kmf.pxd"
JOBS = min(2, os.cpu_count() or 1)
# -fno-math-errno lets sqrt be one instruction. -ffast-math is left out on purpose: linking with it
# sets flush-to-zero for the whole process that imports us.
OPTIMISE = {"msvc": ["/O2"]}
# -g0 takes back the -g of Python's own flags: the debug information is half of the file.
OPTIMISE_DEFAULT = ["-O3", "-fno-math-errno", "-g0"]
# Two builds of the same sources are the same wheel, whenever their files were written: this is 1980, a zip's first day.
os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800")


class BuildExt(build_ext):
    """Probe the compiler, then translate and compile the .pyx files, two at a time."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or JOBS
        # An object file does not know which flags made it, so a forced choice makes all again.
        self.force = self.force or "KMEANS_FAST_OPENMP" in os.environ

    def run(self) -> None:
        try:
            super().run()
        except PlatformError as error:  # MSVC is looked for before a probe can run
            message = f"kmeans_fast: no working C compiler; {advice(INSTALL_COMPILER)}. ({error})"
            raise SystemExit(message) from None

    def build_extensions(self) -> None:
        require_compiler(self.compiler)
        openmp = find_openmp(self.compiler)
        optimise = OPTIMISE.get(self.compiler.compiler_type, OPTIMISE_DEFAULT)
        if self.debug:  # build_ext --debug
            optimise = []
        for extension in self.extensions:
            extension.extra_compile_args += optimise + openmp.compile
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
            compiler_directives={"language_level": 3, "freethreading_compatible": True},
        )
        sources = {extension.name: extension.sources for extension in translated}
        for extension in self.extensions:
            extension.sources = sources[extension.name]


class BuildPy(build_py):
    """Put the C headers and the .pxd into the package, for others that build on the kernels."""

    def shared_files(self) -> dict[str, Path]:
        """Map the path of each such file in the build to its source."""
        if self.editable_mode:  # get_include() finds src/ itself there
            return {}
        package = Path(self.build_lib, "kmeans_fast")
        include = package / "include" / "kmf"
        return {str(include / header.name): header for header in HEADERS} | {
            str(package / file.name): file for file in [PXD] if file.exists()
        }

    def run(self) -> None:
        super().run()
        for target, source in self.shared_files().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(str(source), target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self.shared_files()]


def extensions() -> list[Extension]:
    """List an extension module for every src/_*.pyx."""
    hidden = {path.stem for path in SRC.glob("_*.pyx")} & {path.stem for path in Path("kmeans_fast").glob("*.py")}
    if hidden:  # an extension module hides the Python file of its name without a word
        raise SystemExit(f"kmeans_fast: {sorted(hidden)} must not be both in src and kmeans_fast.")
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


if __name__ == "__main__":  # cythonize's workers import this file where there is no fork
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExt, "build_py": BuildPy})
