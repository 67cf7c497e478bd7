"""Every kernel, instruction set and dtype against plain loops, in a C program without Python.

The program is harness.c beside this file. NEON runs here under qemu-user where a cross compiler and
the emulator are installed (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user).
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
HEADERS = FOLDER.parents[1] / "src" / "kmf"
STRICT = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ISAS = ["scalar", "avx2", "avx512", "neon"]
CROSS_COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"


def build(compiler: str, program: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [compiler, *STRICT, *flags, "-I", str(HEADERS), str(FOLDER / "harness.c"), "-lm"]
    return subprocess.run([*command, "-o", str(program)], capture_output=True, text=True)


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> str:
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


@pytest.fixture(scope="session")
def arm_harness(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the program for aarch64, static, so that the emulator needs no foreign libraries."""
    for tool in (CROSS_COMPILER, EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    program = tmp_path_factory.mktemp("aarch64") / "harness"
    result = build(CROSS_COMPILER, program, "-static")
    assert result.returncode == 0, result.stderr
    return str(program)


@pytest.mark.parametrize("isa", ISAS)
def test_every_kernel_equals_plain_loops_on_this_machine(isa: str, harness: str) -> None:
    if isa not in run(harness, "list").split():
        pytest.skip(f"this machine does not run {isa}")
    assert f"{isa}: " in run(harness, isa)


def test_every_kernel_equals_plain_loops_on_emulated_arm(arm_harness: str) -> None:
    assert "neon: " in run(EMULATOR, arm_harness, "neon")


def test_an_arm_processor_without_products_of_bytes_runs_the_rest(arm_harness: str) -> None:
    assert "neon: " in run(EMULATOR, "-cpu", "cortex-a57", arm_harness, "neon")


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="not an x86 machine")
def test_an_instruction_set_of_another_processor_is_refused(harness: str) -> None:
    result = subprocess.run([harness, "neon"], capture_output=True, text=True)
    assert result.returncode == 2
    assert "that this machine runs" in result.stdout
