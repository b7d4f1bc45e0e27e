# make demo      segments the MNI152 template and writes pictures and a report to demo-output/
# make view      opens what make demo made in the browser
# make test      style, types and tests
# make bench     ratios measured on this machine, written to docs/
# make screenshots  pictures of the page in the browser, written to docs/
# make accuracy  the released package on the validation scans in DATA, written to docs/ and into the package (card, reference)
# make comparison  all arms of both studies on the data in DATA (hours, goes on where it was), written to docs/
# make difficulty  the difficulty experiments on the training scans in DATA, written to docs/; hours, goes on where it was
# make nnunet    small nnU-Nets trained on the data in DATA and compared with nnU-Net itself, written to docs/ and Testing/Data
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

DATA   ?= ../shared/data

.PHONY: demo view test lint types unit bench screenshots accuracy comparison difficulty nnunet clean

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) else f"Python 3.10 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[view,demo]"
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) --editable ".[torch,view,demo,test]"
	touch $@

demo: $(VENV)/.demo
	$(BIN)/sure demo --output demo-output --overwrite
	@echo "From here: make view"

view: $(VENV)/.demo
	test -d demo-output || $(BIN)/sure demo --output demo-output
	$(BIN)/sure view demo-output

test: lint types unit

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

unit: $(VENV)/.test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

bench: $(VENV)/.test
	$(BIN)/python Testing/Bench/run.py

screenshots: $(VENV)/.test
	$(BIN)/python Testing/Bench/screenshots.py

accuracy: $(VENV)/.test
	$(BIN)/python Testing/Bench/accuracy.py --data $(DATA)
	$(BIN)/python Testing/Bench/lung_accuracy.py --data $(DATA)

comparison: $(VENV)/.test
	$(BIN)/sure compare run hippocampus --data $(DATA) --output build/comparison --results docs/results/comparison
	$(BIN)/sure compare run acdc --data $(DATA) --output build/comparison --results docs/results/comparison
	$(BIN)/sure compare run hippocampus-settings --data $(DATA) --output build/comparison --results docs/results/comparison
	$(BIN)/sure compare page hippocampus-settings --results docs/results/comparison --output docs/settings.md
	$(BIN)/sure compare page hippocampus acdc --results docs/results/comparison --output docs/comparison.md

difficulty: $(VENV)/.test
	$(BIN)/python Testing/Bench/difficulty_experiments.py --data $(DATA) --work build/difficulty

nnunet: $(VENV)/.test
	$(PYTHON) -m venv build/nnunet/venv
	build/nnunet/venv/bin/python -m pip install --disable-pip-version-check nnunetv2==2.8.1 --editable ".[torch]"
	build/nnunet/venv/bin/python Testing/Bench/nnunet_trainings.py --data $(DATA) --work build/nnunet/work
	build/nnunet/venv/bin/python Testing/Bench/nnunet_agreement.py --work build/nnunet/work
	build/nnunet/venv/bin/python Testing/Bench/nnunet_vectors.py --work build/nnunet/vectors
	$(BIN)/python Testing/Bench/nnunet_page.py

clean:
	rm -rf $(VENV) build demo-output SUREUncertainty/*.egg-info
