"""A fit that was killed goes on from its checkpoint and ends in the bits of one that was not."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kmeans_fast import KMeansResult, _atomic, _distances, kmeans
from kmeans_fast._algorithm import ALGORITHMS
from kmeans_fast._checkpoint import KIND, Checkpoint, read
from kmeans_fast._seed import METHODS

Array = NDArray[Any]
LATER = 1e9  # seconds: nothing is saved but the end


def assert_same(a: KMeansResult, b: KMeansResult) -> None:
    for field in ("labels", "centroids", "counts", "inertia_history"):
        x, y = getattr(a, field), getattr(b, field)
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)
    for field in ("inertia", "restarts", "best_restart", "stop_reason", "compute_dtype"):
        assert getattr(a, field) == getattr(b, field)


@pytest.fixture
def resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Hold a fit against one that is saved all the time, and against those that go on from some of the files."""
    files: list[bytes] = []
    save = Checkpoint.save

    def keeping(self: Checkpoint, *what: Any) -> bool:
        done = save(self, *what)
        files.append(self.path.read_bytes())
        return done

    monkeypatch.setattr(Checkpoint, "save", keeping)
    monkeypatch.setattr(_atomic.os, "fsync", lambda _: None)  # nobody cuts the power here

    def check(X: Any, k: int, count: int = 4, **how: Any) -> list[dict[str, Any]]:
        path, states = tmp_path / "fit.ckpt", []
        plain = kmeans(X, k, **how)
        files.clear()
        assert_same(kmeans(X, k, checkpoint=path, checkpoint_every=0, **how), plain)
        for at in np.unique(np.linspace(0, len(files) - 1, count).astype(int)):
            path.write_bytes(files[at])
            states.append(read(path)[1])
            assert_same(kmeans(X, k, checkpoint=path, checkpoint_every=LATER, **how), plain)
        path.unlink()
        return states

    return check


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_goes_on_to_the_same_bits(blobs, resume, algorithm, dtype):
    states = resume(blobs(6000, 3, 12, dtype), 12, algorithm=algorithm, random_state=1, tol=0, n_init=2)
    assert any("halt" in state and "reasons" in state for state in states)  # amid the second restart


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", METHODS)
def test_every_start_and_ten_restarts(blobs, resume, init, dtype):
    resume(blobs(2000, 3, 9, dtype), 9, 5, init=init, random_state=1, n_init=10, max_iter=12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_weights_many_features_and_other_dtypes(blobs, resume, dtype):
    X = (20 * blobs(2000, 24, 9)).astype(dtype)
    resume(X, 16, 3, random_state=3, sample_weight=np.random.default_rng(0).random(len(X)), max_iter=12)


def test_samples_that_came_and_went_have_left_their_rounding_in_the_sums(blobs, resume):
    X = blobs(6000, 2, 12) + 1e7
    states = resume(X, 12, 12, random_state=0, tol=0)
    assert len(states) > 6


@pytest.mark.parametrize(
    ("n", "offset", "seed"), [(1000, 500, 0), (2000, 200, 1)]
)  # amid the first restart, in the second
def test_a_fit_goes_on_in_float64_from_where_float32_had_to_stop(resume, n, offset, seed):
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((n, 2)) + offset * rng.integers(-1, 2, (n, 1))).astype(np.float32)
    states = resume(X, 8, 24, n_init=4, tol=0, random_state=seed)
    assert {state["dtype"] for state in states} == {"<f4", "<f8"}


def test_a_loop_that_went_on_after_its_last_pass_goes_on_from_there(resume):
    X = (1.0 + np.array([[2.0**37], [7], [4], [1], [0]]) * 2.0**-23).astype(np.float32)
    states = resume(X, 4, init=X[[0, 3, 1, 4]].astype(float), tol=0)
    assert [state["halt"]["laps"] for state in states if "halt" in state] == [0, 1]


def test_a_run_that_turned_to_boxes_goes_on_by_boxes(resume):
    X = np.random.default_rng(0).random((33_000, 5), np.float32)
    states = resume(X, 24, 3, init=X[:24], tol=0, max_iter=16)
    scan = "codes" if _distances.takes_codes() else "lloyd"
    assert [state["algorithm"] for state in states] == [scan, scan, "boxes"]


@pytest.mark.parametrize("init", ["k-means++", "random-partition"])
def test_empty_clusters_are_relocated_as_before(resume, init):
    X = np.random.default_rng(0).integers(0, 12, (600, 2)).astype(float)
    resume(X, 90, 6, init=init, random_state=1, n_init=3, tol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [9, 40])
def test_the_best_quality_goes_on_between_swaps(blobs, resume, dtype, k):
    states = resume(blobs(1500, 3, 20, dtype), k, 6, quality="best", random_state=1, n_init=2)
    assert any("pause" in state for state in states)


@pytest.mark.parametrize("generator", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
def test_every_generator_is_set_back(blobs, tmp_path, generator):
    X, path = blobs(500), tmp_path / "a"
    plain = kmeans(X, 5, n_init=4, random_state=np.random.Generator(generator(3)))
    seen: list[int] = []

    def stop(state: Any) -> bool:
        seen.append(state.restart)
        return state.restart == 2

    kmeans(X, 5, n_init=4, random_state=np.random.Generator(generator(3)), checkpoint=path, callback=stop)
    assert seen[-1] == 2
    again = kmeans(X, 5, n_init=4, random_state=np.random.Generator(generator(3)), checkpoint=path)
    assert_same(again, plain)


@pytest.mark.parametrize("quality", ["standard", "best"])
def test_a_fit_that_a_callback_stops_goes_on_where_it_was(blobs, tmp_path, quality):
    X, path, how = blobs(1500, 3, 20), tmp_path / "a", {"tol": 0, "random_state": 0, "quality": quality, "n_init": 3}
    plain, calls, seen = kmeans(X, 9, **how), 0, []

    def stop(state: Any) -> bool:
        seen.append(state)
        return len(seen) >= (12 if quality == "standard" else 30)

    while (r := kmeans(X, 9, checkpoint=path, callback=stop, **how)).restarts[-1].stop_reason == "callback":
        calls += 1
        assert calls < 50
        seen.clear()
    assert calls > 1
    assert_same(r, plain)
    seen.clear()
    assert_same(kmeans(X, 9, checkpoint=path, callback=seen.append, **how), plain)
    assert not seen  # it is over


def test_a_fit_out_of_time_goes_on_where_it_was(blobs, tmp_path):
    X, path, how = blobs(8000, 3, 40), tmp_path / "a", {"tol": 0, "random_state": 0, "max_iter": 60}
    assert kmeans(X, 40, max_time=1e-3, checkpoint=path, **how).stop_reason == "max_time"
    assert path.exists()
    assert_same(kmeans(X, 40, checkpoint=path, **how), kmeans(X, 40, **how))


def test_another_number_of_threads_and_another_algorithm_may_go_on(blobs, tmp_path):
    X, path = blobs(6000, 4, 12), tmp_path / "a"
    plain = kmeans(X, 12, random_state=0, tol=0)
    stop = {"checkpoint": path, "callback": lambda state: state.iteration == 5}
    kmeans(X, 12, random_state=0, tol=0, n_threads=2, algorithm="elkan", **stop)
    assert_same(kmeans(X, 12, random_state=0, tol=0, n_threads=1, algorithm="boxes", checkpoint=path), plain)


def test_another_problem_is_refused_and_the_message_names_what_differs(blobs, tmp_path):
    X, path = blobs(300), tmp_path / "a"
    how: dict[str, Any] = {"n_init": 2, "random_state": 0, "checkpoint": path, "sample_weight": np.ones(300)}
    kmeans(X, 5, **how)
    bytes_before = path.read_bytes()
    for name, value, words in [
        ("n_init", 3, "n_init is 2 there and 3 here"),
        ("random_state", 1, "random_state is 0 there and 1 here"),
        ("random_state", None, "random_state is 0 there and None here"),
        ("max_iter", 7, "max_iter is 300 there and 7 here"),
        ("tol", 0, "tol is 0.0001 there and 0.0 here"),
        ("quality", "best", "quality is 'standard' there and 'best' here"),
        ("init", "random", r"init is 'k-means\+\+' there"),
        ("sample_weight", np.arange(300), "sample_weight differs"),
        ("sample_weight", None, "sample_weight is 'sha256:.*' there and None here"),
    ]:
        with pytest.raises(ValueError, match=f"a is of another problem: .*({words}).*; delete it to start anew"):
            kmeans(X, 5, **how | {name: value})
    changed = X.copy()
    changed[123, 1] += 1e-3
    for other, k, words in [
        (changed, 5, "X differs"),
        (X[:299], 5, "X.shape"),
        (X.astype("f4"), 5, "X.dtype"),
        (X, 6, "n_clust"),
    ]:
        with pytest.raises(ValueError, match=f"another problem: {words}"):
            kmeans(other, k, **how | {"sample_weight": np.ones(len(other))})
    with pytest.raises(ValueError, match="X differs"):
        kmeans(X[::-1], 5, **how)
    assert path.read_bytes() == bytes_before


def test_a_damaged_checkpoint_is_refused(blobs, tmp_path):
    X, path = blobs(300), tmp_path / "a"
    kmeans(X, 5, random_state=0, checkpoint=path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:n] for n in rng.integers(1, len(whole), 30)] + [whole + b"\0"]
    for bit in rng.integers(8 * len(whole), size=100):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"a (is|has)"):
            kmeans(X, 5, random_state=0, checkpoint=path)
    assert path.read_bytes() == damaged[-1]


@pytest.mark.parametrize(
    ("state", "table", "words"),
    [
        ({}, [["a", "<f8", [2**40, 2**40]]], "header that makes no sense: its arrays don't add up to 8 bytes"),
        ({}, [["a", "<f8", [-1]]], "header that makes no sense: 'a' must be an array of"),
        ({}, [["a", "|O8", [1]]], "header that makes no sense: 'a' must be an array of"),
        ({}, [["a", "<f8"]], "header that makes no sense"),
        (None, [["a", "<f8", [1]]], "header that makes no sense: it must have the keys arrays, problem, state"),
        ([], [["a", "<f8", [1]]], "header that makes no sense: problem and state must be objects"),
        ({}, [["a", "<f8", [1]]], "state that makes no sense: KeyError"),
        ({"halt": {}}, [["centroids", "<f8", [1]]], "state that makes no sense: TypeError.*shape"),
        ({}, [["a\n" * 500, "<f" + "9" * 5000, [1]]], "header that makes no sense: 'a.{,50} must be an array of"),
    ],
)
def test_a_forged_header_is_refused_although_its_digest_is_right(blobs, tmp_path, state, table, words):
    X, path = blobs(300), tmp_path / "a"
    kmeans(X, 5, random_state=0, checkpoint=path)
    problem, honest, _ = read(path)
    if state is not None and "halt" in state:
        state = honest | state
        for name in ("reasons", "best"):
            del state[name]
    header = {"problem": problem, "state": state, "arrays": table}
    text = KIND.encode({name: part for name, part in header.items() if part is not None}, 8)
    with open(path, "wb") as stream:
        KIND.write(stream, 1, text, [np.ones(1)])
    with pytest.raises(ValueError, match=words):
        kmeans(X, 5, random_state=0, checkpoint=path)


@pytest.mark.parametrize(
    ("generator", "forge", "words"),
    [
        (np.random.PCG64, lambda s: s["pause"].update(at=99), "pause"),
        (np.random.PCG64, lambda s: s["pause"].update(n_distances="many"), "'many' must be a count"),
        (np.random.PCG64, lambda s: s["pause"].update(misses=-(10**9)), "-1000000000 must be a count"),
        (np.random.PCG64, lambda s: s["pause"].update(n_tried=2**63 - 1), "9223372036854775807 must be a count"),
        (np.random.PCG64, lambda s: s["pause"].update(end=10**400), "too large"),
        (np.random.PCG64, lambda s: s["pause"].update(end="soon"), "'soon' must be a finite number"),
        (np.random.PCG64, lambda s: s["pause"].pop("inertia"), "it must have inertia"),
        (np.random.PCG64, lambda s: s.update(pause=True), "it must have inertia"),
        (np.random.PCG64, lambda s: s.update(dtype="<i8"), "dtype='<i8'"),
        (np.random.PCG64, lambda s: s.update(best=2), "best=2 must be >= 0 and < 1"),
        (np.random.PCG64, lambda s: s.update(rng=[]), "rng must be a state of the same generator"),
        (np.random.PCG64, lambda s: s["rng"]["state"].update(state=-1), "Overflow|negative"),
        # From there NumPy would read memory that is not the generator's.
        (np.random.MT19937, lambda s: s["rng"]["state"].update(pos=10**6), "rng must be a state of the same generator"),
        (np.random.Philox, lambda s: s["rng"].update(buffer_pos=-(10**6)), "rng must be a state of the same generator"),
    ],
)
def test_a_forged_state_is_refused_although_its_digest_is_right(tmp_path, monkeypatch, generator, forge, words):
    X, path, files = np.random.default_rng(0).random((60, 2)), tmp_path / "a", []

    def fit() -> KMeansResult:
        rng = np.random.Generator(generator(0))
        return kmeans(X, 9, n_init=2, quality="best", random_state=rng, checkpoint=path, checkpoint_every=0)

    save = Checkpoint.save
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", lambda self, *what: (save(self, *what), files.append(path.read_bytes())))
        patched.setattr(_atomic.os, "fsync", lambda _: None)
        plain = fit()
    for data in files:
        path.write_bytes(data)
        problem, state, arrays = read(path)
        if "pause" in state and "reasons" in state:
            break
    assert_same(fit(), plain)
    forge(state)
    Checkpoint(path, 0.0, problem).save(state, arrays)
    with pytest.raises(ValueError, match=f"a has a state that makes no sense: .*({words})"):
        fit()


def test_a_disk_that_refuses_gives_a_warning_and_keeps_the_checkpoint_before(blobs, tmp_path, monkeypatch):
    X, path = blobs(3000, 3, 9), tmp_path / "a"
    how: dict[str, Any] = {"random_state": 0, "tol": 0, "checkpoint": path, "checkpoint_every": 0}
    plain = kmeans(X, 9, random_state=0, tol=0)
    kmeans(X, 9, **how, callback=lambda state: state.iteration == 4)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(_atomic.os, "fsync", full)
        with pytest.warns(
            RuntimeWarning, match=r"a could not be written: No space.*the checkpoint before is as it was"
        ):
            assert_same(kmeans(X, 9, **how), plain)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a"]
    assert_same(kmeans(X, 9, **how), plain)


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE")
def test_a_disk_that_fills_up_for_real_costs_no_result(run_python, tmp_path):
    said = run_python(
        "import os, resource, signal, sys, warnings\n"
        "import numpy as np\n"
        "from kmeans_fast import kmeans\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "X = np.random.default_rng(0).random((3000, 3))\n"
        "path = sys.argv[1] if len(sys.argv) > 1 else os.environ['AT']\n"
        "how = dict(random_state=0, tol=0, checkpoint=path, checkpoint_every=0)\n"
        "kmeans(X, 30, callback=lambda state: state.iteration == 4, **how)\n"
        "before = open(path, 'rb').read()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    r = kmeans(X, 30, **how)\n"
        "assert open(path, 'rb').read() == before and os.listdir(os.path.dirname(path)) == ['a']\n"
        "assert r.inertia == kmeans(X, 30, random_state=0, tol=0).inertia\n"
        "print(caught[0].message)\n",
        AT=str(tmp_path / "a"),
    )
    assert "could not be written: File too large" in said


KILLED = """
import sys, numpy as np
from kmeans_fast import kmeans
X = np.random.default_rng(0).random((3000, 3)).astype(sys.argv[2])
print("begins", flush=True)
r = kmeans(X, 30, n_init=10, init="random", tol=0, random_state=5, checkpoint=sys.argv[1], checkpoint_every=0)
np.savez(sys.argv[1] + ".npz", labels=r.labels, centroids=r.centroids, history=r.inertia_history, inertia=r.inertia)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_killed_again_and_again_it_ends_in_the_same_bits(tmp_path, dtype):
    X = np.random.default_rng(0).random((3000, 3)).astype(dtype)
    plain = kmeans(X, 30, n_init=10, init="random", tol=0, random_state=5)
    path, rng, kills = str(tmp_path / "fit"), np.random.default_rng(1), 0
    command = [sys.executable, "-c", KILLED, path, dtype]
    while not os.path.exists(path + ".npz"):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            if kills < 3:
                time.sleep(0.05 + 0.3 * rng.random())
                process.send_signal(signal.SIGKILL)
                kills += 1
        assert process.returncode in (0, -signal.SIGKILL)
    r = np.load(path + ".npz")
    np.testing.assert_array_equal(r["labels"], plain.labels)
    np.testing.assert_array_equal(r["centroids"], plain.centroids)
    np.testing.assert_array_equal(r["history"], plain.inertia_history)
    assert r["inertia"] == plain.inertia
    assert sorted(os.listdir(tmp_path)) == ["fit", "fit.npz"]


def test_what_a_kill_left_amid_a_saving_goes_and_no_other_file(blobs, tmp_path):
    X, path = blobs(300), tmp_path / "a"
    kmeans(X, 5, random_state=0, checkpoint=path)
    mark = Checkpoint(path, 0, {}).mark
    for name in (f".kmeans-fast-{mark}0123.tmp", ".kmeans-fast-another0123.tmp"):
        (tmp_path / name).write_bytes(b"half")
    kmeans(X, 5, random_state=0, checkpoint=path)
    assert sorted(os.listdir(tmp_path)) == [".kmeans-fast-another0123.tmp", "a"]


def test_a_start_by_a_callable_is_known_by_its_name(blobs, tmp_path):
    X = blobs(300)

    def first(X, k, random_state):
        return X[:k]

    def last(X, k, random_state):
        return X[-k:]

    plain = kmeans(X, 5, init=first, n_init=2, random_state=0)
    for _ in range(2):
        assert_same(kmeans(X, 5, init=first, n_init=2, random_state=0, checkpoint=tmp_path / "a"), plain)
    with pytest.raises(ValueError, match=r"is of another problem: init is '.*first' there and '.*last' here"):
        kmeans(X, 5, init=last, n_init=2, random_state=0, checkpoint=tmp_path / "a")


def test_the_estimator_goes_on_too(blobs, KMeans, tmp_path):
    X, path = blobs(3000, 3, 9), tmp_path / "a"
    plain = KMeans(9, random_state=0, tol=0).fit(X).result_
    kmeans(X, 9, random_state=0, tol=0, checkpoint=path, callback=lambda state: state.iteration == 4)
    model = KMeans(9, random_state=0, tol=0, checkpoint=path).fit(X)
    assert_same(model.result_, plain)
    # NumPy's global state is another one every time; what was saved goes on.
    other = tmp_path / "b"
    first = KMeans(9, checkpoint=other).fit(X)
    assert_same(KMeans(9, checkpoint=str(other)).fit(X).result_, first.result_)


def test_bad_arguments_are_refused_before_the_work(blobs, tmp_path):
    X = blobs(300)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        kmeans(X, 5, checkpoint=tmp_path / "no" / "a")
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        kmeans(X, 5, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="checkpoint_every=-1 must be finite and >= 0"):
        kmeans(X, 5, checkpoint=tmp_path / "a", checkpoint_every=-1)
    (tmp_path / "a").write_bytes(b"x,y\n1,2\n")
    with pytest.raises(ValueError, match="a is not a kmeans_fast checkpoint"):
        kmeans(X, 5, checkpoint=tmp_path / "a")


def test_the_log_tells_of_restarts_changes_and_checkpoints(blobs, tmp_path, caplog):
    caplog.set_level(logging.INFO, "kmeans_fast")
    path = tmp_path / "a"
    kmeans(blobs(300), 5, n_init=2, random_state=0, checkpoint=path)
    kmeans(blobs(300), 5, n_init=2, random_state=0, checkpoint=path)
    X = np.random.default_rng(0).random((33_000, 5), np.float32)
    kmeans(X, 24, init=X[:24], tol=0, max_iter=14)
    rng = np.random.default_rng(0)
    kmeans((rng.standard_normal((900, 2)) + 2e3 * rng.integers(-1, 2, (900, 1))).astype(np.float32), 8, random_state=0)
    text = caplog.text
    for words in (
        "restart 1 begins",
        "restart 2 ends: labels unchanged, iteration",
        f"checkpoint {path} written: ",
        f"resumed from {path}",
        "going on by boxes",
        "going on in float64",
    ):
        assert words in text
