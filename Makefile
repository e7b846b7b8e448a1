PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test tables docs bench results

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[data]'
	touch $@

.venv/tested: .venv/installed
	$(BIN)/pip install -q -e '.[test]'
	touch $@

demo: .venv/installed
	$(BIN)/netc check specs/digits.net
	$(BIN)/netc train specs/digits.net
	@echo "(To have the command netc in this shell: . $(BIN)/activate)"

test: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -n 2 --dist worksteal

docs: .venv/installed
	$(BIN)/python -m netc.reference

bench: .venv/installed
	$(BIN)/python -m benchmarks all --out docs/benchmarks.md

results: .venv/installed
	$(BIN)/python -m benchmarks results --out docs/results.md

tables: .venv/installed
	$(BIN)/python -m netc.syntax.generate
