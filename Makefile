# Everything runs from here; .ci/run calls `make check`.
PYTHON ?= python3
RUN := .venv/bin/python
export HF_HUB_OFFLINE ?= 1
export PYTHONUNBUFFERED := 1

.PHONY: demo test check serve train data benchmark format clean

demo: .venv/serving  ## install what serving needs, serve, and see six escalations answered
	@$(RUN) -m riskmodel demo

serve: .venv/serving  ## the service alone; wants a key, see `.venv/bin/riskmodel keys`
	@$(RUN) -m riskmodel serve

train: .venv/installed  ## a new version: half an hour on two cores
	@$(RUN) -m training fit

data: .venv/installed  ## check and count the labelled escalations
	@$(RUN) -m training data

test: .venv/installed .venv/spark  ## every test
	@$(RUN) -m pytest -m ""

check: .venv/installed .venv/spark  ## what CI runs: format, lint, types, import contracts, tests
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	.venv/bin/lint-imports
	$(RUN) -m pytest -m ""
	$(RUN) -m pytest --nbmake notebooks/01_data.ipynb notebooks/03_errors.ipynb notebooks/04_calibration_and_doubt.ipynb

benchmark: .venv/installed  ## encoder and service against their yardsticks, results in benchmarks/results
	@$(RUN) -m benchmarks

format: .venv/installed
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

clean:  ## everything that can be made again, but the models
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache

.venv/serving: pyproject.toml constraints.txt
	@[ -d .venv ] || $(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable .
	@touch .venv/serving

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --constraint constraints.txt --editable ".[training,ray,check]"
	@touch .venv/installed

# Beside the environment, not in it: where pandera finds Spark it starts it.
.venv/spark: pyproject.toml constraints.txt .venv/installed
	$(RUN) -m pip install --quiet --no-deps --upgrade --constraint constraints.txt --target .venv/spark pyspark py4j
	@touch .venv/spark
