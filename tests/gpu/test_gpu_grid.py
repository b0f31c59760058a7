# SPDX-License-Identifier: Apache-2.0
"""Blocks that share a row on a GPU: the primitives by which blocks meet, and every finish of long rows under streams,
captures and the profiler, beside other work, with equal bits.  Needs torch with CUDA and compute capability 9.0.
"""

import re

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from test_gpu_reduce import HEAD, Unit  # noqa: E402

from nvfuser import FusionDefinition, PythonProfiler, Way  # noqa: E402
from nvfuser._C import kernel_texts, set_option  # noqa: E402

if torch.cuda.get_device_capability() < (9, 0):
    pytest.skip("needs compute capability 9.0", allow_module_level=True)

# ---- primitives

PRIMITIVES = """
RT_KERNEL(last, 96, 0)(rt::Coherent<rt::int32> semaphores, rt::Coherent<rt::int32> data, rt::Global<rt::int32> sums,
                       const int blocks) {
  const int row = blockIdx.x / blocks, share = blockIdx.x % blocks, tx = threadIdx.x;
  data[(row * blocks + share) * 96 + tx] = (share + 1) * (tx + 1);
  if (!rt::last_to_arrive(semaphores, row, blocks)) {
    return;
  }
  int sum = 0;
  for (int k = 0; k < blocks; ++k) {
    sum += data[(row * blocks + k) * 96 + (tx + 1) % 96];
  }
  sums[row * 96 + tx] = sum;
}
RT_KERNEL(barrier, 128, 1)(rt::Coherent<rt::int32> semaphores, rt::Coherent<rt::int32> data, const int turns) {
  const int blocks = gridDim.x, bx = blockIdx.x, tx = threadIdx.x;
  for (int turn = 0; turn < turns; ++turn) {
    const int from = turn % 2 * blocks * 128, to = (turn + 1) % 2 * blocks * 128;
    data[to + bx * 128 + tx] = data[from + (bx + 1) % blocks * 128 + (tx + 1) % 128] + 1;
    rt::grid_sync(semaphores, 0, (turn + 1) * blocks);
  }
  rt::grid_leave(semaphores, 0, (turns + 1) * blocks);
}
RT_KERNEL(teams, 128, 1)(rt::Coherent<rt::int32> semaphores, rt::Coherent<rt::int32> data, const int turns) {
  const int blocks = gridDim.x / 4, team = blockIdx.x / blocks, bx = blockIdx.x % blocks, tx = threadIdx.x;
  for (int turn = 0; turn < turns + team; ++turn) {
    const int at = ((turn * 4 + team) * blocks + bx) * 128 + tx, from = (turn * 4 + team) * blocks;
    data[at + 4 * blocks * 128] = data[(from + (bx + 1) % blocks) * 128 + (tx + 1) % 128] + 1;
    rt::grid_sync(semaphores, team, (turn + 1) * blocks);
  }
  rt::grid_leave(semaphores, team, (turns + team + 1) * blocks);
}
RT_KERNEL(early, 64, 0)(rt::Coherent<rt::int32> data) {
  rt::wait_for_previous();
  rt::launch_dependents();
  data[blockIdx.x * 64 + threadIdx.x] += 1;
}
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    return Unit(HEAD + '#include "rt/grid.h"\n' + PRIMITIVES, tmp_path_factory.mktemp("grid"))


def zeros(count):
    return torch.zeros(count, dtype=torch.int32, device="cuda")


@pytest.mark.parametrize("blocks", [1, 2, 33, 1000])
def test_last_to_arrive_smallest(unit, blocks):
    semaphores, rows = zeros(1 + 7), 7
    for _ in range(5):  # as each launch leaves the semaphores
        data, sums = zeros(rows * blocks * 96) - 1, zeros(rows * 96)
        unit.launch("last", (96, 1), 0, semaphores, data, sums, blocks, grid=rows * blocks)
        want = blocks * (blocks + 1) // 2 * ((torch.arange(96) + 1) % 96 + 1)
        assert torch.equal(sums.cpu().view(rows, 96), want.int().expand(rows, 96))
        assert not semaphores.any()


@pytest.mark.parametrize("blocks", [1, 2, 64])
@pytest.mark.parametrize("turns", [1, 2, 37])
def test_grid_barrier_smallest(unit, blocks, turns):
    semaphores, data = zeros(2), zeros(2 * blocks * 128)
    start = torch.arange(blocks * 128, dtype=torch.int32).view(blocks, 128)
    data[: blocks * 128] = start.flatten().cuda()
    unit.launch("barrier", (128, 1), 0, semaphores, data, turns, grid=blocks)
    want = torch.roll(start, (-turns % blocks, -turns % 128), (0, 1)) + turns
    got = data.cpu().view(2, blocks, 128)[turns % 2]
    assert torch.equal(got, want)
    assert not semaphores.any()


@pytest.mark.parametrize("blocks", [1, 2, 16, 33])
@pytest.mark.parametrize("turns", [1, 37])
def test_barriers_of_teams_smallest(unit, blocks, turns):
    semaphores = zeros(5)
    data = zeros((turns + 4) * 4 * blocks * 128).view(turns + 4, 4, blocks, 128)
    start = torch.arange(blocks * 128, dtype=torch.int32).view(blocks, 128)
    data[0] = start.cuda()
    unit.launch("teams", (128, 1), 0, semaphores, data, turns, grid=4 * blocks)
    for team in range(4):
        for turn in range(turns + team + 1):
            want = torch.roll(start, (-turn % blocks, -turn % 128), (0, 1)) + turn
            assert torch.equal(data[turn, team].cpu(), want), (team, turn)
    assert not semaphores.any()


def test_dependents_without_attributes_smallest(unit):
    data = zeros(128 * 64)
    for _ in range(3):
        unit.launch("early", (64, 1), 0, data, grid=128)
    assert bool((data == 3).all())


# ---- rows

MARKS = {
    "last": "rt::last_to_arrive(",
    "dependent": "rt::wait_for_previous();",
    "barrier": "rt::grid_sync(",
    "second": "_then1",  # without the others' marks
}


def finish_of(texts):
    text = "".join(texts)
    return next((finish for finish, mark in MARKS.items() if mark in text), "")


def column(fd, value):
    return fd.ops.broadcast(value, [False, True])


def define(name, x):
    with FusionDefinition() as fd:
        t = fd.from_pytorch(x)
        if name == "softmax":
            e = fd.ops.exp(t - column(fd, fd.ops.max(t, [1])))
            fd.add_output(e / column(fd, fd.ops.sum(e, [1])))
        elif name == "moments":
            for output in fd.ops.var_mean(t, [1], 0, False):
                fd.add_output(output)
        elif name == "full":
            fd.add_output(fd.ops.sum(t, [0, 1]))
        else:
            fd.add_output(getattr(fd.ops, name)(t, [1]))
    return fd


def reference(name, x):
    x = x.double()
    if name == "softmax":
        return [x.softmax(1)]
    if name == "moments":
        return list(torch.var_mean(x, 1, correction=0))
    if name == "full":
        return [x.sum()]
    got = getattr(x, name)(1)
    return [got.values if name in ("max", "min") else got]


class Forced:
    """The program with the first candidate that finishes so; skips where choose offers none."""

    def __init__(self, name, x, finish):
        for candidate in range(24):
            set_option("candidate", str(candidate))
            self.fd = define(name, x)
            if finish_of(kernel_texts((self.fd._ready(), [x], Way.cuda, ""))) == finish:
                return
        pytest.skip(f"no candidate finishes {name} by {finish}")

    def __call__(self, x):
        return self.fd.execute([x])


@pytest.fixture(autouse=True)
def first_candidate():
    yield
    set_option("candidate", "0")


NAMES = ["sum", "max", "min", "argmax", "argmin", "moments", "softmax", "full"]


@pytest.mark.parametrize("finish", MARKS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 70001), (3, 131072), (7, 1 << 20)])
def test_every_finish_smallest(name, finish, shape):
    x = torch.randn(shape, device="cuda")
    forced = Forced(name, x, finish)
    got = forced(x)
    torch.cuda.synchronize()
    assert finish_of([forced.fd.executor.prepare([x], Way.cuda).kernel_text]) == finish
    for mine, want in zip(got, reference(name, x), strict=True):
        scale = 1e-6 * shape[1] ** 0.5 if name in ("sum", "full") else 1e-7
        torch.testing.assert_close(mine.double(), want.double(), rtol=1e-4, atol=10 * scale)


TURNS = r"rt::grid_sync\(semaphores, by, \w+ \* "
OVERLAPPED = "rt::collect_far"


@pytest.mark.parametrize(
    ("name", "columns", "how"),
    [(name, columns, TURNS) for name in ("softmax", "moments", "sum") for columns in (1 << 18, 200003)]
    + [("softmax", 1 << 18, OVERLAPPED), ("softmax", 1 << 20, OVERLAPPED)],
)
def test_teams_take_rows_by_turns(name, columns, how):
    x = torch.randn(133, columns, device="cuda")
    for candidate in range(48):
        set_option("candidate", str(candidate))
        forced = define(name, x)
        text = "".join(kernel_texts((forced._ready(), [x], Way.cuda, "")))
        if re.search(how, text):
            break
    else:
        pytest.skip(f"no candidate has teams for {name}")
    first = forced.execute([x])
    for mine, want in zip(first, reference(name, x), strict=True):
        torch.testing.assert_close(mine.double(), want.double(), rtol=1e-4, atol=1e-3 if name == "sum" else 1e-6)
    for _ in range(20):
        assert all(torch.equal(a, b) for a, b in zip(forced.execute([x]), first, strict=True))


@pytest.mark.parametrize("shape", [(1, 1), (2, 31), (3, 4097), (7, 70001), (2, 1 << 20)])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_chosen(name, shape):
    x = torch.randn(shape, device="cuda")
    for mine, want in zip(define(name, x).execute([x]), reference(name, x), strict=True):
        torch.testing.assert_close(mine.double(), want.double(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("finish", MARKS)
@pytest.mark.parametrize("name", ["moments", "softmax"])
def test_equal_bits_beside_a_busy_stream(name, finish):
    x = torch.randn(3, 131072, device="cuda")
    forced = Forced(name, x, finish)
    first = forced(x)
    torch.cuda.synchronize()
    noise, other = torch.randn(1 << 24, device="cuda"), torch.cuda.Stream()
    for _ in range(100):
        with torch.cuda.stream(other):
            noise.mul_(1.0001)
        for mine, want in zip(forced(x), first, strict=True):
            assert torch.equal(mine, want)
    torch.cuda.synchronize()


@pytest.mark.parametrize("finish", MARKS)
@pytest.mark.parametrize("name", ["sum", "softmax"])
def test_streams_do_not_share_semaphores(name, finish):
    inputs = [torch.randn(2, 262144, device="cuda") + k for k in range(4)]
    forced = Forced(name, inputs[0], finish)
    wants = [forced(x) for x in inputs]
    torch.cuda.synchronize()
    streams = [torch.cuda.Stream() for _ in inputs]
    results = []
    for _ in range(25):
        for x, stream in zip(inputs, streams, strict=True):
            with torch.cuda.stream(stream):
                results.append(forced(x))
    torch.cuda.synchronize()
    for k, got in enumerate(results):
        assert torch.equal(got[0], wants[k % 4][0])


@pytest.mark.parametrize("finish", MARKS)
@pytest.mark.parametrize("name", ["sum", "softmax"])
def test_captures_replay_together(name, finish):
    x = torch.randn(2, 262144, device="cuda")
    forced = Forced(name, x, finish)
    forced(x)
    torch.cuda.synchronize()
    graphs, results = [], []
    for _ in range(2):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results.append(forced(x)[0])
        graphs.append((graph, torch.cuda.Stream()))
    x.copy_(torch.randn_like(x))
    (want,) = forced(x)
    torch.cuda.synchronize()
    for _ in range(10):
        for result in results:
            result.zero_()
        torch.cuda.synchronize()
        for graph, stream in graphs:
            with torch.cuda.stream(stream):
                graph.replay()
        torch.cuda.synchronize()
        for result in results:
            assert torch.equal(result, want)


def test_the_profiler_shows_each_kernel_smallest():
    x = torch.randn(1, 1 << 20, device="cuda")
    forced = Forced("softmax", x, "dependent")
    forced(x)
    with PythonProfiler() as prof:
        forced(x)
    names = [kernel.name for kernel in prof.profile.kernel_profiles]
    assert len(names) > 1 and names[1:] == [f"{names[0]}_then{k}" for k in range(1, len(names))]
    assert all(kernel.time_ms > 0 for kernel in prof.profile.kernel_profiles)
