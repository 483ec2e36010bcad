# Everything works from a fresh clone with Python 3.11 or later and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# One process a core, four at most; tests of one file share what they make.
SHARED_OUT := --numprocesses auto --maxprocesses 4 --dist loadscope
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all lint bench clean

demo: $(READY)
	$(BIN)/herkomst run configs/demo.yaml

test: $(READY)
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest $(SHARED_OUT) -m "not slow and not slurm and not gpu and not browser"

test-all: $(READY)
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest $(SHARED_OUT) -m "not gpu"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf runs build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# pip before 24 does not know the extra lxml[html_clean], so pip itself comes first. Torch is named alone, before the
# rest, so that no other package's requirement can choose another build of it.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(READY)
