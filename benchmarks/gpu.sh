#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that needs a GPU, in one go: install, the GPU tests, the sanitizer over the smallest shapes, the benchmark.
# Usage: benchmarks/gpu.sh OUTPUT_FOLDER   (wheels in dist/ and .whl/ are taken when they are there)
set -uo pipefail
cd "$(dirname "$0")/.."
out=${1:?folder for results}
if ! ls dist/nvfuser-*.whl >/dev/null 2>&1; then
  python3 -m pip wheel -q --no-build-isolation --no-deps -w dist . || exit 1
fi
python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/nvfuser-site dist/nvfuser-*.whl .whl/*.whl || exit 1
export PYTHONPATH=/tmp/nvfuser-site
python3 -m nvfuser.doctor
status=0
timeout 200 python3 -m pytest -q -x -p no:cacheprovider tests/gpu 2>&1 | tail -15 || status=1
timeout 300 python3 benchmarks/gpu.py --out "$out/gpu.json" ${BENCH_ARGS:-} || status=1
timeout 560 python3 benchmarks/norms.py --out "$out/norms.json" ${BENCH_ARGS:-} || status=1
timeout 100 python3 benchmarks/shapes.py --out "$out/shapes.json" || status=1
timeout 100 python3 benchmarks/calls.py --device cuda --out "$out/calls.json" || status=1
if command -v compute-sanitizer >/dev/null && [ -z "${NO_SANITIZER:-}" ]; then
  for tool in memcheck racecheck initcheck; do
    timeout 90 compute-sanitizer --tool $tool --error-exitcode 9 python3 -m pytest -q -x -p no:cacheprovider tests/gpu -k smallest 2>&1 | tail -4 || status=1
  done
fi
exit $status
