# `make` alone lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo notebooks test test-slow lint format docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# A stamp for each set of extras: installed again when setup.cfg changes.
$(VENV)/.installed-%: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@

demo: $(VENV)/.installed-demo  ## the whole way on a phantom, into demo/
	$(BIN)/pet-dcgan demo --out demo

notebooks: $(VENV)/.installed-notebooks  ## run all five; what they show goes to notebooks/output/
	mkdir -p notebooks/output/executed
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyter-execute --timeout=-1 \
		--output="output/executed/{notebook_name}" notebooks/0*.ipynb

test: $(VENV)/.installed-test lint  ## unit tests, a tiny whole run, linters
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --cov

test-slow: $(VENV)/.installed-test  ## what takes minutes
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-test  ## ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/.installed-test  ## let ruff rewrite
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed-docs  ## the Python interface as HTML, into docs/api/
	$(BIN)/python docs/write_api.py docs/api

clean:  ## remove caches, not data
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .coverage*
