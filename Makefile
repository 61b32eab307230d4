STACK ?= lab
CLUSTERS ?= 2
ENGINE ?=
CLUSTER ?=
PICTURE ?=
SCENARIO ?=
PYTHON ?= python3

# These become part of commands, and a workflow takes one as input. Only `value` does not expand them.
PLAIN := a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 \
	A B C D E F G H I J K L M N O P Q R S T U V W X Y Z . _ - / ~ +
without = $(if $(1),$(call without,$(wordlist 2,$(words $(1)),$(1)),$(subst $(firstword $(1)),,$(2))),$(2))
$(foreach key,STACK CLUSTERS ENGINE CLUSTER PICTURE SCENARIO,$(if $(call without,$(PLAIN),$(value $(key))),\
	$(error $(key): got '$(value $(key))'; allowed are letters, digits and . _ - / ~ +)))

VENV := .venv
SPELLED := README.md CONTRIBUTING.md CHANGELOG.md bench/README.md docs $(wildcard Pulumi*.yaml) \
	__main__.py errors.py wiring.py components config kube lab mesh ops bench policies recorder recovery .ci .github Makefile \
	tests/properties tests/unit/kube tests/unit/lab tests/unit/ops tests/unit/recovery \
	tests/unit/bench tests/unit/components tests/unit/config tests/unit/mesh $(wildcard tests/unit/*.py) \
	tests/e2e tests/policies tests/program tests/support
RUN := $(VENV)/bin/python
LAB_RANCHER := $(filter lab-rancher,$(STACK))
# One process for each core. All tests of a file run in the same process, which creates their shared fixtures once.
PYTEST := -m pytest -m "not e2e" --numprocesses auto --dist loadfile
# The code that a stack runs, and the base of both engines: covered completely.
COVERED := $(CURDIR)/__main__.py,$(CURDIR)/wiring.py,$(CURDIR)/errors.py,components/*,config/*,mesh/*,policies/*,recorder/*,recovery/*
VERIFY := -m ops verify --stack $(STACK) $(if $(LAB_RANCHER),--rancher-token-file /var/lib/mcsps-lab/rancher/admin-token)
DRILL := $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(CLUSTER),--cluster $(CLUSTER)) \
	$(if $(PICTURE),--picture $(PICTURE))
PREVIEW := --diff $(if $(wildcard policies/PulumiPolicy.yaml),--policy-pack policies) \
	$(addprefix --policy-pack-config ,$(wildcard policies/$(STACK).json))
DRIFT := --diff --refresh --run-program --expect-no-changes

.PHONY: help lab-packages e2e-packages up preview drift verify drill test unit properties docs e2e e2e-all soak bench down
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(VENV)/installed: requirements.txt requirements-dev.txt
	PYTHON=$(PYTHON) lab/install-packages python
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lab-packages:
	@PYTHON=$(PYTHON) lab/install-packages python lab

e2e-packages:
	@PYTHON=$(PYTHON) lab/install-packages python lab tests

ifneq ($(filter lab lab-%,$(STACK)),)
up: lab-packages $(VENV)/installed ## Create the clusters and the mesh, and verify it by traffic (STACK=lab by default; ENGINE=pulumi or stand-in)
	$(RUN) -m lab up --clusters $(CLUSTERS) $(if $(LAB_RANCHER),--rancher)
	$(RUN) -m lab.deploy up --stack $(STACK) $(if $(ENGINE),--engine $(ENGINE))
	$(RUN) $(VERIFY)

preview: $(VENV)/installed ## Show what `make up` would change, and the findings of the policies
	$(RUN) -m lab.deploy preview --stack $(STACK) $(if $(ENGINE),--engine $(ENGINE)) $(PREVIEW)

drift: $(VENV)/installed ## Check that the clusters match the program; make reports error 7 if they do not, another error if the check itself fails
	$(RUN) -m lab.deploy preview --stack $(STACK) $(if $(ENGINE),--engine $(ENGINE)) $(DRIFT)

down: $(VENV)/installed ## Remove the mesh; for the lab also its clusters and their files on this machine
	$(RUN) -m lab down
else
ifneq ($(ENGINE),)
$(error ENGINE is only for the lab, and stack $(STACK) uses Pulumi. Remove ENGINE, or STACK)
endif
up: $(VENV)/installed
	pulumi up --stack $(STACK)
	$(RUN) $(VERIFY)

preview: $(VENV)/installed
	pulumi preview --stack $(STACK) $(PREVIEW)

drift: $(VENV)/installed
	pulumi preview --stack $(STACK) $(DRIFT)

down: $(VENV)/installed
	pulumi destroy --stack $(STACK) --run-program
endif

verify: $(VENV)/installed ## Verify the mesh by traffic, or report the cause of a failure
	$(RUN) $(VERIFY)

drill: $(VENV)/installed ## Disconnect and restore a cluster of the lab under traffic (CLUSTER=, PICTURE=drill.svg, SCENARIO=away)
	$(RUN) -m ops drill --stack $(STACK) $(DRILL)

test: $(VENV)/installed ## Run linter, type checker, spelling check, and all tests that need neither root nor a cluster
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy .
	$(VENV)/bin/codespell $(SPELLED)
	$(RUN) $(PYTEST) --cov --cov-report=term
	$(RUN) -m coverage report --include="$(COVERED)" --fail-under=100

unit: $(VENV)/installed ## Run the quick part of the tests, without coverage
	$(RUN) $(PYTEST) --quiet tests/unit tests/properties

properties: $(VENV)/installed ## Run the property tests with at least 2000 examples each
	$(RUN) $(PYTEST) --quiet --hypothesis-profile=thorough tests/properties tests/policies/test_fuzz.py

docs: $(VENV)/installed ## Generate docs/reference/ from the code, and build the site in site/; dead links are errors
	$(RUN) -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict

e2e: e2e-packages $(VENV)/installed ## Run the tests on the lab's clusters, on every available engine
	$(RUN) -m pytest -m "e2e and not nightly" --durations=40 tests/e2e

e2e-all: e2e-packages $(VENV)/installed ## Run all tests on the lab's clusters, including the nightly ones, on every available engine
	$(RUN) -m pytest -m e2e --durations=40 tests/e2e

soak: e2e-packages $(VENV)/installed ## Kill `up` and `destroy` at random points, and check that each converges
	$(RUN) -m pytest -m soak tests/e2e

bench: $(VENV)/installed ## Measure the program against a baseline from the same run
	$(RUN) -m bench
