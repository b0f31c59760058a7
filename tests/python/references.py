# SPDX-License-Identifier: Apache-2.0
"""What each operation means, in torch at higher precision: the other side of the sweeps.

Operands arrive as torch tensors of float64, complex128, int64 (uint64 and int32 widened), or bool.
"""

import torch


def _shift(a, b, bits, fill):
    inside = (b >= 0) & (b < bits)
    return inside, torch.where(inside, b, torch.zeros_like(b)), fill


def left_shift(a, b, bits):
    inside, amount, _ = _shift(a, b, bits, 0)
    return torch.where(inside, a << amount, torch.zeros_like(a))


def right_shift(a, b, bits):
    inside, amount, _ = _shift(a, b, bits, 0)
    return torch.where(inside, a >> amount, torch.where(a < 0, -torch.ones_like(a), torch.zeros_like(a)))


def logical_right_shift(a, b, bits):
    inside, amount, _ = _shift(a, b, bits, 0)
    mask = (1 << bits) - 1
    values = [((x & mask) >> s) for x, s in zip(a.flatten().tolist(), amount.flatten().tolist(), strict=True)]
    signed = [v - (1 << bits) if v >= 1 << (bits - 1) else v for v in values]
    return torch.where(inside, torch.tensor(signed, dtype=torch.int64).reshape(a.shape), torch.zeros_like(a))


def truncated_quotient(a, b):
    if not a.dtype.is_floating_point and not a.dtype.is_complex:
        safe = torch.where(b == 0, torch.ones_like(b), b)
        return torch.where(b == 0, torch.zeros_like(a), torch.div(a, safe, rounding_mode="trunc"))
    return a / b


def truncated_remainder(a, b):
    if not a.dtype.is_floating_point:
        safe = torch.where(b == 0, torch.ones_like(b), b)
        return torch.where(b == 0, torch.zeros_like(a), torch.fmod(a, safe))
    return torch.fmod(a, b)


def floored_remainder(a, b):
    if not a.dtype.is_floating_point:
        safe = torch.where(b == 0, torch.ones_like(b), b)
        return torch.where(b == 0, torch.zeros_like(a), torch.remainder(a, safe))
    return torch.remainder(a, b)


def sign(a):
    return torch.where(torch.isnan(a), torch.zeros_like(a), torch.sign(a)) if a.dtype.is_floating_point else torch.sign(a)


special = torch.special
UNARY = {
    "acos": torch.acos, "acosh": torch.acosh, "asin": torch.asin, "asinh": torch.asinh, "atan": torch.atan, "atanh": torch.atanh,
    "cos": torch.cos, "cosh": torch.cosh, "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1, "erf": torch.erf,
    "erfc": torch.erfc, "erfinv": torch.erfinv, "erfcinv": lambda a: torch.erfinv(1 - a), "lgamma": torch.lgamma, "log": torch.log,
    "log10": torch.log10, "log1p": torch.log1p, "log2": torch.log2, "reciprocal": torch.reciprocal, "rsqrt": torch.rsqrt,
    "sigmoid": torch.sigmoid, "sin": torch.sin, "sinh": torch.sinh, "sqrt": torch.sqrt, "tan": torch.tan, "tanh": torch.tanh,
    "abs": torch.abs, "ceil": torch.ceil, "floor": torch.floor, "frac": torch.frac, "neg": torch.neg, "relu": torch.relu,
    "round": torch.round, "trunc": torch.trunc, "silu": lambda a: a * torch.sigmoid(a), "sign": sign, "signbit": torch.signbit,
    "real": lambda a: a.real if a.dtype.is_complex else a, "imag": lambda a: a.imag, "logical_not": torch.logical_not,
    "bitwise_not": torch.bitwise_not, "isfinite": torch.isfinite, "isinf": torch.isinf, "isnan": torch.isnan,
    "isneginf": torch.isneginf, "isposinf": torch.isposinf, "isreal": torch.isreal,
}  # fmt: skip
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": truncated_quotient, "truediv": torch.true_divide,
    "fmod": truncated_remainder, "mod": truncated_remainder, "remainder": floored_remainder, "pow": torch.pow,
    "minimum": torch.minimum, "maximum": torch.maximum, "atan2": torch.atan2, "nextafter": torch.nextafter, "gcd": torch.gcd,
    "complex": torch.complex, "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
    "logical_and": torch.logical_and, "logical_or": torch.logical_or, "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or, "bitwise_xor": torch.bitwise_xor, "bitwise_left_shift": left_shift,
    "bitwise_right_shift": right_shift, "logical_right_shift": logical_right_shift,
}  # fmt: skip
OTHER = {
    "lerp": lambda a, b, c: a + c * (b - a), "where": torch.where, "clamp": torch.clamp,
    "threshold": lambda a, b, c: torch.where(a <= b, c, a), "addcmul": lambda a, b, c, d: a + d * b * c,
}  # fmt: skip
SHIFTS = {"bitwise_left_shift", "bitwise_right_shift", "logical_right_shift"}
