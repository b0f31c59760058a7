#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that loops over the device library's functions become vector code: compiles one file with a loop per
function that claims a vector form and one with the reductions, with the flags of host kernels, and reads the
vectoriser's report and the symbol table.  Exits 1 and names those that did not vectorise or that call the mathematical
library.

Usage: vectorised.py [--root ROOT] [--compiler g++] [--march native]
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = [
    "-std=c++20",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=off",
    "-fno-ipa-icf",
    "-w",
]

UNARY = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "tanh",
    "sigmoid",
    "erf",
    "erfc",
    "erfinv",
    "erfcinv",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "asinh",
    "acosh",
    "atanh",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "abs",
    "neg",
    "floor",
    "ceil",
    "round",
    "trunc",
    "relu",
    "sign",
]
TESTS = ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit"]
BINARY = ["add", "sub", "mul", "truediv", "minimum", "maximum", "atan2", "nextafter"]
INTEGER = [
    "add",
    "sub",
    "mul",
    "minimum",
    "maximum",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "shift_left",
    "shift_right",
    "shift_right_logical",
]
TERNARY = {
    "where": "rt::where(m[l], a[l], b[l])",
    "clamp": "rt::clamp(a[l], b[l], c[l])",
    "lerp": "rt::lerp(a[l], b[l], c[l])",
    "silu": "a[l] * rt::sigmoid(a[l])",
    "threshold": "a[l] <= b[l] ? c[l] : a[l]",
    "frac": "a[l] - rt::trunc(a[l])",
}
COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
BOOLEAN = {
    "logical_not": "rt::logical_not(a[l])",
    "logical_and": "rt::logical_and(a[l], b[l])",
    "logical_or": "rt::logical_or(a[l], b[l])",
    "bitwise_xor": "rt::bitwise_xor(a[l], b[l])",
    "bitwise_not": "rt::bitwise_not(a[l])",
    "add": "rt::add(a[l], b[l])",
    "mul": "rt::mul(a[l], b[l])",
}
# Rows of reductions, the type in which they compute and that of their elements.
REDUCTIONS = [
    *[(row, "float32", "float32") for row in ("Sum", "Product", "Max", "Min", "Welford", "SoftmaxSums", "MomentSums")],
    *[(row, "float32", "bfloat16") for row in ("Sum", "Max")],
    *[(row, "float64", "float32") for row in ("Sum", "Welford")],
    *[("Sum", "float64", "float64"), ("Sum", "int64", "int32"), ("Max", "int32", "int32")],
]
NARROW = ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"]


def loops():
    """(name, element type of the operands, of the result, expression)"""
    for name in UNARY:
        yield name, "float32", "float32", f"rt::{name}(a[l])"
    for name in TESTS:
        yield name, "float32", "boolean", f"rt::{name}(a[l])"
    for name in BINARY:
        yield name, "float32", "float32", f"rt::{name}(a[l], b[l])"
    for name in INTEGER:
        yield name + "_int32", "int32", "int32", f"rt::{name}(a[l], b[l])"
    for name, text in TERNARY.items():
        yield name, "float32", "float32", text
    for name, sign in COMPARE.items():
        yield name, "float32", "boolean", f"a[l] {sign} b[l]"
    for name, text in BOOLEAN.items():
        yield name + "_boolean", "boolean", "boolean", text
    for narrow in NARROW:
        yield f"from_{narrow}", narrow, "float32", "rt::to<rt::float32>(a[l])"
        yield f"to_{narrow}", "float32", narrow, f"rt::to<rt::{narrow}>(a[l])"
    for other in ("int32", "boolean"):
        yield f"from_{other}", other, "float32", "rt::to<rt::float32>(a[l])"
        yield f"to_{other}", "float32", other, f"rt::to<rt::{other}>(a[l])"


def source(rows):
    """One function a line, so that the report's line is the row."""
    text = []
    for name, operand, result, expression in rows:
        pointers = "".join(f"const rt::{operand}* __restrict {p}, " for p in "abc")
        text.append(
            f'extern "C" void loop_{name}({pointers}const bool* __restrict m, rt::{result}* __restrict out, int n) '
            f"{{ for (int l = 0; l < n; ++l) out[l] = {expression}; }}"
        )
    heads = ['#include "nvfuser/device/generic/math.h"', '#include "nvfuser/device/generic/convert.h"']
    return "\n".join(heads + text) + "\n", len(heads) + 1


def reductions():
    """A function a row, that folds a chunk into lanes and combines them."""
    text = ['#include "nvfuser/device/cpu/memory.h"', '#include "nvfuser/device/cpu/reduce.h"']
    for row, computed, stored in REDUCTIONS:
        combiner = f"rt::{row}<rt::{computed}>"
        text.append(
            f"void fold_{row}_{computed}_{stored}(rt::Array<rt::Lanes<{combiner}>, 1>& acc, "
            f"rt::Array<rt::{stored}, 512>& x, long long n, rt::{computed}* out) {{ "
            f"rt::fold_up_to<{combiner}, 512>(acc, 0, x, 0, n); *out = rt::result<{combiner}, 0>(acc, 0); }}"
        )
    return "\n".join(text) + "\n"


def compile_loops(text, options, folder, report):
    """The compiler's messages, and the path of the object."""
    path, binary = Path(folder) / "loops.cpp", Path(folder) / "loops.o"
    path.write_text(text)
    command = [options.compiler, *FLAGS, report, f"-march={options.march}", "-I", f"{options.root}/src"]
    done = subprocess.run([*command, "-c", str(path), "-o", str(binary)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stderr, binary


def undefined(binary):
    calls = subprocess.run(["nm", "-u", str(binary)], capture_output=True, text=True).stdout.split()
    return [c for c in calls if c not in ("U", "memcpy") and not c.startswith("_GLOBAL_OFFSET")]


def missed_lanes(report, root):
    """Lines of the loops over lanes that did not become vector code."""
    header = (Path(root) / "src/nvfuser/device/cpu/reduce.h").read_text().splitlines()
    lanes = {k + 1 for k, line in enumerate(header) if "for (int l = 0" in line and "Width" not in line}
    missed = {int(k) for k in re.findall(r"reduce\.h:(\d+):\d+: missed: couldn't vectorize loop", report)}
    return sorted(lanes & missed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(Path(__file__).resolve().parents[2]))
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--march", default="native")
    options = parser.parse_args()
    rows = list(loops())
    text, first = source(rows)
    with tempfile.TemporaryDirectory() as folder:
        report, binary = compile_loops(text, options, folder, "-fopt-info-vec")
        lines = {int(k) for k in re.findall(r"loops\.cpp:(\d+):\d+: optimized: +loop vectorized", report)}
        calls = undefined(binary)
        report, binary = compile_loops(reductions(), options, folder, "-fopt-info-vec-missed")
        lanes = missed_lanes(report, options.root)
        calls += undefined(binary)
    missed = [row[0] for k, row in enumerate(rows) if first + k not in lines]
    calls = [c for c in calls if c != "U" and not c.startswith("_GLOBAL_OFFSET")]
    for name in missed:
        print(f"{name}: the loop is not vectorised")
    for line in lanes:
        print(f"device/cpu/reduce.h:{line}: the loop over lanes is not vectorised for a reduction")
    for name in calls:
        print(f"{name}: called from a loop that should need no library")
    print(f"{len(rows) - len(missed)} of {len(rows)} loops vectorised with -march={options.march}")
    return 1 if missed or calls or lanes else 0


if __name__ == "__main__":
    sys.exit(main())
