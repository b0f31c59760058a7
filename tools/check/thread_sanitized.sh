#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the C++ tests that start threads, of a build tree with the thread sanitizer, then the Python tests that do, against
# its module.  Python is not built with the sanitizer, so its runtime is loaded before it; compilers that the tests start
# run without.  Tests that fork stay out: the sanitizer does not follow a fork of several threads.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/$1 failed=0
export TSAN_OPTIONS="halt_on_error=0 exitcode=66 suppressions=$PWD/tools/check/thread_sanitizer.supp"
"$build/thread_tests" --gtest_brief=1 --gtest_filter='-*Fork*' || failed=1

rm -rf "$build/site"
mkdir -p "$build/site/nvfuser"
cp python/nvfuser/*.py "$build/_C.abi3.so" "$build/site/nvfuser"
printf '#!/bin/sh\nunset LD_PRELOAD\nexec g++ "$@"\n' > "$build/compiler"
chmod +x "$build/compiler"
python=$PWD/.venv/bin/python
cd tests
env LD_PRELOAD="$(g++ -print-file-name=libtsan.so) $(g++ -print-file-name=libstdc++.so)" NVFUSER_CXX="$build/compiler" \
  PYTHONPATH="$build/site" OPENBLAS_NUM_THREADS=1 \
  "$python" -m pytest -c ../pyproject.toml --rootdir=.. python/test_threads.py -s -k program || failed=1
exit $failed
