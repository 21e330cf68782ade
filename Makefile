# Everything that a checkout needs. `make` lists the targets; each sets up first
# what it lacks, and does not set up twice.

PYTHON ?= python3
PORT ?= 8787
FIXTURE ?= chat
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet

# Node packages first in PATH, so that the Node.js that they bring along is the
# one that runs; workerd with our Pyodide bundle; no calls home.
RUNTIME = PATH="$(CURDIR)/node_modules/.bin:$$PATH" \
  MINIFLARE_WORKERD_PATH="$(CURDIR)/tools/workerd.sh" \
  WRANGLER_SEND_METRICS=false \
  CLOUDFLARE_CF_FETCH_ENABLED=false

# The Pyodide bundle carries a development name, which workerd accepts under these
# flags only. They stay out of wrangler.toml: a deployment must not have them.
DEVELOPMENT_FLAGS = python_workers python_workers_development experimental

CONFIG = $(if $(filter chat,$(FIXTURE)),wrangler.toml,fixtures/$(FIXTURE)/wrangler.toml)

SDK = python_modules/workers/__init__.py
BUNDLE = .cache/pyodide-bundle/pyodide_dev.capnp.bin

.PHONY: help setup dev test check docs format build clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1  /p' $(MAKEFILE_LIST) | awk '{ printf "make %-8s", $$1; $$1 = ""; print }'

setup: .venv/.installed node_modules/.installed $(SDK) $(BUNDLE) ## install what the other targets need
	@$(RUNTIME) node tools/vendor.mjs

dev: setup ## run the chat on http://localhost:8787 (PORT=..., FIXTURE=...), reloading on edits
	@$(RUNTIME) wrangler dev --config $(CONFIG) --port $(PORT) \
	  --compatibility-flags $(DEVELOPMENT_FLAGS) --show-interactive-dev-session=false

test: setup ## run the tests (ARGS="-k name")
	@$(RUNTIME) .venv/bin/pytest $(ARGS)

check: .venv/.installed docs ## lint, formatting, types, documentation
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

# NO_MKDOCS_2_WARNING: else the theme advertises another program with every build.
docs: .venv/.installed ## the documentation, in .cache/docs
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --config-file docs/mkdocs.yml

format: .venv/.installed ## mend what the linter and the formatter can
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

build: .venv/.installed ## the wheel and the sdist, in dist/
	.venv/bin/python -m build --no-isolation

clean: ## remove everything that the other targets made
	rm -rf .cache .venv dist node_modules python_modules .mypy_cache .pytest_cache .ruff_cache \
	  .hypothesis .wrangler fixtures/*/.wrangler fixtures/chat/public/*.js

.venv/.installed: pyproject.toml tools/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "partyserver needs Python 3.11 or newer: run make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install pip==26.3
	$(PIP) install --constraint tools/constraints.txt --group dev --group docs --editable .
	@touch $@

node_modules/.installed: package.json package-lock.json tools/check-node.sh
	@command -v npm >/dev/null || \
	  { echo "npm is missing: install Node.js 22.12 or newer, which brings it" >&2; exit 1; }
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(RUNTIME) tools/check-node.sh
	@touch $@

# The wheel is kept in .cache/wheels for the tests that install it offline.
$(SDK): tools/constraints.txt | .venv/.installed
	$(PIP) download --no-deps --dest .cache/wheels --constraint tools/constraints.txt workers-runtime-sdk
	$(PIP) install --no-deps --no-index --find-links .cache/wheels --upgrade --target python_modules \
	  --constraint tools/constraints.txt workers-runtime-sdk
	@touch $@

$(BUNDLE): tools/pyodide-bundle.mjs node_modules/.installed
	@$(RUNTIME) node tools/pyodide-bundle.mjs
