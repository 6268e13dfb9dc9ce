# `make tour` and `make test` need Python 3.11-3.13, git and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= tour
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: tour test test-peers bench lint notebooks clean

tour: $(VENV)/.installed
	$(BIN)/keras-bert tour --out $(OUT)

test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest -m "not peers" --doctest-modules -n 2 --dist loadfile --durations=10
	@echo "Not run here: the tests against PyTorch, transformers, JAX and google-research ($$(grep -rl 'mark.peers' tests | wc -l) files). They need: make test-peers"

test-peers: $(VENV)/.installed-peers
	$(BIN)/python -m pytest -m peers

# Ours and the peers in turns, best on a quiet machine; BENCH="--only forward" for a part of it.
bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.run $(BENCH)
	$(BIN)/python -m experiments.results_page --only

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

notebooks: $(VENV)/.installed-dev
	cd tutorials && for lesson in 0*.py; do ../$(BIN)/jupytext --to ipynb --execute $$lesson || exit 1; done

# pip is told its pins, not its registry; each stamp is renewed when what it depends on changes.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "error: Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=..." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[dev,tutorials]"
	touch $@

$(VENV)/.installed-peers: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[peers]"
	touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e ".[bench]"
	touch $@

clean:
	rm -rf $(VENV) tour build dist *.egg-info
