# Every target does its own set-up. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first Python on the PATH that runs and is 3.11 to 3.13; PYTHON=… chooses another.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
  if $$name -c '$(FITS)' >/dev/null 2>&1; then echo $$name; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# fetch,PYTHON,LOCK: uv is ten times as fast as pip; where it cannot (it reads no pip.conf), pip does.
fetch = $(BIN)/uv pip install --quiet --python $(1) --require-hashes -r $(2) || \
  $(1) -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r $(2)

# Libraries are compiled as they are first imported: without leave to keep that, every process would
# compile them all again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-all peers system demo test sim bench lint docs lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

install: $(VENV)/installed  ## make .venv with QuantFlow and what its tests need

$(VENV)/installed: pyproject.toml requirements/dev.txt requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11 to 3.13 on the PATH: make install PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c '$(FITS)' || { echo "$(PYTHON) is not Python 3.11 to 3.13" >&2; exit 2; }
	$(BIN)/python -c '$(FITS)' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --no-compile --require-hashes -r requirements/uv.txt
	$(call fetch,$(BIN)/python,requirements/dev.txt)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install-all: install  ## add every extra (pipeline, kafka, serve, ml, …)
	$(call fetch,$(BIN)/python,requirements/all.txt)
	$(PIP) install --quiet torch==2.13.0

# A client that nobody here wrote, and the libraries that the estimators are compared with.
PEERS := ccxt oracles

peers: $(PEERS:%=.peers/%/installed)  ## make the environments that the tests compare with

.peers/%/installed: requirements/%.txt | $(VENV)/installed
	$(BIN)/python -m venv --clear .peers/$*
	$(call fetch,.peers/$*/bin/python,requirements/$*.txt)
	@touch $@

system:  ## install the system packages of system.txt that are missing
	@missing=""; for name in $$(sed 's/#.*//' system.txt); do \
	  command -v "$$name" >/dev/null || dpkg -s "$$name" >/dev/null 2>&1 || \
	    missing="$$missing $$name"; done; \
	if test -z "$$missing"; then echo "system packages: all present"; exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
	  echo "no apt-get here; install by hand:$$missing" >&2; exit 1; fi; \
	root=""; test "$$(id -u)" = 0 || root=sudo; \
	$$root apt-get update -q; \
	$$root apt-get install -q -y --no-install-recommends $$missing

demo: install  ## offline: a market, a batch run, a live session that is killed, a page
	@mkdir -p .demo
	cd .demo && ../$(BIN)/qf demo

test: install peers  ## run every test, on all cores
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 30

SEEDS ?= 1000

sim: install  ## run 1,000 fault campaigns on the live session (SEEDS=…), on two processes
	$(BIN)/qf sim run --seeds $(SEEDS) --processes 2

bench: install  ## run ours and the peers side by side; rewrites benchmarks/README.md
	$(BIN)/python -m benchmarks

lint: install  ## ruff (rules and format), then pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

docs: install  ## rewrite the generated pages of docs/
	$(BIN)/python docs/generate.py

lock: install  ## resolve the locks anew: names, versions and hashes, no address
	echo uv | $(BIN)/uv pip compile - $(filter-out pyproject.toml,$(LOCK)) -o requirements/uv.txt
	$(BIN)/uv pip compile $(LOCK) --extra dev --extra live --extra batch -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK) $(foreach extra,dev pipeline live kafka brokers serve ml stats batch,--extra $(extra)) \
	  -o requirements/all.txt
	for name in $(PEERS); do \
	  $(BIN)/uv pip compile tests/$$name.in $(filter-out pyproject.toml,$(LOCK)) -o requirements/$$name.txt; done
	for name in $(BENCH); do \
	  $(BIN)/uv pip compile benchmarks/peers/$$name.in $(PINS) -o requirements/bench-$$name.txt; done

# With extras kept: pip before 24 takes `gql[requests]` from a hashed file only if it says so.
PINS := --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
  --quiet --upgrade
LOCK := pyproject.toml --universal $(PINS)
# The peers' environments: their pins clash, and some run on 3.11 alone.
BENCH := peers nautilus finmlkit mlfinpy

clean:  ## remove everything that make made
	rm -rf $(VENV) .bench .peers .demo .pytest_cache .ruff_cache .hypothesis build dist
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
