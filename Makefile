# make demo   the whole job on a generated data set, in under three minutes
# make check  ruff, mypy and the fast tests, in a minute and a half on two cores
# make test   ruff, mypy and every test, in five and a half minutes
# make bench  how fast the engine is, beside others: two hours, with nothing else running
#             (PARTS=training SCALE=0.1: one part, in minutes, its figures in build/bench/)
# make docs   the site of the documentation, in site/
# make results   docs/results.md anew: hours, but it goes on where it was
PYTHON ?= python3
SCALE ?= 1
python := .venv/bin/python
# A process a core, of one thread each: on nets as small as the tests', more would wait for others.
pytest := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(python) -m pytest \
	--numprocesses=auto --maxprocesses=8 --dist=worksteal
# Python compiles what it imports, not all that is installed, and keeps it, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=
both := $(MAKE) --no-print-directory --jobs=2

.PHONY: demo check test lint types fast-tests all-tests docs bench results clean

demo: .venv/ready
	$(python) scripts/compare_baselines.py
	$(python) scripts/train_movielens.py
	$(python) scripts/recommend_top_k.py

check: .venv/ready lint
	@$(both) types fast-tests

test: .venv/ready lint
	@$(both) types all-tests

lint: .venv/ready
	$(python) -m ruff check
	$(python) -m ruff format --check

types: .venv/ready
	$(python) -m mypy

fast-tests: .venv/ready
	$(pytest) -m "not slow" --hypothesis-profile=fast

all-tests: .venv/ready
	$(pytest)

bench: .venv/ready
	$(python) -m benchmarks.speed.engine $(PARTS) --scale $(SCALE) \
		$(if $(filter-out 1,$(SCALE)),--out build/bench)

docs: .venv/ready
	$(python) -m mkdocs build --strict

results: .venv/ready
	$(python) -m benchmarks.quality.results

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(python) -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[dev]"
	touch .venv/ready

clean:
	rm -rf .venv report runs site
