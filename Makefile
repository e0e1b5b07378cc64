# Kantor's verbs for people: demo, test, check, fix, bench, seeds, reproduce-jsb. Plain venv and pip, nothing else needed.
PYTHON ?= python3
BIN := .venv/bin
PAGE := $(wildcard src/kantor/studio/web/*.* src/kantor/studio/web/src/*)
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: demo install dev test check fix bench seeds reproduce-jsb clean

demo: install    ## compose a chorale with the base install alone -> out/
	$(BIN)/kantor generate --force --bars 16 --temperature 0.85 --seed 2 -o out/chorale.mid -o out/chorale.musicxml -o out/chorale.wav -o out/chorale.svg -o out/chorale.png

install: .venv/base.stamp

dev: .venv/dev.stamp

test: dev        ## the whole suite
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: dev       ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: dev       ## speed and memory, as ratios
	$(BIN)/python -m benchmarks

seeds: dev       ## train the five seed systems small, ten minutes each at most -> runs/
	for seed in seed-000 seed-001 seed-002 seed-003 seed-004; do \
	  $(BIN)/kantor train $$seed --max-minutes 8 --set precision=bf16-mixed || exit 2; done

reproduce-jsb: dev ## train the shipped jsb anew, JSB=DIR or the checked download, SEED=N or 1 as it was, and measure it -> runs/reproduce-jsb
	$(BIN)/kantor train jsb $(if $(JSB),--data $(JSB)) --seed $(or $(SEED),1) --out runs/reproduce-jsb
	$(BIN)/kantor evaluate runs/reproduce-jsb $(if $(JSB),--data $(JSB))

clean:
	rm -rf .venv out build dist

.venv/bin/python:
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "expected Python with its venv module, got one without; try: apt install python3-venv"; exit 2; }

.venv/base.stamp: pyproject.toml constraints.txt hatch_build.py $(PAGE) | .venv/bin/python
	$(PIP) --no-compile --editable .   # no-compile: a fifth of the install would be bytecode never run
	@touch $@

.venv/dev.stamp: pyproject.toml constraints.txt hatch_build.py $(PAGE) | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(PIP) --editable ".[train]" --group dev
	@touch $@
