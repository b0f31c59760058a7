# SPDX-License-Identifier: Apache-2.0
"""Reductions and norms on a GPU: the programs of the benchmarks at small and odd sizes, their errors against float64
next to eager's, equal bits on 100 runs beside a busy stream.  Needs torch with CUDA.
"""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("needs the sources", allow_module_level=True)
sys.path.insert(0, str(BENCHMARKS))
import gpu  # noqa: E402
import norms  # noqa: E402

from nvfuser import FusionDefinition, Way  # noqa: E402

SHAPES = [(3, 1000), (257, 33), (64, 4097), (1, 70001), (4096, 128)]
MAKERS = {f"{op} {m}x{n}": lambda op=op, m=m, n=n: norms.ROW_OPS[op](m, n) for op in norms.ROW_OPS for m, n in SHAPES}
MAKERS |= {
    f"sum outer {m}x{n}": lambda m=m, n=n: norms.sum_over("sum outer", [0])(m, n) for m, n in SHAPES
}  # fmt: skip
MAKERS |= {
    "sum all": lambda: norms.sum_over("sum all", [0, 1])(257, 1000),
    "batch norm": lambda: norms.batch_norm(8, 16, 14, 14),
    "group norm": lambda: norms.group_norm_silu(4, 4, 16, 14, 14),
}


@pytest.mark.parametrize("name", MAKERS)
def test_errors_are_no_larger_than_those_of_eager(name):
    case = MAKERS[name]()
    fd = gpu.build(case)
    results = fd.execute(case.inputs)
    assert fd.last_way == Way.cuda
    want = gpu.listed((case.reference or case.eager)(*[gpu.wide(t) for t in case.inputs]))
    ours, eager = (gpu.errors_of(r, want) for r in (results, gpu.listed(case.eager(*case.inputs))))
    for a, b in zip(ours.scaled, eager.scaled, strict=True):
        assert a <= 2 * b + 2e-3, (ours, eager)  # few elements: the largest error is mostly the rounding of one


@pytest.mark.parametrize(
    "op", ["softmax", "layer norm", "layer norm backward", "sum outer", "sum all", "cross-entropy"]
)
def test_equal_bits_beside_a_busy_stream(op):
    torch.manual_seed(3)
    if op.startswith("sum"):
        case = norms.sum_over(op, [0] if op == "sum outer" else [0, 1])(512, 3000)
    else:
        case = norms.ROW_OPS[op](512, 3000)
    fd = gpu.build(case)
    first = [result.clone() for result in fd.execute(case.inputs)]
    busy = torch.cuda.Stream()
    matrix = torch.randn(2048, 2048, device="cuda")
    for run in range(100):
        if run % 10 == 0:
            with torch.cuda.stream(busy):
                matrix = torch.tanh(matrix @ matrix)
        for got, want in zip(fd.execute(case.inputs), first, strict=True):
            assert torch.equal(got, want)
    torch.cuda.synchronize()


def test_indices_outside_of_the_axis_read_its_nearest_element():
    x = torch.randn(9, 70, device="cuda")
    index = torch.randint(0, 70, (9, 1), device="cuda")
    index[2], index[5] = -3, 1 << 40
    with FusionDefinition() as fd:
        fd.add_output(fd.ops.take_along_axis(fd.from_pytorch(x), fd.from_pytorch(index), 1))
    assert torch.equal(fd.execute([x, index])[0], x.gather(1, index.clamp(0, 69)))
