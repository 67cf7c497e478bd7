"""What setup.py builds: the wheel, one thread where OpenMP is absent, errors of one line."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import kmeans_fast

ROOT = Path(__file__).resolve().parents[1]
BUILD_FILES = ("setup.py", "build_probe.py", "pyproject.toml", "LICENSE")
# One small module in place of ours, so that a build takes seconds.
TINY = """
cdef extern from *:
    '''
    #ifdef _OPENMP
    #define HAS_OPENMP 1
    #else
    #define HAS_OPENMP 0
    #endif
    '''
    int HAS_OPENMP
openmp = HAS_OPENMP > 0
"""


def build(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    for module in ("setuptools", "Cython"):
        pytest.importorskip(module)
    return subprocess.run(
        [sys.executable, "setup.py", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A source tree that builds as this one does, with one small extension module."""
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "README.md").write_text("")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "_tiny.pyx").write_text(TINY)
    package = tmp_path / "kmeans_fast"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(ROOT / "kmeans_fast" / "_version.py", package)
    return tmp_path


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    return result.stderr.strip().splitlines()[-1]


def tiny_has_openmp(folder: Path) -> str:
    script = "from kmeans_fast import _tiny; print(_tiny.openmp)"
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout.strip()


def test_a_build_without_openmp_works_and_says_so_in_one_line(tiny: Path) -> None:
    result = build(tiny, "build_ext", "--inplace", KMEANS_FAST_OPENMP="0")
    assert result.returncode == 0, result.stderr
    assert "kmeans_fast: KMEANS_FAST_OPENMP=0 turns OpenMP off; building for one thread." in (
        result.stderr.splitlines()
    )
    assert tiny_has_openmp(tiny) == "False"


def test_turning_openmp_off_rebuilds_what_was_built_with_it(tiny: Path) -> None:
    result = build(tiny, "build_ext", "--inplace")
    assert result.returncode == 0, result.stderr
    found = "kmeans_fast: OpenMP found" in result.stderr
    assert tiny_has_openmp(tiny) == str(found)
    assert build(tiny, "build_ext", "--inplace", KMEANS_FAST_OPENMP="0").returncode == 0
    assert tiny_has_openmp(tiny) == "False"


def test_modules_declare_that_they_are_safe_without_the_gil(tiny: Path) -> None:
    assert build(tiny, "build_ext", "--inplace", KMEANS_FAST_OPENMP="0").returncode == 0
    (translated,) = tiny.glob("build/temp*/cython/src/_tiny.c")
    assert "#define __Pyx_FREETHREADING_COMPATIBLE Py_MOD_GIL_NOT_USED" in translated.read_text()


def without_openmp(folder: Path) -> dict[str, str]:
    """Write a compiler that lacks OpenMP; return the variables that make a build use it."""
    compiler = folder / "cc-without-openmp"
    compiler.write_text('#!/bin/sh\ncase "$*" in *-fopenmp*) exit 1;; esac\nexec cc "$@"\n')
    compiler.chmod(0o755)
    return {"CC": str(compiler), "LDSHARED": f"{compiler} -shared"}


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is named by CC on Unix alone")
def test_openmp_that_is_asked_for_and_missing_is_one_line(tiny: Path) -> None:
    result = build(tiny, "build_ext", "--inplace", KMEANS_FAST_OPENMP="1", **without_openmp(tiny))
    assert result.returncode != 0
    assert last_line(result).startswith("kmeans_fast: KMEANS_FAST_OPENMP=1 needs a compiler with OpenMP; ")


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is named by CC on Unix alone")
def test_a_compiler_that_lacks_openmp_builds_for_one_thread(tiny: Path) -> None:
    result = build(tiny, "build_ext", "--inplace", **without_openmp(tiny))
    if sys.platform != "darwin":
        assert result.returncode == 0, result.stderr
    assert re.search("^kmeans_fast: this compiler has no OpenMP .*one thread.$", result.stderr, re.M)


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is named by CC on Unix alone")
def test_a_missing_compiler_is_one_line_that_names_the_package(tiny: Path) -> None:
    result = build(tiny, "build_ext", "--inplace", CC=str(tiny / "no-such-compiler"))
    assert result.returncode != 0
    assert last_line(result).startswith("kmeans_fast: no working C compiler; ")
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="headers are shadowed by CFLAGS on Unix alone")
def test_missing_python_headers_are_one_line_that_names_the_package(tiny: Path) -> None:
    (tiny / "shadow").mkdir()
    (tiny / "shadow" / "Python.h").write_text("#error as if it were not there\n")
    result = build(tiny, "build_ext", "--inplace", CFLAGS=f"-I{tiny / 'shadow'}")
    assert result.returncode != 0
    assert last_line(result).startswith("kmeans_fast: Python.h is missing; ")


def test_a_name_that_an_extension_would_hide_is_refused(tiny: Path) -> None:
    (tiny / "kmeans_fast" / "_tiny.py").write_text("")
    result = build(tiny, "build_ext", "--inplace")
    assert last_line(result) == "kmeans_fast: ['_tiny'] must not be both in src and kmeans_fast."


def test_the_wheel_holds_headers_stubs_and_the_pxd(tiny: Path) -> None:
    shutil.copytree(ROOT / "src" / "kmf", tiny / "src" / "kmf")
    shutil.copy(ROOT / "src" / "kmf.pxd", tiny / "src")
    for stub in [*(ROOT / "kmeans_fast").glob("*.pyi"), ROOT / "kmeans_fast" / "py.typed"]:
        shutil.copy(stub, tiny / "kmeans_fast")
    result = build(tiny, "bdist_wheel", "--dist-dir", "wheels")
    assert result.returncode == 0, result.stderr
    (wheel,) = (tiny / "wheels").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    headers = {f"kmeans_fast/include/kmf/{path.name}" for path in (ROOT / "src/kmf").glob("*.h")}
    stubs = {f"kmeans_fast/{path.name}" for path in (ROOT / "kmeans_fast").glob("*.pyi")}
    assert headers
    assert stubs | headers | {"kmeans_fast/kmf.pxd", "kmeans_fast/py.typed"} <= names
    assert not [name for name in names if name.endswith((".pyx", ".c", ".md"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_every_extension_module_of_the_sources_is_in_the_package_and_has_a_stub() -> None:
    package = Path(kmeans_fast.__file__).parent
    for source in (ROOT / "src").glob("_*.pyx"):
        assert [*package.glob(f"{source.stem}.*.so"), *package.glob(f"{source.stem}.*.pyd")]
        assert (package / f"{source.stem}.pyi").exists(), f"{source.stem}.pyi is missing"


def test_the_version_stands_in_one_place() -> None:
    assert kmeans_fast.__version__ in (ROOT / "kmeans_fast" / "_version.py").read_text()
    assert kmeans_fast.__version__ not in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "src").glob("_*.pyx")))
def test_the_stub_of_an_extension_module_names_what_is_in_it(name: str) -> None:
    module = importlib.import_module(f"kmeans_fast.{name}")
    for node in ast.parse((Path(kmeans_fast.__file__).parent / f"{name}.pyi").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            described = inspect.signature(getattr(module, node.name)).parameters
            assert list(described) == [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            assert members <= set(dir(getattr(module, node.name)))


def test_workflows_pin_every_action_by_its_commit_and_need_no_secret() -> None:
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    if not files:
        pytest.skip("an sdist has no workflows")
    for file in files:
        text = file.read_text()
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), f"{file.name}: {action}"
        assert "secrets." not in text
