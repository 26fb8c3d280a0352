PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
APT := chromium nodejs npm python3-venv
NPM := node_modules/.package-lock.json

.PHONY: run demo test quick lint bench system

run: $(VENV)/run.stamp charts
	@$(BIN)/python server.py

# A trading day to look at, on a database of its own: make demo ARGS="--pace 60 --seed 2"
demo: $(VENV)/run.stamp charts
	@$(BIN)/python -m demo $(ARGS)

test: system lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile

quick: $(VENV)/test.stamp
	@$(BIN)/python -m pytest -m "not slow and not browser and not postgresql"

lint: $(VENV)/test.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

bench: $(VENV)/test.stamp
	@$(BIN)/python -m bench

# What pip cannot bring: installed where we may, else named.
system: $(VENV)/test.stamp
	@command -v chromium > /dev/null && command -v npm > /dev/null || $(MAKE) --no-print-directory apt
	@$(MAKE) -s $(NPM)

# The pages' charts: a demo runs without them too.
.PHONY: charts
charts:
	@if command -v npm > /dev/null; then $(MAKE) -s $(NPM) || echo "No charts: npm ci failed." >&2; \
	else echo "No charts: install npm to see them on /positions." >&2; fi

$(NPM): package.json package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

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
