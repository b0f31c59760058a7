# SPDX-License-Identifier: Apache-2.0
"""Programs of several kernels on a GPU: random graphs as on the CPU, a group norm in one kernel, a thousand operations.
Needs torch with CUDA."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
from test_segment_graphs import draw  # noqa: E402

from nvfuser import FusionDefinition, Way, ops  # noqa: E402
from nvfuser._C import prepare_batch  # noqa: E402


def kernels(fd, inputs):
    return int(fd.plan_text(inputs).splitlines()[0].split(", ")[1].split(" ")[0])


def test_random_graphs():
    drawn = [draw(seed) for seed in range(40)]
    on_gpu = [[value.cuda() for value in inputs] for _, inputs in drawn]
    prepare_batch([(fd._ready(), inputs, Way.cuda, "") for (fd, _), inputs in zip(drawn, on_gpu, strict=True)])
    for seed, ((fd, inputs), there) in enumerate(zip(drawn, on_gpu, strict=True)):
        want = fd.execute(inputs, target="evaluator")
        for got, expected in zip(fd.execute(there), want, strict=True):
            torch.testing.assert_close(got.cpu(), expected, rtol=3e-2, atol=3e-2, msg=f"seed {seed}")


@pytest.mark.parametrize("shape", [(3, 32, 5, 7), (16, 512, 64, 64)])
def test_a_group_norm_is_one_kernel(shape):
    x = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    w, b = torch.randn(shape[1], device="cuda"), torch.randn(shape[1], device="cuda")
    with FusionDefinition() as fd:
        fd.add_output(ops.silu(ops.group_norm(fd.from_pytorch(x), 32, fd.from_pytorch(w), fd.from_pytorch(b))))
    want = torch.nn.functional.silu(torch.nn.functional.group_norm(x.double(), 32, w.double(), b.double()))
    assert kernels(fd, [x, w, b]) == 1
    torch.testing.assert_close(fd.execute([x, w, b])[0].double(), want, rtol=2e-2, atol=2e-2)


def test_a_thousand_operations():
    x, y = torch.rand(64, 4096, device="cuda"), torch.rand(64, 4096, device="cuda")
    with FusionDefinition() as fd:
        first, second = fd.from_pytorch(x), fd.from_pytorch(y)
        value = first
        for k in range(1000):
            value = (value + second) * 0.5 if k % 2 else ops.maximum(value, first)
        fd.add_output(value)
    want = x.double()
    for k in range(1000):
        want = (want + y) * 0.5 if k % 2 else torch.maximum(want, x.double())
    torch.testing.assert_close(fd.execute([x, y])[0].double(), want, rtol=1e-5, atol=1e-5)
