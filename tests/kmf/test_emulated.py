"""Every kernel of NEON against plain loops, where a cross compiler and qemu-user are installed.

Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user. A file of its own, so that it runs beside
test_kernels.py: a file is one worker's.
"""

from __future__ import annotations

import shutil

import pytest

CROSS_COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
EVERY = "8"  # of the sizes one in so many: all take a quarter of an hour, `make sanitize` asks for them


@pytest.fixture(scope="session")
def arm_harness(build, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the program for aarch64, static, so that the emulator needs no foreign libraries."""
    for tool in (CROSS_COMPILER, EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    program = tmp_path_factory.mktemp("aarch64") / "harness"
    result = build(CROSS_COMPILER, program, "-static")
    assert result.returncode == 0, result.stderr
    return str(program)


def test_every_kernel_equals_plain_loops_on_emulated_arm(run, arm_harness: str) -> None:
    assert "neon: " in run(EMULATOR, arm_harness, "neon", EVERY)


def test_an_arm_processor_without_products_of_bytes_runs_the_rest(run, arm_harness: str) -> None:
    assert "neon: " in run(EMULATOR, "-cpu", "cortex-a57", arm_harness, "neon", EVERY)
