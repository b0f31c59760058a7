# SPDX-License-Identifier: Apache-2.0
# The commands of the project; `make help` lists them.  Everything lives in .venv, build and dist.
SHELL := /bin/bash
VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -q
BUILD := build
JOBS ?= $(shell nproc)
SECONDS ?= 60
SEED ?= 1
TESTS ?= OFF
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHON
STAMP := $(VENV)/.stamp

.PHONY: help build demo test unit pytest example wheel sanitize bench lint format fuzz add-op clean gtest

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18
	@echo "  variables: JOBS=$(JOBS) VENV=$(VENV) PYTHON=$(PYTHON) SECONDS=$(SECONDS) SEED=$(SEED)"

$(STAMP)-build: requirements/build.txt
	tools/prerequisites.sh
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -r requirements/build.txt
	touch $@

$(STAMP)-%: requirements/%.txt $(STAMP)-build
	$(PIP) install -r $<
	touch $@

gtest: ## install GoogleTest where it is missing
	tools/prerequisites.sh gtest

build: $(STAMP)-build ## build the Python module and install it into .venv
	rm -rf $(BUILD)/wheel
	CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) $(PIP) wheel --no-build-isolation --no-deps -w $(BUILD)/wheel \
	  -C cmake.define.NVFUSER_TESTS=$(TESTS) .
	$(PIP) install --force-reinstall --no-deps $(BUILD)/wheel/nvfuser-*.whl

demo: build ## build and run the main job on real tensors
	$(PY) examples/demo.py

test: $(STAMP)-test gtest ## build what is needed and run every test
	$(MAKE) wheel TESTS=ON
	$(MAKE) -k -j1 example unit pytest

unit: ## run the C++ tests that `make test` built
	NVFUSER_NVRTC="$$(echo $(CURDIR)/$(VENV)/lib/python*/site-packages/nvidia/cu13/lib)" $(BUILD)/unit_tests --gtest_brief=1

pytest: ## run the Python tests against what is installed in .venv
	cd tests && ../$(PY) -m pytest -c ../pyproject.toml --rootdir=.. python

example: $(STAMP)-build ## build and run the C++ example against an installed library
	[ -e $(BUILD)/build.ninja ] || $(MAKE) build
	cmake --build $(BUILD) -j $(JOBS) --target nvfuser
	rm -rf $(BUILD)/prefix && cmake --install $(BUILD) --component cxx --prefix $(BUILD)/prefix > /dev/null
	cmake -S examples/cpp -B $(BUILD)/example -G Ninja -DCMAKE_PREFIX_PATH=$(CURDIR)/$(BUILD)/prefix > /dev/null
	cmake --build $(BUILD)/example
	$(BUILD)/example/example

wheel: $(STAMP)-wheel build ## one wheel for old and new systems in dist/, checked on every Python found
	rm -rf dist
	auditwheel repair -w dist $(BUILD)/wheel/nvfuser-*.whl
	$(PY) tools/check/wheel.py dist/nvfuser-*.whl

bench: build ## benchmarks of this machine, both sides of each ratio in one run
	$(PY) benchmarks/cpu.py

lint: $(STAMP)-lint build ## formatters and linters
	tools/check/lint.sh

format: $(STAMP)-lint ## format the C++ and Python sources
	git ls-files '*.cpp' '*.h' | xargs clang-format -i
	ruff format python tests benchmarks examples tools cmake

fuzz: $(STAMP)-test build ## random programs for SECONDS seconds from SEED
	$(PY) tests/fuzz/graphs.py --seconds $(SECONDS) --seed $(SEED)

add-op: $(STAMP)-build ## prove that one row of the table makes an operation, on a copy of the tree
	tools/check/add_op.sh

sanitize: $(STAMP)-build gtest ## the C++ tests under the address and undefined-behaviour sanitizers
	cmake -S . -B build-sanitize -G Ninja -DNVFUSER_SANITIZE=ON -DNVFUSER_TESTS=ON -DNVFUSER_PYTHON=OFF > /dev/null
	cmake --build build-sanitize -j $(JOBS) --target unit_tests
	ASAN_OPTIONS=detect_leaks=0 build-sanitize/unit_tests --gtest_brief=1

clean: ## remove what was built
	rm -rf build build-sanitize dist $(VENV)
