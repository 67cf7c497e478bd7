"""Tasks side by side over threads, each on one thread of its own, in an order that no number of threads changes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TypeVar

Result = TypeVar("Result")


class Stopped(Exception):
    """The caller has given up."""


def side_by_side(
    task: Callable[[int, Event], Result], count: int, n_threads: int, tick: Callable[[], object] | None = None
) -> list[Result]:
    """Return [task(0, stop), task(1, stop), ...]; `stop` is set when a task fails or Ctrl-C comes.

    A task looks at `stop` often and raises Stopped; `tick` is called in this thread after each task.
    """
    tick, stop = tick or (lambda: None), Event()
    if n_threads == 1 or count == 1:
        results = []
        for i in range(count):
            results.append(task(i, stop))
            tick()
        return results
    from concurrent.futures import ThreadPoolExecutor, as_completed  # loaded when it is used

    with ThreadPoolExecutor(n_threads) as pool:
        try:  # from the first task on: the pool would wait for all that were handed to it
            futures = [pool.submit(task, i, stop) for i in range(count)]
            for future in as_completed(futures):
                future.result()
                tick()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]
