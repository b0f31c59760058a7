# SPDX-License-Identifier: Apache-2.0
"""Equal bits: 100 runs of one program, processes of 1, 2 and 7 threads, with a cold and with a warm cache, blocks and
threads of the emulator in any order."""

from __future__ import annotations

from pathlib import Path

import child
import torch

from nvfuser import FusionDefinition
from nvfuser._C import compiler_runs, set_option

PROGRAM = """
import hashlib, sys, torch
from nvfuser import DataType, FusionDefinition
from nvfuser._C import compiler_runs
generator = torch.Generator().manual_seed(1)
inputs = [torch.randn(shape, generator=generator) for shape in [(37, 5001), (37, 5001), (5001,)]]
inputs += [torch.randn(4, 6, 7, 30, generator=generator).bfloat16(), torch.randint(0, 5001, (37,), generator=generator)]
with FusionDefinition() as fd:
    x, g, w, images, classes = [fd.from_pytorch(value) for value in inputs]
    y, mean, rstd = fd.ops.layer_norm_forward(x, [5001], w)
    results = [fd.ops.sum(x, [1]), fd.ops.sum(x, [0]), fd.ops.sum(x), fd.ops.softmax(x, 1), fd.ops.softmax(x, 0), y]
    results += fd.ops.layer_norm_backward(g, x, mean, rstd, [5001], w)
    results += [fd.ops.batch_norm(images, training=True), fd.ops.group_norm(images, 3)]
    results += [fd.ops.cross_entropy(x, classes), fd.ops.rms_norm(x, [5001], w)]
    for value in results:
        fd.add_output(value)
def digest(results):
    bits = [r.contiguous().flatten().view(torch.uint8).numpy().tobytes() for r in results]
    return hashlib.sha256(b"".join(bits)).hexdigest()
found = {digest(fd.execute(inputs, target="host")) for _ in range(100)}
print(*found, compiler_runs())
"""


def test_equal_bits_in_every_process(tmp_path: Path) -> None:
    """The first process compiles, the second finds its kernels on disk; tasks may suit the number of threads."""
    printed = [
        child.output_of(PROGRAM, NVFUSER_CACHE_DIR=tmp_path, NVFUSER_THREADS=threads).split()
        for threads in (7, 7, 1, 2)
    ]
    assert all(len(line) == 2 for line in printed), "one digest of 100 runs, and how often a compiler ran"
    assert len({line[0] for line in printed}) == 1
    assert [line[1] != "0" for line in printed[:2]] == [True, False]


def test_the_order_of_threads_is_nothing() -> None:
    x = torch.randn(3, 700, generator=torch.Generator().manual_seed(5))
    with FusionDefinition() as fd:
        value = fd.from_pytorch(x)
        fd.add_output(fd.ops.softmax(value, 1))
        fd.add_output(fd.ops.layer_norm(value, [700]))
        fd.add_output(fd.ops.batch_norm(value, training=True))
    first = fd.execute([x], target="emulator", seed=1)
    for seed in range(2, 6):
        for got, want in zip(fd.execute([x], target="emulator", seed=seed), first, strict=True):
            assert torch.equal(got, want)


def forced_retry(x: torch.Tensor) -> tuple[torch.Tensor, str]:
    with FusionDefinition() as fd:
        fd.add_output(fd.ops.softmax(fd.from_pytorch(x), 1))
    (result,) = fd.execute([x], target="emulator")
    return result, fd.plan_text([x], target="emulator")


def test_equal_bits_after_a_forced_retry() -> None:
    """Every schedule counts as one that spills: others are compiled, none is better, and the first one stays.  One that
    was asked for is not given up."""
    x = torch.randn(2, 300, generator=torch.Generator().manual_seed(7))
    usual, plan = forced_retry(x)
    before = compiler_runs()
    set_option("spill_limit", "0")
    try:
        retried = [forced_retry(x), forced_retry(x.clone())]
        assert compiler_runs() > before
        set_option("candidate", "1")
        asked, other = forced_retry(x)
    finally:
        set_option("spill_limit", "32")
        set_option("candidate", "0")
    assert all(text == plan and torch.equal(result, usual) for result, text in retried)
    assert other != plan
    torch.testing.assert_close(asked.double(), torch.softmax(x.double(), 1), rtol=1e-5, atol=1e-7)
