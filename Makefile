# Every target that needs Python uses .venv, made on first use with PYTHON (3.11 or newer).
PYTHON ?= python3
PIP_FLAGS ?= --quiet --disable-pip-version-check
PYTEST_FLAGS ?= -n 4 --dist worksteal

BIN := .venv/bin
RUNTIME := .venv/.runtime
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup check format test cluster-up cluster-down demo bench docs clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with mlscale and every tool in it

# What `make demo` needs: mlscale and its sandbox.
$(RUNTIME): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11; choose another: make PYTHON=python3.12 setup" >&2; exit 1; }
	@echo "setup: installing mlscale into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[sandbox]'
	@touch $@

$(INSTALLED): $(RUNTIME)
	@echo "setup: installing the tools of development into .venv (a minute or so)"
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

check: setup ## Lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: setup ## Run every test; the first run builds a control plane and a Prometheus (a quarter of an hour, once)
	$(BIN)/pytest $(PYTEST_FLAGS)

cluster-up: setup ## Start the control plane of the tests; its kubeconfig's path is the last line
	@$(BIN)/python -m tests.cluster up

cluster-down: setup ## End it and remove .cluster
	@$(BIN)/python -m tests.cluster down

demo: $(RUNTIME) ## Show mlscale at work on a practice cluster; Python is all it needs
	@PATH="$(CURDIR)/$(BIN):$$PATH" mlscale sandbox exec --scenario docs/manifests/demo.yaml --speed 30 -- scripts/demo.sh

docs: setup ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

clean: ## Remove everything that was made here; the built control plane stays in its cache
	@if [ -d .cluster ] && [ -x $(BIN)/python ]; then $(BIN)/python -m tests.cluster down; fi
	rm -rf .venv .cluster site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

bench: setup ## Time mlscale beside kubectl and others, about an hour; BENCH_FLAGS="--only local" for a part
	@$(BIN)/python -m benchmarks --write $(BENCH_FLAGS)
