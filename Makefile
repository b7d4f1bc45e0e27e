# make demo      segments the MNI152 template and writes pictures and a report to demo-output/
# make view      opens what make demo made in the browser
# make test      style, types and tests
# make docs      the pages of docs/ with the reference for scripts, built into build/site
# make test-alone  the tests in a clone with nothing beside it; make test-data: those that read real scans from DATA
# make test-slicer-python  the tests on a Python 3.12 or 3.13 without PyTorch, as 3D Slicer has; after make unit
# make bench     ratios measured on this machine, written to docs/
# make glossary  the words and a picture of each, written to docs/
# make screenshots  pictures of the page in the browser, written to docs/
# make accuracy  the released package on the validation scans in DATA, written to docs/ and into the package (card, reference)
# make quality   the forecast of Dice fitted on the tuning scans in DATA and measured, written into the package and docs/; after make
#                accuracy. The validation scans are scored once a release: Testing/Bench/quality_table.py --validation
# make comparison  all arms of both studies on the data in DATA (hours, goes on where it was), written to docs/
# make frozen      uncertainty for a network that stays as it is, FROZEN=PACKAGE, on the scans in DATA, written to docs/
# make corrections  which scans of a worklist to correct first, on the scans in DATA, written to docs/
# make difficulty  the difficulty experiments on the training scans in DATA, written to docs/; hours, goes on where it was
# make foreign   TotalSegmentator and MONAI's bundle runner beside this library, and what large networks cost; after make nnunet
# make nnunet    small nnU-Nets trained on the data in DATA and compared with nnU-Net itself, written to docs/ and Testing/Data
PYTHON ?= python3
VENV   := .venv
ZOO    := build/nnunet/model-zoo
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

DATA   ?= ../shared/data

RECORDED := Testing/Studies/results
SLICER_PYTHON ?= python3.12
SLICER_VENV   := .venv-slicer
ALONE         := build/alone
PYTEST        := python -m pytest --numprocesses 2 --dist loadgroup
# What tests build with PyTorch is kept here for a Python without.
export SURE_TEST_PACKAGES ?= $(CURDIR)/build/test-packages

.PHONY: demo view test lint types unit test-alone test-data test-slicer-python docs bench glossary screenshots accuracy quality comparison difficulty frozen corrections nnunet foreign clean

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[view,demo]"
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) --editable ".[torch,view,demo,test]"
	touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(PIP) --editable ".[docs]"
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
	$(BIN)/$(PYTEST)

test-alone: $(VENV)/.test
	rm -rf $(ALONE)
	git clone --quiet --depth 1 "file://$(CURDIR)" $(ALONE)
	cd $(ALONE) && env -u SURE_DATA PYTHONPATH=$(CURDIR)/$(ALONE)/SUREUncertainty $(CURDIR)/$(BIN)/$(PYTEST) -m "not browser"

test-data: $(VENV)/.test
	SURE_DATA=$(abspath $(DATA)) $(BIN)/$(PYTEST) -m data

$(SLICER_VENV)/.test: pyproject.toml constraints.txt
	$(SLICER_PYTHON) -m venv $(SLICER_VENV)
	$(SLICER_VENV)/bin/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable ".[view,demo,test]"
	! $(SLICER_VENV)/bin/python -c "import torch" 2>/dev/null
	touch $@

test-slicer-python: $(SLICER_VENV)/.test
	SURE_EXPECTED_SKIPS="^torch is not installed|^not in this Slicer's Python: torch" $(SLICER_VENV)/bin/$(PYTEST)

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.test
	$(BIN)/python Testing/Bench/run.py

glossary: $(VENV)/.test
	$(BIN)/python Testing/Bench/glossary.py

screenshots: $(VENV)/.test
	$(BIN)/python Testing/Bench/screenshots.py

accuracy: $(VENV)/.test
	$(BIN)/python Testing/Bench/accuracy.py --data $(DATA)
	PYTHONPATH=Testing/Studies $(BIN)/python Testing/Bench/lung_accuracy.py --data $(DATA)

quality: $(VENV)/.test
	$(BIN)/python Testing/Bench/quality_fit.py --data $(DATA)
	$(BIN)/python Testing/Bench/quality_table.py --data $(DATA)
	$(BIN)/python Testing/Bench/quality_limit.py --data $(DATA)
	$(BIN)/python Testing/Bench/quality_others.py heart-lv-cine --data $(DATA) --store
	$(BIN)/python Testing/Bench/quality_others.py lung-nodule-ct --data $(DATA) --store
	PYTHONPATH=Testing/Studies $(BIN)/python Testing/Bench/quality_readers.py --data $(DATA)

comparison: $(VENV)/.test
	$(BIN)/sure compare run hippocampus --data $(DATA) --output build/comparison --summary $(RECORDED)/comparison.json
	$(BIN)/sure compare run acdc --data $(DATA) --output build/comparison --summary $(RECORDED)/comparison.json
	$(BIN)/sure compare run hippocampus-settings --data $(DATA) --output build/comparison --summary $(RECORDED)/settings.json
	$(BIN)/sure compare summarise hippocampus acdc --results build/comparison/results --output $(RECORDED)/comparison.json
	$(BIN)/sure compare summarise hippocampus-settings --results build/comparison/results --output $(RECORDED)/settings.json
	$(BIN)/sure compare page hippocampus-settings --results $(RECORDED)/settings.json --output docs/settings.md
	$(BIN)/sure compare page hippocampus acdc --results $(RECORDED)/comparison.json --output docs/comparison.md

difficulty: $(VENV)/.test
	$(BIN)/python Testing/Studies/difficulty_study.py --data $(DATA) --work build/difficulty

frozen: $(VENV)/.test
	$(BIN)/python Testing/Studies/frozen_study.py settings --data $(DATA) --model $(FROZEN) --name plain --work build/frozen
	$(BIN)/python Testing/Studies/frozen_study.py arms --data $(DATA) --model $(FROZEN) --name plain --work build/frozen
	$(BIN)/python Testing/Studies/frozen_study.py page

corrections: $(VENV)/.test
	$(BIN)/python Testing/Studies/correction_study.py --data $(DATA) --work build/corrections

nnunet: $(VENV)/.test
	$(PYTHON) -m venv build/nnunet/venv
	build/nnunet/venv/bin/python -m pip install --disable-pip-version-check nnunetv2==2.8.1 --editable ".[torch]"
	build/nnunet/venv/bin/python Testing/Bench/nnunet_trainings.py --data $(DATA) --work build/nnunet/work
	build/nnunet/venv/bin/python Testing/Bench/nnunet_agreement.py --work build/nnunet/work
	build/nnunet/venv/bin/python Testing/Bench/nnunet_variants.py --work build/nnunet/variants
	build/nnunet/venv/bin/python Testing/Bench/nnunet_variants_agreement.py --work build/nnunet/variants
	build/nnunet/venv/bin/python Testing/Bench/nnunet_vectors.py --work build/nnunet/vectors
	build/nnunet/venv/bin/python -m pip install --disable-pip-version-check pytest hypothesis
	build/nnunet/venv/bin/python -m pytest Testing/Python/test_nnunet_networks.py
	$(BIN)/python Testing/Bench/nnunet_page.py

foreign: $(VENV)/.test
	build/nnunet/venv/bin/python -m pip install --disable-pip-version-check TotalSegmentator==2.18.0 pytorch-ignite fire itk pytest hypothesis
	test -d $(ZOO) || git clone --depth 1 https://github.com/Project-MONAI/model-zoo $(ZOO)
	build/nnunet/venv/bin/python Testing/Bench/totalsegmentator_agreement.py
	build/nnunet/venv/bin/python Testing/Bench/bundle_runs.py $(ZOO) --work build/nnunet/bundle-runs
	build/nnunet/venv/bin/python Testing/Bench/nnunet_speed.py
	$(BIN)/python Testing/Bench/zoo_bundles.py $(ZOO) --work build/nnunet/zoo
	$(BIN)/python Testing/Bench/foreign_costs.py
	$(BIN)/python Testing/Bench/zoo_page.py
	$(BIN)/python Testing/Bench/foreign_page.py

clean:
	rm -rf $(VENV) $(SLICER_VENV) build demo-output SUREUncertainty/*.egg-info
