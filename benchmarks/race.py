"""Run competitors on one case: each in its own process, taking turns (A B C A B C ...)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .cases import Case, make
from .competitors import COMPETITORS
from .machine import busy_cpus, child_command, child_environment
from .results import Row, judge
from .worker import LONG_CALL

MAX_SEEDS = 20
ERROR_TAIL = 300  # characters of a dead child's stderr shown in its row


@dataclass
class Settings:
    """How to measure: rounds, seconds a competitor may use on a row, threads, iterations."""

    job: str = "fit"
    n_iter: int = 10
    repeats: int = 5
    budget: float = 15.0
    n_threads: int = 2
    quick: bool = False


class Peer:
    """A competitor's child process on one case."""

    def __init__(self, row: Row, folder: Path, settings: Settings) -> None:
        self.row = row
        self._log = (folder / f"{row.competitor}.log").open("w+")
        self._process = subprocess.Popen(
            **child_command("worker", row.competitor),
            env=child_environment(settings.n_threads, COMPETITORS[row.competitor].old_openblas),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.alive = True

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send one request and wait for its answer; {} once the child failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do} | request) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (json.JSONDecodeError, BrokenPipeError):
            self._process.wait()
            self._log.seek(0)
            tail = self._log.read()[-ERROR_TAIL:].strip()
            answer = {"error": f"child ended with code {self._process.returncode}. {tail}"}
        if "error" in answer:
            self.row.error, self.row.seconds, self.alive = answer["error"], [], False
            return {}
        return answer

    def end(self) -> None:
        """Close the pipes, which ends the child."""
        assert self._process.stdin is not None
        if self._process.poll() is None:
            self._process.stdin.close()
        self._process.wait()
        self._log.close()


def race(case: Case, names: list[str], settings: Settings) -> list[Row]:
    """Measure ``names`` on ``case`` and return their judged rows; a failure is a row too."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        X, init = make(case)
        np.save(folder / "X.npy", X)
        np.save(folder / "init.npy", init)
        del X, init
        busy = busy_cpus()
        rows = [Row(case, competitor, settings.job, busy_cpus=busy) for competitor in names]
        peers = [Peer(row, folder, settings) for row in rows if _takes_part(row)]
        try:
            for peer in peers:
                _open(peer, folder, settings)
            _take_turns(peers, settings)
            for peer in peers:
                _close(peer)
        finally:
            for peer in peers:
                peer.end()
    judge(rows, settings.quick)
    return [row for row in rows if row.seconds or row.error]


def _takes_part(row: Row) -> bool:
    competitor = COMPETITORS[row.competitor]
    return competitor.can(row.job) and row.case.dtype in competitor.dtypes and row.case.work <= competitor.max_work


def _open(peer: Peer, folder: Path, settings: Settings) -> None:
    answer = peer.ask(
        "open",
        X=str(folder / "X.npy"),
        init=str(folder / "init.npy"),
        job=settings.job,
        n_iter=settings.n_iter,
        n_threads=settings.n_threads,
    )
    if not answer.get("available"):
        peer.alive = False
        return
    row = peer.row
    row.memory, row.version, row.blas = answer["memory"], answer["version"], answer["blas"]
    row.detail["origin"] = answer["origin"]
    if answer["seconds"] > LONG_CALL:  # the warm-up is itself a sample
        row.seconds.append(answer["seconds"])


def _take_turns(peers: list[Peer], settings: Settings) -> None:
    """One sample each in turn; who has used the budget sits the later rounds out.

    Random jobs use one seed a round and are never cut short: their mean needs every seed. Seedings
    go on with more seeds while the budget lasts.
    """
    turns = max(settings.repeats, MAX_SEEDS) if settings.job == "seeding" else settings.repeats
    for turn in range(turns):
        for peer in peers:
            samples = peer.row.seconds
            enough = sum(samples) > settings.budget
            if settings.job != "fit":
                enough = len(samples) > turn or (enough and turn >= settings.repeats)
            if peer.alive and not enough:
                answer = peer.ask("run", seed=turn)
                if answer:
                    samples.append(answer["seconds"])


def _close(peer: Peer) -> None:
    if peer.alive and (answer := peer.ask("close")):
        row = peer.row
        row.inertias, row.own_inertias = answer["inertias"], answer["own_inertias"]
        row.n_iter = answer["n_iter"]
        row.detail |= answer["detail"]
