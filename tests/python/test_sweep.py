# SPDX-License-Identifier: Apache-2.0
"""Every operation x dtype x layout, on the host, in the emulator and in the evaluator, against torch in float64.

One fusion holds all operations that a dtype takes, so a case costs one run of a compiler a way.
"""

import numpy as np
import pytest
import torch
from agreement import COMPILED, mismatch, run_everywhere, ulps
from references import NAMES, SCALARS, reference

from nvfuser import DataType, DTypeError, FusionDefinition, Way
from nvfuser._C import pointwise_table, prepare_batch
from nvfuser.tensors import TORCH_NAMES

SHAPE = (2, 3, 5, 4)
DTYPES = {dtype: getattr(torch, name) for dtype, name in TORCH_NAMES.items()}
ARITY = {name: arity - len(SCALARS.get(name, ())) for name, arity, _, _ in pointwise_table()}


def channels_last(tensor):
    """Strides of the memory format, also for dtypes without a copy kernel in torch."""
    return tensor.movedim(1, 3).contiguous().movedim(3, 1)


def stepped(tensor):
    room = torch.zeros(*SHAPE[:3], SHAPE[3] * 2, dtype=tensor.dtype)
    room[..., ::2] = tensor
    return room[..., ::2]


def sliced(tensor):
    room = torch.zeros(SHAPE[0] + 1, SHAPE[1], SHAPE[2] + 2, SHAPE[3], dtype=tensor.dtype)
    room[1:, :, 1:-1] = tensor
    return room[1:, :, 1:-1]


LAYOUTS = {
    "contiguous": lambda t: t.contiguous(),
    "transposed": lambda t: t.transpose(1, 3).contiguous().transpose(1, 3),
    "stepped": stepped,
    "expanded": lambda t: t[:, :1].expand(*SHAPE),
    "sliced": sliced,
    "channels_last": channels_last,
}
# Dtypes of all sizes and kinds see each layout with every operation; the others a mixture of layouts.
SEPARATE = (DataType.Float, DataType.BFloat16, DataType.Int, DataType.Bool)

# Operations without a meaning, by the kind of the operands; anything else has to work.
SHIFTS = {"bitwise_left_shift", "bitwise_right_shift", "logical_right_shift"}
INTEGRAL = SHIFTS | {"bitwise_not", "gcd", "bitwise_and", "bitwise_or", "bitwise_xor"}
ORDERED = {
    "lt", "le", "gt", "ge", "minimum", "maximum", "clamp", "threshold", "relu", "sign", "signbit", "isneginf",
    "isposinf", "ceil", "floor", "round", "trunc", "frac", "fmod", "mod", "remainder", "atan2",
}  # fmt: skip
REAL_ONLY = {"erf", "erfc", "erfinv", "erfcinv", "lgamma"}
REJECTED = {
    "boolean": SHIFTS | {"gcd", "silu", "imag", "nextafter", "complex"},
    "integer": {"silu", "imag", "nextafter", "complex"},
    "precise": INTEGRAL | {"imag"},
    "narrow": INTEGRAL | {"imag", "nextafter", "complex"},
    "complex": INTEGRAL | ORDERED | REAL_ONLY | {"nextafter", "complex"},
}


def kind(dtype):
    if dtype == torch.bool:
        return "boolean"
    if dtype.is_complex:
        return "complex"
    if not dtype.is_floating_point:
        return "integer"
    return "precise" if dtype in (torch.float32, torch.float64) else "narrow"


def values(dtype, seed):
    """Random values of both signs, with the values where operations turn, in a 4-D tensor."""
    rng = np.random.default_rng(seed)
    real = rng.uniform(-2.5, 2.5, SHAPE)
    if dtype == torch.bool:
        return torch.from_numpy(real > 0)
    if dtype.is_complex:
        return torch.complex(torch.from_numpy(real), torch.from_numpy(rng.uniform(-2.5, 2.5, SHAPE))).to(dtype)
    if not dtype.is_floating_point:
        return torch.from_numpy(rng.integers(0 if dtype == torch.uint64 else -9, 10, SHAPE)).to(dtype)
    if dtype == torch.float8_e8m0fnu:
        return torch.from_numpy(2.0 ** rng.integers(-3, 4, SHAPE)).to(torch.float32).to(dtype)
    turns = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, np.nan, np.inf, -np.inf]
    real.flat[: len(turns)] = turns if dtype != torch.float8_e4m3fn else turns[:-2] + [448.0, -448.0]
    return torch.from_numpy(real).to(dtype)


def build(tensors):
    """A fusion with an output for every operation which takes the dtype; name -> its tensors; the names rejected."""
    cases, rejected = {}, set()
    with FusionDefinition() as fd:
        inputs = [fd.from_pytorch(tensor) for tensor in tensors]
        for number, name in enumerate(ARITY):
            chosen = [(number + k) % len(tensors) for k in range(ARITY[name])]
            operands = [inputs[k] for k in chosen]
            if name == "where":
                operands[0] = fd.ops.ne(operands[0], 0)
            try:
                fd.add_output(getattr(fd.ops, name)(*operands, *SCALARS.get(name, ())))
                cases[name] = [tensors[k] for k in chosen]
            except DTypeError:
                rejected.add(name)
    return fd, cases, rejected


def check(tensors, built=None):
    fd, cases, rejected = built or build(tensors)
    assert rejected == REJECTED[kind(tensors[0].dtype)]
    results = run_everywhere(fd, tensors)
    problems = []
    for position, (name, operands) in enumerate(cases.items()):
        want = reference(name, operands)
        by_way = {way: outputs[position] for way, outputs in results.items()}
        wrong = {way: text for way, got in by_way.items() if (text := mismatch(got, want))}
        problems += [f"{name} ({way}): {text}" for way, text in wrong.items()]
        for way in COMPILED:
            distance = ulps(by_way[way], by_way["evaluator"])
            if distance > ULPS:
                problems.append(f"{name}: {way} and evaluator differ by {distance} units in the last place")
    assert not problems, "\n".join(problems)


ULPS = 4


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", SEPARATE, ids=lambda dtype: dtype.name)
def test_layouts(dtype, layout):
    check([LAYOUTS[layout](values(DTYPES[dtype], seed)) for seed in range(3)])


TOGETHER = [dtype for dtype in DTYPES if dtype not in SEPARATE]


def contiguous(dtype):
    return [values(DTYPES[dtype], seed) for seed in range(3)]


def mixed(dtype):
    return [arrange(values(DTYPES[dtype], seed)) for seed, arrange in enumerate(LAYOUTS.values())]


@pytest.fixture(scope="module")
def compiled():
    """The programs of the two tests below, by test and dtype, as one unit a way."""
    inputs = {(form, dtype): form(dtype) for dtype in TOGETHER for form in (contiguous, mixed)}
    built = {key: build(tensors) for key, tensors in inputs.items()}
    for way in COMPILED:
        prepare_batch([(fd._ready(), inputs[key], Way[way], "") for key, (fd, _, _) in built.items()])
    return {key: (inputs[key], built[key]) for key in inputs}


@pytest.mark.parametrize("dtype", TOGETHER, ids=lambda dtype: dtype.name)
def test_contiguous(dtype, compiled):
    check(*compiled[contiguous, dtype])


@pytest.mark.parametrize("dtype", TOGETHER, ids=lambda dtype: dtype.name)
def test_mixed_layouts(dtype, compiled):
    check(*compiled[mixed, dtype])


def test_every_operation_has_a_reference():
    assert set(ARITY) == NAMES
