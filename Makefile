# make run: the console with live demo data. make test: every check. Both set up what they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501

.PHONY: run test coverage lint bench lock clean

run: .venv/.runtime
	@$(BIN)/python -m review migrate
	@$(BIN)/python -m review demo
	@$(BIN)/python -m review serve --port $(PORT)

test: .venv/.dev lint
	$(BIN)/python -m tests.support.browser
	$(BIN)/python -m pytest -n 3 --dist worksteal --ignore=tests/browser
	$(BIN)/python -m pytest -n 3 --dist worksteal tests/browser

# Which lines no test runs; apart from the checks, for it slows them by a third.
coverage: .venv/.dev
	$(BIN)/python -m tests.support.browser
	$(BIN)/python -m pytest -n 3 --dist worksteal --cov --cov-report=term:skip-covered

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/.dev
	$(BIN)/python -m tests.support.browser
	$(BIN)/python -m bench

# The locked sets; --universal, so that they hold on every platform that Holdpoint runs on.
lock: .venv/.dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --group dev \
		--custom-compile-command "make lock" pyproject.toml -c requirements.txt -o requirements-dev.txt

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Holdpoint needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python requirements.txt
	@echo "Setting up (once, about a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/bin/python requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.runtime

clean:
	rm -rf .venv data .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
