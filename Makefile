# Portway. `make help` lists the targets.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
ARGS ?=
STAMP := $(VENV)/.portway-setup

.PHONY: help setup up demo test check format bench kills clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml uv.lock
	@echo "==> creating the environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Portway needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "==> installing the locked dependencies and building the portal's assets"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) sync --frozen --active --inexact --compile-bytecode --python $(BIN)/python
	@$(BIN)/python -m compileall -q src
	@touch $@

setup: $(STAMP) ## set up the locked environment in .venv

up: setup ## start Portway without the example organisation
	@$(BIN)/portway up $(ARGS)

demo: setup ## start Portway with the example organisation and run the golden path
	@$(BIN)/portway demo $(ARGS)

test: setup ## run all tests
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: setup ## ruff, mypy, import-linter, size ceiling
	@$(BIN)/ruff check src tests tools benchmarks
	@$(BIN)/ruff format --check src tests tools benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/size_ceiling.py

format: setup ## let ruff format and mend
	@$(BIN)/ruff format src tests tools benchmarks
	@$(BIN)/ruff check --fix src tests tools benchmarks

bench: setup ## print the measures
	@$(BIN)/python -m benchmarks $(ARGS)

kills: setup ## kill the API server 200 times under load, on each store; no acknowledged write may be lost
	@PORTWAY_KILL_ROUNDS=200 $(BIN)/python -m pytest -n 0 tests/e2e/faults/test_kills.py

clean: ## remove the environment and caches (not the state in .portway)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache node_modules
