"""Imports point one way: src/kmf <- src/*.pyx <- core <- estimators <- plots, files, cli."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kmeans_fast"
MODULES = sorted(PACKAGE.rglob("*.py"))
EXTENSIONS = sorted((ROOT / "src").glob("_*.pyx"))
HEADERS = sorted((ROOT / "src" / "kmf").glob("*.h"))
PAGES = sorted(page for where in ("*", "docs/**/*", "src/**/*", "benchmarks/*") for page in ROOT.glob(f"{where}.md"))

CORE, ESTIMATORS, OUTSIDE = 0, 1, 2
LAYERS = {
    "_estimator": ESTIMATORS,
    "_sklearn_base": ESTIMATORS,
    "_sklearn_callbacks": ESTIMATORS,
    "variants": ESTIMATORS,
    "barriers": OUTSIDE,
    "choosing": OUTSIDE,
    "dask": OUTSIDE,
    "distributed": OUTSIDE,
    "plots": OUTSIDE,
    "report": OUTSIDE,
    "files": OUTSIDE,
    "cli": OUTSIDE,
    "__main__": OUTSIDE,
}
LIBC = {"sys/auxv.h", "float.h", "limits.h", "math.h", "stddef.h", "stdint.h", "string.h"}
INTRINSICS = {"arm_neon.h", "immintrin.h", "intrin.h"}


def name_of(path: Path) -> str:
    """Return the part of a module's name that follows `kmeans_fast.`; '' for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def layer_of(name: str) -> int:
    return LAYERS.get(name.split(".")[0], CORE)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def import_nodes(tree: ast.AST, *, nested: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run: all of them, or only those at import time (`nested=False`)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif is_type_checking(node):
            continue
        elif nested or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from import_nodes(node, nested=nested)


def imported(path: Path, *, nested: bool) -> Iterator[str]:
    """Yield the absolute names that a module imports; `from a import b` gives both a and a.b."""
    package = ["kmeans_fast", *path.relative_to(PACKAGE).parent.parts]
    for node in import_nodes(ast.parse(path.read_text(encoding="utf-8")), nested=nested):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_from_a_layer_above_its_own(path: Path) -> None:
    # The package's own lazy names are looked up in a function, which __init__ alone may do.
    nested = name_of(path) != ""
    for module in imported(path, nested=nested):
        if module.startswith("kmeans_fast."):
            inner = module.removeprefix("kmeans_fast.")
            assert layer_of(inner) <= layer_of(name_of(path)), f"{path} imports {module}"


@pytest.mark.parametrize("path", [path for path in MODULES if layer_of(name_of(path)) == CORE], ids=name_of)
def test_the_core_imports_numpy_and_the_standard_library_alone(path: Path) -> None:
    allowed = {"numpy", "kmeans_fast", *sys.stdlib_module_names}
    tops = {module.split(".")[0] for module in imported(path, nested=False)}
    assert tops <= allowed, f"{path} imports {sorted(tops - allowed)}"


@pytest.mark.parametrize("path", EXTENSIONS, ids=lambda path: path.stem)
def test_an_extension_module_knows_no_python_module_of_the_package(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    lines = re.findall(r"^\s*(?:from\s+[\w.]+\s+)?c?import\s+[^#\n]+", source, re.M)
    names = {name for line in lines if "kmeans_fast" in line for name in re.findall(r"\w+", line)}
    own = {"from", "import", "cimport", "kmeans_fast", "kmf", *(path.stem for path in EXTENSIONS)}
    assert names <= own, f"{path.name} imports {sorted(names - own)}"


@pytest.mark.parametrize("path", HEADERS, ids=lambda path: path.name)
def test_a_kernel_header_includes_its_own_folder_and_libc_alone(path: Path) -> None:
    own = {header.name for header in HEADERS}
    included = set(re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.M))
    assert included <= own | LIBC | INTRINSICS, f"{path.name} includes {included}"


@pytest.mark.parametrize("path", HEADERS, ids=lambda path: path.name)
def test_a_kernel_header_neither_allocates_nor_knows_threads(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.S)
    assert not re.findall(r"\b(?:malloc|calloc|realloc|free|PyObject|omp_\w+|pthread_\w+)\b", code)


def test_no_module_name_is_taken_by_both_a_python_file_and_an_extension() -> None:
    python = {path.stem for path in PACKAGE.glob("*.py")}
    assert not python & {path.stem for path in EXTENSIONS}


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_a_page_for_those_who_change_the_code_names_files_that_exist(page: str) -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:h|md|pxd|py|pyx|yml))`", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) > 5
    assert not [name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(f"*/**/{name}"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_a_page_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for name, heading in re.findall(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), name
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}, heading


def test_the_table_of_promises_names_tests_that_exist() -> None:
    known = {
        p.relative_to(ROOT / "tests"): p.read_text(encoding="utf-8") for p in (ROOT / "tests").glob("**/test_*.py")
    }
    rows = (ROOT / "docs/reliability.md").read_text(encoding="utf-8").partition("\n\nOracles")[0].split("\n| ")[2:]
    assert len(rows) >= 20
    for row in rows:
        file, found = "", 0
        for word in re.findall(r"`([^`]+)`", row.split(" | ")[2]):
            file = word if word.startswith("test_") or "/test_" in word else file
            if "_" in word and not word.endswith(".py"):
                pattern = rf"def test_{re.escape(word)}\(".replace(r"\.\.\.", r"\w*")
                assert re.search(pattern, known[Path(file)]), f"{file} has no test {word}"
            found += Path(file) in known
        assert found, row


def modules_after(statement: str, folder: Path) -> set[str]:
    """Return what a fresh process has loaded; it finds the package where this one found it."""
    import kmeans_fast

    script = f"{statement}; import sys; print(' '.join(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(Path(kmeans_fast.__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


def test_importing_the_package_loads_numpy_and_little_else(tmp_path: Path) -> None:
    added = modules_after("import kmeans_fast", tmp_path) - modules_after("import numpy", tmp_path)
    foreign = {name.split(".")[0] for name in added} - {
        "kmeans_fast",
        "numpy",
        *sys.stdlib_module_names,
    }
    # Cython's own helper modules appear under names of this form.
    foreign = {name for name in foreign if not name.startswith(("_cython_", "cython_runtime"))}
    assert not foreign
    standard = {name for name in added if name.split(".")[0] in sys.stdlib_module_names}
    assert len(standard) <= 20, sorted(standard)


def test_importing_the_package_leaves_the_lazy_names_unloaded(tmp_path: Path) -> None:
    loaded = modules_after("import kmeans_fast", tmp_path)
    lazy = {"_estimator", "datasets", "plots", "files", "reference", "cli"}
    assert not {f"kmeans_fast.{name}" for name in lazy} & loaded


@pytest.mark.parametrize("name", ["datasets", "reference"])
def test_a_lazy_name_is_loaded_when_it_is_used(name: str, tmp_path: Path) -> None:
    assert f"kmeans_fast.{name}" in modules_after(f"import kmeans_fast; kmeans_fast.{name}", tmp_path)
