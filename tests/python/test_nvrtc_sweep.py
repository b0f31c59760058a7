# SPDX-License-Identifier: Apache-2.0
"""Kernels that the fuzzer's graphs get on each known GPU, compiled with NVRTC for that GPU in a few units."""

import os
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

from drawn_graph import draw
from drawn_input import DrawnInput

from nvfuser import Way
from nvfuser._C import compile_cubin, kernel_texts

DEVICES = {"A100": 80, "H200": 90, "B200": 100, "RTX5090": 120}
KERNELS = int(os.environ.get("NVFUSER_NVRTC_KERNELS", "150"))  # distinct texts for each device
UNIT = 150
HEADERS = "".join(
    f'#include "rt/{name}.h"\n' for name in ("types", "convert", "math", "memory", "reduce", "ring", "grid")
)


def named(text, number):
    """The kernel under a name of its own, so that a unit may hold many."""
    name = re.search(r"namespace k_(\w+) {", text)[1]
    return text.replace(name, f"{name}_u{number}")


def distinct_kernels(device, first_seed):
    """Kernel texts, without their names, in the order in which seeds bring them."""
    texts = {}
    for seed in range(first_seed, first_seed + 20 * KERNELS):
        graph = draw(seed)
        inputs = [d.view() if isinstance(d, DrawnInput) else d for d in graph.inputs]
        for text in kernel_texts((graph.definition._ready(), inputs, Way.emulator, device)):
            plain = text.replace(re.search(r"namespace k_(\w+) {", text)[1], "kernel")
            texts.setdefault(plain, text)
        if len(texts) >= KERNELS:
            break
    return list(texts.values())[:KERNELS]


@pytest.mark.parametrize("device", DEVICES)
def test_kernels_compile(device):
    texts = distinct_kernels(device, 1 + 100000 * list(DEVICES).index(device))
    assert len(texts) == KERNELS
    size = 0
    for first in range(0, len(texts), UNIT):
        unit = [named(text, first + k) for k, text in enumerate(texts[first : first + UNIT])]
        size += compile_cubin(HEADERS + "\n".join(unit), DEVICES[device])
    print(f"\n{device}: {len(texts)} distinct kernels, sm_{DEVICES[device]}, {size} bytes")
