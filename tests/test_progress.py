"""The bar: what it says, where it is drawn and where not."""

from __future__ import annotations

import io
import os
import re
import struct
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("tqdm")

from kmeans_fast import FitState, KMeans, kmeans
from kmeans_fast._progress import Bar

STATE = FitState(0, 1, 1, 300, 1000.0, 500, 1000, 1.0, 1.0, np.zeros((10, 2)), 1e-3, 10_000, 8_000_000_000)


@pytest.fixture
def bar() -> Any:
    made = Bar()
    yield made
    made.close()


def shown(bar: Bar) -> str:
    return str(bar.bar)


def test_the_bar_says_what_an_iteration_did(bar):
    bar(STATE)
    later = replace(
        STATE, iteration=3, elapsed=2.0, inertia=900.0, n_changed=32, n_distances=15_000, centroid_shift=0.01
    )
    bar(later)
    text = shown(bar)
    assert "restart 1 of 1 |" in text
    assert "| 3/300 [" in text
    assert "inertia 900, 3.2% moved, 75% pruned, 16 GB/s" in text


def test_time_left_follows_the_trend_of_the_shift_and_no_further_than_max_iter(bar):
    for i in range(1, 11):  # a factor of two each, half a second each
        state = replace(STATE, iteration=i, elapsed=0.5 * i, centroid_shift=2.0**-i, shift_limit=2.0**-20)
        bar(state)
    assert bar._left(state) == pytest.approx(5.0)
    assert bar._left(replace(state, max_iter=14)) == pytest.approx(2.0)
    assert bar._left(replace(state, n_init=3, max_iter=14)) == pytest.approx(2.0 + 2 * 7.0)
    bar.recent.clear()
    for i in range(1, 11):  # with tol=0 the samples that moved stand in
        state = replace(STATE, iteration=i, elapsed=0.5 * i, n_changed=2 ** (14 - i), shift_limit=0.0)
        bar(state)
    assert bar._left(state) == pytest.approx(0.5 * 5)


def test_a_second_restart_begins_anew(bar):
    bar(replace(STATE, n_init=2))
    bar(replace(STATE, n_init=2, restart=1, iteration=1, elapsed=2.0))
    assert "restart 2 of 2" in shown(bar)
    assert "8 GB/s" in shown(bar)


def test_progress_is_drawn_on_standard_error_and_taken_away(blobs, capsys):
    plain = kmeans(blobs(), 5, random_state=0)
    r = kmeans(blobs(), 5, random_state=0, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "restart 1 of 1" in err
    assert re.search(r"\| 1/300 \[00:00\], inertia [\d.]+, 100% moved, .*GB/s, .* left", err)
    np.testing.assert_array_equal(r.inertia_history, plain.inertia_history)
    assert re.search(r"\r *\r$", err)


def test_auto_is_silent_in_a_pipe_and_so_is_verbose_a_bar(blobs, capsys):
    seen: list[FitState] = []
    kmeans(blobs(), 5, random_state=0, progress="auto", callback=seen.append)
    kmeans(blobs(), 5, random_state=0, progress=np.False_)
    KMeans(5, random_state=0, verbose=1).fit(blobs())
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("iteration 1: inertia ")
    assert len(seen) > 1
    assert seen[1].n_distances > 0
    assert seen[1].n_bytes == blobs().nbytes


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_auto_and_verbose_draw_on_a_terminal(blobs, monkeypatch, capsys):
    for fit in (
        lambda: kmeans(blobs(), 5, random_state=0, progress="auto"),
        lambda: KMeans(5, random_state=0, verbose=1).fit(blobs()),
    ):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        fit()
        assert "restart 1 of 1" in terminal.getvalue()
    KMeans(5, random_state=0, verbose=2).fit(blobs())
    assert capsys.readouterr().out.startswith("iteration 1: inertia ")


def test_the_bar_goes_when_a_fit_fails(blobs, capsys):
    def angry(_: FitState) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        kmeans(blobs(), 5, random_state=0, progress=True, callback=angry)
    assert re.search(r"\r *\r$", capsys.readouterr().err)


def test_another_value_is_refused(blobs):
    with pytest.raises(ValueError, match="progress='yes' must be True, False or 'auto'"):
        kmeans(blobs(), 5, progress="yes")


def test_without_tqdm_the_error_names_the_extra(blobs, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r'needs tqdm; install it with: pip install "kmeans_fast\[progress\]"'):
        kmeans(blobs(), 5, progress=True)


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminal")
def test_a_long_run_of_the_command_line_tells_all_on_a_terminal(tmp_path):
    import fcntl
    import pty
    import subprocess
    import termios

    np.save(tmp_path / "X.npy", np.random.default_rng(0).random((9000, 3), np.float32))
    command = [sys.executable, "-m", "kmeans_fast", "cluster", "X.npy", "-k", "50", "--max-iter", "20", "--seed", "0"]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 160, 0, 0))
    subprocess.run(command, cwd=tmp_path, stderr=theirs, stdout=subprocess.DEVNULL, check=True, timeout=60)
    os.close(theirs)
    text = os.read(ours, 100_000).decode()
    os.close(ours)
    assert re.search(r"restart 1 of 1 \|.*inertia [\d.]+, [\d.]+% moved, .*[\d.e+-]+ GB/s, [\d:]+( s)? left", text)
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert piped.stderr == b""
