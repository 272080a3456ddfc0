# One word per habit. Everything it needs it installs itself, into .venv and .uv; nothing else is touched.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin/python

.PHONY: help
help: ## List these words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | while IFS=: read -r word rest; do printf '  make %-9s%s\n' "$$word" "$${rest#*## }"; done

.uv/bin/uv:
	@echo "uv is not on the path: installing it into .uv/"
	@python3 -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check "uv>=0.8"

# A lock that is newer than the stamp renews the environment; otherwise this costs nothing.
.venv/.ready: requirements-dev.txt .python-version $(filter .uv/bin/uv,$(UV))
	@echo "setting up .venv (Python $$(cat .python-version)) from requirements-dev.txt …"
	@$(UV) venv --quiet --allow-existing --python "$$(cat .python-version)" .venv
	@$(UV) pip sync --quiet --python .venv/bin/python requirements-dev.txt
	@touch .venv/.ready

.PHONY: setup
setup: .venv/.ready ## Make the environment (every other word does it by itself)

.PHONY: demo
demo: setup ## The main job from a file to a DingTalk group: make demo [FILE=my.csv]
	@$(RUN) -m devtools.demo $(if $(FILE),--file "$(FILE)")

.PHONY: test
test: setup ## Every test, with full branch coverage of opskit/ and bridge/
	@$(RUN) -m devtools.habits test

.PHONY: lint
lint: setup ## One truth, lint, format and types: what is known before a test runs
	@$(RUN) -m devtools.habits lint

.PHONY: check
check: lint test package demo ## Everything CI runs, in the order a person wants to hear about it

.PHONY: schemas
schemas: setup ## Write what is generated: output_schema in tools/*.yaml, and tools.lock
	@$(RUN) -m devtools.schemas write

.PHONY: lock
lock: $(filter .uv/bin/uv,$(UV)) ## Pin every version: requirements.txt and requirements-dev.txt
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.12 --python-platform linux $(LOCK_FLAGS) -o requirements.txt pyproject.toml
	@$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.12 --python-platform linux $(LOCK_FLAGS) -c requirements.txt --group dev -o requirements-dev.txt pyproject.toml
	@echo "requirements.txt: $$(wc -l < requirements.txt) pins, requirements-dev.txt: $$(wc -l < requirements-dev.txt)"

.PHONY: package
package: setup ## Build opskit-<version>.difypkg in dist/
	@$(RUN) -m devtools.package

.PHONY: bench
bench: setup ## Calls beside an empty plugin, sales beside pandas, JSON beside its peers, many apps beside one, workflow versions: make bench [ROWS=20000] [COLLECTION=cases.jsonl]
	@missed=0; $(RUN) -m devtools.bench || missed=1; \
	$(RUN) -m devtools.sales_bench $(if $(ROWS),--rows $(ROWS)) || missed=1; \
	$(RUN) -m devtools.json_bench $(if $(COLLECTION),--collection "$(COLLECTION)") || missed=1; \
	$(RUN) -m devtools.broadcast_bench || missed=1; \
	$(RUN) -m devtools.history_bench || missed=1; exit $$missed

.PHONY: fuzz
fuzz: setup ## Read 10,000 made-up broken sales files: make fuzz [FILES=500] [SEED=7]
	@$(RUN) -m devtools.mixer $(if $(FILES),--files $(FILES)) $(if $(SEED),--seed $(SEED))

.PHONY: clean
clean: ## Remove what the other words made
	@rm -rf .venv .uv .cache dist out .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
