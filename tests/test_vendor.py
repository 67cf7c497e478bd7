"""Others build on the kernels: a C program on a copy of src/kmf, a Cython package on the wheel."""

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


def checked(command: list[str], folder: Path, **options: object) -> str:
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return str(result.stdout)


@pytest.fixture(scope="module")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the C example and the headers, nothing else, and build both programs."""
    for tool in ("make", "cc", "c++"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("vendored") / "vendor_c"
    shutil.copytree(EXAMPLES / "vendor_c", folder, ignore=shutil.ignore_patterns("cluster_*"))
    shutil.copytree(ROOT / "src" / "kmf", folder / "kmf")
    checked(["make"], folder)
    return folder


@pytest.mark.parametrize("program", ["cluster_c11", "cluster_cxx17"])
@pytest.mark.parametrize(("n_samples", "n_features", "n_clusters"), [(500, 2, 7), (311, 13, 20)])
def test_a_c_program_on_the_copied_headers_finds_the_clusters_that_kmeans_finds(
    vendored: Path, program: str, n_samples: int, n_features: int, n_clusters: int
) -> None:
    X = np.random.default_rng(0).normal(size=(n_samples, n_features))
    printed = checked(
        [f"./{program}", str(n_samples), str(n_features), str(n_clusters)],
        vendored,
        input="\n".join(repr(value) for value in X.ravel().tolist()),
    )
    expected = kmeans_fast.kmeans(X, n_clusters, init=X[:n_clusters], tol=0, max_iter=1000)
    assert expected.converged
    np.testing.assert_array_equal(np.array(printed.split(), dtype=np.int32), expected.labels)


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
    folder = tmp_path / "vendor_cython"
    shutil.copytree(EXAMPLES / "vendor_cython", folder)
    checked([sys.executable, "setup.py", "build_ext", "--inplace"], folder)
    script = (
        "import numpy as np; from nearest import nearest;"
        "print(*nearest(np.array([[0.0, 1.0], [5.0, 5.0]]), np.array([[4.0, 4.0], [0.0, 0.0]])))"
    )
    assert checked([sys.executable, "-c", script], folder).split() == ["1", "0"]
