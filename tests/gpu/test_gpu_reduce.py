# SPDX-License-Identifier: Apache-2.0
"""Reductions of the device library on a GPU, primitive by primitive: texts as the printer writes them, compiled by
NVRTC from the headers of this checkout, launched by the driver, compared with float64.  Needs torch with CUDA.
"""

import ctypes
import glob
import site
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

DEVICE = Path(__file__).parents[2] / "src" / "nvfuser" / "device"
if not DEVICE.is_dir():
    pytest.skip("needs the sources", allow_module_level=True)

HEAD = "".join(f'#include "rt/{name}.h"\n' for name in ("types", "convert", "math", "memory", "reduce"))


def nvrtc():
    folders = [*site.getsitepackages(), str(Path(torch.__file__).parents[1])]
    found = [f for s in folders for f in glob.glob(f"{s}/nvidia/*/lib/libnvrtc.so.1[23]")]
    for name in [*found, "libnvrtc.so.13", "libnvrtc.so.12"]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    pytest.skip("needs NVRTC")


def compile_text(text, folder, arch):
    """The cubin of a text against the cuda flavor of the headers, which are gathered in `folder`."""
    (folder / "rt").mkdir(exist_ok=True)
    for flavor in ("generic", "cuda"):
        for header in (DEVICE / flavor).glob("*.h"):
            (folder / "rt" / header.name).write_text(header.read_text())
    library, program = nvrtc(), ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"unit.cu", 0, None, None)
    options = [b"--std=c++17", f"--gpu-architecture=sm_{arch}".encode(), f"-I{folder}".encode()]
    failed = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    assert not failed, log.value.decode()
    library.nvrtcGetCUBINSize(program, ctypes.byref(size))
    cubin = ctypes.create_string_buffer(size.value)
    library.nvrtcGetCUBIN(program, cubin)
    return cubin.raw


class Unit:
    """A loaded unit; launch(name, threads, shared bytes, tensors and numbers, grid=blocks or (blocks, blocks))."""

    def __init__(self, text, folder):
        torch.zeros(1, device="cuda")  # makes the context
        major, minor = torch.cuda.get_device_capability()
        self.driver, self.module = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p()
        cubin = compile_text(text, folder, 10 * major + minor)
        assert self.driver.cuModuleLoadData(ctypes.byref(self.module), cubin) == 0

    def launch(self, name, block, shared_bytes, *arguments, grid=1):
        kernel = ctypes.c_void_p()
        assert self.driver.cuModuleGetFunction(ctypes.byref(kernel), self.module, name.encode()) == 0
        values = [ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else ctypes.c_int(a) for a in arguments]
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.cast(ctypes.byref(v), ctypes.c_void_p) for v in values])
        self.driver.cuFuncSetAttribute(kernel, 8, shared_bytes)  # dynamic shared memory beyond 48 KiB
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        grid = grid if isinstance(grid, tuple) else (grid, 1)
        assert self.driver.cuLaunchKernel(kernel, *grid, 1, *block, 1, shared_bytes, stream, pointers, None) == 0, name
        torch.cuda.synchronize()


# ---- teams

SEQUENCE = """
template <class T>
struct Sequence {  // joins only with what begins where it ends
  using Element = T;
  struct Tuple { int first; int length; int broken; };
  RT_MEMBER static Tuple neutral() { return {0, 0, 0}; }
  RT_MEMBER static Tuple lift(T x) { return {static_cast<int>(x), 1, 0}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) {
    if (!a.length || !b.length) return {a.length ? a.first : b.first, a.length + b.length, a.broken | b.broken};
    return {a.first, a.length + b.length, a.broken | b.broken | (a.first + a.length != b.first)};
  }
  RT_MEMBER static int finish(const Tuple& t, rt::Part<0>) { return t.broken ? -1 : t.length; }
};
"""
F = "rt::float32"
# name of the accumulator, row, accumulators, bytes of a tuple, operands of element x with its number k in the team
ROWS = [
    ("sums", f"rt::Sum<{F}>", 2, 4, "x * (n + 1)"),
    ("most", f"rt::Max<{F}>", 1, 4, "x"),
    ("least", f"rt::Min<{F}>", 1, 4, "x"),
    ("moments", f"rt::Welford<{F}>", 1, 12, "x"),
    ("exps", f"rt::SoftmaxSums<{F}>", 1, 8, "x"),
    ("place", f"rt::ArgMax<{F}>", 1, 16, "x, static_cast<rt::int64>(k)"),
    ("any", "rt::Any<rt::boolean>", 1, 4, "x > 2.9f"),
    ("all", "rt::All<rt::boolean>", 1, 4, "x > -2.9f"),
    ("order", "Sequence<int>", 1, 12, "k"),
    ("wide", "rt::Sum<rt::int64>", 5, 8, "static_cast<rt::int64>(k) * (n + 1)"),
]
RESULTS = [
    *[f"rt::result<rt::Sum<{F}>, 0>(sums, {n})" for n in (0, 1)],
    f"rt::result<rt::Max<{F}>, 0>(most, 0)",
    f"rt::result<rt::Min<{F}>, 0>(least, 0)",
    *[f"rt::result<rt::Welford<{F}>, {p}>(moments, 0)" for p in (0, 1, 2)],
    *[f"rt::result<rt::SoftmaxSums<{F}>, {p}>(exps, 0)" for p in (0, 1)],
    f"rt::result<rt::ArgMax<{F}>, 0>(place, 0)",
    "rt::result<rt::Any<rt::boolean>, 0>(any, 0)",
    "rt::result<rt::All<rt::boolean>, 0>(all, 0)",
    "rt::result<Sequence<int>, 0>(order, 0)",
    "rt::result<rt::Sum<rt::int64>, 0>(wide, 4)",
]
OWN = 3  # elements a thread

ADJACENT = [
    *[(1, 5), (2, 32), (4, 6), (8, 5), (16, 3), (16, 4), (32, 1), (32, 32), (64, 1), (64, 3), (96, 2), (128, 2)],
    *[(224, 1), (256, 4), (512, 1), (512, 2), (992, 1), (1024, 1)],
]
APART = [(1, 7), (2, 32), (3, 11), (5, 3), (7, 1), (8, 32), (16, 32), (31, 33), (16, 7), (100, 2), (1024, 1)]
TEAMS = [*[(size, count, True) for size, count in ADJACENT], *[(size, count, False) for size, count in APART]]


def team_name(size, count, lanes):
    return f"team_{size}_{count}_{'adjacent' if lanes else 'apart'}"


def half_bytes(size, count, lanes):
    parts = (size + 31) // 32 if lanes else size
    return 0 if parts == 1 else sum((n * parts * count * size_of + 15) // 16 * 16 for _, _, n, size_of, _ in ROWS)


def team_text(size, count, lanes):
    name = team_name(size, count, lanes)
    place = f"thread % {size}, thread / {size}" if lanes else f"thread / {count}, thread % {count}"
    lines = [
        f"RT_KERNEL({name}, {size * count}, 0)(rt::Global<const {F}> in0, rt::Global<{F}> out0, const int turns) {{",
        f"const int thread = threadIdx.x; const rt::Team<{size}, {count}, {str(lanes).lower()}> team0 = {{{place}}};",
        f"rt::Slots slots = {{16, {half_bytes(size, count, lanes)}, 0}}; for (int turn = 0; turn < turns; ++turn) {{",
        f"const int at = turn * {size * count} + team0.index * {size} + team0.rank;",
    ]
    for acc, row, n, _, operands in ROWS:
        lines.append(
            f"rt::Array<{row}::Tuple, {n}> {acc};\n#pragma unroll\nfor (int n = 0; n < {n}; ++n) {{\n"
            f"rt::begin<{row}>({acc}, n); for (int e = 0; e < {OWN}; ++e) {{ const int k = team0.rank * {OWN} + e;\n"
            f"const {F} x = in0[at * {OWN} + e]; rt::accumulate<{row}>({acc}, n, {operands}); }} }}"
        )
    members = ", ".join(f"rt::member<{row}, {n}>({acc})" for acc, row, n, _, _ in ROWS)
    lines.append(f"rt::join(team0, slots, {members});")
    lines += [f"out0[at * {len(RESULTS)} + {k}] = static_cast<{F}>({result});" for k, result in enumerate(RESULTS)]
    return "\n".join([*lines, "} }\n"])


@pytest.fixture(scope="module")
def teams(tmp_path_factory):
    return Unit(HEAD + SEQUENCE + "".join(team_text(*t) for t in TEAMS), tmp_path_factory.mktemp("teams"))


def check_team(unit, team, x, turns):
    size, count, lanes = team
    out = torch.full((turns, count, size, len(RESULTS)), -7.0, device="cuda")
    half = half_bytes(size, count, lanes)
    if 2 * half + 16 > torch.cuda.get_device_properties(0).shared_memory_per_block_optin:
        pytest.skip("needs more shared memory than a block may have")
    unit.launch(team_name(*team), (size * count, 1), 2 * half + 16, x.cuda(), out, turns)
    bits = out.view(torch.int32)
    assert torch.equal(bits, bits[:, :, :1].expand_as(bits))  # all members hold the same
    got = out[:, :, 0].cpu().double()
    v = x.double().reshape(turns, count, size * OWN)
    most, n, k = v.amax(-1), size * OWN, torch.arange(size * OWN)
    numbers = float(5 * k.sum())
    want = [v.sum(-1), 2 * v.sum(-1), most, v.amin(-1), v.mean(-1), v.var(-1, unbiased=False) * n, most * 0 + n, most]
    want += [(v - most[..., None]).exp().sum(-1), v.argmax(-1), (v > 2.9).any(-1), (v > -2.9).all(-1)]
    want += [most * 0 + n, most * 0 + numbers]
    for index, expected in enumerate(want):
        torch.testing.assert_close(
            got[..., index], expected.double(), rtol=3e-6, atol=2e-6 * n, msg=lambda m, i=index: f"{RESULTS[i]}: {m}"
        )


@pytest.mark.parametrize("team", TEAMS, ids=lambda t: team_name(*t))
def test_teams_smallest(teams, team):
    torch.manual_seed(1)
    turns = 5
    check_team(teams, team, torch.randn(turns * team[0] * team[1] * OWN), turns)


@pytest.mark.parametrize("team", [(8, 5, True), (32, 1, True), (96, 2, True), (256, 4, True), (16, 7, False)])
def test_special_values(teams, team):
    """Each member in turn holds the value that decides."""
    size, count, lanes = team
    members = range(size) if size <= 32 else [0, 1, 31, 32, 33, 63, 64, size - 1]
    for special in (float("nan"), float("inf"), -float("inf"), -0.0, 1e-41):
        for member in members:
            x = torch.full((1, count, size, OWN), -1.0 if special != 1e-41 else 0.0)
            x[0, count - 1, member, 1] = special
            out = torch.zeros((1, count, size, len(RESULTS)), device="cuda")
            unit_bytes = 2 * half_bytes(*team) + 16
            teams.launch(team_name(*team), (size * count, 1), unit_bytes, x.cuda(), out, 1)
            got, v = out[0, count - 1].cpu(), x[0, count - 1].flatten()
            for index, want in ((2, v.amax()), (3, v.amin())):
                torch.testing.assert_close(got[:, index], want.expand(size), rtol=0, atol=0, equal_nan=True)
            exps = (v.double() - v.double().amax()).exp().sum()
            torch.testing.assert_close(got[:, 8].double(), exps.expand(size), rtol=1e-5, atol=0, equal_nan=True)
            assert (got[:, 9] == (member * OWN + 1 if special != -float("inf") else 0)).all()


# ---- folds

STORAGE = {
    "rt::float32": torch.float32,
    "rt::bfloat16": torch.bfloat16,
    "rt::float16": torch.float16,
    "rt::float8_e4m3fn": torch.float8_e4m3fn,
    "rt::float8_e5m2": torch.float8_e5m2,
}
WIDTHS = [1, 2, 3, 4, 7, 8, 16]
FOLDED = [
    (f"rt::Sum<{F}>", 1),
    (f"rt::Max<{F}>", 1),
    (f"rt::Min<{F}>", 1),
    (f"rt::Welford<{F}>", 3),
    (f"rt::SoftmaxSums<{F}>", 2),
]


def fold_name(storage, width):
    return f"fold_{storage[4:]}_{width}"


def fold_text(storage, width):
    """Every thread folds its own rows of 4 pieces of `width` elements."""
    lines = [
        f"RT_KERNEL({fold_name(storage, width)}, 64, 0)(rt::Global<const {storage}> in0, rt::Global<{F}> out0) {{",
        f"const int tx = threadIdx.x; rt::Array<{storage}, {4 * width}> T0;\n#pragma unroll\n",
        f"for (int k = 0; k < {4 * width}; ++k) T0.set(k, in0[tx * {4 * width} + k]);",
    ]
    at = 0
    for k, (row, results) in enumerate(FOLDED):
        lines.append(
            f"rt::Array<{row}::Tuple, 1> acc{k}; rt::begin<{row}>(acc{k}, 0);\n#pragma unroll\n"
            f"for (int p = 0; p < 4; ++p) rt::fold<{row}, {width}>(acc{k}, 0, T0, p * {width});"
        )
        for p in range(results):
            lines.append(f"out0[tx * 8 + {at}] = static_cast<{F}>(rt::result<{row}, {p}>(acc{k}, 0));")
            at += 1
    return "\n".join([*lines, "}\n"])


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    text = HEAD + "".join(fold_text(s, w) for s in STORAGE for w in WIDTHS)
    return Unit(text, tmp_path_factory.mktemp("folds"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("storage", STORAGE)
def test_folds_smallest(folds, storage, width):
    torch.manual_seed(2)
    x = torch.randn(64, 4 * width)
    x[1], x[2], x[3] = -float("inf"), float("nan"), -0.0
    if storage != "rt::float8_e4m3fn":  # which has no infinity
        x[4, width] = float("inf")
    x[5, 2 * width] = float("nan")
    x = x.to(STORAGE[storage])
    out = torch.zeros(64, 8, device="cuda")
    folds.launch(fold_name(storage, width), (64, 1), 0, x.cuda(), out)
    v, n = x.float().double(), 4 * width
    most = v.amax(-1)
    exps = torch.where(most == -float("inf"), 0.0, (v - most[:, None]).exp().sum(-1))
    squares = ((v - v.mean(-1, keepdim=True)) ** 2).sum(-1)
    want = [v.sum(-1), most, v.amin(-1), v.mean(-1), squares, most * 0 + n, most, exps]
    want[5] = torch.full_like(most, n)
    got = out.cpu().double()
    ends = v.isinf().any(-1)  # the moments of which are NaN, here and there
    for index, expected in enumerate(want):
        if index in (3, 4):
            expected = expected.masked_fill(ends, float("nan"))
            got[:, index].masked_fill_(ends & got[:, index].isinf(), float("nan"))
        torch.testing.assert_close(got[:, index], expected, rtol=2e-6, atol=2e-6 * n, equal_nan=True)
