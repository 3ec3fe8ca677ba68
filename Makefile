# SPDX-License-Identifier: Apache-2.0
# make search: the main job in a fresh environment. make test: the suite. make test-slow: its long forms. make gates: style, types, layers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL ?= $(BIN)/python -m pip install --quiet

.PHONY: search test test-slow gates clean

search: $(VENV)/.installed
	$(BIN)/python -m tinysearch budget=15usd

test: $(VENV)/.developing
	$(BIN)/python -m pytest -n auto -m "not slow"

test-slow: $(VENV)/.developing
	$(BIN)/python -m pytest -n auto -m slow

gates: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(INSTALL) --editable ".[train]"
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(INSTALL) --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
