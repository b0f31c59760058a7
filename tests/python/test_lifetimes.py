# SPDX-License-Identifier: Apache-2.0
"""What Python holds stays valid when all else is deleted, in any order; one node is one object of its own class."""

import gc
import os
import weakref

import numpy as np
import pytest
from every_member import EXCUSED, Scene, all_members, call, seeded

import nvfuser
from nvfuser import _C, DataType, FusionDefinition, FusionGuard, NvfError, ops

SEED = int(os.environ.get("NVFUSER_TEST_SEED", "7"))


def look(value, depth=2):
    """Uses an object in every way that leads on to others."""
    assert repr(value) and str(value) is not None
    if depth == 0:
        return
    if isinstance(value, (list, tuple)):
        for item in value:
            look(item, depth)
    if isinstance(value, _C.Val):
        found = [value.definition(), *value.uses(), value.fusion()]
        found += (
            [value.axis(0), value.domain(), *value.shape()] if isinstance(value, _C.TensorView) and value.ndim else []
        )
        found += [value.extent()] if isinstance(value, _C.IterDomain) else []
    elif isinstance(value, _C.Expr):
        found = [value.input(0), value.output(0)]
    elif isinstance(value, _C.Fusion):
        found = [*value.inputs(), *value.outputs(), *value.vals(), *value.exprs()]
    else:
        return
    for item in found:
        look(item, depth - 1)


def drop_owners(owners, result, rng):
    """Deletes all objects in an order of the seed's, and looks at what the call gave in between."""
    names = list(owners)
    rng.shuffle(names)
    for k, name in enumerate(names):
        del owners[name]
        if k % 6 == 0:
            look(result, 1)
    gc.collect()
    look(result)


def attempt(member, signature, rng):
    """What the call came to: returned, raised, or the TypeError that the arguments were not taken."""
    refused = None
    for dtype in Scene.DTYPES:
        scene = Scene(dtype, rng)
        try:
            result = call(member, signature, scene)
        except NvfError:
            continue
        except TypeError as error:
            if "incompatible function arguments" in str(error):
                refused = error
            continue
        except (ValueError, NotImplementedError):
            continue
        drop_owners(scene.owners, result, rng)
        return "returned", None
    return ("refused", refused) if refused else ("raised", None)


def test_every_member_in_any_order_of_destruction(capsys):
    """Each bound member is called; what it gave outlives its owners, which die in random order."""
    rng, outcomes, refused = seeded(SEED), {}, {}
    threshold = gc.get_threshold()
    gc.set_threshold(40, 2, 2)
    try:
        for member in all_members():
            if member.name in EXCUSED:
                continue
            if not member.signatures:
                assert member.kind == "constructor", member.name
                with pytest.raises(TypeError):
                    member.owner()
            for signature in member.signatures:
                outcome, error = attempt(member, signature, rng)
                outcomes.setdefault(outcome, []).append(f"{member.name} ({member.kind})")
                if error is not None:
                    refused[signature] = error
    finally:
        gc.set_threshold(*threshold)
    with capsys.disabled():
        print(f"\nmembers called, seed {SEED}: " + ", ".join(f"{len(v)} {k}" for k, v in sorted(outcomes.items())))
        if os.environ.get("NVFUSER_TEST_LIST"):
            print("\n".join(f"{outcome}: {', '.join(names)}" for outcome, names in outcomes.items()))
    assert not refused, refused
    assert len(outcomes["returned"]) > 9 * len(outcomes.get("raised", []))


def test_reasons_name_members():
    """An excuse for a member that is not there would hide the next one of that name."""
    assert set(EXCUSED) <= {member.name for member in all_members()}


def test_one_node_is_one_object():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 1], contiguity=True)
        y = ops.squeeze(ops.broadcast(x, [False, False, True]), [1])
        fd.add_output(y)
    assert fd.fusion.inputs()[0] is x and fd.fusion.outputs()[0] is y and x.fusion() is fd.fusion
    assert x.uses()[0] is x.uses()[0].output(0).definition() and x.uses()[0].input(0) is x
    assert x.axis(0) is x.get_logical_domain()[0] is x.get_loop_domain()[0] is x.axis(-2)
    assert x.domain() is x.domain() and x.axis(0).extent() is x.axis(0).extent() is x.size(0)
    assert {type(value) for value in fd.fusion.vals()} == {_C.Val, _C.TensorView}
    assert type(x.axis(0)) is _C.IterDomain and type(x.domain()) is _C.TensorDomain
    assert nvfuser.FusionExecutorCache(fd.fusion).fusion().outputs()[0] is y


def test_nodes_outlive_a_fusion_that_an_executor_took():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x + 1.0)
    executor = nvfuser.FusionExecutorCache(fd.fusion)
    definition = fd.fusion.outputs()[0].definition()
    (result,) = executor.execute([np.ones(2, np.float32)], target="evaluator")
    del executor, fd
    gc.collect()
    assert definition.input(0) is x and definition.output(0).fusion().inputs() == [x]
    assert result.tolist() == [2.0, 2.0]


def test_cycles_are_collected():
    """Definitions in cycles of Python's die with the fusion that they hold."""

    class Model:
        pass

    model = Model()
    with FusionDefinition() as fd:
        model.x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(model.x * 2.0)
    fd.execute([np.ones(2, np.float32)], target="evaluator")
    model.fd, fd.model, fd.me = fd, model, [fd, model]
    cache = nvfuser.FusionExecutorCache(fd.fusion)
    cache.me = cache
    dead = [weakref.ref(value) for value in (model, fd, cache)]
    kept = model.x
    del model, fd, cache
    gc.collect()
    assert [reference() for reference in dead] == [None] * 3
    assert kept.fusion().inputs() == [kept]


def test_lists_hold_their_nodes():
    guard = FusionGuard(fusion := _C.Fusion())
    x = nvfuser.define_tensor(shape=[2, 3], contiguity=True, dtype=DataType.Int)
    nodes = [*ops.neg(x).definition().output(0).uses(), *x.shape(), *x.get_logical_domain(), *fusion.exprs()]
    guard.release()
    del x, guard, fusion
    gc.collect()
    assert [str(node) for node in nodes][:4] == ["2", "3", "iS0{2}", "iS1{3}"] and nodes[-1].input(0).ndim == 2
