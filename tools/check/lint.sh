#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formatters, linters and the checks of this folder over the tracked sources.  Runs them all; status 1 when one fails.
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=0
check() {
  "$@" || { echo "lint: FAILED: $(printf '%.100s' "$*")"; failed=1; }
}
formatted() { git ls-files -z '*.cpp' '*.h' | xargs -0 -r clang-format --dry-run -Werror; }
typed() {  # the Python packages next to the stubs that the build wrote, examples, and what users' programs know
  rm -rf build/typed && mkdir -p build/typed && cp -r python/nvfuser python/nvfuser_direct build/typed &&
    cp -r build/stubs/_C build/typed/nvfuser &&
    MYPYPATH=build/typed mypy -p nvfuser -p nvfuser_direct &&
    MYPYPATH=build/typed mypy examples/*.py tests/python/typing_*.py && pyright --pythonpath .venv/bin/python
}
python=(python tests benchmarks examples tools cmake docs)
check formatted
check ruff format --check -q "${python[@]}"
check ruff check -q "${python[@]}"
check python tools/check/layers.py
check python tools/check/binding_policies.py
check python tools/check/shared_state.py
check python tools/options_page.py --check
check python benchmarks/bindings/run.py --readme --check
check typed
[ "$(uname -m)" = x86_64 ] && march=x86-64-v3 || march=native
check python tools/check/vectorised.py --march "$march"
check tools/check/tidy.sh
[ $failed = 0 ] && echo "lint: clean"
exit $failed
