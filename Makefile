# `make tour` and `make test` need Python 3.11-3.13, git and make. Everything else is installed into .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= tour
PYTEST := $(BIN)/python -m pytest
# Two processes; a file's tests stay in one of them, so that its models are built once. The longest files come first.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder --durations=10
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help tour test test-fast test-all soak bench lint notebooks site wheel clean

# Print this list of targets.
help:
	@awk '/^#/ { text = text substr($$0, 2); next } \
		/^[a-z-]+:/ && text { sub(/:.*/, ""); printf "make %-10s%s\n", $$0, text } { text = "" }' $(MAKEFILE_LIST)

# Create .venv, then run all steps from a vocabulary to a SavedModel, with a report in tour/.
tour: $(VENV)/.installed
	$(BIN)/keras-bert tour --out $(OUT)

# Lint, doctests, and all tests except slow ones and those that need another framework.
test: lint
	$(PYTEST) -m "not slow and not peers" --doctest-modules $(PARALLEL)

# Under a minute: the parts that most changes touch.
test-fast: $(VENV)/.installed-dev
	$(PYTEST) -m "not slow and not peers" $(PARALLEL) tests/test_*.py tests/text tests/layers tests/ops

# Everything: also the chapters of the book, the site in a browser, the wheel, and comparisons with PyTorch, transformers, JAX and google-research/bert.
# With TESTS_END (seconds since 1970), what has not begun by then is skipped.
test-all: lint $(VENV)/.installed-peers
	$(PYTEST) -m "not slow and not peers" --doctest-modules $(PARALLEL)
	$(PYTEST) -m peers $(PARALLEL)
	$(PYTEST) -m "slow and not peers" $(PARALLEL)

# Kill every command at random moments and compare the results, about 25 minutes; SOAK="--kills 10" for fewer kills. Then
# send unusual texts to served models from 8 threads, about 15 minutes; SOAK_SERVING="--strings 5000 --texts 2000" for fewer.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak $(SOAK)
	$(BIN)/python -m tests.soak_serving $(SOAK_SERVING)

# Compare the speed with other implementations, on a quiet machine; BENCH="--only forward" runs a part of it.
bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.run $(BENCH)
	$(BIN)/python -m experiments.results_page --only

# Check style and format with ruff.
lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Execute the chapters and solutions of the book into tutorials/notebooks; CHAPTERS="tutorials/03_attention.py" for one,
# CHAPTERS=--changed for those that differ from their notebook, CHAPTERS=--table prints seconds, memory and figures.
notebooks: $(VENV)/.installed-dev
	$(BIN)/python -m tools.run_notebooks $(CHAPTERS)

# The site: the book with its committed notebooks, API reference, results, model cards; build/site/html/index.html.
site: $(VENV)/.installed-site
	$(BIN)/python -m tools.site --out build/site

# A wheel that holds the bundled models, in dist/.
wheel: $(VENV)/.installed
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# Versions come from constraints.txt, packages from the index that pip is configured for.
# A stamp file is renewed when one of the files that it depends on changes.
$(VENV)/.installed: pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "error: Python 3.11, 3.12 or 3.13 is needed. Name one with PYTHON=..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[tour]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[dev]"
	touch $@

$(VENV)/.installed-peers: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --no-compile --use-pep517 -c constraints.txt -e ".[peers]"
	touch $@

$(VENV)/.installed-site: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[site]"
	touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[bench]"
	touch $@

# Delete .venv and everything that is built.
clean:
	rm -rf $(VENV) tour build dist *.egg-info
