# The commands of Ploy. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Two builds at once only wait for each other.
.NOTPARALLEL:

CARGO ?= cargo
# What people run: quick to build, optimised enough to trade with.
PLOY := $(CARGO) run --quiet --locked --profile staging --package ploy --
DISTRIBUTED := infrastructure/scripts/distributed.sh
INSTALL := infrastructure/scripts/install-packages.sh
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)
# An argument of commands that take any: make up ARGS="--port 8090"
ARGS ?=

##@ Trade

.PHONY: up
up: ## Run everything in one process; nothing to install (ARGS="--port 8090 --clean")
	@echo "building (the first time takes a few minutes)"
	@$(CARGO) build --locked --profile staging --package ploy
	@$(PLOY) up $(ARGS)

.PHONY: up-distributed
up-distributed: ## Run exchange and five services as processes over NATS, PostgreSQL and Redis
	@$(DISTRIBUTED) up

.PHONY: down
down: ## Stop what up-distributed started
	@$(DISTRIBUTED) down

.PHONY: status
status: ## What of it runs, where, and whether it is ready
	@$(DISTRIBUTED) status || true

.PHONY: logs
logs: ## The log of one process (SERVICE=execution)
	@$(DISTRIBUTED) logs "$(SERVICE)"

.PHONY: restart
restart: ## Restart one process (SERVICE=execution)
	@$(DISTRIBUTED) restart "$(SERVICE)"

.PHONY: kill
kill: ## Kill one process as a crash would (SERVICE=execution)
	@$(DISTRIBUTED) kill "$(SERVICE)"

.PHONY: clean-data
clean-data: ## Stop the distributed processes and remove everything under .ploy
	@$(DISTRIBUTED) clean
	rm -rf .ploy

##@ Backtest

EXAMPLE := .ploy/example.csv
DATA ?= $(EXAMPLE)

.PHONY: backtest
backtest: $(filter $(EXAMPLE),$(DATA)) ## ma-cross over a recording, or an invented one (DATA=bars.csv ARGS="--fee-bps 5")
	@$(PLOY) backtest --strategy ma-cross --data "$(DATA)" $(ARGS)

# A year of hourly bars of a price that wanders, the same one every time.
$(EXAMPLE):
	@mkdir -p .ploy
	@awk 'BEGIN { srand(7); price = 30000; print "timestamp,open,high,low,close,volume"; \
	  for (i = 0; i < 8760; i++) { \
	    open = price; price *= 1 + (rand() - 0.499) / 50; \
	    high = (open > price ? open : price) * 1.002; low = (open < price ? open : price) * 0.998; \
	    printf "%d,%.2f,%.2f,%.2f,%.2f,%.4f\n", 1704067200000 + i * 3600000, open, high, low, price, 1 + rand() * 9 } }' >$@

##@ Test

.PHONY: test
test: packages fmt-check lint arch proto-check docs-check binaries doc-tests tests sim sim-mutants ## Everything, as CI does

.PHONY: check
check: fmt-check lint arch proto-check docs-check unit ## Before each commit: everything but the slow tests

.PHONY: unit
unit: ## Unit and property tests
	$(CARGO) test --quiet --locked --workspace --lib --bins

.PHONY: conformance
conformance: packages ## Bus and store against every backend
	$(CARGO) test --locked --package ploy-bus --package ploy-store

.PHONY: venue
venue: packages ## The venue adapter against the built-in exchange and recorded frames
	$(CARGO) test --locked --package ploy-venue-binance --package ploy-exchange-server

.PHONY: e2e
e2e: packages binaries ## The whole system from outside, in one process and distributed
	$(CARGO) test --locked --package ploy-acceptance --test it -- --skip crash

.PHONY: crash
crash: packages binaries ## Processes killed at random under load; the exchange's ledger is the judge
	$(CARGO) test --locked --package ploy-acceptance --test it -- --nocapture crash

.PHONY: chaos chaos-smoke
chaos: packages binaries ## Faults on the running whole, one after the other (SCENARIO=CH-07 SEED=42)
	$(if $(SCENARIO),CHAOS_SCENARIO=$(SCENARIO)) $(if $(SEED),CHAOS_SEED=$(SEED)) \
	  $(CARGO) test --locked --package ploy-acceptance --test it -- --nocapture faults_under_load

chaos-smoke: chaos ## The same; all scenarios together take two minutes

.PHONY: tests
tests: ## All tests but those in documentation
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --locked --workspace --no-fail-fast
else
	$(CARGO) test --locked --workspace --no-fail-fast --lib --bins --tests
endif

.PHONY: doc-tests
doc-tests: ## Examples in documentation
	$(CARGO) test --quiet --locked --workspace --doc

.PHONY: binaries
binaries: ## The programs that whole-system tests start
	$(CARGO) build --locked --workspace --bins

.PHONY: packages
packages: ## Install what tests need, if it is missing: a C compiler, NATS, PostgreSQL, Redis
	@$(INSTALL) gcc nats-server postgresql redis-server

##@ Quality

.PHONY: fmt
fmt: ## Format all code
	$(CARGO) fmt --all

.PHONY: fmt-check
fmt-check: ## Fail when something is not formatted
	$(CARGO) fmt --all -- --check

.PHONY: lint
lint: ## Clippy over everything; a warning is an error
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

.PHONY: arch
arch: ## The arrows between crates and the rules of pure ones
	$(CARGO) xtask arch

.PHONY: proto
proto: ## Generate Rust from proto/
	$(CARGO) xtask proto

.PHONY: proto-check
proto-check: ## Fail when the generated code is not what proto/ says
	$(CARGO) xtask proto --check

.PHONY: docs-check
docs-check: ## Every relative link in a Markdown file leads somewhere
	@infrastructure/scripts/check-docs.sh

.PHONY: scripts-check
scripts-check: ## shellcheck over all scripts
	@$(INSTALL) shellcheck
	shellcheck --external-sources --source-path=SCRIPTDIR .ci/run infrastructure/scripts/*.sh infrastructure/scripts/lib/*.sh

.PHONY: docs
docs: ## Documentation of all crates, in target/doc
	$(CARGO) doc --locked --workspace --no-deps

##@ Measure

.PHONY: sim
sim: ## The platform in simulated time under every fault (SEEDS=10000 FROM=0, or SEED=42 alone)
	$(CARGO) run --quiet --locked --profile staging --package ploy-sim --bin ploy-sim -- \
	  $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --from $(or $(FROM),0)) $(ARGS)

.PHONY: sim-mutants
sim-mutants: ## Break rules on purpose; the simulation must find each
	$(CARGO) run --quiet --locked --package xtask -- mutants $(ARGS)

.PHONY: bench
bench: bench-matching bench-backtest bench-recordings ## All benchmarks

.PHONY: bench-latency
bench-latency: ## Tick to order in one process, without and with the durable write
	$(CARGO) run --quiet --locked --release --package ploy -- bench latency $(ARGS)
	$(CARGO) run --quiet --locked --release --package ploy -- bench latency --durable $(ARGS)

.PHONY: bench-distributed
bench-distributed: packages ## Tick to order through separate processes over NATS, PostgreSQL and gRPC
	$(CARGO) bench --locked --package ploy-acceptance --bench tick_to_order

.PHONY: bench-matching
bench-matching: ## Operations per second of the matching engine
	$(CARGO) bench --locked --package ploy-exchange-core --bench matching $(ARGS)

.PHONY: bench-backtest
bench-backtest: ## Bars per second of a backtest
	$(CARGO) bench --locked --package ploy-sim --bench backtest $(ARGS)

.PHONY: bench-recordings
bench-recordings: ## Bars per second read from a file
	$(CARGO) bench --locked --package ploy-recordings --bench read $(ARGS)

##@ House

.PHONY: build
build: ## Build everything people run
	$(CARGO) build --locked --profile staging --workspace --bins

.PHONY: release
release: ## Build it as it is deployed
	$(CARGO) build --locked --release --workspace --bins

.PHONY: clean
clean: ## Remove build results
	$(CARGO) clean

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
