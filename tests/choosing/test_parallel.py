"""Tasks on threads: results in order, one error for all, and nobody goes on when the caller has given up."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

pytest.importorskip("scipy")

from kmeans_fast.choosing._parallel import Stopped, side_by_side


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_are_in_order_and_each_is_told(n_threads: int) -> None:
    seen: list[int] = []

    def task(i: int, stop: Event) -> int:
        time.sleep(0.02 * (3 - i % 4))  # later ones end first
        return i * i

    assert side_by_side(task, 8, n_threads, lambda: seen.append(0)) == [i * i for i in range(8)]
    assert len(seen) == 8


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()])
def test_when_one_fails_the_others_are_stopped(error: BaseException) -> None:
    begun, stopped = [], []

    def task(i: int, stop: Event) -> None:
        begun.append(i)
        if i == 1:
            raise error
        if not stop.wait(20):
            return
        stopped.append(i)
        raise Stopped

    with pytest.raises(type(error)):
        side_by_side(task, 50, 3)
    assert sorted(stopped) == sorted(i for i in begun if i != 1)
    assert len(begun) < 10


def test_an_error_in_the_callers_thread_stops_the_tasks() -> None:
    def tick() -> None:
        raise RuntimeError("no room to draw")

    def task(i: int, stop: Event) -> bool:
        return threading.current_thread() is threading.main_thread() or (i > 0 and stop.wait(20))

    with pytest.raises(RuntimeError, match="no room"):
        side_by_side(task, 4, 2, tick)


def test_ctrl_c_while_tasks_are_handed_out_stops_those_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    submit, begun, stopped = ThreadPoolExecutor.submit, Event(), []

    def interrupted(pool: ThreadPoolExecutor, task: Any, i: int, stop: Event) -> Any:
        if i == 5:
            assert begun.wait(20)
            raise KeyboardInterrupt
        return submit(pool, task, i, stop)

    def task(i: int, stop: Event) -> None:
        begun.set()
        stopped.append(stop.wait(20))

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        side_by_side(task, 50, 2)
    assert stopped
    assert all(stopped)
