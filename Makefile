# Everything lives in .venv. A stamp in it says what has been set up; it is set up again when pyproject.toml, setup.py or
# constraints.txt is newer. `make PYTHON=python3.12 ...` chooses an interpreter, `make clean` starts over.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
RECIPE := pyproject.toml setup.py constraints.txt
BASE := $(VENV)/.base-is-set-up
DEV := $(VENV)/.dev-is-set-up
VIDEO := $(VENV)/.video-is-set-up

.DEFAULT_GOAL := help
.PHONY: help demo demo-video test lint format docs fuzz bench prove clean

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

demo: $(BASE)  ## check the examples, and one that is broken; needs no torch
	@echo '$$ tttdit-check examples'
	@$(BIN)/tttdit-check examples
	@echo
	@echo '$$ tttdit-check $(BROKEN)'
	@$(BIN)/tttdit-check $(BROKEN); code=$$?; echo; \
		if [ $$code -ne 1 ]; then echo "expected exit code 1 (errors found), got $$code" >&2; exit 1; fi; \
		echo "Exit code 1: errors were found, as they should be. The clean examples above gave 0."

BROKEN := examples/broken/text-of-493-tokens.toml

demo-video: $(VIDEO)  ## from two real clips to a model of them to videos, in out/, in some minutes
	$(BIN)/python $(CLIP)/fetch.py out/clips
	$(BIN)/tttdit prepare $(CLIP)/clip.toml out/clips --captions $(CLIP)/captions.jsonl --output out/data
	$(BIN)/tttdit data describe out/data/3s
	$(BIN)/tttdit-check --data $(CLIP)/clip.toml
	$(BIN)/tttdit run $(CLIP)/clip.toml --calibrate --output out/runs/calibration
	$(BIN)/tttdit run $(CLIP)/clip.toml --output out/runs/real-clip
	$(BIN)/tttdit sample $(CLIP)/clip.toml --checkpoint out/runs/real-clip --average --measure-memory \
		--prompts $(CLIP)/storyboards.json --output out/videos
	$(BIN)/python $(CLIP)/compare.py out

# Tensors are small: threads wait for each other longer than they work.
demo-video: export OMP_NUM_THREADS ?= 1
CLIP := examples/real-clip

test: $(DEV)  ## all tests
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: $(DEV) .typecheck/tttdit  ## formatting, ruff, mypy --strict
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@echo "mypy --strict: core, checker, and of the plugins all but modules and operators"
	@cd .typecheck && $(abspath $(BIN))/mypy --config-file ../pyproject.toml -p tttdit.core -p tttdit.checker $(LIGHT)

# The side of the plugins that knows no torch, as mypy wants it: -m tttdit.plugins.NAME.plugin ...
LIGHT = $(shell find plugins -name '*.py' ! -name module.py ! -name operators.py ! -name naive.py | \
	sed 's,/__init__.py$$,,; s,\.py$$,,; s,/,.,g; s,^,-m tttdit.,' | sort)

format: $(DEV)  ## format the code, and sort its imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(DEV)  ## check 10,000 specs and job files to which something has been done
	TTTDIT_FUZZ=10000 $(BIN)/pytest --numprocesses auto tests/fuzz

bench: $(DEV)  ## time a cold check, a sweep, and training steps; writes docs/performance.md
	$(BIN)/python bench/cold_check.py
	$(BIN)/python bench/sweep.py
	$(BIN)/python bench/train_step.py
	$(BIN)/python bench/run_step.py

prove: $(DEV)  ## hold predicted memory against what torch takes; takes hours, may be resumed, writes docs/accuracy.md
	$(BIN)/python bench/prove.py

docs: $(BASE)  ## draw the picture and copy the finding that the README shows, from the program's own output
	$(BIN)/python docs/refresh.py

clean:  ## remove what make has made
	rm -rf $(VENV) .typecheck .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info

# -- setting up

$(BASE): $(RECIPE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "tttdit needs Python 3.11 or newer, and $(PYTHON) is not: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian: apt install python3-venv)," >&2; \
		echo "or name another interpreter: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "setting up $(VENV), without torch"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VIDEO): $(BASE)
	@echo "setting up $(VENV) for training and videos, with torch"
	@$(PIP) install --constraint constraints.txt --editable '.[run,video]' matplotlib
	@touch $@

$(DEV): $(BASE)
	@echo "setting up $(VENV) for development, with torch"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

# mypy does not follow setuptools' package-dir map: it sees the packages through links.
.typecheck/tttdit:
	@mkdir -p $@
	@for name in core plugins checker core/_root/__init__.py core/_root/py.typed; do ln -sfn ../../$$name $@/$${name##*/}; done
