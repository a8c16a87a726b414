# Every target sets up what it needs in .venv by itself: with uv when it is on PATH, else with python3 -m venv and pip.
# A machine needs Python 3.11 or newer, git and make.

.DEFAULT_GOAL := help
.PHONY: help demo test check format e2e long bench bench-gates fuzz docs docs-serve pictures setup lock clean
MAKEFLAGS += --no-print-directory
export PYTHON
ARGS ?=
NAME ?=
MINUTES ?= 10
CASES ?= 1000000000
JOBS ?= 2
SEED ?= 0

RUNTIME := .venv/.comity-runtime
DEV := .venv/.comity-dev
DOCS := .venv/.comity-docs

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(RUNTIME) ## judge real mail, take measures, give reasons, verify the ledger
	@.venv/bin/comity demo $(ARGS)

test: $(DEV) ## all tests but the end-to-end ones (ARGS="-k ledger" for some)
	@.venv/bin/python -m pytest --ignore=tests/e2e $(ARGS)

check: $(DEV) ## lint, format, types, layers, lock: seconds
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@tools/lock --check

format: $(DEV) ## rewrite the code as `check` wants it
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

e2e: $(DEV) ## walk a newcomer's way, and all that needs real servers and a browser (installs what it may: tools/servers)
	@tools/servers
	@.venv/bin/python -m pytest tests/e2e $(ARGS)

long: $(DEV) ## what takes too long for every change: over 1,000 deaths of each kind, a service at load
	@for how in kill cut fail full; do \
		folder=$$(mktemp -d) && .venv/bin/python tests/faults/ledger_lives.py $$folder/records --lives 1700 --as $$how && rm -r $$folder; \
	done
	@WITNESS_LIVES=300 .venv/bin/python -m pytest -sq tests/faults/test_witness_killed.py -k killed_at_any_moment
	@folder=$$(mktemp -d) && .venv/bin/python tests/faults/serve_lives.py $$folder --lives 60 && rm -r $$folder
	@folder=$$(mktemp -d) && .venv/bin/python tests/faults/serve_soak.py $$folder --minutes 15 && rm -r $$folder
	@OPENAPI_SECONDS=300 .venv/bin/python -m pytest -q tests/e2e/test_openapi.py
	@FORMS_SECONDS=300 .venv/bin/python -m pytest -q -o faulthandler_timeout=0 tests/unit/test_hostile_forms.py

bench: $(DEV) ## run the benchmarks (a quarter of an hour; NAME=help-start for one) and write benchmarks/results.html
	@.venv/bin/python benchmarks $(NAME)

bench-gates: $(DEV) ## measure all gates at once through their real servers (as root, on Linux; ARGS="100 1000000 1000": flips, cuts, accounts a second)
	@.venv/bin/python benchmarks/gates.py $(ARGS)

fuzz: $(DEV) ## drawn rules and messages judged in all ways, then all laws with new inputs (MINUTES=10 CASES=1000000000 JOBS=2 SEED=0)
	@.venv/bin/python tools/fuzz.py --minutes $(MINUTES) --cases $(CASES) --jobs $(JOBS) --seed $(SEED)
	@.venv/bin/python -m pytest tests/properties tests/faults --hypothesis-profile=fuzz $(ARGS)

docs: $(DOCS) ## build the documentation site into site/, strictly
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

pictures: $(DEV) ## take the documentation's pictures of pages anew (needs Debian's chromium; look at them)
	@.venv/bin/python tools/pictures.py

docs-serve: $(DOCS) ## show the documentation at http://127.0.0.1:8000 while you write
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs serve

setup: $(DEV) $(DOCS) ## everything a developer needs, without running anything

lock: ## write uv.lock and requirements/ anew from pyproject.toml (needs uv)
	@tools/lock

clean: ## remove what the targets made, but not .venv, .cache (downloads) and .comity (records)
	rm -rf site dist benchmarks/results*.html .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.comity-%: uv.lock pyproject.toml requirements/%.txt tools/setup
	@tools/setup $*
