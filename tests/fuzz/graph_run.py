# SPDX-License-Identifier: Apache-2.0
"""Runs one random graph in every way that needs no GPU, and says what is wrong with the results."""

from __future__ import annotations

import numpy as np
import torch
from drawn_graph import Graph, Value
from drawn_input import DrawnInput

from nvfuser import Way
from nvfuser.validation import as_float64

WAYS = (Way.evaluator, Way.host, Way.emulator)
BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def fresh_inputs(graph: Graph) -> tuple[list, list[torch.Tensor]]:
    """Inputs in memory of their own, and that memory."""
    rooms = [d.room.clone() for d in graph.inputs if isinstance(d, DrawnInput)]
    left = iter(rooms)
    return [d.view(next(left)) if isinstance(d, DrawnInput) else d for d in graph.inputs], rooms


def words(tensor: torch.Tensor) -> torch.Tensor:
    """The bits of the elements."""
    if tensor.dtype.is_complex:
        tensor = torch.view_as_real(tensor)
    return tensor if tensor.dtype == torch.bool else tensor.contiguous().view(BITS[tensor.dtype.itemsize])


def values(tensor: torch.Tensor) -> np.ndarray:
    """Numbers of which equal bits are equal; every NaN counts as one."""
    if tensor.dtype.is_complex:
        tensor = torch.view_as_real(tensor)
    if not tensor.dtype.is_floating_point:
        return words(tensor).numpy()
    wide = tensor.contiguous().double()
    return torch.where(wide.isnan(), float("nan"), wide).view(torch.int64).numpy()


def layout_of(tensor: torch.Tensor) -> str:
    return f"{tensor.dtype} {list(tensor.shape)} {tensor.stride()}"


def compare_bits(what: str, way: Way, got: torch.Tensor, want: torch.Tensor) -> str | None:
    strided = got.stride() != want.stride() and got.numel() > 1
    if got.shape != want.shape or got.dtype != want.dtype or strided:
        return f"{what} on {way.name}: {layout_of(got)}, evaluator {layout_of(want)}"
    if torch.equal(words(got), words(want)):
        return None
    a, b = values(got), values(want)
    if np.array_equal(a, b):
        return None
    place = tuple(int(k) for k in np.argwhere(a != b)[0])[: got.dim()]
    numbers = f"{got[place]!r}, evaluator {want[place]!r} ({int(np.sum(a != b))} of {a.size})"
    return f"{what} on {way.name} differs from the evaluator at {place}: {numbers}"


def compare_reference(k: int, value: Value, got: torch.Tensor, want: np.ndarray) -> str | None:
    if value.error is None:
        return None
    a = as_float64(got)
    with np.errstate(all="ignore"):
        same = a == want if value.error == 0.0 else np.abs(a - want) <= 2 * value.error
    if np.all(same):
        return None
    place = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
    numbers = f"{a[place]}, expected {want[place]} within {2 * value.error} ({int(np.sum(~same))} of {a.size})"
    return f"output {k} differs from float64 at {place}: {numbers}"


def run_graph(graph: Graph, exact_host: bool) -> str | None:
    """What went wrong, or None.  `exact_host`: the host has to agree with the evaluator in every bit."""
    reference, _ = fresh_inputs(graph)
    results = {}
    for way in WAYS:
        inputs, rooms = fresh_inputs(graph)
        device = graph.device if way == Way.emulator else ""
        outputs = graph.definition.execute(inputs, target=way, schedule_for=device, seed=graph.fiber_seed)
        if graph.definition.last_way != way:
            return f"{way.name} was asked for, {graph.definition.last_way.name} ran"
        results[way] = (outputs, rooms)
    want_outputs, want_rooms = results[Way.evaluator]
    for way in (Way.host, Way.emulator) if exact_host else (Way.emulator,):
        outputs, rooms = results[way]
        pairs = [
            (f"output {k}", g, w)
            for k, (g, w, value) in enumerate(zip(outputs, want_outputs, graph.outputs, strict=True))
            if not value.loose
        ]
        pairs += [(f"memory of input {k}", g, w) for k, (g, w) in enumerate(zip(rooms, want_rooms, strict=True))]
        for what, got, want in pairs:
            problem = compare_bits(what, way, got, want)
            if problem:
                return problem
    expected = graph.definition.reference(reference)
    if len(expected) != len(graph.outputs):
        return f"{len(expected)} outputs, expected {len(graph.outputs)}"
    for k, value in enumerate(graph.outputs):
        for way in WAYS:
            problem = compare_reference(k, value, results[way][0][k], expected[k])
            if problem:
                return f"{problem} ({way.name})"
    return None
