# One word for each thing a person does here. What has to be installed is installed first, inside this folder only.
# ARGS passes options on: make test ARGS="-k orders", make demo ARGS="--orders 500".

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format docs bench chaos rehearsal fuzz audit clean chromium
MAKEFLAGS += --no-print-directory
# Python keeps what it has compiled, whatever this shell has set: compiling Dagster anew takes a process three seconds.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
# Newer than both files means: nothing to do. A .venv that was moved here along with the folder does not count.
READY := .venv/.ready
$(shell [ "$$(cat $(READY) 2>/dev/null)" = "$(realpath .)" ] || rm -f $(READY))

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: $(READY) ## the environment alone, in .venv

$(READY): pyproject.toml uv.lock deploy/setup.sh
	@sh deploy/setup.sh

demo: $(READY) ## simulated Exact Online and Pipedrive, one sync, the user interface (ONCE=1: without the last)
	@$(BIN)/pipeline demo $(if $(filter-out 0,$(ONCE)),--once) $(ARGS)

# All processes have to list the tests alike, hence one seed; three, because tests wait for processes half of their time.
test: $(READY) chromium ## every test
	@PYTHONHASHSEED=0 $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

# A weakness that became known elsewhere is told, and no reason to refuse a change that has nothing to do with it.
check: $(READY) ## what CI runs: format, lint, types, known weaknesses where osv.dev is reached, every test
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	-@sh deploy/audit.sh
	@$(MAKE) test

format: $(READY) ## puts the code in shape
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

docs: $(READY) ## writes docs/tables.md from the tables
	@$(BIN)/python -m pipeline.tables_page

bench: $(READY) ## measures everything, 20 minutes, into benchmarks/RESULTS.md (PEERS=1: beside n8n and dlt, which it installs)
	@$(BIN)/python -W ignore -m benchmarks $(if $(filter-out 0,$(PEERS)),--peers) $(ARGS)

chaos: $(READY) ## kills it at 150 points, breaks every sixth request, tries any sequence, compares executors; prints the figures
	@$(BIN)/python -W ignore -m pipeline_tests.chaos $(ARGS)

rehearsal: $(READY) ## the deployment without Docker: every service of compose, stopped and killed in turn
	@$(BIN)/python -W ignore -m pipeline_tests.deployment $(ARGS)

fuzz: $(READY) ## any request at all to the simulators and to the receiver, at length (FUZZ_EXAMPLES, FUZZ_SECONDS of each kind)
	@FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),500) $(BIN)/pytest -q pipeline_tests/sandbox -k fuzz $(ARGS)
	@sh deploy/setup.sh fuzz
	@.cache/fuzz/bin/python -m pipeline_tests.fuzz $(or $(FUZZ_SECONDS),600)

audit: $(READY) ## looks whether anything in uv.lock has a known weakness; asks the database at osv.dev
	@sh deploy/audit.sh

clean: ## removes what was installed and cached; data in .local stays
	rm -rf .venv .tools .cache .pytest_cache .ruff_cache .hypothesis
	find pipeline pipeline_tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

chromium:
	@sh deploy/chromium.sh
