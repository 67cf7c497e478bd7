"""What a trial is, and how one is run: in a child process that is watched for crashes and hangs."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HANG = 90.0  # seconds of one case after which it counts as hung
KINDS, FAILURES = 20, 1000  # of failures, after which a trial ends

Step = Callable[[int], Any]
"""Runs case i; raises what it finds wrong, returns a figure or None."""


class Exhausted(Exception):
    """There is no case i: a sweep has seen everything; with a last figure, or none."""


class Skipped(Exception):
    """The trial can't run on this machine, and why."""


@dataclass(frozen=True)
class Trial:
    """A promise, and how often it is put to the test."""

    name: str
    asked: int
    start: Callable[[int], Step]  # seed -> the function of a case
    summary: Callable[[Sequence[Any]], str] = lambda figures: ""  # may raise AssertionError: the promise is about all
    environment: dict[str, str] = field(default_factory=dict)
    preload: bool = False  # with shim.c
    exhaustive: bool = False  # runs until Exhausted


@dataclass
class Row:
    """What came of a trial."""

    name: str
    cases: int = 0
    failures: dict[str, int] = field(default_factory=dict)  # the first of each kind, in a line, and how many there were
    figures: str = ""
    seconds: float = 0.0


def work(trial: Trial, seed: int) -> int:
    """Be the child: run cases up to a count or a time (read from stdin) and report on stdout, a line of JSON each."""
    asked, seconds = json.loads(sys.stdin.readline())
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the cases print is not for the parent
    failures: dict[str, int] = {}
    lines: dict[str, str] = {}
    figures, case = [], 0
    try:
        step = trial.start(seed)
    except Skipped as reason:
        out.write(json.dumps({"skipped": str(reason)}) + "\n")
        return 0
    began = last = perf_counter()
    while trial.exhaustive or case < asked:
        try:
            figure = step(case)
            if figure is not None:
                figures.append(figure)
        except Exhausted as end:
            figures.extend(end.args)
            break
        except BaseException as error:
            shape, line = _described(error)
            line = lines.setdefault(shape, f"case {case}, seed {seed}: {line}")
            failures[line] = failures.get(line, 0) + 1
        case += 1
        now = perf_counter()
        if now - last > 0.2 or case == 1:
            out.write(json.dumps({"cases": case, "failures": failures}) + "\n")
            last = now
        if (
            len(failures) >= KINDS
            or sum(failures.values()) >= FAILURES
            or (seconds is not None and now - began > seconds)
        ):
            break
    row: dict[str, Any] = {"cases": case, "failures": failures}
    try:
        row["figures"] = trial.summary(figures)
    except AssertionError as error:
        failures[str(error)] = 1
    out.write(json.dumps(row) + "\n")
    return 0


def _described(error: BaseException) -> tuple[str, str]:
    """Say of what kind an error is (type, message without what differs from case to case, place), and the error."""
    cause = error
    while cause.__cause__ is not None or (cause.__context__ is not None and not cause.__suppress_context__):
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
    places = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for one in ([error] if cause is error else [error, cause])
        for frame in traceback.extract_tb(one.__traceback__)[-3:]
    ]
    message = re.sub(r"""'[^']*'|"[^"]*"|[^A-Za-z ]+""", "_", str(cause))[:80]
    said = " ".join(str(error).split())
    said = said if len(said) < 400 else f"{said[:200]} ... {said[-200:]}"
    return (
        f"{type(cause).__name__} {message} {places[-1:]}",
        f"{type(error).__name__}: {said} ({' < '.join(places[::-1])})",
    )


def run(trial: Trial, asked: int, seconds: float | None, seed: int) -> Row:
    """Run a trial in a child process and watch it."""
    row, began = Row(trial.name), perf_counter()
    environment = os.environ | trial.environment
    if trial.preload:
        try:
            environment["LD_PRELOAD"] = str(shim())
        except Skipped as reason:
            row.figures = f"skipped: {reason}"
            return row
    command = [sys.executable, "-X", "faulthandler", str(ROOT / "torture"), "--worker", trial.name, "--seed", str(seed)]
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        assert child.stdin is not None
        child.stdin.write(json.dumps([asked, seconds]) + "\n")
        child.stdin.close()
        _listen(child, row)
        code = child.wait()
        if code != 0:
            errors.seek(0)
            said = errors.read()[-1500:]
            row.failures[f"the process ended with {code} near case {row.cases}, seed {seed}:\n{said}"] = 1
    row.seconds = perf_counter() - began
    return row


def _listen(child: subprocess.Popen[str], row: Row) -> None:
    """Take the child's lines; end it if none comes for too long."""
    assert child.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(HANG):
                row.failures[f"no case ended for {HANG:.0f} s after case {row.cases}"] = 1
                child.kill()
                return
            line = child.stdout.readline()
            if not line:
                return
            said = json.loads(line)
            row.cases = said.get("cases", row.cases)
            row.figures = said.get("figures", row.figures)
            row.failures = said.get("failures", row.failures)
            if "skipped" in said:
                row.figures = f"skipped: {said['skipped']}"


def folder() -> Path:
    """Return a new folder that goes when the process ends."""
    path = tempfile.mkdtemp(prefix="kmeans-fast-torture-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def shim() -> Path:
    """Compile shim.c, once for each state of it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        raise Skipped("it needs Linux and a C compiler")
    source = ROOT / "torture" / "shim.c"
    name = f"kmeans-fast-shim-{os.getuid()}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}.so"
    library = Path(tempfile.gettempdir(), name)
    if not library.exists():
        made = library.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-Wall", str(source), "-o", str(made), "-ldl"], check=True)
        os.replace(made, library)
    return library
