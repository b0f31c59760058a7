# SPDX-License-Identifier: Apache-2.0
"""Bad calls of every member of the compiled module, drawn at random.

    python tests/fuzz/api.py --count 100000 --seed 1

A call mixes arguments that fit with wrong ones (one at least), too few or too many, in any place and under any name.
What may come out is a result or an error of a documented type with a message.  Between the calls the fusion that they
were made on has to evaluate right; at the end no argument is held any more.  Exit status 1 for anything else, as for a
crash.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

os.environ["NVFUSER_CACHE"] = "0"
os.environ["NVFUSER_CXX"] = "/nowhere/no-compiler"  # whatever is asked for, nothing is compiled
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

import numpy as np
from every_member import EXCUSED, Scene, all_members, hidden, parameters_of
from wrong_values import HOSTILE, NUMBERS, OTHERS, OWN, TENSORS

from nvfuser import _C, DataType, FusionExecutorCache

# Members that read or write memory at addresses they are given, or options that outlast the call.
ADDRESSES = {
    "evaluate_float64": "reads and writes at the addresses given",
    "synchronize_stream": "takes a driver's handle",
    "cuda_device_of": "takes an address",
    "report_leaks": "the report at the end stays on",
}
# Where they succeed, the fusion is another one.
CHANGES = ("Fusion.add_input", "Fusion.add_output")
# What the documentation names, and what the arguments' own methods raise.
ERRORS = (RuntimeError, TypeError, ValueError, NotImplementedError, MemoryError, IndexError, KeyError, AssertionError)
FRESH = 40  # calls on one fusion
WRONG = [*NUMBERS, *OTHERS, *TENSORS, *HOSTILE, *(make() for make in OWN)]


def wrong_value(rng: random.Random, scene: Scene) -> Any:
    choice = rng.random()
    if choice < 0.6:
        return rng.choice(WRONG)
    if choice < 0.8:
        return [rng.choice(WRONG) for _ in range(rng.randrange(4))]
    return scene.owners[rng.choice(sorted(scene.owners))]


def arguments(rng: random.Random, member: Any, scene: Scene) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments, of which some are wrong."""
    parameters = [p for p in parameters_of(rng.choice(member.signatures)) if p.name != "self"]
    bad = rng.randrange(len(parameters) + 1)  # the place that is wrong in any case; the last: one argument too many
    positional: list[Any] = []
    named: dict[str, Any] = {}
    by_name = False
    for k, p in enumerate(parameters):
        if k != bad and rng.random() < (0.4 if p.optional else 0.05):
            by_name = True
            continue
        if k == bad or rng.random() < 0.3:
            value = wrong_value(rng, scene)
        else:
            is_way = member.name == "Executable.execute" and p.name == "target"
            value = "evaluator" if is_way else scene.argument(member.name, p)
        by_name = by_name or p.keyword or rng.random() < 0.2
        if by_name and not hidden(p.name):
            named[p.name] = value
        else:
            positional.append(value)
    if bad == len(parameters) and rng.random() < 0.8:
        positional.append(wrong_value(rng, scene))
    elif bad == len(parameters):
        named[rng.choice(["nothing", "x", "dtype", "self"])] = wrong_value(rng, scene)
    return positional, named


def bad_call(rng: random.Random, member: Any, scene: Scene) -> None:
    name = member.name.rpartition(".")[2]
    positional, named = arguments(rng, member, scene)
    if member.kind == "function":
        getattr(_C.ops if member.name.startswith("ops.") else _C, name)(*positional, **named)
    elif member.kind == "constructor":
        member.owner(*positional, **named)
    elif member.kind == "setter":
        setattr(scene.instance(member.owner), name, wrong_value(rng, scene))
    elif rng.random() < 0.1:  # as a function of the class, on an object of another
        vars(member.owner)[name](wrong_value(rng, scene), *positional, **named)
    else:
        getattr(scene.instance(member.owner), name)(*positional, **named)


def check_usable(scene: Scene) -> None:
    """The outputs that the scene began with are what they were."""
    (first, *_) = FusionExecutorCache(scene.owners["fusion"]).execute(scene.fresh_inputs(), target="evaluator")
    assert np.array_equal(first, np.full((3, 4), 2, np.float32)), first


def run(count: int, seed: int) -> Counter[str]:
    rng, outcomes = random.Random(seed), Counter[str]()
    members = [m for m in all_members() if m.signatures and m.kind != "getter"]
    members = [m for m in members if m.name not in EXCUSED and m.name not in ADDRESSES]
    held = [sys.getrefcount(value) for value in TENSORS]
    for k in range(count):
        if k % FRESH == 0:
            if k > 0:
                check_usable(scene)  # noqa: F821
            scene = Scene(DataType.Float, rng)
        member = rng.choice(members)
        try:
            bad_call(rng, member, scene)
            outcomes["returned"] += 1
            if member.name in CHANGES:
                scene = Scene(DataType.Float, rng)
        except ERRORS as error:
            outcomes[type(error).__name__] += 1
            text = str(error)
            assert text.strip() and "std::" not in text, f"{member.name}: {type(error).__name__} says {text!r}"
        except BaseException:
            print(f"call {k} of seed {seed}: {member.name}")
            raise
    check_usable(scene)
    del scene
    gc.collect()
    more = [after - before for before, after in zip(held, map(sys.getrefcount, TENSORS), strict=True)]
    assert not any(difference > 2 for difference in more), f"arguments that are still held: {more}"
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.chdir(tempfile.mkdtemp(prefix="nvfuser-fuzz-"))  # arguments may be names of files to write
    warnings.simplefilter("ignore")
    _C.report_leaks(True)
    start = time.monotonic()
    outcomes = run(options.count, options.seed)
    print(
        f"{options.count} calls of {len(list(all_members()))} members, seed {options.seed}: "
        + ", ".join(f"{number} {name}" for name, number in outcomes.most_common())
        + f"; {time.monotonic() - start:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
