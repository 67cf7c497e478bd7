"""`make sanitize`: the kernels and the extension modules under what sees a wrong access that gives right answers.

    python torture/sanitize.py [--only guard valgrind] [--quick]

A row a tool: passed, failed, or which tool is not here. Nothing is suppressed but what a line here says, and why.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
KMF = ROOT / "tests" / "kmf"
STRICT = ["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'src' / 'kmf'}"]
LIMIT = 1800.0  # seconds of one command
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# The tests of what calls compiled code.
SUITE = (
    "algorithm coresets improve iterate kmeans memory own predict restarts result resume samples seed seed_large "
    "seed_two_level voxels"
)


class Missing(Exception):
    """A tool that is not installed."""


def tool(name: str, package: str = "") -> str:
    """Return the path of a program."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed{f' (Debian: {package})' if package else ''}")
    return found


def call(*command: str, folder: Path | None = None, **environment: str) -> str:
    """Run a command; its output is part of the error if it fails."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=os.environ | environment,
        cwd=folder or tempfile.gettempdir(),
    )
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
        )
    return done.stdout.strip()


class Checks:
    """A method a tool; each returns the figure for the table."""

    def __init__(self, folder: Path, every: int) -> None:
        self.folder, self.every = folder, str(every)

    def _build(self, compiler: str, *flags: str, source: str = "harness.c") -> str:
        program = str(self.folder / "program")
        call(compiler, *STRICT, *flags, str(KMF / source), "-lm", "-o", program)
        return program

    def _all(self, program: str) -> str:
        return "; ".join(call(program, isa, self.every) for isa in call(program, "list").split())

    def guard_pages_behind(self) -> str:
        """Touch a page behind any buffer and the process ends."""
        return self._all(self._build(tool("cc"), "-O2", "-DKMF_GUARD=1"))

    def guard_pages_before(self) -> str:
        """Touch a page before any buffer and the process ends."""
        return self._all(self._build(tool("cc"), "-O2", "-DKMF_GUARD=2"))

    def address_and_undefined(self) -> str:
        """Run the kernels under ASan, UBSan and the leak detector."""
        return self._all(self._build(tool("cc"), "-O1", *SANITIZERS))

    def valgrind_scalar(self) -> str:
        """Run plain C under Valgrind: reads of memory that nobody wrote, too."""
        program = self._build(tool("cc"), "-O1")
        valgrind = tool("valgrind")
        every = str(40 * int(self.every))  # it is some 40 times slower
        return call(valgrind, "-q", "--error-exitcode=9", "--leak-check=full", program, "scalar", every)

    def no_avx_emulated(self) -> str:
        """Run on an x86-64 without AVX: only plain C must be chosen, and be right."""
        if platform.machine() != "x86_64":
            raise Missing("not an x86-64 machine")
        emulator = tool("qemu-x86_64", "qemu-user")
        program = self._build(tool("cc"), "-O1", "-static")
        listed = call(emulator, "-cpu", "Nehalem", program, "list")
        assert listed == "scalar", listed
        return call(emulator, "-cpu", "Nehalem", program, "scalar", str(20 * int(self.every)))

    def neon_emulated(self) -> str:
        """Run NEON, with products of bytes and without."""
        emulator = tool("qemu-aarch64", "qemu-user")
        program = self._build(tool("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"), "-O1", "-static")
        every = str(10 * int(self.every))
        return "; ".join(call(emulator, "-cpu", cpu, program, "neon", every) for cpu in ("max", "cortex-a57"))

    def readers_explored(self) -> str:
        """Let atheris find files that reach more of the readers; the trials of fuzz.py say what is asked of them."""
        if importlib.util.find_spec("atheris") is None:
            raise Missing("atheris is not installed (pip install atheris)")
        from fuzz import LOADERS

        said = []
        for name in LOADERS:
            found = self.folder / name
            found.mkdir()
            runs = 100_000 // int(self.every)
            where = f"-artifact_prefix={self.folder}/"
            call(sys.executable, str(ROOT / "torture" / "explore.py"), name, str(found), f"-runs={runs}", where)
            said.append(f"{name}: {runs} files, {len(list(found.iterdir()))} of them reach more")
        return "; ".join(said)

    def _modules(self, compiler: str, sanitizers: str, **more: str) -> dict[str, str]:
        """Build the extension modules in a copy of the tree; return the environment that runs them."""
        copy = self.folder / "tree"
        ignored = shutil.ignore_patterns("*.so", "__pycache__", "build", ".git", ".venv", "*.egg-info", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=ignored)
        # The flags are the compiler's own, so that what setup.py links to find OpenMP has them as well; --debug leaves
        # out -O3, with which UBSan takes most of an hour.
        said = f"{'ccache ' if shutil.which('ccache') else ''}{compiler} {sanitizers}"
        flags = {"CC": said, "CFLAGS": "-O1 -g -fno-omit-frame-pointer", "KMEANS_FAST_OPENMP": "1"}
        call(sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--debug", folder=copy, **flags)
        return {"PYTHONPATH": str(copy), **more}

    def suite_under_asan(self) -> str:
        """Run the tests of the core on extension modules built with ASan and UBSan, for every instruction set."""
        gcc = tool("gcc")
        environment = self._modules(
            gcc,
            " ".join(SANITIZERS),
            LD_PRELOAD=call(gcc, "-print-file-name=libasan.so"),
            # Python frees little when it ends, so the leak detector would list the interpreter; and tests ask for more
            # memory than there is, which must be a MemoryError.
            ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:allocator_may_return_null=1",
            UBSAN_OPTIONS="print_stacktrace=1",
            PYTHONMALLOC="malloc",  # small objects one by one, so that a byte too many is seen
        )
        root = self.folder / "tree"
        tests = [*(root / f"tests/test_{name}.py" for name in SUITE.split()), *root.glob("tests/variants/test_*.py")]
        # -s: what UBSan says before it ends the process would be lost with what pytest has captured.
        options = ["-q", "-x", "-s", "-p", "no:cacheprovider", "--rootdir", str(root)]
        listing = "from kmeans_fast._runtime import runnable_isas; print(*runnable_isas())"
        said = []
        for isa in call(sys.executable, "-c", listing, **environment).split():
            passed = 0
            for test in tests:  # one by one: all of a slow instruction set take longer than a command may
                ended = call(sys.executable, "-m", "pytest", *options, str(test), KMEANS_FAST_ISA=isa, **environment)
                passed += sum(map(int, re.findall(r"(\d+) passed", ended.splitlines()[-1])))
            said.append(f"{isa}: {passed} passed in {len(tests)} files")
        return "; ".join(said)

    def threads_under_tsan(self) -> str:
        """Hold fits of several threads to those of one under TSan, with clang's OpenMP: every algorithm and start."""
        clang, gcc = tool("clang"), tool("gcc")
        archer = [*Path("/usr/lib").glob("llvm-*/lib/libarcher.so"), *Path("/usr/lib").glob("*/libarcher.so")]
        if not archer:
            raise Missing("libarcher.so is not installed (Debian: libomp-14-dev, libclang-rt-14-dev)")
        environment = self._modules(
            clang,
            "-fsanitize=thread",
            LD_PRELOAD=call(gcc, "-print-file-name=libtsan.so"),  # clang's own ends Python before it begins
            # libomp itself is not built with TSan, so its own locks cannot be seen; Archer reports them instead.
            OMP_TOOL_LIBRARIES=str(archer[0]),
            TSAN_OPTIONS="ignore_noninstrumented_modules=1",  # nor are Python and NumPy
        )
        trial = [str(self.folder / "tree" / "torture"), "--only", "1, 2", "--factor", str(0.2 / int(self.every))]
        return call(sys.executable, *trial, **environment).splitlines()[1]


def main() -> int:
    """Run the checks and print a line for each; 1 if one failed."""
    parser = argparse.ArgumentParser("sanitize", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", help="words of the names of some")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the sizes")
    given = parser.parse_args()
    failed = 0
    for name in [name for name in vars(Checks) if not name.startswith("_")]:
        if given.only and not any(word in name for word in given.only):
            continue
        began = perf_counter()
        with tempfile.TemporaryDirectory(prefix="kmeans-fast-sanitize-") as folder:
            check: Callable[[], str] = getattr(Checks(Path(folder), 20 if given.quick else 1), name)
            try:
                said = check()
            except Missing as reason:
                said = f"skipped: {reason}"
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed += 1
                said = f"FAILED: {error}"
        print(f"{name.replace('_', ' '):24} {perf_counter() - began:6.0f} s  {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
