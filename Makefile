# `make` lists what there is. Every target does its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
RECIPE ?= recipes/demo.yaml
OUTPUT ?= outputs/demo
FURINA ?= ../shared/data/seed
CONFIG ?= accelerate_configs/single.yaml
WORKERS ?= 2
BIN := .venv/bin
SWEEP = $(BIN)/python -m pipeline.sweep --quick $(if $(JOBS),--jobs $(JOBS))
LOCK := requirements.lock
TORCH := 2.13.0

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## make .venv from the lock file, unless it is there already
	@cmp -s $(LOCK) .venv/$(LOCK) || $(MAKE) --no-print-directory venv

venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $$($(PYTHON) --version) is too old. To fix it: install Python 3.11 or newer, or run make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "error: $(PYTHON) cannot make virtual environments. To fix it: install its venv package (Debian: apt install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@cp $(LOCK) .venv/$(LOCK)

demo: setup ## the complete pipeline on the sample character: convert, train, measure, show (RECIPE=..., DEMO=short for half)
	$(BIN)/python -m pipeline.demo --config $(RECIPE) $(if $(filter short,$(DEMO)),--half)

data: setup ## convert the raw files of every recipe's character
	$(BIN)/python -m pipeline.convert --skip_absent --config recipes/*.yaml

train: setup ## train a recipe (RECIPE=..., CONFIG=an accelerate config)
	$(BIN)/accelerate launch --quiet --config_file $(CONFIG) -m pipeline.train --config $(RECIPE)

recall: setup ## measure recall of the settings, before and after training (RECIPE=...)
	$(BIN)/python -m pipeline.recall --config $(RECIPE)

chat: setup ## talk to the trained character (OUTPUT=...)
	@$(BIN)/python -m pipeline.chat --adapter $(OUTPUT)

studio: setup ## the same in a browser, with report, curves and exports (RECIPE=...)
	@$(BIN)/python -m pipeline.studio --config $(RECIPE)

bench: setup ## speed and memory against trl's, time to recall, commands (over an hour; 芙宁娜's rows too, where FURINA has them)
	$(BIN)/python -m pipeline.bench --config recipes/demo.yaml --out outputs/bench/demo
	$(BIN)/python -m pipeline.bench --time_to_recall --half --config recipes/demo.yaml --out outputs/bench/recall
	$(BIN)/python -m pipeline.bench --commands --config recipes/demo.yaml --out outputs/bench/commands
	@if [ -d $(FURINA)/speaker ]; then $(BIN)/python -m pipeline.bench --config recipes/furina_lora.yaml --kinds dialogue \
	  --raw $(FURINA)/speaker/芙宁娜 $(FURINA)/settings_modified_furina.json --records_dir outputs/bench/furina/records \
	  --model_name_or_path embedded --dtype float32 --out outputs/bench/furina; \
	else echo "$(FURINA)/speaker is not here: 芙宁娜's rows are left out (make bench FURINA=folder)"; fi

test: setup ## all tests, a file at a time on each of two workers (WORKERS=...; 0 for none)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

ablation: setup ## copies, frames, families of wordings, and boundaries; three seeds (hours; resumes; JOBS=runs at once)
	$(SWEEP) --config recipes/one_wording.yaml --out outputs/ablation/one --wordings copies frames families --seed 1 2 3
	$(SWEEP) --config recipes/demo.yaml --out outputs/ablation/five --wordings copies families --seed 1 2 3
	$(SWEEP) --config recipes/one_wording.yaml --out outputs/ablation/boundaries --boundaries 0 0.3 --seed 1 2 3

soak: setup ## kill runs at random moments, 30 times, and see that nothing is lost (a quarter of an hour)
	$(BIN)/python -m tests.soak

check: setup ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## make the lock file anew from pyproject.toml
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet torch==$(TORCH) '.[deepspeed,dev]'
	build/lock/bin/python -m pip freeze --all --exclude understudy --exclude pip | \
	  sed -E 's/\+cpu$$//; s/^(deepspeed|uvloop)==.*$$/& ; sys_platform == "linux"/' > $(LOCK)

clean: ## remove build products, but no trained model
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache

.PHONY: help setup venv demo data train recall chat studio bench test ablation soak check lock clean
