# Everything a newcomer needs: `make demo` and `make test` set up what they need on a machine with Python 3.11+ alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Tests start processes: without bytecode each of them would compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo quick test lint format docs docs-quick bench verify wheel lock hashes audit oldest interpreted clean

demo: $(VENV)/ready
	$(BIN)/simengine demo

# What a change of a rule is held to at once, in a minute: contracts, risk, distributions, the rules of a study, and the shape of the
# code; not the comparisons by z-score, nor what is asked of every shipped study and of the schemas.
QUICK := tests/contract tests/risk tests/test_distributions.py tests/test_distributions_counts.py tests/test_distributions_forms.py tests/config \
	tests/test_architecture.py --ignore=tests/config/test_shipped.py --ignore=tests/config/test_schema.py --ignore=tests/config/test_steps.py

quick: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not statistical" $(QUICK)

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell simengine tests docs benchmarks verification README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md

format: $(VENV)/ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

SPHINX := $(BIN)/sphinx-build -W -b html

# Reads all pages anew, for notebooks change with the program; then checks that the pages are read and searched without a network.
docs: $(VENV)/ready-docs
	@echo "The notebooks are run, which takes a minute or two; make docs-quick shows them without their results."
	$(SPHINX) -E docs docs/_build/html
	$(BIN)/python docs/offline.py docs/_build/html

docs-quick: $(VENV)/ready-docs
	$(SPHINX) -D nb_execution_mode=off docs docs/_build/html

bench: $(VENV)/ready-dev
	$(BIN)/python -m benchmarks.reference_workload
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.settle
	$(BIN)/python -m benchmarks.rate_card
	$(BIN)/python -m benchmarks.comparison_group
	$(BIN)/python -m benchmarks.variance_reduction
	$(BIN)/python -m benchmarks.sizing
	$(BIN)/python -m benchmarks.incentives
	$(BIN)/python -m benchmarks.against_scripts
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.threads

verify: $(VENV)/ready-dev
	SIMENGINE_TESTS=thorough $(BIN)/python -m pytest -n auto --dist worksteal
	$(BIN)/python -m verification.cohort_moments
	$(BIN)/python -m verification.standard_errors
	$(BIN)/python -m verification.coverage
	$(BIN)/python -m verification.evaluators_errors
	$(BIN)/python -m verification.stopping
	$(BIN)/python -m verification.sizing
	$(BIN)/python -m verification.sealed_forecasts
	$(BIN)/python -m verification.fitted_pathways
	$(BIN)/python -m verification.outside_view
	$(BIN)/python -m verification.learning
	$(BIN)/python -m verification.conformance
	$(BIN)/python -m verification.kills --points 100 --dask 10

# A stamp per set of dependencies, made again whenever the project's own files change.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/simengine warmup
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

$(VENV)/ready-docs: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

# Needs uv; writes names, versions and markers only, never an index address.
# A wheel with compiled code for these levels of processors, so that nobody who installs it waits for a compiler.
LEVELS ?= x86-64-v3
wheel: $(VENV)/ready-dev
	rm -rf simengine/compiled
	$(BIN)/python -m simengine.benchmark.shipping $(LEVELS)
	$(BIN)/pip wheel --no-deps -w dist .

lock:
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate --extra dev --extra docs pyproject.toml -o constraints.txt

# The same with the SHA-256 of every file, for `pip install --require-hashes -r hashes.txt`.
hashes:
	uv pip compile --python-version 3.11 --generate-hashes --no-header --no-annotate --constraint constraints.txt pyproject.toml -o hashes.txt

# Known vulnerabilities of the tested versions. Not a part of `make lint`: it asks PyPI itself, which a mirror cannot stand in for.
audit: $(VENV)/ready-dev
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip

# The oldest versions that pyproject.toml allows, without a compiler, in an environment of their own. Needs uv.
OLDEST := .venv-oldest
oldest:
	uv venv --quiet --clear $(OLDEST)
	uv pip install --quiet --python $(OLDEST)/bin/python --resolution lowest-direct . 'pytest>=8.3' 'hypothesis>=6.115'
	NUMBA_DISABLE_JIT=1 $(OLDEST)/bin/python -m pytest -q tests/hostile/test_edges.py tests/test_rounding.py tests/contract/test_settle.py

# Contracts and the rules of money with compilation off, as Python alone reads the kernels: half a minute on one core.
interpreted: $(VENV)/ready-dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m "not statistical" $(INTERPRETED)

INTERPRETED := tests/test_rounding.py tests/contract/test_settle.py tests/contract/test_terms.py tests/contract/test_limits.py \
	tests/capital/test_lines.py tests/capital/test_failing_payee.py

clean:
	rm -rf $(VENV) $(OLDEST) build dist simengine/compiled docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
