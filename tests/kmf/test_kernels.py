"""Every kernel, instruction set and dtype of this machine against plain loops, in a C program without Python.

The program is harness.c beside this file; test_emulated.py runs it for other processors.
"""

from __future__ import annotations

import platform
import shutil
import subprocess

import pytest

SANITIZE = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]  # optimised it compiles for minutes
EVERY = "4"  # of the sizes one in so many; `make sanitize` takes all
ISAS = ["scalar", "avx2", "avx512", "neon"]


@pytest.fixture(scope="session")
def harness(build, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the program for this machine, with sanitizers where the compiler has them."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on the path")
    program = tmp_path_factory.mktemp("native") / "harness"
    sanitized = build(compiler, program, *SANITIZE)
    if sanitized.returncode != 0:
        plain = build(compiler, program)
        assert plain.returncode == 0, plain.stderr
    return str(program)


@pytest.mark.parametrize("isa", ISAS)
def test_every_kernel_equals_plain_loops_on_this_machine(isa: str, run, harness: str) -> None:
    if isa not in run(harness, "list").split():
        pytest.skip(f"this machine does not run {isa}")
    assert f"{isa}: " in run(harness, isa, EVERY)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="not an x86 machine")
def test_an_instruction_set_of_another_processor_is_refused(harness: str) -> None:
    result = subprocess.run([harness, "neon"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "that this machine runs" in result.stdout
