# SPDX-License-Identifier: Apache-2.0
"""Random graphs of pointwise operations, reductions along both axes and cuts give what the evaluator gives."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
import torch

from nvfuser import DataType, FusionDefinition, Way
from nvfuser._C import compiler_runs, prepare_batch

SEEDS = range(40)
SHAPE = (12, 40)
DTYPES = {DataType.Float: torch.float32, DataType.BFloat16: torch.bfloat16}


def draw(seed: int) -> tuple[FusionDefinition, list[torch.Tensor]]:
    """Values stay near 1, so that results of both ways are comparable: sums are means, products of tanh."""
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    inputs = []
    with FusionDefinition() as fd:
        ops = fd.ops

        def given(dtype: DataType, *shape: int) -> Any:
            inputs.append(torch.randn(shape, generator=generator).to(DTYPES[dtype]))
            return fd.define_tensor(shape=[-1] * len(shape), contiguity=True, dtype=dtype)

        def mean(value: Any, axis: int) -> Any:
            total = ops.sum(value, [axis]) * (1.0 / SHAPE[axis])
            return ops.broadcast(total, [k == axis for k in range(2)])

        whole = [given(rng.choice(list(DTYPES)), *SHAPE) for _ in range(3)]
        pool = [ops.cast(value, DataType.Float) for value in whole]
        weight = ops.broadcast(given(DataType.Float, SHAPE[1]), [True, False])
        for _ in range(rng.randint(6, 24)):
            a, b = rng.choice(pool[-5:]), rng.choice(pool)
            pool.append(
                rng.choice(
                    [
                        lambda a, b: ops.tanh(a) * ops.tanh(b),
                        lambda a, b: ops.maximum(a, b) - ops.minimum(a, b),
                        lambda a, b: a - mean(a, 1),
                        lambda a, b: a + mean(b * b, 0),
                        lambda a, b: ops.exp(a - ops.max(a, [1], True)),
                        lambda a, b: ops.sigmoid(a) + weight,
                        lambda a, b: ops.segment_set(a),
                        lambda a, b: ops.cast(ops.cast(a, DataType.BFloat16), DataType.Float),
                    ]
                )(a, b)
            )
        for value in rng.sample(pool[3:], min(rng.randint(1, 4), len(pool) - 3)):
            fd.add_output(ops.sum(value, [rng.randrange(2)]) if rng.random() < 0.3 else value)
    return fd, inputs


@pytest.mark.parametrize("way", ["host", "emulator"])
def test_results_are_those_of_the_evaluator(way: str) -> None:
    drawn = [draw(seed) for seed in (SEEDS if way == "host" else SEEDS[:15])]
    prepare_batch([(fd._ready(), inputs, Way[way], "") for fd, inputs in drawn])
    before = compiler_runs()
    kernels = 0
    for seed, (fd, inputs) in enumerate(drawn):
        want = fd.execute(inputs, target="evaluator")
        for k, (got, expected) in enumerate(zip(fd.execute(inputs, target=way), want, strict=True)):
            close = torch.isclose(got.double(), expected.double(), rtol=2e-4, atol=2e-4)
            # A value at the border of two bfloat16 numbers may be rounded to either.
            assert close.float().mean() > 0.97, f"seed {seed}, output {k}"
            torch.testing.assert_close(got, expected, rtol=3e-2, atol=3e-2, msg=f"seed {seed}, output {k}")
        header = fd.plan_text(inputs, target=way).splitlines()[0]
        found = re.fullmatch(rf"way {way}, (\d+) kernels", header)
        assert found is not None
        kernels += int(found[1])
    assert compiler_runs() == before
    assert kernels > 2 * len(drawn)
