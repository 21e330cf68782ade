# Everything that a checkout needs. `make` lists the targets; each sets up first
# what it lacks, and does not set up twice.

PYTHON ?= python3
PORT ?= 8787
FIXTURE ?= chat
PROCESSES ?= 2
SEED ?= 1
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet
# What is done in silence, with a line for each.
STEP = tools/step.sh

# Node packages first in PATH, so that the Node.js that they bring along is the
# one that runs; workerd with our Pyodide bundle; no calls home.
RUNTIME = PATH="$(CURDIR)/node_modules/.bin:$$PATH" \
  MINIFLARE_WORKERD_PATH="$(CURDIR)/tools/workerd.sh" \
  NODE_COMPILE_CACHE="$(CURDIR)/.cache/node" \
  PARTYSERVER_SNAPSHOTS_KEPT=40 \
  WRANGLER_SEND_METRICS=false \
  CLOUDFLARE_CF_FETCH_ENABLED=false

# The Pyodide bundle carries a development name, which workerd accepts under these
# flags only. They stay out of wrangler.toml: a deployment must not have them.
DEVELOPMENT_FLAGS = python_workers python_workers_development experimental

CONFIG = $(if $(filter chat,$(FIXTURE)),wrangler.toml,fixtures/$(FIXTURE)/wrangler.toml)

PYTEST = .venv/bin/$(if $(MEASURE),python -m tools.coverage $(if $(ARGS),part,tests),pytest)

SDK = .cache/sdk/workers/__init__.py
# Workers with packages of their own, in the builds for the runtime's Python.
REQUIREMENTS = $(wildcard fixtures/*/requirements.txt tests/*/requirements.txt)
# wrangler takes them from beside its config, and the chat's is the root's.
MODULES = $(patsubst fixtures/chat/%,%,$(REQUIREMENTS:%/requirements.txt=%/python_modules/.installed))
WHEELS = .cache/worker-wheels
FOR_WORKERS = --only-binary=:all: --platform pyemscripten_2026_0_wasm32 --platform any \
  --python-version 3.14 --implementation cp --abi cp314 --abi none \
  --constraint tools/worker-constraints.txt
BUNDLE = .cache/pyodide-bundle/pyodide_dev.capnp.bin
# For the tests: with a standard library that need not be compiled at each start of the runtime.
COMPILED = .cache/pyodide-bundle-compiled/pyodide_dev.capnp.bin

# What the server of npm's agents imports beyond its client: for the benchmark alone.
AGENTS_SDK = bench/agents-sdk/node_modules/.installed

.PHONY: help setup dev known-fixture test soak test-serve pictures coverage coverage-rules bench bench-quick check check-python \
  check-javascript docs reference format build clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1  /p' $(MAKEFILE_LIST) | awk '{ printf "make %-15s", $$1; $$1 = ""; print }'

setup: .venv/.installed node_modules/.installed $(SDK) $(MODULES) $(BUNDLE) $(COMPILED) ## install what the other targets need
	@$(RUNTIME) node tools/vendor.mjs

dev: known-fixture setup ## run the chat on http://localhost:8787 (PORT=..., FIXTURE=...), reloading on edits
	@cd $(dir $(CONFIG)) && $(RUNTIME) wrangler dev --config $(notdir $(CONFIG)) --port $(PORT) \
	  --compatibility-flags $(DEVELOPMENT_FLAGS) --show-interactive-dev-session=false

# Before `setup`, which takes a while where nothing is set up.
known-fixture:
	@test -f $(CONFIG) || { echo "FIXTURE=$(FIXTURE) is none of the fixtures: \
	$(notdir $(patsubst %/,%,$(wildcard fixtures/*/)))" >&2; exit 1; }

# All tests, in as many processes; those that measure afterwards, when nothing else runs.
test: setup ## run the tests (ARGS="-k name")
	@$(RUNTIME) $(PYTEST) $(or $(ARGS),-n $(PROCESSES) -m "not alone")
	@$(if $(ARGS),,$(RUNTIME) .venv/bin/pytest -m alone)

# What a change does not wait for: random histories, and what grows in a long life.
soak: setup ## random histories, kills and long lives, for an hour or more (SEED=1)
	@$(RUNTIME) SOAK=1 MODEL_SEED=$(SEED) MODEL_HISTORIES=100 YJS_SEED=$(SEED) YJS_LOGS=150 YJS_KILLS=100 \
	  PARTY_KILLS=200 PARTY_SEED=$(SEED) \
	  .venv/bin/pytest tests/hosting/test_durability.py tests/performance/test_hosting.py tests/leaks tests/model tests/yjs/test_npm.py tests/yjs/test_lives.py

# The same tests on `partyserver serve`: those that need HTTP, WebSockets and evictions, and no clock of the kit's.
test-serve: setup ## run the tests of contracts and of examples on `partyserver serve` (ARGS="-k name")
	@$(RUNTIME) .venv/bin/pytest --serve $(or $(ARGS),-n $(PROCESSES) -m "not once and not alone" \
	  tests/contracts tests/chat tests/game/test_game.py tests/asgi/test_fixture.py)

pictures: setup ## make the pictures of the tutorial's pages anew
	@$(RUNTIME) PARTY_PICTURES=1 .venv/bin/pytest tests/tutorial

coverage: setup coverage-rules ## run the tests, and fail where they run too little of the library
	@$(MAKE) test MEASURE=yes

coverage-rules: .venv/.installed ## the same for src/partyserver/rules, in seconds: lines and branches
	@.venv/bin/python -m tools.coverage rules

bench: setup .venv/.bench-installed $(AGENTS_SDK) ## compare with npm partyserver and others; writes docs/pages/performance.md
	@.venv/bin/python -m bench $(ARGS)

bench-quick: setup .venv/.bench-installed $(AGENTS_SDK) ## the same in two minutes; prints the tables
	@.venv/bin/python -m bench --quick $(ARGS)

check: check-python check-javascript docs ## lint, formatting, types, documentation

check-python: .venv/.installed node_modules/.installed
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/mypy --python-version 3.14 tests/types/*.py
	.venv/bin/mypy --config-file tools/mypy-sdk.ini tests/types/*.py
	@$(RUNTIME) .venv/bin/python tools/check_workers.py
	@$(RUNTIME) .venv/bin/python tools/check_examples.py
	@$(RUNTIME) .venv/bin/python tools/check_api.py

check-javascript: .venv/.installed node_modules/.installed # and what is written in JavaScript
	@$(RUNTIME) pyright --project tests/types
	@$(RUNTIME) pyright --project tools/pyright-sdk.json
	@$(RUNTIME) tsc --project tools/javascript/node.json
	@$(RUNTIME) tsc --project tools/javascript/pages.json
	@$(RUNTIME) tsc --project tools/javascript/react.json
	@$(RUNTIME) tsc --project tools/javascript/workers.json

# NO_MKDOCS_2_WARNING: else the theme advertises another program with every build.
docs: .venv/.installed ## the documentation, in .cache/docs
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --config-file docs/mkdocs.yml

reference: .venv/.installed ## docs/pages/reference, from the docstrings
	@.venv/bin/python docs/reference.py

format: .venv/.installed ## mend what the linter and the formatter can
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

build: .venv/.installed ## the wheel and the sdist, in dist/, as an index takes them
	rm -rf dist
	.venv/bin/python -m build --no-isolation
	.venv/bin/twine check --strict dist/*

clean: ## remove everything that the other targets made
	rm -rf .cache .venv dist node_modules bench/agents-sdk/node_modules python_modules .mypy_cache .pytest_cache .ruff_cache \
	  .hypothesis .wrangler fixtures/*/.wrangler fixtures/*/public/*.js \
	  fixtures/*/python_modules tests/*/python_modules

.venv/.installed: pyproject.toml tools/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "partyserver needs Python 3.11 or newer: run make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(STEP) "Python environment in .venv" $(PYTHON) -m venv .venv
	@$(STEP) "Newer pip" $(PIP) install pip==26.3
	@$(STEP) "Python packages" \
	  $(PIP) install --constraint tools/constraints.txt --group dev --group docs --editable .
	@touch $@

.venv/.bench-installed: .venv/.installed
	@$(STEP) "Python packages of the benchmark" \
	  $(PIP) install --constraint tools/constraints.txt --group bench
	@touch $@

node_modules/.installed: package.json package-lock.json tools/check-node.sh
	@command -v npm >/dev/null || \
	  { echo "npm is missing: install Node.js 22.12 or newer, which brings it" >&2; exit 1; }
	@$(STEP) "Node packages" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(RUNTIME) tools/check-node.sh
	@touch $@

$(AGENTS_SDK): bench/agents-sdk/package.json bench/agents-sdk/package-lock.json | node_modules/.installed
	@$(STEP) "Node packages of the benchmark" npm ci --prefix $(dir $(@D)) \
	  --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The wheel is kept in .cache/wheels for the tests that install it offline.
$(SDK): tools/constraints.txt | .venv/.installed
	@$(STEP) "Download of the SDK" $(PIP) download --no-deps --dest .cache/wheels \
	  --constraint tools/constraints.txt workers-runtime-sdk
	@$(STEP) "The SDK" $(PIP) install --no-deps --no-index --find-links .cache/wheels --upgrade \
	  --target .cache/sdk --constraint tools/constraints.txt workers-runtime-sdk
	@touch $@

$(WHEELS)/.downloaded: $(REQUIREMENTS) tools/worker-constraints.txt | .venv/.installed
	@$(STEP) "Download of the examples' packages" \
	  $(PIP) download $(FOR_WORKERS) --dest $(WHEELS) $(REQUIREMENTS:%=--requirement %)
	@touch $@

define INSTALL_FOR_WORKER
	@$(STEP) "Packages of $<" $(PIP) install $(FOR_WORKERS) --no-index --find-links $(WHEELS) \
	  --no-compile --upgrade --target $(@D) --requirement $<
	@touch $@
endef

python_modules/.installed: fixtures/chat/requirements.txt $(WHEELS)/.downloaded
	$(INSTALL_FOR_WORKER)

%/python_modules/.installed: %/requirements.txt $(WHEELS)/.downloaded
	$(INSTALL_FOR_WORKER)

$(BUNDLE) $(COMPILED): tools/pyodide-bundle.mjs node_modules/.installed
	@$(RUNTIME) $(STEP) "Pyodide$(if $(findstring compiled,$@), for the tests)" node tools/pyodide-bundle.mjs $(@D) $(if $(findstring compiled,$@),--compiled)
