#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves that adding an operation touches one file: inserts a row into the op table of a copy of the tree, builds the
# Python module, and calls the operation on the CPU and in the emulator.  Most objects know the table, so the copy is
# built from nothing, without optimisation.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r CMakeLists.txt cmake src python "$copy"
cd "$copy"
row='POINTWISE(softsign, 1, real, special, -1, (rt::truediv(a, rt::add(rt::abs(a), a - a + 1))), "x / (1 + abs(x)).",'
row+=' "tanh, sigmoid", "softsign(1.0) = 0.5")'
sed -i "s|^#undef POINTWISE|$row\n&|" src/nvfuser/ir/pointwise.def
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Plain -DCMAKE_CXX_FLAGS=-O0 -DNVFUSER_PCH=ON \
  -DPython_EXECUTABLE="$root/.venv/bin/python" > cmake.log || { cat cmake.log; exit 1; }
cmake --build build -j "${JOBS:-$(nproc)}" --target _C > build.log || { tail -30 build.log; exit 1; }
cp build/_C.abi3.so python/nvfuser/
PYTHONPATH=python "$root/.venv/bin/python" - <<'PYTHON'
import numpy as np
from nvfuser import FusionDefinition

x = np.linspace(-3, 3, 1001, dtype=np.float32)
with FusionDefinition() as fd:
    fd.add_output(fd.ops.softsign(fd.from_pytorch(x)))
assert str(fd.ops.softsign(1.0)) == "0.5" and ">>> ops.softsign(1.0)" in fd.ops.softsign.__doc__
for target in ("host", "emulator", "evaluator"):
    (y,) = fd.execute([x], target=target)
    assert np.allclose(y, x / (1 + np.abs(x)), rtol=1e-6), target
print("add_op: one row, works on host, emulator and evaluator;", fd.ops.softsign.__doc__.splitlines()[0])
PYTHON
