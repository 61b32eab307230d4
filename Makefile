STACK ?= lab
CLUSTERS ?= 2
ENGINE ?=
CLUSTER ?=
PICTURE ?=
PYTHON ?= python3

# These become part of commands, and a workflow takes one from the user who starts it. `value` alone expands nothing.
PLAIN := a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 \
	A B C D E F G H I J K L M N O P Q R S T U V W X Y Z . _ - / ~ +
without = $(if $(1),$(call without,$(wordlist 2,$(words $(1)),$(1)),$(subst $(firstword $(1)),,$(2))),$(2))
$(foreach key,STACK CLUSTERS ENGINE CLUSTER PICTURE,$(if $(call without,$(PLAIN),$(value $(key))),\
	$(error $(key): got '$(value $(key))'; allowed are letters, digits and . _ - / ~ +)))

VENV := .venv
SPELLED := README.md CONTRIBUTING.md CHANGELOG.md bench/README.md docs $(wildcard Pulumi*.yaml) \
	__main__.py errors.py wiring.py components config kube mesh policies .ci .github Makefile
RUN := $(VENV)/bin/python
LAB_RANCHER := $(filter lab-rancher,$(STACK))
# One process for each core; a file stays in one of them, so what its tests share is made once.
PYTEST := -m pytest -m "not e2e" --numprocesses auto --dist loadfile
# What a stack runs, and what both engines stand on: covered whole.
COVERED := $(CURDIR)/__main__.py,$(CURDIR)/wiring.py,$(CURDIR)/errors.py,components/*,config/*,mesh/*,policies/*,recorder/*,recovery/*
VERIFY := -m ops verify --stack $(STACK) $(if $(LAB_RANCHER),--rancher-token-file /var/lib/mcsps-lab/rancher/admin-token)
PREVIEW := --diff $(if $(wildcard policies/PulumiPolicy.yaml),--policy-pack policies) \
	$(addprefix --policy-pack-config ,$(wildcard policies/$(STACK).json))
DRIFT := --diff --refresh --expect-no-changes

.PHONY: help lab-packages up preview drift verify drill test unit docs e2e e2e-all soak bench down
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(VENV)/installed: requirements.txt requirements-dev.txt
	PYTHON=$(PYTHON) lab/install-packages python
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lab-packages:
	@PYTHON=$(PYTHON) lab/install-packages python lab tests

ifneq ($(filter lab lab-%,$(STACK)),)
up: lab-packages $(VENV)/installed ## The mesh from nothing, proven by traffic (STACK=lab by default; ENGINE=pulumi or stand-in)
	$(RUN) -m lab up --clusters $(CLUSTERS) $(if $(LAB_RANCHER),--rancher)
	$(RUN) -m lab.deploy up --stack $(STACK) $(if $(ENGINE),--engine $(ENGINE))
	$(RUN) $(VERIFY)

preview: $(VENV)/installed ## What `make up` would change, and what the policies say of it
	$(RUN) -m lab.deploy preview --stack $(STACK) $(if $(ENGINE),--engine $(ENGINE)) $(PREVIEW)

drift: $(VENV)/installed ## Whether the clusters still are what the program says; error 7 if not, another if that cannot be seen
	$(RUN) -m lab.deploy preview --stack $(STACK) $(if $(ENGINE),--engine $(ENGINE)) $(DRIFT)

down: $(VENV)/installed ## Remove the mesh; for the lab, the clusters too and all that they left on this machine
	$(RUN) -m lab down
else
ifneq ($(ENGINE),)
$(error ENGINE is for the lab alone: stack $(STACK) is plain Pulumi. Leave ENGINE out, or STACK)
endif
up: $(VENV)/installed
	pulumi up --stack $(STACK)
	$(RUN) $(VERIFY)

preview: $(VENV)/installed
	pulumi preview --stack $(STACK) $(PREVIEW)

drift: $(VENV)/installed
	pulumi preview --stack $(STACK) $(DRIFT)

down: $(VENV)/installed
	pulumi destroy --stack $(STACK)
endif

verify: $(VENV)/installed ## Prove the mesh by traffic, or name why it does not hold
	$(RUN) $(VERIFY)

drill: $(VENV)/installed ## Take a cluster of the lab away under traffic, and give it back (CLUSTER=, PICTURE=drill.svg)
	$(RUN) -m ops drill --stack $(STACK) $(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(PICTURE),--picture $(PICTURE))

test: $(VENV)/installed ## Lint, types, spelling, and all tests that need neither root nor a cluster
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy .
	$(VENV)/bin/codespell $(SPELLED)
	$(RUN) $(PYTEST) --cov --cov-report=term
	$(RUN) -m coverage report --include="$(COVERED)" --fail-under=100

unit: $(VENV)/installed ## The quick part of the tests, for the inner loop; without coverage
	$(RUN) $(PYTEST) --quiet tests/unit tests/properties

docs: $(VENV)/installed ## Generate docs/reference/ from the code, and build the site in site/; a dead link fails
	$(RUN) -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict

e2e: lab-packages $(VENV)/installed ## The tests on the lab's clusters, on every engine that is here
	$(RUN) -m pytest -m "e2e and not nightly" --durations=40 tests/e2e

e2e-all: lab-packages $(VENV)/installed ## The same and all that takes longer, on every engine; for the night
	$(RUN) -m pytest -m e2e --durations=40 tests/e2e

soak: lab-packages $(VENV)/installed ## Kill `up` and `destroy` at random points, and see each converge
	$(RUN) -m pytest -m soak tests/e2e

bench: $(VENV)/installed ## Ratios against floors measured in the same run
	$(RUN) -m bench
