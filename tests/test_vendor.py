"""Others build on the kernels: C and C++ programs on a copy of src/kmf, Cython and ctypes on the installed package.

Each example is built by its own Makefile or setup.py in a folder that holds nothing else. One program is optimised, as
GCC warns of most then; the others are not, to save time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kmeans_fast

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
PACKAGE = Path(kmeans_fast.__file__).parent
COMPILERS = {"gcc": {"CC": "gcc", "CXX": "g++"}, "clang": {"CC": "clang", "CXX": "clang++"}}
# libc and libm; a name that starts with an underscore is the compiler's own run-time library.
MAY_CALL = {
    "fabs",
    "floor",
    "fmax",
    "fmin",
    "getauxval",
    "lrint",
    "memcpy",
    "memmove",
    "memset",
    "pow",
    "rint",
    "sqrt",
    "strcmp",
}


def checked(command: list[str], folder: Path, *, input: str | None = None, **environment: str) -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)} | environment,
        capture_output=True,
        text=True,
        input=input,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def copy_of(example: str, folder: Path) -> Path:
    """Copy an example to a clean folder, without what building it in place left."""
    leftovers = shutil.ignore_patterns("cluster_*", "build", "*.so", "__pycache__")
    return Path(shutil.copytree(EXAMPLES / example, folder / example, ignore=leftovers))


@pytest.mark.parametrize("program", ["cluster_c11", "cluster_cxx17"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_c_program_on_the_copied_headers_finds_the_clusters_that_kmeans_finds(
    tmp_path: Path, compiler: str, program: str
) -> None:
    need("make", *COMPILERS[compiler].values())
    folder = copy_of("vendor_c", tmp_path)
    shutil.copytree(ROOT / "src" / "kmf", folder / "kmf")
    options = [f"{name}={value}" for name, value in COMPILERS[compiler].items()]
    options.append("CFLAGS=-O3" if (compiler, program) == ("gcc", "cluster_c11") else "CFLAGS=-O0")
    checked(["make", program, *options], folder)
    for n_samples, n_features, n_clusters in [(500, 2, 7), (311, 13, 20)]:
        X = np.random.default_rng(0).normal(size=(n_samples, n_features))
        printed = checked(
            [f"./{program}", str(n_samples), str(n_features), str(n_clusters)],
            folder,
            input="\n".join(repr(value) for value in X.ravel().tolist()),
        )
        expected = kmeans_fast.kmeans(X, n_clusters, init=X[:n_clusters], tol=0, max_iter=1000)
        assert expected.converged
        np.testing.assert_array_equal(np.array(printed.split(), dtype=np.int32), expected.labels)


def test_the_c_program_has_thirty_lines() -> None:
    source = (EXAMPLES / "vendor_c" / "cluster.c").read_text().partition("*/\n")[2]
    assert len([line for line in source.splitlines() if line.strip()]) <= 30


def test_the_version_of_the_kernels_is_that_of_the_package() -> None:
    major, minor, patch = map(int, kmeans_fast.__version__.split(".")[:3])
    header = (ROOT / "src" / "kmf" / "kmf.h").read_text()
    assert f"#define KMF_VERSION {major * 10000 + minor * 100 + patch} " in header


def test_the_installed_headers_are_those_of_the_sources() -> None:
    installed = Path(kmeans_fast.get_include())
    headers = sorted(path.name for path in (ROOT / "src" / "kmf").glob("*.h"))
    assert sorted(path.name for path in installed.glob("*.h")) == headers
    for name in headers:
        assert (installed / name).read_bytes() == (ROOT / "src" / "kmf" / name).read_bytes()


def test_a_cython_package_cimports_the_installed_kernels(tmp_path: Path) -> None:
    pytest.importorskip("Cython")
    if not (PACKAGE / "kmf.pxd").exists():
        pytest.skip("kmeans_fast was built in place; its .pxd is there once it is installed")
    folder = copy_of("vendor_cython", tmp_path)
    checked([sys.executable, "setup.py", "build_ext", "--inplace"], folder, CFLAGS="-O0")
    script = (
        "import numpy as np; from nearest import nearest;"
        "print(*nearest(np.array([[0.0, 1.0], [5.0, 5.0]]), np.array([[4.0, 4.0], [0.0, 0.0]])))"
    )
    assert checked([sys.executable, "-c", script], folder).split() == ["1", "0"]


def test_ctypes_calls_the_kernels_which_allocate_nothing_and_start_no_thread(tmp_path: Path) -> None:
    need("make", "cc", "nm")
    folder = copy_of("vendor_ctypes", tmp_path)
    checked(["make", f"PYTHON={sys.executable}", "CFLAGS=-O0"], folder)
    assert checked([sys.executable, "nearest.py"], folder) == "[1 0]\n"
    called = {
        line.split()[-1].partition("@")[0] for line in checked(["nm", "-D", "-u", "libnearest.so"], folder).splitlines()
    }
    assert {name.removesuffix("f") for name in called if not name.startswith("_")} <= MAY_CALL


def test_the_library_for_ctypes_is_not_built_without_the_headers(tmp_path: Path) -> None:
    need("make", "cc")
    folder = copy_of("vendor_ctypes", tmp_path)
    done = subprocess.run(["make", "PYTHON=false"], cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert "false has no kmeans_fast; run make PYTHON=" in done.stderr
    assert not (folder / "libnearest.so").exists()
