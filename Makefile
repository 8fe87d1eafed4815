# make demo   the whole job on a generated data set, in under three minutes
# make test   the tests, ruff and mypy
# make bench  how fast the engine is, beside others: two hours, with nothing else running
# make docs   the site of the documentation, in site/
# make results   docs/results.md anew: hours, but it goes on where it was
PYTHON ?= python3
python := .venv/bin/python

.PHONY: demo test docs bench results clean

demo: .venv/ready
	$(python) scripts/compare_baselines.py
	$(python) scripts/train_movielens.py
	$(python) scripts/recommend_top_k.py

test: .venv/ready
	$(python) -m pytest
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy

bench: .venv/ready
	$(python) -m benchmarks.speed.engine

docs: .venv/ready
	$(python) -m mkdocs build --strict

results: .venv/ready
	$(python) -m benchmarks.quality.results

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(python) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch .venv/ready

clean:
	rm -rf .venv report runs site
