# SPDX-License-Identifier: Apache-2.0
#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Coefficients of the float polynomials in src/nvfuser/device/generic/math_*.h.

Each row of FITS is fitted in the minimax sense by Remez's exchange with 40 digits; the coefficients are then rounded to
float one by one, lowest power first, and those that remain are fitted again after each; highest power first where 0 is
inside of the interval, since powers without a constant have no unique minimax fit there.  Needs numpy and mpmath.

Usage: minimax.py [NAME ...]   prints coefficients, lowest power first, and the weighted error that is left.
"""

import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 40
LN2 = mp.log(2)


def inverse_erf(y):
    """erfinv of 1 - y for tiny y too: mp.erfinv loses digits close to 1."""
    if y > mp.mpf("1e-3"):
        return mp.erfinv(1 - y)
    x = mp.sqrt(-mp.log(y))
    return mp.findroot(lambda t: mp.log(mp.erfc(t)) - mp.log(y), x * mp.mpf("0.97"))


def central(w):
    """erfinv(t) / t as a function of w = -log(1 - t^2)."""
    u = mp.exp(-w)
    t = mp.sqrt(1 - u)
    return mp.sqrt(mp.pi) / 2 if w == 0 else inverse_erf(u / (1 + t)) / t


def scaled_erfc(x):
    """(1 + 2x) exp(x^2) erfc(x), which is flat on the positive axis."""
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def of_erfc_variable(t):
    """scaled_erfc as a function of t = (x - 2) / (x + 2)."""
    return scaled_erfc(2 * (1 + t) / (1 - t))


# name: (function, powers, low, high, weight); the fit minimises |polynomial - function| * weight.
FITS = {
    "exp": (lambda r: mp.exp(r) - 1 - r, range(2, 7), -0.3475, 0.3475, lambda r: mp.exp(-r)),
    "exp2": (lambda r: 2**r, range(0, 7), -0.5001, 0.5001, lambda r: 2**-r),
    "log": (lambda f: mp.log1p(f) - f + f * f / 2, range(3, 12), -0.2930, 0.4143, lambda f: 1 / mp.log1p(f)),
    "tanh": (lambda x: mp.tanh(x) - x, range(3, 12, 2), 0.001, 0.6255, lambda x: 1 / mp.tanh(x)),
    "sinh": (lambda x: mp.sinh(x) - x, range(3, 10, 2), 0.001, 1.001, lambda x: 1 / mp.sinh(x)),
    "sin": (lambda x: mp.sin(x) - x, range(3, 8, 2), 0.001, 0.7855, lambda x: 1 / mp.sin(x)),
    "cos": (lambda x: mp.cos(x) - 1 + x * x / 2, range(4, 9, 2), 0.001, 0.7855, lambda x: 1),
    "tan": (lambda x: mp.tan(x) - x, range(3, 16, 2), 0.001, 0.7855, lambda x: 1 / mp.tan(x)),
    "asin": (lambda x: mp.asin(x) - x, range(3, 14, 2), 0.001, 0.5, lambda x: 1 / mp.asin(x)),
    "atan": (lambda x: mp.atan(x) - x, range(3, 20, 2), 0.001, 1.0, lambda x: 1 / mp.atan(x)),
    "asinh": (lambda x: mp.asinh(x) - x, range(3, 16, 2), 0.001, 0.5, lambda x: 1 / mp.asinh(x)),
    "atanh": (lambda x: mp.atanh(x) - x, range(3, 16, 2), 0.001, 0.5, lambda x: 1 / mp.atanh(x)),
    "erf": (lambda x: mp.erf(x) - x, range(1, 12, 2), 0.001, 0.84, lambda x: 1 / mp.erf(x)),
    "erf_tail": (lambda x: -mp.log(mp.erfc(x)) / LN2, range(0, 7), 0.82, 3.93, lambda x: mp.erfc(x) / mp.erf(x)),
    "erfc": (of_erfc_variable, range(0, 12), -1.0, 0.676, lambda t: 1),
    "erfinv_tail": (lambda s: central((s + 3) ** 2), range(0, 10), -0.77, 1.13, lambda s: 1 / central((s + 3) ** 2)),
    "erfinv_far": (lambda s: central((s + 5) ** 2), range(0, 10), -0.9, 5.25, lambda s: 1 / central((s + 5) ** 2)),
    "erfinv": (central, range(0, 10), 0.0, 5.0, lambda w: 1 / central(w)),
}


def solve(nodes, basis, values, weights):
    """Coefficients and levelled error on the alternation points `nodes` (indices into the sampled arrays)."""
    n = len(basis)
    matrix, right = mp.matrix(n + 1, n + 1), mp.matrix(n + 1, 1)
    for row, i in enumerate(nodes):
        for column in range(n):
            matrix[row, column] = basis[column][i] * weights[i]
        matrix[row, n] = (-1) ** row
        right[row] = values[i] * weights[i]
    answer = mp.lu_solve(matrix, right)
    return [answer[k] for k in range(n)], abs(answer[n])


def alternation(error, count):
    """Indices of `count` extrema of alternating sign, the largest ones."""
    picks = []
    for i in range(len(error)):
        if picks and (error[i] > 0) == (error[picks[-1]] > 0):
            if abs(error[i]) > abs(error[picks[-1]]):
                picks[-1] = i
        else:
            picks.append(i)
    while len(picks) > count:
        heights = [abs(error[i]) for i in picks]
        if len(picks) == count + 1:
            picks.pop(0 if heights[0] < heights[-1] else -1)
        else:
            pairs = [max(heights[k], heights[k + 1]) for k in range(len(picks) - 1)]
            k = pairs.index(min(pairs))
            del picks[k : k + 2]
    return picks


def remez(powers, points, values, weights):
    basis = [[x**p for x in points] for p in powers]
    rows = list(zip(*basis, strict=True))
    size, count = len(points), len(powers) + 1
    nodes = [int(round((size - 1) * (1 - np.cos(np.pi * k / (count - 1))) / 2)) for k in range(count)]
    best, lowest = None, float("inf")
    for _ in range(40):
        answer, level = solve(nodes, basis, values, weights)
        error = [float((mp.fdot(answer, row) - v) * w) for row, v, w in zip(rows, values, weights, strict=True)]
        peak = max(abs(e) for e in error)
        if peak < lowest:
            best, lowest = answer, peak
        nodes = alternation(error, count)
        if peak <= float(level) * 1.005 or len(nodes) < count:
            break
    return best


def fit(name):
    function, powers, low, high, weight = FITS[name]
    size = 400
    points = [mp.mpf(low) + (mp.mpf(high) - low) * (1 - mp.cos(mp.pi * k / (size - 1))) / 2 for k in range(size)]
    points = [min(max(x, mp.mpf(low)), mp.mpf(high) - (mp.mpf("1e-12") if name == "erfc" else 0)) for x in points]
    values, weights = [function(x) for x in points], [mp.mpf(weight(x)) for x in points]
    rest, result = list(powers), {}
    first = -1 if low < 0 < high else 0
    while rest:
        power = rest[first]
        exact = remez(rest, points, values, weights)[first]
        result[power] = np.float32(float(exact))
        values = [v - mp.mpf(float(result[power])) * x**power for v, x in zip(values, points, strict=True)]
        rest.remove(power)
    peak = max(abs(float(v * w)) for v, w in zip(values, weights, strict=True))
    return [result[p] for p in powers], peak


def main():
    for name in sys.argv[1:] or FITS:
        coefficients, peak = fit(name)
        print(f"{name}: error {peak:.2e}")
        print("  " + ", ".join(f"{c:.9g}f" for c in coefficients))


if __name__ == "__main__":
    main()
