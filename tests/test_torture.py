"""A short slice of `make torture`: every trial runs, on what it draws first, and finds nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kmeans_fast import _runtime

TORTURE = Path(__file__).resolve().parents[1] / "torture"
TRIALS = 20 + 2 * len(_runtime.runnable_isas())


@pytest.mark.skipif(sys.platform == "win32", reason="it waits for pipes by select, which is for sockets there")
def test_a_short_slice_of_every_trial_finds_no_failure() -> None:
    for package in ("laspy", "matplotlib", "pyarrow", "sklearn", "typer"):
        pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, str(TORTURE), "--minutes", "0.1"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = done.stdout.splitlines()[1:-1]
    assert len(rows) >= TRIALS, done.stdout
    for row in rows:
        assert "skipped" in row or int(row[28:37]) >= 1, row


def test_a_trial_says_one_line_a_kind_of_failure_and_how_many_there_were() -> None:
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from campaign import Trial, work
def step(case):
    if case % 3 == 0:
        raise ValueError(f"no {case} here")
    if case % 3 == 1:
        raise KeyError("a" * case)
work(Trial("t", 300, lambda seed: step), 7)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(TORTURE)], input="[300, null]\n", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    failures = json.loads(done.stdout.splitlines()[-1])["failures"]
    assert list(failures.values()) == [100, 100], failures
    assert [line.partition(" (")[0] for line in failures] == [
        "case 0, seed 7: ValueError: no 0 here",
        "case 1, seed 7: KeyError: 'a'",
    ]
