# SPDX-License-Identifier: Apache-2.0
"""Wrong elements of sequence arguments: the message names the operation, the user's line, the argument, the element and
the operands.  Over all functions of the compiled module that take sequences, by their signatures."""

import re

import pytest
from every_member import Scene, all_members, parameters_of, seeded

from nvfuser import _C, DataType

TAKERS = [
    (member, signature, position)
    for member in all_members()
    if member.kind == "function" and (member.name.startswith("ops.") or member.name.startswith(("define", "compute")))
    for signature in member.signatures
    for position, parameter in enumerate(parameters_of(signature))
    if parameter.type.startswith("Sequence[") and "None" not in parameter.type
]


class Strange:
    """No element of any sequence."""


def values(member, signature, position, wrong):
    """Arguments of which one sequence has a wrong second element, by name and by position."""
    scene = Scene(DataType.Float, seeded(3))
    named = {}
    for k, p in enumerate(parameters_of(signature)):
        if k == position:
            named[p.name] = [True if "bool" in p.type else 1, wrong]
        elif p.name in ("sizes", "strides", "shape") and member.name != "ops.full":
            named[p.name] = [2, 4]  # of define_tensor: sizes and strides belong together
        elif not p.optional:
            named[p.name] = scene.argument(member.name, p)
    return scene, named


@pytest.mark.parametrize("case", TAKERS, ids=lambda case: f"{case[0].name}.{parameters_of(case[1])[case[2]].name}")
def test_wrong_element(case):
    member, signature, position = case
    name = member.name.removeprefix("ops.")
    scene, named = values(*case, Strange())
    with pytest.raises(TypeError) as caught:
        getattr(_C.ops if member.name.startswith("ops.") else _C, name)(**named)
    scene.owners["guard"].release()
    parameter = parameters_of(signature)[position]
    text = str(caught.value)
    tensors = [value for value in named.values() if isinstance(value, _C.TensorView)]
    operands = re.escape("; operands: " + ", ".join(map(describe, tensors))) if tensors else ""
    place = rf" \({re.escape(__file__)}:\d+ in test_wrong_element\)"
    what = rf"{name}: argument '{parameter.name}', element 1: expected an? [\w ]+, got Strange"
    assert re.fullmatch(what + operands + place, text), text


def describe(tensor):
    sizes = ", ".join("?" if size.is_symbolic() else str(size) for size in tensor.shape())
    return f"{tensor.dtype().name} [{sizes}]"


def test_the_operations_that_take_sequences():
    """A new one comes into the test by its signature; these are known to be there."""
    found = {member.name for member, _, _ in TAKERS}
    assert found >= {"ops.permute", "ops.sum", "ops.var", "ops.expand", "ops.full", "ops.layer_norm", "define_tensor"}
    assert len(found) > 20
