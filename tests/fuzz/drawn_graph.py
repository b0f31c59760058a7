# SPDX-License-Identifier: Apache-2.0
"""One random graph: its fusion, its inputs, and for each output how far a result may lie from the float64 reference.

Everything follows from the seed.  A value carries a bound of its magnitude and of its error.  Operations that would
blow the error up (rounding to integers, comparisons, singular points) make it unknown: such a value is compared
between the ways to run alone, where every bit has to agree.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy as np
from drawn_forms import add_regular, add_turned
from drawn_input import (
    CAST_DTYPES,
    COMPLEX,
    FLOATS,
    INPUT_DTYPES,
    INTEGERS,
    NARROW,
    DrawnInput,
    dense,
    draw_layout,
    draw_values,
    rounding,
)
from drawn_reduce import add_rows, reduce

from nvfuser import DataType, DTypeError, FusionDefinition
from nvfuser._C import pointwise_table

DEVICES = ("A100", "H200", "B200", "RTX5090")
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 32, 33, 48, 64, 100, 127)
ELEMENTS = 6000

# Continuous operations of slope at most 1 (sin: of slope 1 and so on), with the bound of the result.
SMOOTH = {
    "neg": lambda b: b, "abs": lambda b: b, "relu": lambda b: b, "tanh": lambda b: min(b, 1.0),
    "sigmoid": lambda b: 1.0, "sin": lambda b: min(b, 1.0), "cos": lambda b: 1.0, "atan": lambda b: min(b, 1.6),
    "silu": lambda b: b, "erf": lambda b: min(1.13 * b, 1.0),
}  # fmt: skip
SLOPE = {"erf": 1.13, "silu": 1.1}
# After abs(x) + 0.5 these are of slope 8 at most.
SAFE_AWAY_FROM_ZERO = {
    "sqrt": lambda b: math.sqrt(b + 0.5),
    "rsqrt": lambda b: 1.5,
    "reciprocal": lambda b: 2.0,
    "log": lambda b: b + 1.0,
}
JOINING = ("add", "sub", "mul", "minimum", "maximum")
COMPARING = ("eq", "ne", "lt", "le", "gt", "ge")
# Results that depend on the sign of a NaN or on a NaN's integer value.
SIGN_OF_NAN = ("signbit", "atan2")


@dataclass
class Value:
    """A tensor of the graph.  `error` 0 means exact, None unknown."""

    tensor: object
    shape: list[tuple[int, bool]]  # size, and whether the axis is defined with size 1 and so may be broadcast
    dtype: DataType
    bound: float
    error: float | None
    special: bool = False  # may hold NaN or infinities
    loose: bool = False  # the ways to run may differ in bits

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(n for n, _ in self.shape)


@dataclass
class Graph:
    seed: int
    definition: FusionDefinition
    device: str
    fiber_seed: int
    inputs: list[DrawnInput | float]
    outputs: list[Value] = field(default_factory=list)  # visible ones, in order
    aliased: bool = False


class Drawing:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.pool: list[Value] = []
        self.inputs: list[DrawnInput | float] = []
        self.input_values: list[Value] = []
        self.scalars: list[tuple[object, float]] = []
        self.used = False  # some input is written into
        self.loose = False  # a sum of floats has been drawn
        self.results: list[tuple[Value, Value | None]] = []  # outputs that a form wants, and what each is written into

    def draw(self, forms: tuple) -> Graph:
        rng = self.rng
        fd = FusionDefinition()
        self.fd, self.ops = fd, fd.ops
        self.letters = [rng.choice(SIZES) for _ in range(3)]
        if rng.random() < 0.8:
            self.letters = [n or 6 for n in self.letters]
        with fd:
            form = rng.choices([f for f, _ in forms], weights=[weight for _, weight in forms])[0]
            for _ in range(rng.randint(1, 3) if form is None else rng.choice((0, 0, 1))):
                self.add_input()
            if form is not None:
                form(self)
            if rng.random() < 0.3:
                number = rng.choice([-1.5, 0.25, 2.0])
                self.scalars.append((fd.define_scalar(dtype=DataType.Double), number))
                self.inputs.append(number)
            for _ in range(rng.randint(1, 8) if form is None else rng.choice((0, 0, 1, 2))):
                self.step()
            graph = Graph(self.seed, fd, rng.choice(DEVICES), rng.randint(1, 1 << 30), self.inputs)
            self.add_outputs(graph)
        return graph

    # ---- inputs ----

    def add_input(self, wanted: list[int] | None = None, dtype: DataType | None = None) -> Value:
        """`wanted`: dense, of these sizes."""
        rng = self.rng
        ranks = (0, 1, 2, 2, 3, 3, 4, 5)
        shape = wanted or [rng.choice(self.letters) if rng.random() < 0.85 else 1 for _ in range(rng.choice(ranks))]
        while wanted is None and math.prod(shape) > ELEMENTS:
            shape[shape.index(max(shape))] = 2
        dtype = dtype or rng.choice(INPUT_DTYPES)
        strides, offset = draw_layout(rng, shape) if wanted is None else (dense(shape), rng.choice((0, 0, 0, 16, 4)))
        room, bound, special = draw_values(
            rng, self.numbers, dtype, offset + 1 + sum(max(n - 1, 0) * s for n, s in zip(shape, strides, strict=True))
        )
        drawn = DrawnInput(room, shape, strides, offset)
        kind = rng.random()
        if kind < 0.7:
            static = rng.random() < 0.3
            tensor = self.fd.from_pytorch(drawn.view(), static_sizes=static)
            flags = [n == 1 for n in shape]
        else:
            ones = rng.random() < 0.5
            tensor = self.fd.define_tensor(
                shape=[1 if n == 1 and ones else -1 for n in shape], contiguity=False, dtype=dtype
            )
            flags = [n == 1 and ones for n in shape]
        self.inputs.append(drawn)
        value = Value(tensor, list(zip(shape, flags, strict=True)), dtype, bound, None if special else 0.0, special)
        self.pool.append(value)
        self.input_values.append(value)
        return value

    # ---- operations ----

    def step(self) -> None:
        rng = self.rng
        makers = (
            self.unary, self.unary, self.binary, self.binary, self.binary, self.number, self.any_operation, self.select,
            self.convert, self.convert, self.permute, self.broadcast, self.grow, self.squeeze, self.in_dim, self.count,
            self.fill, self.copy, self.transposed_mate, self.transposed_mate, lambda x: reduce(self, x),
            lambda x: reduce(self, x),
        )  # fmt: skip
        try:
            value = rng.choice(makers)(rng.choice(self.pool[-4:]))
        except DTypeError:
            return
        if value is not None:
            assert value.tensor.ndim == len(value.shape), (
                f"rank {value.tensor.ndim} of {value.tensor}, expected {value.shape}"
            )
            self.pool.append(value)

    def result(
        self, tensor: object, shape: list[tuple[int, bool]], bound: float, error: float | None, special: bool = False
    ) -> Value | None:
        """A new value with the rounding of its dtype; unknown where the bound or the error is too large."""
        dtype = tensor.dtype
        dtype = dtype() if callable(dtype) else dtype
        if dtype in FLOATS and error is not None:
            error += 8 * rounding(dtype if dtype not in NARROW else DataType.Float, bound)
            error += rounding(dtype, bound) if dtype in NARROW else 0.0
            if bound > FLOATS[dtype][2] or error > 0.1 * max(bound, 1.0):
                error = None
        elif error is not None and (error > 0 or bound >= INTEGERS.get(dtype, 2)):
            error = None if error > 0 else 0.0
            bound = min(bound, float(INTEGERS.get(dtype, 2)))
        return Value(tensor, shape, dtype, bound, error, special or (error is None and dtype in FLOATS), self.loose)

    def unary(self, x: Value) -> Value | None:
        if x.dtype not in FLOATS or x.dtype in COMPLEX:
            name = self.rng.choice(("neg", "abs"))
            bound = 2.0**64 if name == "neg" and x.dtype == DataType.UInt64 else x.bound
            return self.result(getattr(self.ops, name)(x.tensor), x.shape, bound, x.error, x.special)
        if self.rng.random() < 0.3:
            name = self.rng.choice(list(SAFE_AWAY_FROM_ZERO))
            t = getattr(self.ops, name)(self.ops.add(self.ops.abs(x.tensor), 0.5))
            error = None if x.error is None else 8 * (x.error + rounding(DataType.Float, x.bound))
            return self.result(t, x.shape, SAFE_AWAY_FROM_ZERO[name](x.bound), error, x.special)
        name = self.rng.choice(list(SMOOTH))
        error = None if x.error is None else x.error * SLOPE.get(name, 1.0)
        return self.result(getattr(self.ops, name)(x.tensor), x.shape, SMOOTH[name](x.bound), error, x.special)

    def mates(self, x: Value) -> list[Value]:
        def fits(a: tuple[int, bool], b: tuple[int, bool]) -> bool:
            return a[0] == b[0] or a[1] or b[1]

        return [
            y for y in self.pool if all(fits(a, b) for a, b in zip(reversed(x.shape), reversed(y.shape), strict=False))
        ]

    @staticmethod
    def joined_shape(*values: Value) -> list[tuple[int, bool]]:
        rank = max(len(v.shape) for v in values)
        padded = [[(1, True)] * (rank - len(v.shape)) + v.shape for v in values]
        shape = []
        for axes in zip(*padded, strict=True):
            real = [a for a in axes if not a[1]]
            shape.append(real[0] if real else axes[0])
        return shape

    def joined(self, name: str, t: object, shape: list[tuple[int, bool]], x: Value, y: Value) -> Value | None:
        known = x.error is not None and y.error is not None
        special = x.special or y.special
        if name == "mul":
            error = x.error * y.bound + y.error * x.bound + x.error * y.error if known else None
            return self.result(t, shape, x.bound * y.bound, error, special)
        bound = x.bound + y.bound if name in ("add", "sub") else max(x.bound, y.bound)
        if DataType.UInt64 in (x.dtype, y.dtype) and name == "sub":
            bound = 2.0**64
        return self.result(t, shape, bound, x.error + y.error if known else None, special)

    def binary(self, x: Value) -> Value | None:
        y = self.rng.choice(self.mates(x))
        shape = self.joined_shape(x, y)
        if self.rng.random() < 0.15:
            t = getattr(self.ops, self.rng.choice(COMPARING))(x.tensor, y.tensor)
            return self.result(t, shape, 1.0, 0.0 if x.error == 0.0 and y.error == 0.0 else None)
        if x.dtype == DataType.Bool and y.dtype == DataType.Bool:
            return None
        name = self.rng.choice(JOINING)
        # Negative numbers become large when the other side is unsigned.
        if DataType.UInt64 in (x.dtype, y.dtype) and x.dtype != y.dtype:
            x = Value(x.tensor, x.shape, x.dtype, 2.0**64, x.error)
        t = getattr(self.ops, name)(*((x.tensor, y.tensor) if self.rng.random() < 0.5 else (y.tensor, x.tensor)))
        return self.joined(name, t, shape, x, y)

    def transposed_mate(self, x: Value) -> Value | None:
        """x and its own transpose, where two axes are equal."""
        pairs = [(a, b) for a in range(len(x.shape)) for b in range(a) if x.shape[a] == x.shape[b]]
        if not pairs:
            return self.permute(x)
        a, b = self.rng.choice(pairs)
        dims = list(range(len(x.shape)))
        dims[a], dims[b] = b, a
        y = Value(self.ops.permute(x.tensor, dims), x.shape, x.dtype, x.bound, x.error, x.special)
        return None if x.dtype == DataType.Bool else self.joined("sub", self.ops.sub(x.tensor, y.tensor), x.shape, x, y)

    def number(self, x: Value) -> Value | None:
        """A constant or a scalar input."""
        if x.dtype == DataType.Bool:
            return None
        scalar, number = (
            self.rng.choice(self.scalars)
            if self.scalars and self.rng.random() < 0.6
            else (None, self.rng.choice([2, -1, 0.5, 1.25]))
        )
        y = Value(None, [], x.dtype, abs(number), 0.0)
        if x.dtype == DataType.UInt64:
            return None
        name = self.rng.choice(JOINING if x.dtype not in COMPLEX else ("add", "mul"))
        t = getattr(self.ops, name)(x.tensor, number if scalar is None else scalar)
        return self.joined(name, t, x.shape, x, y)

    def any_operation(self, x: Value) -> Value | None:
        """Any row of the table; the ways to run are compared with each other."""
        rows = [row for row in pointwise_table() if row[1] <= 2 and row[0] not in SIGN_OF_NAN]
        name, arity, _, _ = self.rng.choice(rows)
        y = self.rng.choice(self.mates(x))
        operands = (x, y)[:arity]
        t = getattr(self.ops, name)(*(v.tensor for v in operands))
        return self.result(t, self.joined_shape(*operands), 2.0**64, None, True)

    def select(self, x: Value) -> Value | None:
        conditions = [v for v in self.mates(x) if v.dtype == DataType.Bool]
        y = self.rng.choice(self.mates(x))
        if not conditions:
            return (
                self.result(self.ops.clamp(x.tensor, -1, 1), x.shape, 1.0, x.error, x.special)
                if x.dtype in FLOATS
                else None
            )
        c = self.rng.choice(conditions)
        if c not in self.mates(y):
            return None
        if DataType.UInt64 in (x.dtype, y.dtype) and x.dtype != y.dtype:
            return None
        known = None not in (x.error, y.error, c.error)
        t = self.ops.where(c.tensor, x.tensor, y.tensor)
        return self.result(
            t,
            self.joined_shape(c, x, y),
            max(x.bound, y.bound),
            max(x.error, y.error) if known else None,
            x.special or y.special,
        )

    def convert(self, x: Value) -> Value | None:
        dtype = self.rng.choice(CAST_DTYPES)
        if dtype in INTEGERS and (x.special or x.bound > 1e4):
            return None
        if x.dtype in INTEGERS and dtype in NARROW and x.bound > 200:
            return None
        t = self.ops.cast(x.tensor, dtype)
        exact = x.error == 0.0 and (dtype not in INTEGERS or x.dtype not in FLOATS or x.bound < 1e4)
        if dtype == DataType.Bool or dtype in INTEGERS:
            bound = 1.0 if dtype == DataType.Bool else x.bound
            if dtype == DataType.UInt64 and x.dtype not in (DataType.Bool, DataType.UInt64):
                return None if x.dtype in FLOATS else self.result(t, x.shape, 2.0**64, 0.0 if exact else None)
            return self.result(t, x.shape, bound, 0.0 if exact else None)
        return self.result(t, x.shape, x.bound, x.error, x.special)

    def same(self, x: Value, tensor: object, shape: list[tuple[int, bool]]) -> Value:
        return Value(tensor, shape, x.dtype, x.bound, x.error, x.special, x.loose)

    def permute(self, x: Value) -> Value | None:
        dims = list(range(len(x.shape)))
        self.rng.shuffle(dims)
        return self.same(x, self.ops.permute(x.tensor, dims), [x.shape[d] for d in dims])

    def broadcast(self, x: Value) -> Value | None:
        if len(x.shape) >= 5:
            return None
        flags = [False] * len(x.shape)
        flags.insert(self.rng.randint(0, len(flags)), True)
        old = iter(x.shape)
        return self.same(x, self.ops.broadcast(x.tensor, flags), [(1, True) if f else next(old) for f in flags])

    def grow(self, x: Value) -> Value | None:
        places = [k for k, (_, flag) in enumerate(x.shape) if flag]
        if not places:
            return self.broadcast(x)
        place, size = self.rng.choice(places), self.rng.choice(self.letters)
        if size == 1 or math.prod(x.sizes) * size > ELEMENTS:
            return None
        shape = list(x.shape)
        shape[place] = (size, False)
        wanted = [size if k == place else -1 for k in range(len(shape))]
        return self.same(x, self.ops.expand(x.tensor, wanted), shape)

    def squeeze(self, x: Value) -> Value | None:
        places = [k for k, (_, flag) in enumerate(x.shape) if flag]
        if not places:
            return None
        place = self.rng.choice(places)
        return self.same(x, self.ops.squeeze(x.tensor, [place]), x.shape[:place] + x.shape[place + 1 :])

    def in_dim(self, x: Value) -> Value | None:
        rank = self.rng.randint(len(x.shape), 5)
        dims = sorted(self.rng.sample(range(rank), len(x.shape)))
        shape = [(self.rng.choice(self.letters), False) for _ in range(rank)]
        shape = [(n, n == 1) for n, _ in shape]
        for d, axis in zip(dims, x.shape, strict=True):
            shape[d] = axis
        if math.prod(n for n, _ in shape) > ELEMENTS or any(n == 1 and not flag for n, flag in shape):
            return None
        return self.same(x, self.ops.broadcast_in_dim(x.tensor, [n for n, _ in shape], dims), shape)

    def count(self, x: Value) -> Value | None:
        if not x.shape or x.shape[-1][1]:
            return None
        size = x.sizes[-1]
        length = self.ops.size(x.tensor, -1) if self.rng.random() < 0.5 else size
        dtype = self.rng.choice((DataType.Int, DataType.Int32, DataType.Float, DataType.Double))
        start, step = self.rng.choice(((0, 1), (3, -2), (1, 5)))
        number = (lambda n: float(n)) if dtype in FLOATS else (lambda n: n)
        t = self.ops.iota(length, number(start), number(step), dtype)
        return self.result(t, [x.shape[-1]], abs(start) + abs(step) * max(size, 1), 0.0)

    def fill(self, x: Value) -> Value | None:
        dtype = self.rng.choice(INPUT_DTYPES)
        if dtype == DataType.Bool or x.dtype == DataType.Bool:
            number: object = True
        else:
            number = 2 if dtype in INTEGERS else 0.5
        t = self.ops.full([n for n, _ in x.shape], number, dtype)
        return self.result(t, [(n, n == 1) for n in x.sizes], 2.0, 0.0)

    def copy(self, x: Value) -> Value | None:
        kind = self.rng.random()
        if kind < 0.4:
            return self.same(x, self.ops.set(x.tensor), x.shape)
        if kind < 0.7:
            return self.same(x, self.ops.segment_set(x.tensor), x.shape)
        order = list(range(len(x.shape)))
        self.rng.shuffle(order)
        return self.same(x, self.ops.stride_order(x.tensor, order), x.shape)

    # ---- outputs ----

    def add_outputs(self, graph: Graph) -> None:
        rng = self.rng
        made = self.pool[len(self.input_values) :] or self.pool
        chosen = [made[-1]] if not self.results or rng.random() < 0.3 else []
        chosen += [rng.choice(self.pool) for _ in range(rng.choice((0, 0, 1, 2, 3)) if not self.results else 0)]
        for value, target in self.results + [(value, self.alias_target(value)) for value in chosen]:
            if target is not None:
                self.fd.add_output(value.tensor, target.tensor)
                graph.aliased = True
            elif value not in self.input_values or rng.random() < 0.3:
                self.fd.add_output(value.tensor)
                graph.outputs.append(value)
        if not graph.outputs:
            extra = self.ops.set(self.pool[0].tensor)
            self.fd.add_output(extra)
            graph.outputs.append(self.same(self.pool[0], extra, self.pool[0].shape))

    def alias_target(self, value: Value) -> Value | None:
        """Now and then an input of equal shape and dtype, no element of which shares memory with another."""
        taken = self.used or any(target for _, target in self.results)
        if taken or self.rng.random() > 0.15 or value in self.input_values or value.loose:
            return None
        drawn = [d for d in self.inputs if isinstance(d, DrawnInput)]
        for target, memory in zip(self.input_values, drawn, strict=True):
            dense = all(s != 0 or n <= 1 for n, s in zip(memory.sizes, memory.strides, strict=True))
            if dense and target.dtype == value.dtype and target.sizes == value.sizes:
                self.used = True
                return target
        return None


# How graphs begin, and how often: with inputs of any layout, or with dense ones and their sum.
FORMS = ((None, 4), (add_regular, 2), (add_turned, 1), (add_rows, 2))
TURNED_FORMS = ((add_turned, 1),)


def draw(seed: int, forms: tuple = FORMS) -> Graph:
    return Drawing(seed).draw(forms)
