# SPDX-License-Identifier: Apache-2.0
"""Joins over the blocks of a cluster on a GPU: every thread of every block gets the combination of all, with equal
bits, launch after launch.  Needs torch with CUDA and compute capability 9.0.
"""

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from test_gpu_reduce import HEAD, SEQUENCE, Unit  # noqa: E402

if torch.cuda.get_device_capability() < (9, 0):
    pytest.skip("needs compute capability 9.0", allow_module_level=True)

CLUSTERS = [(blocks, threads) for blocks in (2, 4, 8) for threads in (32, 96, 512)]
F = "rt::float32"


def cluster_text(blocks, threads):
    """Average, squares, greatest and a check of the order, of a number a thread; several joins in a row."""
    at = f"((turn * int(gridDim.x) + int(blockIdx.x)) * {blocks} + rank) * {threads} + tx"
    return f"""
RT_CLUSTER_KERNEL(cluster_{blocks}_{threads}, {threads}, 0, {blocks})(
    rt::Global<const {F}> in0, rt::Global<{F}> out0, const int turns) {{
  const int tx = threadIdx.x, rank = blockIdx.y;
  const rt::Team<{threads}, 1, true> team0 = {{tx, 0}};
  rt::Slots slots = {{0, 1008, 0}};
  rt::Peers peers = {{2016, 1008, 0}};
  rt::start(peers);
  for (int turn = 0; turn < turns; ++turn) {{
    const int at = {at};
    rt::Array<rt::Welford<{F}>::Tuple, 1> moments;
    rt::Array<rt::Max<{F}>::Tuple, 1> most;
    rt::Array<Sequence<int>::Tuple, 1> order;
    rt::begin<rt::Welford<{F}>>(moments, 0);
    rt::begin<rt::Max<{F}>>(most, 0);
    rt::begin<Sequence<int>>(order, 0);
    rt::accumulate<rt::Welford<{F}>>(moments, 0, in0[at]);
    rt::accumulate<rt::Max<{F}>>(most, 0, in0[at]);
    rt::accumulate<Sequence<int>>(order, 0, rt::cluster_rank() * {threads} + tx);
    rt::join_cluster<{blocks}>(team0, slots, peers, rt::member<rt::Welford<{F}>, 1>(moments),
                               rt::member<rt::Max<{F}>, 1>(most), rt::member<Sequence<int>, 1>(order));
    out0[at * 4] = rt::result<rt::Welford<{F}>, 0>(moments, 0);
    out0[at * 4 + 1] = rt::result<rt::Welford<{F}>, 1>(moments, 0);
    out0[at * 4 + 2] = rt::result<rt::Max<{F}>, 0>(most, 0);
    out0[at * 4 + 3] = static_cast<{F}>(rt::result<Sequence<int>, 0>(order, 0));
  }}
}}
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    text = HEAD + '#include "rt/cluster.h"\n' + SEQUENCE + "".join(cluster_text(*c) for c in CLUSTERS)
    return Unit(text, tmp_path_factory.mktemp("cluster"))


@pytest.mark.parametrize("cluster", CLUSTERS, ids=lambda c: f"{c[0]}_blocks_of_{c[1]}")
def test_cluster_joins_smallest(unit, cluster):
    blocks, threads = cluster
    torch.manual_seed(5)
    turns, columns = 9, 37
    x = torch.randn(turns, columns, blocks * threads, device="cuda")
    out = torch.full((turns, columns, blocks * threads, 4), -7.0, device="cuda")
    unit.launch(f"cluster_{blocks}_{threads}", (threads, 1), 4096, x, out, turns, grid=(columns, blocks))
    bits = out.view(torch.int32)
    assert torch.equal(bits, bits[:, :, :1].expand_as(bits))  # all members hold the same
    got, v = out[:, :, 0].double(), x.double()
    n = blocks * threads
    torch.testing.assert_close(got[..., 0], v.mean(-1), rtol=3e-6, atol=2e-6)
    torch.testing.assert_close(got[..., 1], v.var(-1, unbiased=False) * n, rtol=3e-6, atol=2e-6 * n)
    assert torch.equal(out[:, :, 0, 2], x.amax(-1))
    assert (got[..., 3] == n).all()
