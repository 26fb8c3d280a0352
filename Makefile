PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# TOOL:PACKAGE. A package is installed only if its tool is missing.
TOOLS := apache2:apache2-bin chromium:chromium chromium-headless-shell:chromium-headless-shell firefox-esr:firefox-esr nginx:nginx npm:npm openssl:openssl
MISSING = PATH="$$PATH:/usr/sbin"; missing=; for tool in $(TOOLS); do \
command -v $${tool%:*} > /dev/null || missing="$$missing $${tool\#*:}"; done; \
$(PYTHON) -c "import ensurepip, venv" 2> /dev/null || missing="$$missing python3-venv"
POLICY := /usr/sbin/policy-rc.d
# Python must write its bytecode files, because the tests start hundreds of servers.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
BY_FILE := --dist loadfile --no-loadscope-reorder
NPM := node_modules/.package-lock.json
NEWMAN := node_modules/.bin/newman
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: run demo test quick lint bench system packages settings upgrade release

run: $(VENV)/run.stamp charts
	@$(BIN)/python server.py

# Plays a trading day on a new database: make demo ARGS="--pace 60 --seed 2"
demo: $(VENV)/run.stamp charts
	@$(BIN)/python -m demo $(ARGS)

# Installs everything that the server needs to run.
packages: $(VENV)/run.stamp charts

# Writes settings.local.toml with new secrets: make settings URL=https://pairs.example.com
settings:
	@$(PYTHON) deploy/first_settings.py $(URL)

# Installs a newer version and refuses no alert: make upgrade [ARGS='--restart "systemctl --user reload pairs-api"']
upgrade: $(BIN)/python
	@$(BIN)/python deploy/upgrade.py $(ARGS)

# Makes dist/pairs-api-v3-VERSION.tar.gz and its checksum, for hosts without npm and git.
release: $(NPM)
	@$(PYTHON) deploy/release.py

test: system lint
	@$(PYTEST) -n 3 $(BY_FILE)

quick: $(VENV)/test.stamp
	@EFFORT=$${EFFORT:-0.2} $(PYTEST) -n 2 $(BY_FILE) -m "not slow and not browser and not postgresql"

lint: $(VENV)/test.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python deploy/audit_packages.py

bench: $(VENV)/test.stamp
	@$(BIN)/python -m bench

# Tools that pip cannot install: root installs them, other users are told their names.
system: $(VENV)/test.stamp
	@$(MISSING); [ -z "$$missing" ] || $(MAKE) --no-print-directory apt
	@$(MAKE) -s $(NEWMAN)

# The charts of the pages and the viewer of /docs; a demo also runs without them.
.PHONY: charts
charts:
	@if command -v npm > /dev/null; then $(MAKE) -s $(NPM) || echo "No charts: npm ci failed." >&2; \
	else echo "No charts: install npm to see them on /positions, and the viewer of /docs." >&2; fi

$(NPM): package.json package-lock.json
	@$(NPM_CI) --omit=dev
	@touch $@

# What only the tests need.
$(NEWMAN): package.json package-lock.json
	@$(NPM_CI)
	@touch $@ $(NPM)

# policy-rc.d stops Debian from starting the web servers, because the tests start their own.
.PHONY: apt
apt:
	@$(MISSING); if [ "$$(id -u)" = 0 ]; then \
	if [ ! -e $(POLICY) ]; then trap 'rm -f $(POLICY)' EXIT; \
	printf '#!/bin/sh\nexit 101\n' > $(POLICY); chmod +x $(POLICY); fi; \
	apt-get update -q && apt-get install -qy --no-install-recommends $$missing; \
	else echo "Missing system packages; install them with: sudo apt-get install$$missing" >&2; exit 1; fi

$(BIN)/python:
	@$(PYTHON) -c "import ensurepip, venv" 2> /dev/null || $(MAKE) --no-print-directory apt
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements-dev.txt requirements.txt | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp
