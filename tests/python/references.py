# SPDX-License-Identifier: Apache-2.0
"""What each operation means, in torch at higher precision: the other side of the sweeps."""

import torch
from agreement import wide

from nvfuser._C import pointwise_table

REAL_RULE = 0  # the first rule of the table: integers and Bool are computed as floats
REAL = {name for name, _, rule, _ in pointwise_table() if rule == REAL_RULE}


def _bits(tensor):
    return 8 * tensor.dtype.itemsize


def _shifted(a, b, shift, outside):
    """shift(a, b) for amounts inside the width, `outside` for the others."""
    amount = wide(b)
    inside = (amount >= 0) & (amount < _bits(a))
    return torch.where(inside, shift(wide(a), torch.where(inside, amount, 0)), outside)


def left_shift(a, b):
    return _shifted(a, b, torch.bitwise_left_shift, torch.zeros_like(wide(a)))


def right_shift(a, b):
    sign = torch.zeros_like(wide(a)) if a.dtype == torch.uint64 else torch.where(wide(a) < 0, -1, 0)
    return _shifted(a, b, torch.bitwise_right_shift, sign)


def logical_right_shift(a, b):
    mask = (1 << _bits(a)) - 1

    def shift(x, amount):
        pairs = zip(x.flatten().tolist(), amount.flatten().tolist(), strict=True)
        values = [(value & mask) >> count for value, count in pairs]
        return torch.tensor([v - (v >> (_bits(a) - 1) << _bits(a)) for v in values]).reshape(x.shape)

    return _shifted(a, b, shift, torch.zeros_like(wide(a)))


def whole(a):
    """True for integers and Bool."""
    return not a.dtype.is_floating_point and not a.dtype.is_complex


def zero_by_zero(function):
    """Integers divided by zero give 0."""

    def guarded(a, b):
        if not whole(a):
            return function(a, b)
        return torch.where(b == 0, torch.zeros_like(a), function(a, torch.where(b == 0, torch.ones_like(b), b)))

    return guarded


def truncated_quotient(a, b):
    return torch.div(a, b, rounding_mode="trunc") if whole(a) else a / b


def sign(a):
    return torch.where(a.isnan(), 0.0, torch.sign(a)) if a.dtype.is_floating_point else torch.sign(a)


def sigmoid(a):
    return 1 / (1 + torch.exp(-a)) if a.dtype.is_complex else torch.sigmoid(a)


def lerp(a, b, c):
    """Each step of a Bool is a Bool."""
    return a | (c & (a ^ b)) if a.dtype == torch.bool else wide(a) + wide(c) * (wide(b) - wide(a))


# Functions of operands in float64, complex128, int64 or bool.
WIDE = {
    "acos": torch.acos, "acosh": torch.acosh, "asin": torch.asin, "asinh": torch.asinh, "atan": torch.atan,
    "atanh": torch.atanh, "cos": torch.cos, "cosh": torch.cosh, "exp": torch.exp, "exp2": torch.exp2,
    "expm1": torch.expm1, "erf": torch.erf, "erfc": torch.erfc, "erfinv": torch.erfinv,
    "erfcinv": lambda a: torch.erfinv(1 - a.to(torch.float64)), "lgamma": torch.lgamma, "log": torch.log,
    "log10": torch.log10, "log1p": torch.log1p, "log2": torch.log2, "reciprocal": torch.reciprocal,
    "rsqrt": torch.rsqrt, "sigmoid": sigmoid, "sin": torch.sin, "sinh": torch.sinh, "sqrt": torch.sqrt,
    "tan": torch.tan, "tanh": torch.tanh, "abs": torch.abs, "ceil": torch.ceil, "floor": torch.floor,
    "frac": lambda a: a - torch.trunc(a), "neg": torch.neg, "relu": torch.relu, "round": torch.round,
    "trunc": torch.trunc, "silu": lambda a: a * sigmoid(a), "sign": sign, "signbit": torch.signbit,
    "real": lambda a: a.real if a.dtype.is_complex else a, "imag": lambda a: a.imag,
    "logical_not": torch.logical_not, "bitwise_not": torch.bitwise_not, "isfinite": torch.isfinite,
    "isinf": torch.isinf, "isnan": torch.isnan, "isneginf": torch.isneginf, "isposinf": torch.isposinf,
    "isreal": torch.isreal, "add": torch.add, "sub": torch.sub, "mul": torch.mul,
    "div": zero_by_zero(truncated_quotient), "truediv": torch.true_divide, "fmod": zero_by_zero(torch.fmod),
    "mod": zero_by_zero(torch.fmod), "remainder": zero_by_zero(torch.remainder), "pow": torch.pow,
    "minimum": torch.minimum, "maximum": torch.maximum, "atan2": torch.atan2, "gcd": torch.gcd, "eq": torch.eq,
    "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
    "logical_and": torch.logical_and, "logical_or": torch.logical_or, "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or, "bitwise_xor": torch.bitwise_xor,
    "where": lambda a, b, c: torch.where(a != 0, b, c), "clamp": torch.clamp,
    "threshold": lambda a, b, c: torch.where(a <= b, torch.full_like(a, c), a),
    "addcmul": lambda a, b, c, d: a + d * b * c,
}  # fmt: skip
# Functions that depend on the operands' own type.
NATIVE = {
    "lerp": lerp,
    "nextafter": torch.nextafter, "complex": torch.complex, "bitwise_left_shift": left_shift,
    "bitwise_right_shift": right_shift, "logical_right_shift": logical_right_shift,
}  # fmt: skip
# Operands that have to be scalars: they follow the tensors.
SCALARS = {"clamp": (1, 3), "threshold": (1, 2), "addcmul": (2,)}
NAMES = set(WIDE) | set(NATIVE)


def operand(name, tensor):
    """A tensor in the type in which torch computes the reference."""
    if name in REAL and whole(tensor):
        return tensor.to(torch.float64)
    if tensor.dtype == torch.bool and not name.startswith("bitwise"):
        return tensor.to(torch.int64)  # arithmetic of Bool is that of 0 and 1, and what is not 0 is true
    return wide(tensor)


def reference(name, tensors):
    """The operation on tensors of any dtype and its scalars."""
    if name in NATIVE:
        return NATIVE[name](*tensors)
    return WIDE[name](*[operand(name, tensor) for tensor in tensors], *SCALARS.get(name, ()))
