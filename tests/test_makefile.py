"""`make` names in one line what a bare machine lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(sys.platform == "win32" or shutil.which("make") is None, reason="no make here")


def make(*arguments: str, **environment: str) -> list[str]:
    """Run the checks that come before a virtual environment is made; return what they printed."""
    outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}  # of the make that may have started the tests
    inherited = {name: value for name, value in os.environ.items() if name not in outer}
    result = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", "prerequisites", *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
    )
    assert (result.returncode == 0) == (result.stdout == "")
    return result.stdout.splitlines()


def stub(folder: Path, pattern: str, answer: str) -> str:
    """Write a Python that gives `answer` where `pattern` is in its arguments."""
    program = folder / "python-stub"
    program.write_text(f'#!/bin/sh\ncase "$*" in *{pattern}*) {answer};; esac\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    return f"PYTHON={program}"


def test_a_complete_machine_is_told_nothing() -> None:
    assert make(f"PYTHON={sys.executable}") == []


def test_a_missing_python_is_named() -> None:
    (line,) = make("PYTHON=no-such-python")
    assert line == ("no-such-python is missing: install 'python3' (apt, dnf, brew), version 3.10 or later")


def test_an_old_python_is_named(tmp_path: Path) -> None:
    (line,) = make(stub(tmp_path, "version_info", "exit 1"))
    assert "is older than Python 3.10: install a later one" in line


def test_a_missing_venv_module_is_named(tmp_path: Path) -> None:
    (line,) = make(stub(tmp_path, "ensurepip", "exit 1"))
    assert line == "Python's venv module is missing: install 'python3-venv' (apt)"


def test_a_missing_compiler_is_named() -> None:
    (line,) = make(f"PYTHON={sys.executable}", CC="compiler-that-is-not-there")
    assert line.startswith("no working C compiler (compiler-that-is-not-there): install 'gcc'")


def test_a_missing_python_header_is_named(tmp_path: Path) -> None:
    (line,) = make(stub(tmp_path, "get_path", "echo /nowhere; exit"))
    assert line == "Python.h is missing: install 'python3-dev' (apt) or 'python3-devel' (dnf)"
