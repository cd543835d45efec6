# Every target only forwards to `python -m skillsgap …`; without make (Windows), call that yourself.
#   make reports [UNIT=arvenia] [DATA=folder]      make test [DATA=folder]      make lab
#   make validate [UNIT=…]      make queries UNIT=… [IN=uz]      make init UNIT=… FILES="…"      make verify [QUICK=1]
#   make questionnaire UNIT=…   make review [CORRECTED=sheet.xlsx]
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m skillsgap
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all:
DATA_OPTION = $(if $(DATA),--data "$(DATA)")

.DEFAULT_GOAL := reports
.PHONY: reports validate queries init questionnaire review test verify bench lab synthetic notebooks lock

reports: .venv/runtime
	@$(RUN) reports $(UNIT) $(DATA_OPTION)

validate: .venv/runtime
	@$(RUN) validate $(UNIT) $(DATA_OPTION)

queries: .venv/runtime
	@$(RUN) queries $(UNIT) $(DATA_OPTION) $(if $(IN),--lang $(IN))

init: .venv/runtime
	@$(RUN) init $(FILES) --output params/$(UNIT).yaml

questionnaire: .venv/runtime
	@$(RUN) questionnaire $(UNIT) $(DATA_OPTION)

review: .venv/runtime
	@$(RUN) review $(if $(CORRECTED),--corrected "$(CORRECTED)")

test: .venv/test
	@$(RUN) test $(DATA_OPTION)

verify: .venv/test
	@$(RUN) verify $(DATA_OPTION)

bench: .venv/test
	@$(RUN) bench

lab: .venv/all
	@$(BIN)/jupyter lab notebooks/00_start_here.ipynb

synthetic: .venv/runtime
	@$(RUN) synthetic

notebooks: .venv/runtime
	@$(RUN) notebooks

lock: .venv/runtime
	@$(RUN) lock

# the packages by their hashes, then the project itself, which needs no download and no build isolation
.venv/runtime: requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || \
	  { echo "$(PYTHON) has no venv: install the package python3-venv (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "$(PYTHON) is older than 3.11: name a newer one, as in make PYTHON=python3.13"; exit 1; }
	@echo "making .venv from requirements/runtime.txt (once)"
	@$(PYTHON) -m venv .venv
	@$(PIP) -r requirements/runtime.txt
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m compileall -q skillsgap
	@touch $@

.venv/test .venv/all: .venv/%: requirements/%.txt .venv/runtime
	@echo "adding requirements/$*.txt to .venv (once)"
	@$(PIP) -r requirements/$*.txt
	@touch $@
