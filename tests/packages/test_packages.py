"""What is published, built as for a release and used from an environment that holds nothing else of ours.

Minutes of compiling, so `make packages` alone runs this.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

if "KMEANS_FAST_PACKAGES" not in os.environ:
    pytest.skip("`make packages` runs them", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
# What a build, a test or an editor leaves in a working tree, and must not reach a package.
LEFTOVERS = (".*", "build", "dist", "*.egg-info", "*.so", "*.pyd", "*.o", "__pycache__", "_build")
SNIPPET = """
import numpy as np
from numpy.typing import NDArray

import kmeans_fast
from kmeans_fast import FitState, KMeans, KMeansResult, kmeans, predict
from kmeans_fast.datasets import init_board


def show(state: FitState) -> None:
    print(state.iteration, state.inertia)


X = init_board(100, random_state=0)
result: KMeansResult = kmeans(X, 5, random_state=0, callback=show)
labels: NDArray[np.int32] = predict(X, result.centroids)
inertia: float = result.inertia
folder: str = kmeans_fast.get_include()
model = KMeans(5).fit(X)
kmeans(X, "5")  # type: ignore[arg-type]
"""
FIT = """
import numpy as np
from kmeans_fast import _runtime, kmeans
result = kmeans(np.random.default_rng(0).random((200_000, 4), np.float32), 50, n_threads=2, random_state=0)
print(_runtime.openmp, result.n_threads, result.converged or result.n_iter)
"""


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=inherited | environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def tool(name: str, *arguments: str | Path) -> str:
    """Run a program of the environment of the tests."""
    return run(
        Path(sysconfig.get_path("scripts"), name),
        *arguments,
        PATH=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
    )


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist from a copy of the sources, and the wheel from the sdist."""
    sources = tmp_path_factory.mktemp("release") / "sources"
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(*LEFTOVERS))
    run(sys.executable, "-m", "build", "--no-isolation", cwd=sources)
    return sources / "dist"


@pytest.fixture(scope="module")
def sdist(dist: Path) -> Path:
    (file,) = dist.glob("*.tar.gz")
    return file


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (file,) = dist.glob("*.whl")
    return file


def environment(folder: Path, wheel: Path) -> Path:
    """Make an environment with the wheel in it, offline; what else it needs it borrows from ours."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    Path(site, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def user(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a user who installed the wheel."""
    folder = tmp_path_factory.mktemp("user")
    python = environment(folder, wheel)
    assert str(folder) in run(python, "-c", "import kmeans_fast; print(kmeans_fast.__file__)", cwd=folder)
    return python


def test_the_sdist_builds_offline_to_the_same_wheel_bit_for_bit(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", tmp_path, sdist)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_what_users_need_and_nothing_that_building_left(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    package = {name.removeprefix("kmeans_fast/") for name in names if name.startswith("kmeans_fast/")}
    sources = {path.relative_to(ROOT / "kmeans_fast").as_posix() for path in (ROOT / "kmeans_fast").rglob("*.py*")}
    sources = {name for name in sources if name.endswith((".py", ".pyi"))}
    headers = {f"include/kmf/{path.name}" for path in (ROOT / "src" / "kmf").glob("*.h")}
    modules = {name for name in package if name.endswith((".so", ".pyd"))}
    assert {name.partition(".")[0] for name in modules} == {path.stem for path in (ROOT / "src").glob("_*.pyx")}
    assert package == sources | headers | modules | {"kmf.pxd", "py.typed"}
    others = [name for name in names if not name.startswith("kmeans_fast/")]
    assert all(".dist-info/" in name for name in others)
    assert [name for name in others if name.endswith("licenses/LICENSE")]


def test_linters_of_packages_find_nothing(sdist: Path, wheel: Path) -> None:
    tool("twine", "check", "--strict", sdist, wheel)
    tool("check-wheel-contents", wheel)


@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel is for Linux")
def test_the_wheel_becomes_a_manylinux_wheel_that_fits_in_threads(wheel: Path, tmp_path: Path) -> None:
    tool("auditwheel", "repair", "--wheel-dir", tmp_path / "repaired", wheel)
    (repaired,) = (tmp_path / "repaired").glob("*manylinux*.whl")
    assert [name for name in zipfile.ZipFile(repaired).namelist() if name.startswith("kmeans_fast.libs/libgomp")]
    python = environment(tmp_path / "user", repaired)
    assert run(python, "-c", FIT, cwd=tmp_path).startswith("True 2 ")


def test_a_users_code_passes_mypy_strict(user: Path, tmp_path: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET)
    run(sys.executable, "-m", "mypy", "--strict", "--python-executable", user, "snippet.py", cwd=tmp_path)


def test_the_examples_build_on_the_wheel(user: Path, tmp_path: Path) -> None:
    run(user, "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml", ROOT / "tests" / "test_vendor.py", cwd=tmp_path)
