# Fairlock. A newcomer needs two of these: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
DEMO_SECONDS ?= 40
CLIENT := app capture detectors lockdown
# Where a trained model goes, and pictures of COCO for measuring that nothing else was forgotten.
MADE ?= out/train
COCO ?= $(wildcard ../shared/coco)
# What needs torch is not here, where its types are unknown.
TRAINING := $(filter-out %/fitting.py %/masked_loss.py %/tower.py, $(wildcard packaging/models/training/*.py))

.PHONY: setup develop demo test faults faults-release check bench package models train clean lock

## Prepare everything that running needs: libraries, environment, console.
setup: $(VENV)/.ready
	@packaging/system_packages.sh run
	@packaging/console_build.sh

$(VENV)/.ready: requirements.lock pyproject.toml
	@packaging/system_packages.sh run
	@$(PYTHON) -c 'import sys; sys.exit("Fairlock needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV) || { echo "If ensurepip is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked Python packages"
	@$(RUN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(RUN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

develop: setup
	@packaging/system_packages.sh develop

## The whole line once: server, exam, application, recording, examiner's verification.
demo: setup
	@$(RUN)/fairlock demo --seconds $(DEMO_SECONDS) $(DEMO)

## Every test.
test: develop
	@$(RUN)/python -m pytest $(PYTEST)
	@packaging/console_test.sh

## Kill the processes of an exam at random moments and look whether the machine is as before: make faults-release N=200
faults-release: develop
	@$(RUN)/python -m tests.faults.letting_go -n $(or $(N),200)

## Cut, delay, lose and repeat what an application sends, kill either side, fill its disk; count what arrives: make faults N=1000
faults: develop
	@$(RUN)/python -m tests.faults.evidence -n $(or $(N),1000)

## Lint and types (the client's also as on Windows and macOS), and how large files and functions are.
check: develop
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@for system in win32 darwin; do \
	  $(RUN)/mypy --platform $$system --cache-dir .mypy_cache/$$system --exclude '^lockdown/linux' $(CLIENT) || exit 1; \
	done
	@MYPYPATH=typings:packaging/models $(RUN)/mypy --explicit-package-bases --cache-dir .mypy_cache/training $(TRAINING) \
	  packaging/models/assess.py
	@$(RUN)/python -m tests.architecture.size

## Speed, as ratios measured in one run; writes out/bench.json.
bench: develop
	@$(RUN)/python -m tests.bench --json out/bench.json

## Freeze the client for this system and run the headless demo from what was frozen.
package: develop
	@packaging/freeze.sh

## Export, quantise and check a detection model: make models WEIGHTS=yolo11n.pt (PICTURES, OPTIONS)
models: $(VENV)/.ready
	@packaging/models/make.sh "$(WEIGHTS)" "$(PICTURES)" $(OPTIONS)

## Fine-tune a detection model on pictures in YOLO's layout, and measure it: make train DATA=folder DEVICE=cpu
## (WEIGHTS, GROUPS, EPOCHS; TEST and NEGATIVES are further folders to measure it on; docs/models.md has the rest)
train: $(VENV)/.ready
	@packaging/models/train.sh "$(DATA)" "$(WEIGHTS)" --out "$(MADE)" $(if $(GROUPS),--groups "$(GROUPS)") \
	  $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(DEVICE),--device $(DEVICE)) $(OPTIONS)
	@$(RUN)/python packaging/models/assess.py "$(MADE)" --data "$(DATA)" $(addprefix --test ,$(TEST)) \
	  $(addprefix --negatives ,$(NEGATIVES)) $(addprefix --coco ,$(COCO))

## Write requirements.lock anew after a change in pyproject.toml (needs `uv`).
lock:
	uv pip compile pyproject.toml --extra client --extra server --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-find-links --no-emit-index-url --no-annotate --no-header -o requirements.lock

clean:
	rm -rf $(VENV) build dist out *.egg-info server/console/node_modules server/console/dist .mypy_cache .ruff_cache .pytest_cache
