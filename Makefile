# The environment is made on first use, from the pinned versions in constraints.txt.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
SUITE ?= smoke
HOURS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup reproduce tables data test test-slow test-lowest test-newest torture soak lint bench clean clean-scores

help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done
	@echo; echo '  SUITE=smoke|non_genomic|fun|go|... chooses the suite; ARGS="key=value ..." passes settings on.'

setup: $(VENV)/.installed ## The environment in .venv, with pinned versions

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than Python 3.11; use make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) (a few minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

reproduce: setup ## Run what is missing of SUITE, then write its tables
	@$(RUN) scripts/reproduce.py suite=$(SUITE) $(ARGS)

tables: setup ## The tables of SUITE from the records that exist
	@$(RUN) scripts/tables.py suite=$(SUITE) $(ARGS)

data: setup ## Download the benchmark files that are not at hand, checked against pinned hashes
	@$(RUN) scripts/data.py action=fetch $(ARGS)

lint: setup ## ruff and mypy
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

test: lint ## ruff, mypy and the tests, but for the slow ones
	@$(RUN) -m pytest -n 2 -m "not slow and not torture" $(ARGS)

test-slow: setup ## The slow tests: a local Slurm and the like
	@$(RUN) -m pytest -m slow $(ARGS)

torture: setup ## Kills, races, damage and fuzzing at full length
	@$(RUN) -m pytest -m torture -rP tests/torture $(ARGS)

soak: setup ## HOURS of short cells, watched for growth of memory, handles and threads
	@$(RUN) -m tests.torture.soak --hours $(HOURS) $(ARGS)

test-lowest: ## The tests with the lowest versions of the dependencies that pyproject.toml allows, in .venv-lowest
	@$(call in_own_environment,.venv-lowest,lowest-direct)

test-newest: ## The tests with the newest versions that there are, in .venv-newest
	@$(call in_own_environment,.venv-newest,highest)

# uv, because pip cannot choose the lowest versions.
define in_own_environment
$(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install --quiet --disable-pip-version-check uv \
	&& $(1)/bin/python -m uv pip install --quiet --python $(1)/bin/python --resolution $(2) --upgrade --editable '.[test]' \
	&& $(1)/bin/python -m pytest -n 2 -m "not slow and not torture" $(ARGS)
endef

bench: setup ## Step times beside the plain network's and the memory's (ARGS="action=parts", "action=scale" for more)
	@$(RUN) scripts/benchmark.py $(ARGS)

clean: ## Remove the environment and caches; records and tables stay
	rm -rf $(VENV) .venv-lowest .venv-newest data/cache .pytest_cache .mypy_cache .ruff_cache

clean-scores: ## Remove the stored scores of your own runs; records stay, other rules and metrics then need training again
	@find results/runs -name scores.npz -delete 2>/dev/null || true
