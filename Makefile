# Statekeeper's front door. `make` alone lists what there is.
PYTHON ?= python3
BIN    := .venv/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo serve test coverage check format bench soak docs screenshots words lock clean

help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/run: requirements/run.txt
	$(PYTHON) -c 'import sys; sys.exit("Statekeeper needs Python 3.11 or later; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --no-deps --requirement requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements/dev.txt .venv/run
	$(PIP) install --require-hashes --no-deps --requirement requirements/dev.txt
	@touch $@

demo: .venv/run ## a day of sessions against a real service, checked to the last callback
	$(BIN)/statekeeper demo

serve: .venv/run ## the service, with the settings of statekeeper.toml or the environment; without any, what the demo left
	$(BIN)/statekeeper serve $(if $(wildcard statekeeper.toml)$(filter STATEKEEPER_%,$(.VARIABLES)),,$(addprefix --config ,$(wildcard statekeeper-demo/statekeeper.toml)))

test: .venv/dev ## every test, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal $(ARGS)

coverage: .venv/dev ## hold what `make test ARGS=--cov` covered to its bounds
	$(BIN)/coverage report --include='*/statekeeper/core/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

check: .venv/dev ## format, lint, types, architecture, dependencies, migrations
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry src
	$(BIN)/python -m pytest -q tests/store/test_migrations.py

format: .venv/dev ## format the code and mend what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: .venv/dev ## the benchmark, beside a by-hand peer and the floor
	$(BIN)/python -m benchmarks

soak: .venv/dev ## ten minutes at half load: memory must stay flat
	$(BIN)/python -m benchmarks.soak

docs: .venv/dev ## the reference pages that are written by the program
	$(BIN)/python docs/generate.py

screenshots: .venv/dev ## the pictures of the console in docs/images (needs Chromium)
	$(BIN)/python docs/screenshots.py

words: .venv/dev ## gather the console's texts into its catalogues, to be translated
	$(BIN)/pybabel --quiet extract --mapping pyproject.toml --keywords N_ --no-location --sort-output --omit-header --output .words.pot src/statekeeper
	$(BIN)/pybabel --quiet update --domain console --input-file .words.pot --output-dir src/statekeeper/console/locales --no-wrap --no-fuzzy-matching --ignore-obsolete --omit-header
	@rm .words.pot

lock: ## pin every dependency anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade pyproject.toml --group install --output-file requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade pyproject.toml --all-extras --group install --group test --group check --group bench --output-file requirements/dev.txt

clean: ## remove what make made
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
