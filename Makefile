# SPDX-License-Identifier: Apache-2.0
# The commands of the project; `make help` lists them.  Everything lives in .venv, build and dist.
SHELL := /bin/bash
VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
BUILD := build
JOBS ?= $(shell nproc)
SECONDS ?= 60
SEED ?= 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
STAMP := $(VENV)/.stamp

.PHONY: help build demo test unit pytest sanitize wheel bench lint format fuzz clean gtest

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18
	@echo "  variables: JOBS=$(JOBS) VENV=$(VENV) PYTHON=$(PYTHON) SECONDS=$(SECONDS) SEED=$(SEED)"

$(STAMP)-venv:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.10 or newer is needed (Debian: apt-get install python3 python3-venv)"; exit 1; }
	@command -v g++ >/dev/null || { echo "g++ 12 or newer is needed (Debian: apt-get install g++)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check -r requirements/build.txt
	touch $@

$(STAMP)-test: $(STAMP)-venv requirements/test.txt
	$(PY) -m pip install -q --disable-pip-version-check -r requirements/test.txt
	touch $@

$(STAMP)-lint: $(STAMP)-venv requirements/lint.txt
	$(PY) -m pip install -q --disable-pip-version-check -r requirements/lint.txt
	touch $@

build: $(STAMP)-venv ## build the wheel and install it into .venv
	rm -rf dist && mkdir -p dist
	CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) $(PY) -m pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w dist \
	  $(if $(TESTS),-C cmake.define.NVFUSER_TESTS=ON) .
	$(PY) -m pip install -q --disable-pip-version-check --force-reinstall --no-deps dist/nvfuser-*.whl

demo: build ## build and run the main job on real tensors
	$(PY) examples/demo.py

gtest:
	@[ -e /usr/include/gtest/gtest.h ] || { echo "GoogleTest is needed (Debian: libgtest-dev)"; \
	  [ "$$(id -u)" = 0 ] && { apt-get update -qq && apt-get install -y -qq libgtest-dev; } || \
	  { command -v sudo >/dev/null && sudo -n apt-get install -y -qq libgtest-dev; }; }

test: ## build what is needed and run every test
	$(MAKE) gtest $(STAMP)-test
	$(MAKE) build TESTS=1
	$(MAKE) unit pytest

unit:
	$(BUILD)/unit_tests --gtest_brief=1

pytest:
	cd tests && ../$(PY) -m pytest -c ../pyproject.toml --rootdir=.. python

wheel: $(STAMP)-venv ## one wheel in dist/
	$(MAKE) build
	@ls -l dist/*.whl

bench: build ## benchmarks of this machine, both sides of each ratio in one run
	$(PY) benchmarks/cpu.py

lint: $(STAMP)-lint ## formatters and linters
	tools/check/lint.sh

format: $(STAMP)-lint ## format the C++ and Python sources
	git ls-files '*.cpp' '*.h' | xargs clang-format -i
	ruff format python tests benchmarks examples tools

fuzz: build $(STAMP)-test ## random programs for SECONDS seconds from SEED
	$(PY) tests/fuzz/graphs.py --seconds $(SECONDS) --seed $(SEED)

sanitize: $(STAMP)-test gtest ## the C++ tests under the address and undefined-behaviour sanitizers
	cmake -S . -B build-sanitize -G Ninja -DNVFUSER_SANITIZE=ON -DNVFUSER_TESTS=ON -DNVFUSER_PYTHON=OFF
	cmake --build build-sanitize -j $(JOBS) --target unit_tests
	ASAN_OPTIONS=detect_leaks=0 build-sanitize/unit_tests --gtest_brief=1

clean: ## remove what was built
	rm -rf build build-sanitize dist $(VENV)
