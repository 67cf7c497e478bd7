"""The program of harness.c, built for this machine or another, and how it is run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
HEADERS = FOLDER.parents[1] / "src" / "kmf"
STRICT = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


@pytest.fixture(scope="session")
def build() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Compile the program to a path; the caller looks at what the compiler said."""

    def build(compiler: str, program: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        command = [compiler, *STRICT, *flags, "-I", str(HEADERS), str(FOLDER / "harness.c"), "-lm"]
        return subprocess.run([*command, "-o", str(program)], capture_output=True, text=True)

    return build


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Run a command that must succeed, and return what it printed; an emulator on a busy machine takes 15 minutes."""

    def run(*command: str) -> str:
        result = subprocess.run(command, capture_output=True, text=True, timeout=1800)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run
