# Two commands matter: `make demo` and `make test`. Both set up all they need; only Python 3.11+ and make are assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CATALOGS := $(shell find portal -name '*.po')

.PHONY: demo test check setup setup-dev lock messages clean

demo: setup
	@$(BIN)/portal demo

# The checks run beside the first tests; the last line is pytest's, and both have to be right.
test: setup-dev
	@$(MAKE) --no-print-directory check & checks=$$!; \
	$(BIN)/python -m pytest; tests=$$?; \
	wait $$checks && exit $$tests

check: setup-dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

setup: .made/run .made/messages
setup-dev: .made/dev .made/messages

.made/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p .made && touch $@

.made/run: .made/venv requirements.lock pyproject.toml build_translations.py
	@echo "Setting up …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.made/dev: .made/run requirements-dev.lock
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

.made/messages: .made/run $(CATALOGS)
	@$(BIN)/python build_translations.py
	@touch $@

# Resolve the ranges of pyproject.toml anew into exact, hashed versions.
lock: setup-dev
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

# Bring every message catalog up to date with the sources.
messages: setup-dev
	@$(BIN)/python build_translations.py --update

clean:
	rm -rf $(VENV) .made
