# SPDX-License-Identifier: Apache-2.0
"""Conversions to the 8-bit floats by their definitions: torch's depend on its version beyond the limits."""

import torch

# Exponent bits, fraction bits, the code of the largest finite value, the code of what is beyond it.
FORMATS = {torch.float8_e4m3fn: (4, 3, 0x7E, 0x7E), torch.float8_e5m2: (5, 2, 0x7B, 0x7C)}


def magnitude(code, exponent_bits, fraction_bits):
    """The value of a code without sign, as if no code were special."""
    bias = (1 << (exponent_bits - 1)) - 1
    exponent, fraction = code >> fraction_bits, code & ((1 << fraction_bits) - 1)
    if exponent == 0:
        return fraction * 2.0 ** (1 - bias - fraction_bits)
    return (1 + fraction / (1 << fraction_bits)) * 2.0 ** (exponent - bias)


def exponent_code(size):
    """float8_e8m0fnu: code c is 2^(c - 127); a tie goes up, and so does all between the two smallest values."""
    fraction, exponent = torch.frexp(size)  # the fraction is at least 0.5
    code = exponent + 126 + (fraction >= 0.75)
    code = torch.where(size < 2.0**-126, size > 2.0**-127, code)
    return torch.where(size.isfinite(), code, 0xFF)


def signed_code(numbers, dtype):
    exponent_bits, fraction_bits, largest, beyond = FORMATS[dtype]
    values = torch.tensor(
        [magnitude(code, exponent_bits, fraction_bits) for code in range(largest + 2)], dtype=numbers.dtype
    )
    middles = (values[1:] + values[:-1]) / 2
    below = torch.searchsorted(middles, numbers.abs())  # a tie counts as below
    above = torch.searchsorted(middles, numbers.abs(), right=True)
    code = torch.where(below % 2 == 0, below, above)  # ties to even
    code = torch.where(code > largest, beyond, code)
    return torch.where(numbers.isnan(), 0x7F, code) + 0x80 * torch.signbit(numbers)


def narrowed(tensor, dtype):
    """A tensor of numbers in an 8-bit float, by way of float32 as in torch."""
    numbers = tensor.to(torch.float32).to(torch.float64)
    code = exponent_code(numbers.abs()) if dtype == torch.float8_e8m0fnu else signed_code(numbers, dtype)
    return code.to(torch.uint8).view(dtype)
