# Needs Python 3.10 or newer and make; everything else is fetched or built, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo play engine test test-all bench mutation lint types docs format build clean

help:
	@echo "make demo    see a register code made by a real pulumi up, without an account"
	@echo "make play    the same, then a shell to go on in"
	@echo "make test    everything that CI runs"
	@echo "make test-all  the same in full: every fault and kill, every test on an engine, every Python"
	@echo "make bench   what it costs beside the engine and the vendors; takes minutes"
	@echo "make mutation  whether the unit tests notice what is broken; takes hours"
	@echo "make lint    ruff;  make types  mypy;  make format  ruff, writing"
	@echo "make docs    the pages as a site, in .site"
	@echo "make engine  find or build the Pulumi engine"
	@echo "make build   wheel and sdist"

$(VENV)/.ready: pyproject.toml
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo play: $(VENV)/.ready
	@$(BIN)/python tools/demo.py $(if $(filter play,$@),--play)

engine: $(VENV)/.ready
	@$(BIN)/python tools/engine/install.py

test: $(VENV)/.ready
	@$(BIN)/nox

test-all: $(VENV)/.ready
	@$(BIN)/nox
	@$(BIN)/nox --session whole unit
	@$(BIN)/nox --session oldest -- tests/unit

bench: $(VENV)/.ready
	@$(BIN)/python -m tools.bench

mutation lint types docs: $(VENV)/.ready
	@$(BIN)/nox --session $@

format: $(VENV)/.ready
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

build: $(VENV)/.ready
	@$(BIN)/nox --session build

clean:
	rm -rf $(VENV) .nox .demo .site dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage .mutation
