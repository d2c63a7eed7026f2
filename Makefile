# `make` lists the targets. Each installs what it needs, so any of them works first after a clone.

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
BIN := .venv/bin
# Environments hold absolute paths: one from another folder is replaced.
SYNCED := .venv/.synced-$(firstword $(shell echo '$(CURDIR)' | cksum))
LOCKED := uv.lock pyproject.toml dagster/pyproject.toml $(wildcard packages/*/pyproject.toml)
TYPED := $(wildcard __main__.py lotus_infra packages/*/pulumi_airbyte packages/*/airbyte_model packages/*/airbyte_twin packages/*/tests \
	dagster/lotus_dagster toolchain sandbox benchmarks tests)
TESTS := tests $(wildcard packages/*/tests)
COVERED_PERCENT := 95
MUTMUT_VERSION := 3.8.1
# For the targets of a stack: its name, the folder of its saved plan, and lotus with the engine on PATH.
STACK ?= prod
REVIEW := .review/$(STACK)
LOTUS = eval "$$($(MAKE) -s env)" && lotus

export UV_PROJECT_ENVIRONMENT := .venv
# A test run starts hundreds of processes: each would compile all that it imports, where the environment asks for that.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup engine oldest-engine cluster connectors clients env image lint test test-cluster test-all mutants check preview \
	comment gate deploy verify doctor drift sandbox sandbox-ui sandbox-down bless bench soak release sdks

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SYNCED) ## Install the locked Python environment into .venv, and schemas for editors into streams/.schema
	@$(BIN)/lotus schema --write > /dev/null
	@echo 'The environment is in .venv.'

engine: $(SYNCED) ## Find the Pulumi engine, or build it once from its Go module
	@$(BIN)/python toolchain/engine.py

oldest-engine: $(SYNCED) ## Build the oldest Pulumi engine that is supported, for the nightly tests of it
	@$(BIN)/python -m toolchain.oldest_engine

cluster: $(SYNCED) ## Find a Kubernetes API server and Pulumi's plugin for it, or build them once from their Go modules
	@$(BIN)/python -m toolchain.cluster > /dev/null

sdks: engine ## Write the SDKs of pulumi-airbyte for Node.js, Python, Go and .NET into OUT=…, by default sdk/
	@$(BIN)/python -m toolchain.sdks $(or $(OUT),sdk)

connectors: $(SYNCED) ## Install real Airbyte connectors, each into an environment of its own
	@$(BIN)/python -m toolchain.connectors

clients: $(SYNCED) ## Install other clients of Airbyte, and Barman's tools, for the nightly tests, each into an environment of its own
	@$(BIN)/python -m toolchain.connectors packages/airbyte-twin/tests/clients
	@$(BIN)/python -m toolchain.connectors tests/backups

env: $(SYNCED) ## Print the line that puts lotus and pulumi on PATH, for a shell to evaluate
	@path=$$($(BIN)/python toolchain/engine.py --print-path) && \
		echo "export PATH='$(CURDIR)/$(BIN)'$${path:+:\"$$path\"}:\"\$$PATH\""

image: $(SYNCED) ## Build Dagster's image with Docker, named by the commit, or IMAGE=registry/name and the commit
	@$(BIN)/python -m toolchain.image $(IMAGE)

lint: $(SYNCED) ## Check style, format, types, import contracts, and sizes of functions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports
	$(BIN)/python toolchain/lint_sizes.py
	$(BIN)/zizmor --quiet --offline .github
	$(BIN)/python -m toolchain.workflow_lint

test: engine connectors ## Run a pull request's tests, the real engine included, and check the line coverage
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=$(COVERED_PERCENT) $(TESTS)

# One process, because all its tests share one API server.
test-cluster: engine cluster ## Run a pull request's tests on a real Kubernetes API server, or with NIGHTLY=1 all of them
	$(BIN)/pytest -n 0 -m '$(if $(NIGHTLY),cluster,cluster and not nightly)' tests/cluster

test-all: engine oldest-engine connectors ## Run every test, those marked nightly too: each night, and before a release
	$(BIN)/pytest -n auto --dist worksteal -m 'not cluster' --hypothesis-profile nightly $(TESTS)
	@$(MAKE) --no-print-directory test-cluster NIGHTLY=1

mutants: $(SYNCED) ## Run mutation tests over the pure rules, all of them or AREA=…
	$(UV) run --locked --with mutmut==$(MUTMUT_VERSION) python -m toolchain.mutants $(AREA)

check: $(SYNCED) ## Check the lake's files, parse the dbt project and load Dagster, without any secret
	$(BIN)/lotus check
	$(BIN)/dbt parse --quiet --log-level-file none --project-dir dagster/dbt --profiles-dir dagster/dbt
	$(BIN)/python -c "from lotus_dagster.code_location import *"

preview: engine ## Preview STACK=… for a review, into .review/<stack>
	@$(LOTUS) preview --stack '$(STACK)' --output '$(REVIEW)'

comment: $(SYNCED) ## Summarize the effect of STACK=…'s preview on data in .review/<stack>/comment.md
	@$(BIN)/lotus comment --stack '$(STACK)' --preview '$(REVIEW)/preview.json' --output '$(REVIEW)/comment.md' \
		$(if $(LABEL),--label '$(LABEL)')

gate: $(SYNCED) ## Fail if the preview of STACK=… loses data without an acknowledgement, by LABEL=… or in the stack
	@$(BIN)/lotus gate --stack '$(STACK)' --preview '$(REVIEW)/preview.json' $(if $(LABEL),--label '$(LABEL)')

deploy: engine ## Deploy this commit to STACK=…, limited to the reviewed plan in REVIEWED=… if given, with the LABEL=… of now
	@$(LOTUS) deploy --stack '$(STACK)' --yes $(if $(REVIEWED),--reviewed '$(REVIEWED)') $(if $(LABEL),--label '$(LABEL)')

verify: $(SYNCED) ## Compare the cluster of STACK=… with this repository
	@$(BIN)/lotus verify --stack '$(STACK)' --if-deployed

doctor: engine ## Check what a run of STACK=… needs, with the rights of FOR=deploy or FOR=preview
	@eval "$$($(MAKE) -s env)"; set -a; \
		for key in clientSecret:AIRBYTE_CLIENT_SECRET password:AIRBYTE_PASSWORD; do \
			secret=$$(pulumi config get "airbyte:$${key%:*}" --stack '$(STACK)' 2>/dev/null) && eval "$${key#*:}=\$$secret"; \
		done; \
		set +a; lotus doctor --stack '$(STACK)' --for '$(or $(FOR),deploy)'

drift: engine ## Show where code, state and Airbyte differ for STACK=…, or write it with a patch into OUTPUT=…
	@$(LOTUS) drift --stack '$(STACK)' $(if $(OUTPUT),--format markdown --output '$(OUTPUT)')

sandbox: $(SYNCED) ## Run the lake on this machine: a stand-in Airbyte, a local stack, the real `pulumi up`; V=1 shows all output
	@$(BIN)/python -m sandbox up $(if $(V),-v)

sandbox-ui: $(SYNCED) ## Open Dagster on the sandbox, on a free port or on PORT=…, until Ctrl-C
	@exec $(BIN)/python -m sandbox ui $(PORT)

sandbox-down: $(SYNCED) ## Take the sandbox down
	@$(BIN)/python -m sandbox down

bless: $(SYNCED) ## Accept the current output as what the golden tests expect, and write requirements.txt from uv.lock
	{ echo '# The locked environment, for `pulumi install` without uv. Made from uv.lock by `make bless`.'; \
		$(UV) export --quiet --locked --no-hashes --no-annotate --no-header --no-dev --extra deploy; } > requirements.txt.new
	mv requirements.txt.new requirements.txt
	LOTUS_BLESS=1 $(BIN)/pytest -q tests/golden

bench: engine ## Run every benchmark; each prints one JSON document
	@for benchmark in benchmarks/[!_]*.py; do echo "$$benchmark" >&2; $(BIN)/python "$$benchmark" --json || exit 1; done

soak: $(SYNCED) ## Run Dagster on Postgres and S3 for MINUTES=… with faults, and compare the tables with a reckoning
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),60) --seed $(or $(SEED),1)

release: $(SYNCED) ## Build the wheels, plugin archives and SDKs of a release into OUT=…, and check the TAG=… if given
	@$(BIN)/python -m toolchain.release '$(or $(OUT),dist)' $(if $(TAG),--tag '$(TAG)')

$(SYNCED): $(LOCKED) | $(UV)
	@for stamp in .venv/.synced-*; do if [ -e "$$stamp" ] && [ "$$stamp" != '$@' ]; then rm -rf .venv; fi; done
	@$(UV) sync --locked
	@$(BIN)/python -m toolchain.bytecode
	@touch $@

# Without uv on PATH: install it into an environment of its own, with any Python that is new enough.
.tools/bin/uv:
	@for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'error: Lotus needs Python 3.11 or newer, and none is on PATH: install one (https://www.python.org/downloads/)' \
			'or uv (https://docs.astral.sh/uv/), which brings its own.' >&2; \
		exit 1; \
	fi; \
	echo "Installing uv $(UV_VERSION) into .tools with $$($$found --version)."; \
	$$found -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
