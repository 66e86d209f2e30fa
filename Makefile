# make run does the main job; make help lists the rest. Needs Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
TASK ?= examples/first.toml
# By the time at which it was begun: whatever is looked at is written to.
RUN ?= $(shell awk -F'"' '/^started_utc = / { print $$2 "\t" FILENAME }' runs/*/run.toml 2>/dev/null | \
	sort | tail -1 | cut -f2 | sed 's|/run.toml$$||')

BIN := .venv/bin
INSTALLED := .venv/.installed
TYPINGS := typings/.installed
BENCHED := .venv/.benched
SITED := .venv/.sited
UV := build/uv/bin/uv
TWINE := build/twine/bin/twine
PUBLISHED := $(wildcard ../shared/networks/jammed-64-143.txt)
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE = $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--default-index https://pypi.org/simple --custom-compile-command "make lock"

# Settings of pip and Python that are meant for other places end a set-up, or have it install somewhere else. What pip
# is told of indexes, proxies and caches stays.
KEPT := PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_NO_INDEX PIP_FIND_LINKS PIP_PROXY PIP_CERT PIP_CLIENT_CERT \
	PIP_TRUSTED_HOST PIP_CACHE_DIR PIP_NO_CACHE_DIR PIP_RETRIES PIP_TIMEOUT PIP_DEFAULT_TIMEOUT PIP_CONFIG_FILE \
	PIP_KEYRING_PROVIDER PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX PYTHONUNBUFFERED
unexport $(filter-out $(KEPT),$(filter PIP_% PYTHON%,$(.VARIABLES)))
export PIP_USER := 0
export PIP_REQUIRE_HASHES := 0

# An environment goes by the folder it was made in, and by a Python outside of it: install.py.
ifneq ($(shell $(BIN)/python -IS install.py ready 2>/dev/null),ready)
$(INSTALLED): anew
endif

.DEFAULT_GOAL := help
.PHONY: anew help setup run compare test check generated results figures figures-large bench emulator soak faults docs commands setups dist extras lock clean

help:
	@echo "make setup   install everything into .venv and typings (the others do it by themselves)"
	@echo "make run     virtual boards learn a task: TASK=$(TASK); the record goes to a new folder in runs/"
	@echo "make compare the final error of a run among 100 simulated ones: RUN=runs/NAME, the newest if none is named"
	@echo "make test    all tests"
	@echo "make check   style, types, contracts on imports, and the laws of the design"
	@echo "make generated  pages and files that are made from tables: parts, settings, records, the firmware's package.json"
	@echo "make results the results of docs/measured.md, measured anew (ten minutes)"
	@echo "make figures the paper's figures and ours, with their data, to build/figures (half an hour)"
	@echo "make figures-large  staleness on networks of up to 10,000 edges (five minutes)"
	@echo "make bench   speed, beside baselines measured in the same run, to build/bench.json and docs/bench.md (ten minutes)"
	@echo "make emulator  rates, decision ages and lateness of an emulated Pico, with CLOCKFREE_UF2=FILE (half an hour)"
	@echo "make soak    random faults on two racks of virtual boards while they learn: MINUTES=60 SEED=1"
	@echo "make faults  every fault of boards, files and lines in a long form, each judged (20 minutes)"
	@echo "make docs    the documents as a site, to build/docs; what is wrong in them is an error"
	@echo "make commands  every command and every piece of Python in README and docs, run (three minutes)"
	@echo "make dist    wheel and source distribution to dist/, checked, and tried without the clone (two minutes)"
	@echo "make setups  set-ups and runs in copies of this folder: with spaces, moved, broken off, and so on (ten minutes)"
	@echo "make extras  also install what clusters, data sets and the emulator need"
	@echo "make lock    look for newer dependencies and pin them"
	@echo "make clean   remove what was installed and cached; runs stay"
	@echo "Another Python: make setup PYTHON=python3.12"

setup: $(INSTALLED) $(TYPINGS)

$(INSTALLED): requirements.lock pyproject.toml setup.py install.py
	@command -v $(PYTHON) >/dev/null || { echo "clockfree needs Python 3.11 or newer, and there is no $(PYTHON) here; try PYTHON=..." >&2; exit 1; }
	@$(PYTHON) install.py

$(TYPINGS): typings.lock | $(INSTALLED)
	@$(PYTHON) install.py typings

# A second run within the same second would be refused, never written over.
run: FOLDER := runs/$(subst $() ,-,$(basename $(notdir $(TASK))))-$(shell date +%Y%m%d-%H%M%S)
run: $(INSTALLED)
	@mkdir -p runs
	$(BIN)/clockfree run "$(TASK)" --bench virtual --or-sim --out "$(FOLDER)"
	@echo
	@echo "$(FOLDER)/figure.png shows it. Next:"
	@echo "    $(BIN)/clockfree read $(FOLDER)                     every voltage, drop and tap at its end"
	@echo "    make compare                                        its error among 100 simulated runs of the same boards"
	@echo "    $(BIN)/clockfree run examples/iris.toml --preset board   another task, simulated: three species of iris"

compare: $(INSTALLED)
	@test -n "$(RUN)" || { echo "no run in runs/: make run first, or name one by RUN=" >&2; exit 2; }
	$(BIN)/clockfree compare "$(RUN)"

test: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --config-file firmware/mypy.ini
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --quiet tests/test_laws.py

generated: $(INSTALLED)
	$(BIN)/python docs/generate.py

results: $(INSTALLED)
	$(BIN)/python tests/studies/results.py

figures: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/clockfree paper all $(PUBLISHED:%=--large %) --out build/figures

figures-large: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/clockfree paper large $(PUBLISHED:%=--large %) --out build/figures

$(BENCHED): bench.lock | $(INSTALLED)
	@$(PIP) install --quiet --requirement bench.lock
	@touch $@

bench: $(INSTALLED) $(BENCHED)
	@rm -f build/bench.json
	@for script in tests/benchmarks/[!_]*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done
	@$(BIN)/python tests/benchmarks/_table.py

$(SITED): docs.lock | $(INSTALLED)
	@echo "installing what the site is made with into .venv"
	@$(PIP) install --quiet --requirement docs.lock
	@touch $@

docs: $(INSTALLED) $(SITED)
	$(BIN)/sphinx-build --fresh-env --write-all --fail-on-warning --keep-going --nitpicky --quiet -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

commands: $(INSTALLED)
	$(BIN)/python tests/docs/commands.py

soak: MINUTES ?= 60
soak: SEED ?= 1
soak: $(INSTALLED)
	$(BIN)/python tests/soak/soak.py --minutes $(MINUTES) --seed $(SEED)

faults: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/faults.py

emulator: extras
	PYTHONPATH=. $(BIN)/python tests/emulator/rates.py

$(TWINE): release.lock | $(INSTALLED)
	@$(BIN)/python -m venv --clear build/twine && \
		build/twine/bin/python -m pip --disable-pip-version-check install --quiet --requirement release.lock
	@touch $@

setups:
	$(PYTHON) tests/setups.py

dist: $(INSTALLED) $(TWINE)
	$(BIN)/python tests/wheel.py $(TWINE)

extras: setup
	$(PIP) install --requirement extras.lock

lock: $(INSTALLED)
	@$(BIN)/python -m venv build/uv && \
		build/uv/bin/python -m pip --disable-pip-version-check install --quiet uv==0.13.9
	$(COMPILE) --group dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra cluster --extra data --extra emulator --constraints requirements.lock --output-file extras.lock pyproject.toml
	$(COMPILE) --group typings --output-file typings.lock
	$(COMPILE) --group bench --constraints requirements.lock --output-file bench.lock
	$(COMPILE) --group docs --constraints requirements.lock --output-file docs.lock
	$(COMPILE) --group release --output-file release.lock

clean:
	rm -rf .venv typings build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis clockfree.egg-info
	find firmware host sim tests -name __pycache__ -type d -prune -exec rm -rf {} +
