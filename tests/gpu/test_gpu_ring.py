# SPDX-License-Identifier: Apache-2.0
"""Rings of stages on a GPU: rows that arrive in shared memory by bulk copies are what was sent, for rings of one to
four stages, one and two inputs, rows of all lengths that fit.  Needs torch with CUDA and compute capability 9.0.
"""

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from test_gpu_reduce import HEAD, Unit  # noqa: E402

if torch.cuda.get_device_capability() < (9, 0):
    pytest.skip("needs compute capability 9.0", allow_module_level=True)

ROW = 4096  # most elements of a row
RINGS = [(stages, copies) for stages in (1, 2, 3, 4) for copies in (1, 2)]


def ring_text(stages, copies):
    """out0 = in0 (+ in1): rows by turns over the grid, 16 bytes a thread and step."""
    name = f"ring_{stages}_{copies}"
    bytes_of_row = ROW * 2
    shared = "".join(
        f"const rt::Shared<rt::bfloat16> T{c} = rt::shared<rt::bfloat16>({c * stages * bytes_of_row}, {stages * ROW}, "
        f'"T{c}");\n'
        for c in range(copies)
    )
    send = " ".join(
        f"rt::bulk_copy(ring, turn, T{c}, turn % {stages} * {ROW}, in{c}, row * length, length);" for c in range(copies)
    )
    take = "".join(f"rt::copy<8>(a{c}, 0, T{c}, turn % {stages} * {ROW} + at);\n" for c in range(copies))
    value = " + ".join(f"rt::to<rt::float32>(a{c}[l])" for c in range(copies))
    arrays = " ".join(f"rt::Array<rt::bfloat16, 8> a{c};" for c in range(copies))
    return f"""
RT_KERNEL({name}, 512, 0)(rt::Global<const rt::bfloat16> in0, rt::Global<const rt::bfloat16> in1,
                          rt::Global<rt::bfloat16> out0, const int rows, const int length) {{
  const int tx = threadIdx.x, grid = gridDim.x, bx = blockIdx.x;
  {shared}
  const rt::Stages<{stages}, {copies}> ring = {{{copies * stages * bytes_of_row}}};
  rt::start(ring, tx == 0);
  for (int turn = 0; turn < {stages}; ++turn) {{
    const int row = bx + turn * grid;
    if (tx == 0 && row < rows) {{ {send} }}
  }}
  for (int turn = 0; bx + turn * grid < rows; ++turn) {{
    rt::wait(ring, turn);
    rt::Array<rt::bfloat16, 8> sums;
    const int at = tx * 8;
    if (at < length) {{
      {arrays}
      {take}
      for (int l = 0; l < 8; ++l) sums.set(l, rt::to<rt::bfloat16>({value}));
    }}
    rt::sync();
    {{
      const int row = bx + (turn + {stages}) * grid;
      if (tx == 0 && row < rows) {{ const int turn_ = turn; {{ const int turn = turn_ + {stages}; {send} }} }}
    }}
    if (at < length) rt::copy<8>(out0, (bx + turn * grid) * length + at, sums, 0);
  }}
}}
"""


def claimed_text(stages):
    """out0 = in0, rows claimed from a counter; count[row] tells how often a row was done."""
    return f"""
RT_KERNEL(claimed_{stages}, 512, 0)(rt::Global<const rt::bfloat16> in0, rt::Global<rt::bfloat16> out0,
                                    rt::Coherent<rt::int32> semaphores, rt::Coherent<rt::int32> count, const int rows,
                                    const int length) {{
  const int tx = threadIdx.x, grid = gridDim.x, bx = blockIdx.x;
  const rt::Shared<rt::bfloat16> T0 = rt::shared<rt::bfloat16>(0, {stages * ROW}, "T0");
  const rt::Stages<{stages}, 1, true> ring = {{{stages * ROW * 2}}};
  rt::start(ring, tx == 0);
  for (int turn = 0; turn < {stages}; ++turn) {{
    if (tx == 0) rt::post(ring, turn, bx + turn * grid, rows);
    if (tx == 0 && bx + turn * grid < rows) {{
      rt::bulk_copy(ring, turn, T0, turn * {ROW}, in0, (bx + turn * grid) * length, length);
    }}
  }}
  for (int turn = 0, row; (row = rt::take(ring, turn)) < rows; ++turn) {{
    rt::Array<rt::bfloat16, 8> a;
    const int at = tx * 8;
    if (at < length) rt::copy<8>(a, 0, T0, turn % {stages} * {ROW} + at);
    rt::sync();
    const int ahead = tx == 0 ? {stages} * grid + rt::claim<int>(semaphores, 0, rows) : rows;
    if (tx == 0) rt::post(ring, turn + {stages}, ahead, rows);
    if (tx == 0 && ahead < rows) {{
      rt::bulk_copy(ring, turn + {stages}, T0, turn % {stages} * {ROW}, in0, ahead * length, length);
    }}
    if (at < length) rt::copy<8>(out0, row * length + at, a, 0);
    if (tx == 0) atomicAdd(count + row, 1);
  }}
}}
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    text = HEAD + '#include "rt/ring.h"\n' + "".join(ring_text(*ring) for ring in RINGS)
    text += "".join(claimed_text(stages) for stages in (1, 2, 3))
    return Unit(text, tmp_path_factory.mktemp("ring"))


@pytest.mark.parametrize("ring", RINGS, ids=lambda r: f"{r[0]}_stages_{r[1]}_copies")
@pytest.mark.parametrize("length", [8, 24, 1000, 4096])
def test_ring_smallest(unit, ring, length):
    stages, copies = ring
    torch.manual_seed(3)
    rows = 1037
    x = [torch.randn(rows, length, device="cuda").bfloat16() for _ in range(2)]
    shared_bytes = stages * copies * ROW * 2 + stages * 16
    want = x[0] if copies == 1 else (x[0].float() + x[1].float()).bfloat16()
    for grid in (1, 7, 132, 264):
        out = torch.full_like(x[0], -7.0)
        unit.launch(f"ring_{stages}_{copies}", (512, 1), shared_bytes, *x, out, rows, length, grid=(grid, 1))
        assert torch.equal(out, want), grid


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("length", [8, 1000, 4096])
def test_claimed_rows_smallest(unit, stages, length):
    """Each row is done once, and the counter is left at 0, launch after launch."""
    torch.manual_seed(4)
    rows = 1037
    x = torch.randn(rows, length, device="cuda").bfloat16()
    semaphores = torch.zeros(2, dtype=torch.int32, device="cuda")
    for grid in (1, 7, 132, 396, 2000):
        out, count = torch.full_like(x, -7.0), torch.zeros(rows, dtype=torch.int32, device="cuda")
        arguments = (x, out, semaphores, count, rows, length)
        unit.launch(f"claimed_{stages}", (512, 1), stages * ROW * 2 + stages * 16, *arguments, grid=(grid, 1))
        assert torch.equal(out, x), grid
        assert (count == 1).all(), grid
        assert (semaphores == 0).all(), grid
