# SPDX-License-Identifier: Apache-2.0
# The commands of the project; `make help` lists them.  Everything lives in .venv, build, build-* and dist.
SHELL := /bin/bash
VENV := .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -q
BUILD := build
SANITIZED := build-sanitize
THREADED := build-threads
JOBS ?= $(shell nproc)
SECONDS ?= 60
SEED ?= 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHON JOBS
STAMP := $(VENV)/.stamp
# What the Python module is made of; a target that needs the module builds it when one of these is newer.
SOURCES := $(shell find src python cmake CMakeLists.txt pyproject.toml README.md LICENSE -type f -not -name '*.pyc')
# One process at a time works in the build tree; several may wait.
LOCKED = mkdir -p $(BUILD) && flock $(BUILD)/.lock
# Every process of the tests writes here how often it ran a compiler.
RUNS := $(BUILD)/compiler-runs
MAX_RUNS := 440

.NOTPARALLEL:
.PHONY: help build programs demo test unit pytest example wheel sanitize tsan bench bench-bindings lint tidy format fuzz \
        fuzz-graphs fuzz-api fuzz-schedules fuzz-mutants add-op docs links clean gtest tools

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22
	@echo "  variables: JOBS=$(JOBS) PYTHON=$(PYTHON) SECONDS=$(SECONDS) SEED=$(SEED)"

$(STAMP)-build: requirements/build.txt
	tools/prerequisites.sh
	$(PYTHON) -m venv "$(VENV)"
	$(PIP) install -r requirements/build.txt
	touch $@

$(STAMP)-%: requirements/%.txt $(STAMP)-build
	$(PIP) install -r $<
	touch $@

$(STAMP)-module: $(SOURCES) $(STAMP)-build
	$(LOCKED) env CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) tools/wheel.sh $(BUILD)
	$(PIP) install --force-reinstall --no-deps $(BUILD)/wheel/nvfuser-*.whl
	touch $@

tools: $(STAMP)-test $(STAMP)-lint $(STAMP)-wheel $(STAMP)-docs gtest ## install all that the other targets need

gtest: $(STAMP)-build ## install GoogleTest where it is missing
	tools/prerequisites.sh gtest

build: $(STAMP)-module ## build the Python module and install it into .venv

programs: $(STAMP)-module gtest ## build the C++ tests and fuzzers
	$(LOCKED) tools/build.sh $(BUILD) $(JOBS) unit_tests fuzz_schedules fuzz_mutants

demo: build ## build and run the main job on real tensors
	$(PY) examples/demo.py

test: $(STAMP)-test programs ## build what is needed and run every test
	rm -f $(RUNS)
	$(MAKE) -k wheel example unit pytest
	@awk '{ n += $$1 } END { print "compiler runs of all tests: " n ", at most $(MAX_RUNS)"; exit n > $(MAX_RUNS) }' $(RUNS)

unit: programs ## run the C++ tests
	rm -rf $(BUILD)/unit-cache
	NVFUSER_NVRTC="$$(realpath $(VENV)/lib/python*/site-packages/nvidia/cu13/lib)" \
	NVFUSER_CACHE_DIR="$(CURDIR)/$(BUILD)/unit-cache" NVFUSER_TEST_RUNS="$(CURDIR)/$(RUNS)" $(BUILD)/unit_tests --gtest_brief=1

pytest: $(STAMP)-test build ## run the Python tests against what is installed in .venv
	cd tests && NVFUSER_TEST_RUNS="$(CURDIR)/$(RUNS)" \
	../$(PY) ../tools/check/without_leaks.py ../$(PY) -m pytest -c ../pyproject.toml --rootdir=.. python

example: build ## build and run the C++ example against an installed library
	rm -rf $(BUILD)/prefix
	$(LOCKED) cmake --install $(BUILD) --component cxx --prefix $(BUILD)/prefix > /dev/null
	cmake -S examples/cpp -B $(BUILD)/example -G Ninja -DCMAKE_PREFIX_PATH="$(CURDIR)/$(BUILD)/prefix" > /dev/null
	cmake --build $(BUILD)/example
	$(BUILD)/example/example

wheel: $(STAMP)-wheel build ## one wheel for old and new systems in dist/, checked on every Python found
	rm -rf dist
	auditwheel repair -w dist $(BUILD)/wheel/nvfuser-*.whl
	$(PY) tools/check/wheel.py dist/nvfuser-*.whl

bench-bindings: $(STAMP)-bindings build ## the bindings against a twin of pybind11: size, import, build, calls
	$(PY) benchmarks/bindings/run.py --library $(BUILD)/libnvfuser.a

bench: build ## benchmarks of this machine, both sides of each ratio in one run
	$(PY) benchmarks/cpu.py

lint: $(STAMP)-lint $(STAMP)-test build ## formatters and linters
	tools/check/lint.sh

tidy: $(STAMP)-lint build ## clang-tidy alone, over the library
	tools/check/tidy.sh

format: $(STAMP)-lint ## format the C++ and Python sources
	git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format -i
	ruff format python tests benchmarks examples tools cmake docs

fuzz: $(STAMP)-test programs ## random graphs and schedules, and defects in kernels, for SECONDS seconds from SEED
	tools/fuzz.sh --seconds $(SECONDS) --seed $(SEED)

fuzz-graphs: $(STAMP)-test build ## 2,000 random graphs from SEED
	$(PY) tests/fuzz/graphs.py --count 2000 --seed $(SEED)

fuzz-api: $(STAMP)-test build ## 100,000 bad calls of the Python API from SEED
	$(PY) tests/fuzz/api.py --count 100000 --seed $(SEED)

fuzz-schedules: programs ## 500 random schedules from SEED through the emulator
	$(BUILD)/fuzz_schedules --count 500 --seed $(SEED)

fuzz-mutants: programs ## defects put into kernels, which the emulator has to notice
	$(BUILD)/fuzz_mutants

add-op: $(STAMP)-build ## prove that one row of the table makes an operation, on a copy of the tree
	tools/check/add_op.sh

sanitize: $(STAMP)-test gtest ## C++ tests and a part of the Python tests under the address and undefined-behaviour sanitizers
	tools/build.sh $(SANITIZED) $(JOBS) unit_tests _C -- -DNVFUSER_SANITIZE=address,undefined -DNVFUSER_PCH=ON
	tools/check/sanitized.sh $(SANITIZED)

tsan: $(STAMP)-test gtest ## the C++ and Python tests that start threads, under the thread sanitizer
	tools/build.sh $(THREADED) $(JOBS) thread_tests _C -- -DNVFUSER_SANITIZE=thread -DNVFUSER_PCH=ON
	tools/check/thread_sanitized.sh $(THREADED)

docs: $(STAMP)-docs $(STAMP)-test build ## the documentation site in build/docs; every reference has to resolve
	$(PY) -m sphinx -q -n -W --keep-going -j auto -b html docs $(BUILD)/docs

links: docs ## check every link inside the documentation site
	$(PY) tools/check/links.py $(BUILD)/docs

clean: ## remove what was built
	rm -rf build build-sanitize build-threads dist $(VENV)
