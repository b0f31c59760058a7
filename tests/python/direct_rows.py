# SPDX-License-Identifier: Apache-2.0
"""Programs of the kinds that nvFuser's own tests of its direct API hold (direct_suite.py), a row for each whose
machinery exists here: inputs, the definition, what torch gives.  Names are those of its functions."""

from typing import Any, NamedTuple

import torch

from nvfuser import DataType, ops


class Row(NamedTuple):
    inputs: list[Any]  # tensors of torch and numbers
    define: Any  # (inputs of the definition) -> outputs
    expect: Any  # (inputs) -> outputs


def floats(*shape, dtype=torch.float32):
    generator = torch.Generator().manual_seed(sum(shape) + len(shape))
    return torch.rand(*shape, generator=generator, dtype=torch.float64).to(dtype) + 0.25


def ints(*shape, high=9, dtype=torch.int64):
    return torch.randint(1, high, shape, generator=torch.Generator().manual_seed(5), dtype=dtype)


def rms_norm(x, weight):
    mean = ops.mul(ops.sum(ops.mul(x, x), [1], keepdim=True), 1.0 / 32)
    scale = ops.broadcast_in_dim(ops.rsqrt(ops.add(mean, 1e-5)), x.shape(), [0, 1])
    return ops.mul(ops.mul(x, scale), ops.broadcast_in_dim(weight, x.shape(), [1]))


def layer_norm(x, weight, bias):
    var, mean = ops.var_mean(x, [1], correction=0, keepdim=True)
    wide = [ops.broadcast_in_dim(v, x.shape(), [0, 1]) for v in (ops.rsqrt(ops.add(var, 1e-5)), mean)]
    normal = ops.mul(ops.sub(x, wide[1]), wide[0])
    weight, bias = [ops.broadcast_in_dim(v, x.shape(), [1]) for v in (weight, bias)]
    return ops.add(ops.mul(normal, weight), bias)


def rms_norm_backward(grad, x, weight, rstd):
    """Of a row's scale, with powers and reciprocals as reduced programs of bug reports have them."""
    shape = x.shape()
    wide = ops.broadcast_in_dim(rstd, shape, [0, 1])
    scaled = ops.mul(grad, ops.broadcast_in_dim(weight, shape, [1]))
    inner = ops.sum(ops.mul(scaled, x), [1], keepdim=True)
    factor = ops.mul(ops.mul(inner, ops.pow(rstd, 3.0)), ops.reciprocal(ops.cast(ops.size(x, 1), DataType.Double)))
    correction = ops.mul(x, ops.broadcast_in_dim(factor, shape, [0, 1]))
    weights = ops.sum(ops.mul(ops.mul(grad, x), wide), [0])
    return ops.sub(ops.mul(scaled, wide), correction), ops.cast(weights, DataType.BFloat16)


def torch_rms_norm_backward(grad, x, weight, rstd):
    scaled = grad * weight
    inner = (scaled * x).sum(1, keepdim=True) * rstd**3 / x.shape[1]
    return scaled * rstd - x * inner, (grad * x * rstd).sum(0).to(BF16)


def mean_of_squares(x, weight):
    """RMS norm of bfloat16 in float32: sum, reciprocal of the length, rsqrt."""
    wide = ops.cast(x, DataType.Float)
    mean = ops.sum(ops.pow(wide, 2.0), [1], keepdim=True) * ops.reciprocal(32.0)
    scale = ops.broadcast_in_dim(ops.rsqrt(mean + 1e-5), x.shape(), [0, 1])
    return ops.cast(wide * scale * ops.broadcast_in_dim(weight, x.shape(), [1]), DataType.BFloat16)


def torch_mean_of_squares(x, weight):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(1, keepdim=True) + 1e-5) * weight).to(BF16)


def masked_by_position(x, n):
    """What lies behind a position is set to a constant: the position is compared with iota."""
    place = ops.broadcast(ops.iota(ops.size(x, 1), 0, 1, DataType.Int), [True, False])
    wide = ops.expand(place, [ops.size(x, 0), -1])
    behind = ops.where(wide >= n, ops.full(x.shape(), -1.0, DataType.Float), x)
    return ops.where(wide > ops.sub(n, 2), behind, ops.full(x.shape(), 0.0, DataType.Float))


def torch_masked_by_position(x, n):
    place = torch.arange(x.shape[1]).expand(x.shape)
    behind = torch.where(place >= n, torch.tensor(-1.0), x)
    return torch.where(place > n - 2, behind, torch.tensor(0.0))


HALF, BF16, F64 = torch.float16, torch.bfloat16, torch.float64
X, Y, V = floats(2, 4, 8), floats(2, 4, 8), floats(8)
Z = torch.complex(floats(4, 6), floats(4, 6))
COLUMNS = floats(8, 4).t()

ROWS = {
    "test_contiguous": Row([floats(2, 64).t()], lambda x: ops.sum(x, [0]), lambda x: x.sum(0)),
    "test_broadcast_in_dim_with_dynamic_shapes": Row(
        [X, V], lambda x, v: x + ops.broadcast_in_dim(v, x.shape(), [2]), lambda x, v: x + v
    ),
    "test_prim_rms_norm_fwd": Row(
        [floats(4, 32), floats(32)],
        rms_norm,
        lambda x, w: x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-5) * w,
    ),
    "test_prim_layer_norm_fwd": Row(
        [floats(4, 32), floats(32), floats(32)],
        layer_norm,
        lambda x, w, b: torch.nn.functional.layer_norm(x, (32,), w, b),
    ),
    "test_basic": Row([X, Y], lambda x, y: ops.sum((x + y) * 3.0, [-1]), lambda x, y: ((x + y) * 3).sum(-1)),
    "test_basic_fp16": Row(
        [X.to(HALF), Y.to(HALF)],
        lambda x, y: ops.cast(ops.sum((x + y) * 3.0, [-1]), DataType.Half),
        lambda x, y: ((x.float() + y.float()) * 3).sum(-1).half(),
    ),
    "test_cast_scalar": Row(
        [X, Y],
        lambda x, y: ops.sum((x + y) * ops.cast(3.0, DataType.Int), [-1]),
        lambda x, y: ((x + y) * 3).sum(-1),
    ),
    "test_cast_double_to_half": Row(
        [X.to(F64), Y.to(F64)],
        lambda x, y: ops.cast(ops.relu(ops.cast(x, DataType.Half) + ops.cast(y, DataType.Half)), DataType.Half),
        lambda x, y: (x.half().float() + y.half().float()).relu().half(),
    ),
    "test_cast_fp8": Row(
        [floats(4, 8)],
        lambda x: ops.cast(ops.cast(x, DataType.Float8_e4m3fn), DataType.Float),
        lambda x: x.to(torch.float8_e4m3fn).float(),
    ),
    "test_promote_to_double": Row([X.to(HALF), Y.to(F64)], lambda x, y: ops.relu(x + y), lambda x, y: (x + y).relu()),
    "test_define_noncontiguous_tensor": Row([floats(4, 16)[:, ::2]], lambda x: x + 1.0, lambda x: x + 1),
    "test_define_contiguous_tensor": Row([floats(4, 8)], lambda x: x + 1.0, lambda x: x + 1),
    "test_define_broadcast_tensor": Row([floats(1, 4)], lambda x: x + 1.0, lambda x: x + 1),
    "test_define_tensor_contiguity_with_stride_order": Row([COLUMNS], lambda x: x + 1.0, lambda x: x + 1),
    "test_broadcast": Row(
        [V, floats(4, 8)], lambda v, x: ops.broadcast(v, [True, False]) + x, lambda v, x: v[None] + x
    ),
    "test_implicit_broadcast_input": Row(
        [V, X], lambda v, x: ops.broadcast_in_dim(v, [2, 4, 8], [2]) + x, lambda v, x: v + x
    ),
    "test_explicit_broadcast_input": Row(
        [floats(1, 4, 1), X], lambda v, x: ops.broadcast_in_dim(v, [2, 4, 8], [0, 1, 2]) + x, lambda v, x: v + x
    ),
    "test_broadcast_mixing": Row([floats(3, 1), floats(1, 5)], lambda a, b: a + b, lambda a, b: a + b),
    "test_dynamic_bcast_in_dim": Row(
        [V, X], lambda v, x: ops.broadcast_in_dim(v, [*x.shape()[:2], ops.size(x, 2)], [2]) + x, lambda v, x: v + x
    ),
    "test_dynamic_full": Row(
        [X, 2.0], lambda x, s: ops.full(x.shape(), s, DataType.Float) + x, lambda x, s: torch.full_like(x, s) + x
    ),
    "test_squeeze": Row(
        [floats(4, 1, 8)], lambda x: ops.sum(ops.squeeze(x, [1]) * 2.0, [0]), lambda x: (x.squeeze(1) * 2).sum(0)
    ),
    "test_expanded_reduction": Row(
        [floats(1, 4).expand(3, 4)], lambda x: (ops.sum(x, [0]), ops.sum(x, [1])), lambda x: (x.sum(0), x.sum(1))
    ),
    "test_expand": Row([floats(4, 1)], lambda x: ops.expand(x, [-1, 5]) * 2.0, lambda x: x.expand(4, 5) * 2),
    "test_take_along_axis": Row(
        [floats(4, 6), ints(4, 3, high=5)],
        lambda x, i: ops.take_along_axis(x, i, 1) + 1.0,
        lambda x, i: x.take_along_dim(i, 1) + 1,
    ),
    "test_gather": Row(
        [floats(4, 6), ints(3, 3, high=4)], lambda x, i: ops.gather(x, i, 0) + 1.0, lambda x, i: x.gather(0, i) + 1
    ),
    "test_where": Row([X > 0.7, X, Y], ops.where, torch.where),
    "test_where_dtypes": Row([X > 0.7, X.to(BF16), Y.to(BF16)], ops.where, torch.where),
    "test_addcmul": Row([X, Y, X], lambda a, b, c: ops.addcmul(a, b, c, 0.1), lambda a, b, c: a + 0.1 * b * c),
    "test_iota": Row(
        [], lambda: (ops.iota(11, 2, 3), ops.iota(4, 0.5, 2.0, DataType.Float)),
        lambda: (torch.arange(2, 35, 3), torch.tensor([0.5, 2.5, 4.5, 6.5])),
    ),
    "test_scalar_only_inputs": Row(
        [2.0, 3.0], lambda a, b: ops.full([2, 2], a * 2.0 + b, DataType.Float), lambda a, b: torch.full((2, 2), 7.0)
    ),
    "test_welford": Row(
        [X], lambda x: ops.welford(x, [1])[:2], lambda x: (x.mean(1), x.var(1, correction=0) * 4)
    ),
    "test_stride_order_with_explicit_broadcast": Row(
        [floats(3, 1, 8), floats(8, 4, 3).permute(2, 1, 0)], lambda a, b: (a + b) * 2.0, lambda a, b: (a + b) * 2
    ),
    "test_output_stride_order": Row(
        [X], lambda x: ops.stride_order(x + 1.0, [0, 2, 1]),
        lambda x: (x + 1).permute(1, 2, 0).contiguous().permute(2, 0, 1),
    ),
    "test_output_stride_order_with_reduction": Row(
        [X], lambda x: ops.stride_order(ops.sum(x, [0]), [0, 1]), lambda x: x.sum(0).t().contiguous().t()
    ),
    "test_broadcast_and_stride_order": Row(
        [floats(2, 3)],
        lambda x: ops.stride_order(ops.broadcast(x, [False, False, True]), [0, 1, 2]),
        lambda x: x[..., None].permute(2, 1, 0).contiguous().permute(2, 1, 0),
    ),
    "test_complex_constants": Row([Z], lambda z: z * 1.5j, lambda z: z * 1.5j),
    "test_complex_rsqrt": Row([Z], ops.rsqrt, torch.rsqrt),
    "test_real_imag": Row([Z], lambda z: (ops.real(z), ops.imag(z)), lambda z: (z.real, z.imag)),
    "test_reduction_complex_number": Row([Z], lambda z: ops.sum(z, [1]), lambda z: z.sum(1)),
    "test_constant_nans": Row([X], lambda x: x + float("nan"), lambda x: x + float("nan")),
    "test_gcd": Row([ints(4, 5, high=99), ints(4, 5, high=30)], ops.gcd, torch.gcd),
    "test_input_scalar": Row([X, 0.25], lambda x, s: x * s, lambda x, s: x * s),
    "test_integer_division": Row(
        [ints(4, 5, high=99), ints(4, 5)],
        lambda a, b: (ops.div(a, b), ops.truediv(a, b)),
        lambda a, b: (torch.div(a, b, rounding_mode="trunc"), a / b),
    ),
    "test_misaligned_add": Row([floats(33)[1:], floats(32)], lambda a, b: a + b, lambda a, b: a + b),
    "test_nextafter": Row([X, Y], ops.nextafter, torch.nextafter),
    "test_prod": Row(
        [floats(4, 6)], lambda x: (ops.prod(x), ops.prod(x, 1), ops.prod(x, [0], True)),
        lambda x: (x.prod(), x.prod(1), x.prod(0, keepdim=True)),
    ),
    "test_right_shift_arithmetic": Row(
        [-ints(4, 5, high=99, dtype=torch.int32)], lambda x: ops.bitwise_right_shift(x, 3), lambda x: x >> 3
    ),
    "test_right_shift_logical": Row(
        [-ints(4, 5, high=99, dtype=torch.int32)],
        lambda x: ops.logical_right_shift(x, 3),
        lambda x: ((x.long() & 0xFFFFFFFF) >> 3).int(),
    ),
    "test_segment_set": Row([X], lambda x: ops.relu(ops.segment_set(ops.neg(x))), lambda x: (-x).relu()),
    "test_signbit": Row(
        [X - 0.7], lambda x: ops.where(ops.signbit(x), ops.neg(ops.abs(x)), ops.abs(x)), lambda x: x
    ),
    "test_tensor_shape": Row(
        [V, X], lambda v, x: ops.sub(ops.broadcast_in_dim(v, x.shape(), [2]), x), lambda v, x: v - x
    ),
    "test_tensor_shape_expand_bcast": Row(
        [floats(1, 4), X], lambda a, x: ops.broadcast_in_dim(a, x.shape()[:2], [0, 1]), lambda a, x: a.expand(2, 4)
    ),
    "test_tensor_shape_with_output_bcast": Row(
        [X], lambda x: ops.broadcast_in_dim(ops.sum(x, [2]), x.shape(), [0, 1]),
        lambda x: x.sum(2)[..., None].expand(2, 4, 8),
    ),
    "test_tensor_size_both_args_bcast": Row(
        [floats(1, 3), floats(4, 1)],
        lambda a, b: ops.broadcast_in_dim(a, [ops.size(b, 0), ops.size(a, 1)], [0, 1]) + b,
        lambda a, b: a + b,
    ),
    "test_var_correction": Row([X], lambda x: ops.var(x, [-1], correction=1), lambda x: x.var(-1)),
    "test_var_mean_correction": Row([X], lambda x: ops.var_mean(x, [0, 1]), lambda x: torch.var_mean(x, (0, 1))),
    "test_all_dim_var_mean": Row(
        [X], lambda x: ops.var_mean(x, [0, 1, 2], correction=0), lambda x: torch.var_mean(x, (0, 1, 2), correction=0)
    ),
    "test_zero_size_dim": Row([torch.ones(0, 0)], ops.relu, torch.relu),
    "test_expand_to_zero": Row(
        [floats(1, 1)], lambda x: ops.broadcast_in_dim(x, [0, 0], [0, 1]), lambda x: x.expand(0, 0)
    ),
    "test_expanded_bcast_tensor": Row([floats(1).expand(4), floats(3, 4)], lambda a, b: a + b, lambda a, b: a + b),
    "test_validate_precomputed_values": Row([X, 0.6], ops.ge, lambda x, s: x >= s),
    "test_cpu_add": Row([torch.tensor(2.0), torch.tensor(0.5)], lambda a, b: a + b, lambda a, b: a + b),
    "test_full_with_cpu_inputs": Row(
        [torch.tensor(2.0)], lambda s: ops.full([3], 1.0, DataType.Float) * s, lambda s: torch.ones(3) * s
    ),
    "test_broadcast_in_dim_no_redundant_set": Row(
        [V, X], lambda v, x: ops.expand(ops.broadcast(v, [True, True, False]), [2, 4, -1]) + x, lambda v, x: v + x
    ),
    "test_issue1270": Row(
        [X.to(BF16)], lambda x: ops.sum(ops.cast(x, DataType.Float) * ops.full([2, 4, 8], 2.0, DataType.Float), [0]),
        lambda x: (x.float() * 2).sum(0),
    ),
    "test_issue1279": Row(
        [X.to(HALF)], lambda x: ops.var_mean(ops.cast(x, DataType.Float), [2]), lambda x: torch.var_mean(x.float(), 2)
    ),
    "test_issue1310": Row(
        [X.to(BF16)], lambda x: ops.sum(ops.cast(x, DataType.Float), [0, 1], dtype=DataType.Double),
        lambda x: x.double().sum((0, 1)),
    ),
    "test_issue2549": Row(
        [floats(4, 1), floats(4, 8)], lambda a, b: b / ops.broadcast_in_dim(a, [4, 8], [0, 1]), lambda a, b: b / a
    ),
    "test_issue3227": Row(
        [floats(1, 8), floats(4, 8)], lambda a, b: ops.broadcast_in_dim(a, b.shape(), [0, 1]) + b, lambda a, b: a + b
    ),
    "test_tensor_shape_nobcast": Row(
        [X, Y], lambda x, y: ops.broadcast_in_dim(x, y.shape(), [0, 1, 2]) + y, lambda x, y: x + y
    ),
    "test_right_shift_logical_sizeof_dtype": Row(
        [-ints(4, 5, high=99, dtype=torch.int32), -ints(4, 5, high=99)],
        lambda a, b: (ops.logical_right_shift(a, 31), ops.logical_right_shift(b, 63)),
        lambda a, b: (torch.ones_like(a), torch.ones_like(b)),
    ),
    "test_allocation_domain_concretization": Row(
        [floats(1, 4, 8, 16).permute(0, 3, 1, 2)], lambda x: x * 2.0, lambda x: x * 2
    ),
    "test_input_forwarding_device": Row([torch.tensor(2.0)], lambda s: s, lambda s: s),
    "test_expanded_to_size_one": Row(
        [floats(1).expand(1, 1), floats(3, 1)], lambda a, b: (a * 2.0, a + b), lambda a, b: (a * 2, a + b)
    ),
    "test_issue1706": Row([floats(6, 32).to(BF16), floats(32)], mean_of_squares, torch_mean_of_squares),
    "test_ws_tma_normalization6": Row(
        [floats(6, 32), floats(6, 32), floats(32), floats(6, 1)], rms_norm_backward, torch_rms_norm_backward
    ),
    "test_shared_memory_usage": Row(
        [floats(3, 513), floats(3, 513), floats(513), floats(3, 1)], rms_norm_backward, torch_rms_norm_backward
    ),
    "test_issue4670": Row([floats(3, 7), 4], masked_by_position, torch_masked_by_position),
}  # fmt: skip


def increment(x, y):
    """A result that is written into an input, and one that reads the input."""
    return [(x + 1.0, x), y * x]


def masked_in_place(x):
    """Returned twice and written into the input: one memory."""
    positive = ops.where(x > 0.6, x, ops.full(x.shape(), 0.0, DataType.Float))
    return [(positive, x), positive, positive]


def halved(x):
    """Of a tensor whose elements are not dense; the condition passes through casts."""
    kept = ops.cast(ops.cast(ops.set(x), DataType.Double), DataType.Float)
    return [(ops.where(kept > 0.6, x * 0.5, x), x)]


def statistics(x, mean, weight):
    """A vector is read along rows, and updated by what was reduced from them."""
    shifted = x + ops.broadcast_in_dim(mean, x.shape(), [1])
    return [shifted, (ops.sum(x, [0]) * weight + mean, mean)]


def chain(x, v):
    """A vector is read by a result that is written into the matrix, and is updated itself."""
    return [(x * ops.broadcast_in_dim(v, x.shape(), [1]), x), (v + 1.0, v)]


def columns(x, v):
    return [ops.sum(x, [1]), (x + ops.broadcast_in_dim(v, x.shape(), [0]), x)]


# Programs that write into inputs: results are (value, input) then; expected: results, then inputs afterwards.
IN_PLACE = {
    "test_alias_output_to_input": Row([floats(3, 4), floats(3, 4)], increment, lambda x, y: ([y * x], [x + 1, y])),
    "test_returning_aliased_outputs": Row(
        [floats(4, 8)], masked_in_place, lambda x: ([x * (x > 0.6)] * 2, [x * (x > 0.6)])
    ),
    "test_inplace_update_on_non_contiguous_inputs": Row(
        [floats(4, 16)[:, ::2]], halved, lambda x: ([], [torch.where(x > 0.6, x * 0.5, x)])
    ),
    "test_issue2664_repro1": Row([floats(4, 8), floats(8)], chain, lambda x, v: ([], [x * v, v + 1])),
    "test_issue2664_repro2": Row(
        [floats(4, 8), floats(8), floats(8)], statistics, lambda x, m, w: ([x + m], [x, x.sum(0) * w + m, w])
    ),
    "test_issue2664_repro3": Row(
        [floats(4, 8), floats(4)], columns, lambda x, v: ([x.sum(1)], [x + v[:, None], v])
    ),
    "test_issue2664_repro4": Row(
        [floats(4, 8), floats(4, 8)], lambda x, y: [(-x, y), (x + y, x)], lambda x, y: ([], [x + y, -x])
    ),
}  # fmt: skip

# Rows that other tests of ours hold: file and function.
ELSEWHERE = {
    "test_import_correct": "test_import.py::test_public_names",
    "test_python_version_API": "test_direct.py::test_version",
    "test_fusion_not_defined": "test_direct.py::test_wrong_calls",
    "test_fusion_empty": "test_direct.py::test_wrong_calls",
    "test_from_pytorch_fails_on_cpu_tensor": "test_direct.py::test_cpu_tensors_are_refused_as_examples",
    "test_repro_script_for": "test_direct.py::test_calls",
    "test_define_tensor": "test_define.py::test_forms",
    "test_mismatched_input_types": "test_errors.py::test_arguments",
    "test_compute_tensor_descriptor": "test_define.py::test_descriptor",
    "test_fusion_definition_print": "test_direct_rows.py::test_texts",
    "test_fusion_profiler_auto_scheduled": "test_profiler.py::test_kernels_and_bytes",
    "test_lru_fusion_cache_decorator": "test_fusion_cache.py::test_decorator",
    "test_lru_cache": "test_fusion_cache.py::test_layers_share_an_executor",
}
