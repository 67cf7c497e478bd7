# From a bare clone: `make demo` and `make test`. Each makes .venv, builds the package and installs it
# there as pip would anywhere. What is installed is what runs: the tests start inside .venv, because at
# the root Python would import the kmeans_fast folder, which has no compiled modules.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
# Processes of `make test`; the tests of a file stay in one, and files start in the order of tests/conftest.py.
WORKERS ?= 2
TESTS = -c "$(CURDIR)/pyproject.toml" --rootdir="$(CURDIR)" -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	--doctest-glob=README.md "$(CURDIR)/tests" $(abspath $(wildcard README.md)) $(ARGS)
# One table a shape, half a second a line at most.
BENCH  ?= --benchmark-max-time=0.5 --benchmark-group-by=param:data --benchmark-columns=min,median,rounds

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

# What the installed package is made of; a newer file here installs it again.
SOURCES := setup.py build_probe.py pyproject.toml $(shell find src kmeans_fast \
	'(' -name '*.py' -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' ')')
CYTHON_FILES = $(shell find src examples -name '*.pyx' -o -name '*.pxd')
C_FILES = $(shell find src examples tests torture benchmarks -name '*.h' -o -name '*.c')

.PHONY: help demo docs test coverage packages bench bench-scale torture sanitize lint format clean prerequisites

help:  ## list the goals
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile

demo: $(VENV)/installed-all  ## cluster a photograph and boards of points into one HTML page
	@$(BIN)/python examples/demo.py $(ARGS)

docs: $(VENV)/installed-docs  ## run the gallery's examples and write docs/_build/index.html
	@$(BIN)/sphinx-build -W --keep-going -q docs docs/_build $(ARGS)
	@echo "docs/_build/index.html"

test: $(VENV)/installed-test  ## run the tests against the installed package; ARGS='-k name' picks some
	@cd $(VENV) && "$(abspath $(BIN))/pytest" $(TESTS)

coverage: $(VENV)/installed-test  ## run the tests and list the branches of the package that none of them takes
	@mkdir -p $(VENV)/coverage && cd $(VENV)/coverage && \
		export COVERAGE_RCFILE="$(CURDIR)/pyproject.toml" COVERAGE_FILE="$(abspath $(VENV))/coverage/data" && \
		"$(abspath $(BIN))/coverage" erase && "$(abspath $(BIN))/coverage" run -m pytest $(TESTS); \
		"$(abspath $(BIN))/coverage" combine -q && "$(abspath $(BIN))/coverage" report

packages: $(VENV)/installed-package  ## build sdist and wheel, twice, and put them to the test; minutes
	@cd $(VENV) && KMEANS_FAST_PACKAGES=1 "$(abspath $(BIN))/pytest" -c "$(CURDIR)/pyproject.toml" \
		--rootdir="$(CURDIR)" "$(CURDIR)/tests/packages" $(ARGS)

bench: $(VENV)/installed-bench  ## time the kernels and fits beside other libraries
	@$(BIN)/python benchmarks/launch.py __main__ $(ARGS)
	@$(BIN)/pytest benchmarks --benchmark-only -q $(BENCH)

bench-scale: $(VENV)/installed-bench  ## cluster a file of 6 GB (about 10 GB of disk) in little memory, beside other libraries
	@$(BIN)/python benchmarks/launch.py scale $(ARGS)

torture: $(VENV)/installed-test  ## hostile input, interrupts, kills, failing memory and disks; MINUTES=10 at most
	@$(BIN)/python torture $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

sanitize: $(VENV)/installed-test  ## kernels under sanitizers, guard pages, Valgrind and emulators; ARGS=--quick
	@$(BIN)/python torture/sanitize.py $(ARGS)

lint: $(VENV)/installed-lint  ## ruff, mypy --strict, cython-lint, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(abspath $(BIN)):$$PATH" cython-lint $(CYTHON_FILES) # it calls pycodestyle by name
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

format: $(VENV)/installed-lint  ## let ruff and clang-format rewrite the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

clean:  ## remove what a build leaves
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/gallery kmeans_fast/*.so kmeans_fast/*.pyd .*_cache .hypothesis

# --- the virtual environment ---

# Modules deleted or renamed since the last build would still lie in build/lib*, hence the find.
$(VENV)/installed-%: $(SOURCES) | $(VENV)/created prerequisites
	@echo "installing kmeans_fast[$*] into $(VENV) ..."
	@find build -path 'build/lib*' -name '*.py' -delete 2>/dev/null || true
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet ".[$*]"
	@cd $(VENV) && "$(abspath $(BIN))/python" -c "import kmeans_fast; kmeans_fast.show_config()"
	@touch $@

$(VENV)/created: | prerequisites
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Each thing that can be missing gets one line that names what to install.
prerequisites:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install" \
		"'python3' (apt, dnf, brew), version 3.10 or later"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$(PYTHON) is older than" \
		"Python 3.10: install a later one and run make PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing:" \
		"install 'python3-venv' (apt)"; exit 1; }
ifneq ($(OS),Windows_NT)
	@echo 'int main(void) { return 0; }' | $(COMPILER) -x c -o /dev/null - 2>/dev/null || { \
		echo "no working C compiler ($(firstword $(COMPILER))): install 'gcc' (apt, dnf) or run" \
		"'xcode-select --install' (macOS)"; exit 1; }
	@echo '#include <Python.h>' | $(COMPILER) -I"$(INCLUDE)" -x c -fsyntax-only - 2>/dev/null || { \
		echo "Python.h is missing: install 'python3-dev' (apt) or 'python3-devel' (dnf)"; exit 1; }
endif

# The compiler that setuptools will call, and where it will look for Python.h.
CC_OF_PYTHON = import os, sysconfig; print(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
COMPILER = $(shell $(PYTHON) -c '$(CC_OF_PYTHON)' 2>/dev/null)
INCLUDE = $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null)
