# `make` alone lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo notebooks test test-slow test-notebooks test-kills test-fuzz \
	test-cluster test-lowest lint format rules docs benchmarks clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 17

# A stamp for each set of extras: installed again when setup.cfg changes.
$(VENV)/.installed-%: setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@

demo: $(VENV)/.installed-demo  ## the whole way on a phantom, into demo/
	$(BIN)/pet-dcgan demo --out demo

notebooks: $(VENV)/.installed-notebooks  ## run all seven; what they show goes to notebooks/output/
	mkdir -p notebooks/output/executed
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyter-execute --timeout=-1 \
		--output="output/executed/{notebook_name}" notebooks/0*.ipynb

test: $(VENV)/.installed-test lint  ## unit tests, a tiny whole run, linters
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --cov

# Files of slow tests that have a target of their own.
NOTEBOOKS := tests/test_notebooks.py
KILLS := tests/test_killed.py
CLUSTER := tests/test_shared_training.py
FUZZ := tests/test_fuzz.py
SLOW := $(BIN)/python -m pytest -m slow
test-slow: $(VENV)/.installed-test  ## whole commands and servers
	$(SLOW) tests $(addprefix --ignore=,$(NOTEBOOKS) $(KILLS) $(CLUSTER) $(FUZZ)) \
		-n $(WORKERS) --dist loadfile

test-notebooks: $(VENV)/.installed-test  ## all seven, with fewer epochs than `make notebooks`
	$(SLOW) $(NOTEBOOKS) -n $(WORKERS)

TIMES ?= 3
test-kills: $(VENV)/.installed-test  ## every command killed at TIMES moments, a training on a full disk
	$(SLOW) $(KILLS) --kills $(TIMES) -n $(WORKERS)

MUTATIONS ?= 2000
test-fuzz: $(VENV)/.installed-test  ## MUTATIONS damaged inputs at every reader
	$(SLOW) $(FUZZ) --mutations $(MUTATIONS)

test-cluster: $(VENV)/.installed-test  ## trainings that several processes share
	$(SLOW) $(CLUSTER)

# An environment of its own, with the lowest versions that setup.cfg allows.
LOWEST := .venv-lowest
$(LOWEST)/.installed: setup.cfg pyproject.toml
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --upgrade pip uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python \
		--resolution lowest-direct --editable ".[test]"
	touch $@

test-lowest: $(LOWEST)/.installed  ## the unit tests on the lowest versions
	$(LOWEST)/bin/python -m pytest -m "not slow" -n $(WORKERS)

lint: $(VENV)/.installed-test  ## ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/.installed-test  ## let ruff rewrite
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

OPERATOR_RULES := export/kubernetes/operator/rules.yaml
rules:  ## copy the alerts of export/prometheus for the Prometheus Operator
	{ sed '/^spec:/q' $(OPERATOR_RULES); \
		sed '/^#/d; s/^./  &/' export/prometheus/alerts.yml; } > $(OPERATOR_RULES).new
	mv $(OPERATOR_RULES).new $(OPERATOR_RULES)

# The wheel for CPUs, first: pip would take the one with CUDA, of gigabytes.
$(VENV)/.torch: | $(VENV)/.installed-demo
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/python -m pip install --quiet \
		--index-url https://download.pytorch.org/whl/cpu torch
	touch $@

# As short as their ratios stand; each script alone takes longer by default.
benchmarks: $(VENV)/.torch $(VENV)/.installed-benchmarks  ## time all parts beside others, into benchmarks/results/: 14 minutes
	cd benchmarks && for line in \
		"train_step.py --rounds 3 --seconds 15" \
		"input_pipeline.py --scans 150 --repeats 3" \
		"prepare.py --scans 100 --repeats 1 --memory-at 25 100" \
		"serving.py --rounds 10 --turns 3 --count 1000" \
		"serving_conditional.py --rounds 20" \
		"evaluate.py --scans 30 --repeats 2" \
		"growth.py --scans 12 --repeats 1 --figure results/growth.png"; \
	do \
		name="$${line%%.py*}"; mkdir -p results; echo "# $$name"; \
		$(abspath $(BIN))/python $$line --out "results/$$name.json" || exit 1; \
	done

docs: $(VENV)/.installed-docs  ## the Python interface as HTML, into docs/api/
	$(BIN)/python docs/write_api.py docs/api

clean:  ## remove caches, not data
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .coverage*
