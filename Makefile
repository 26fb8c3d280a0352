PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
APT := chromium python3-venv

.PHONY: run test quick lint bench system

run: $(VENV)/run.stamp
	@$(BIN)/python server.py

test: system lint
	@$(BIN)/python -m pytest

quick: $(VENV)/test.stamp
	@$(BIN)/python -m pytest -m "not slow and not browser and not postgresql"

lint: $(VENV)/test.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

bench: $(VENV)/test.stamp
	@$(BIN)/python -m bench

# What pip cannot bring: installed where we may, else named.
system: $(VENV)/test.stamp
	@command -v chromium > /dev/null || $(MAKE) --no-print-directory apt

.PHONY: apt
apt:
	@if [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -qy --no-install-recommends $(APT); \
	else echo "Missing system packages; install them with: sudo apt-get install $(APT)" >&2; exit 1; fi

$(BIN)/python:
	@$(PYTHON) -c "import ensurepip, venv" 2> /dev/null || $(MAKE) --no-print-directory apt
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements-dev.txt requirements.txt | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp
