#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the C++ tests of a build tree with sanitizers, then a part of the Python tests against its module.  Python is not
# built with sanitizers, so their runtime is loaded before it; compilers that the tests start run without.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/$1 failed=0
parts=(test_define test_definition test_alias test_shapes test_segments test_errors test_casts test_lifetimes)
NVFUSER_NVRTC=$(realpath .venv/lib/python*/site-packages/nvidia/cu13/lib)
export NVFUSER_NVRTC
export ASAN_OPTIONS=detect_leaks=0  # what Python and NVRTC keep to the end is not ours
export UBSAN_OPTIONS=print_stacktrace=1
"$build/unit_tests" --gtest_brief=1 || failed=1

rm -rf "$build/site"
mkdir -p "$build/site/nvfuser"
cp python/nvfuser/*.py "$build/_C.abi3.so" "$build/site/nvfuser"
printf '#!/bin/sh\nunset LD_PRELOAD\nexec g++ "$@"\n' > "$build/compiler"
chmod +x "$build/compiler"
preload=""
for library in libasan.so libubsan.so libstdc++.so; do
  preload+="$(g++ -print-file-name=$library) "
done
files=()
for part in "${parts[@]}"; do
  files+=("python/$part.py")
done
python=$PWD/.venv/bin/python tools=$PWD/tools/check
cd tests
env LD_PRELOAD="$preload" NVFUSER_CXX="$build/compiler" PYTHONPATH="$build/site" PYTHONMALLOC=malloc \
  "$python" "$tools/without_leaks.py" "$python" -m pytest -c ../pyproject.toml --rootdir=.. "${files[@]}" || failed=1
exit $failed
