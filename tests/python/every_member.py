# SPDX-License-Identifier: Apache-2.0
"""Every member of the compiled module by introspection, and arguments for it made from its signature."""

import atexit
import enum
import functools
import inspect
import random
import re
import shutil
import tempfile
from typing import NamedTuple

import numpy as np

import nvfuser
from nvfuser import _C, DataType, FusionGuard, Way

# Members that are not called, and why.
EXCUSED = {
    "add_library_folder": "changes where the process looks for libraries, for good",
    "compile_cubin": "runs a compiler; test_nvrtc.py calls it",
    "set_option": "changes options of the process; test_processes.py and others call it",
}
FUNCTIONS = ("nb_func", "nb_method")


@functools.cache
def scratch_folder() -> str:
    """One for all calls, gone at the end."""
    made = tempfile.mkdtemp(prefix="nvfuser-members-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


class Member(NamedTuple):
    name: str  # such as TensorView.axis or ops.add
    signatures: tuple
    owner: type | None  # the class of a method or property
    kind: str  # function, method, constructor, getter, setter


def signatures_of(function):
    """Texts such as `def axis(self, index: int) -> IterDomain`, one for each overload."""
    return tuple(row[0] for row in getattr(function, "__nb_signature__", ()))


def members_of_class(name, cls):
    for member, value in vars(cls).items():
        title = f"{name}.{member}"
        if isinstance(value, property):
            yield Member(title, signatures_of(value.fget), cls, "getter")
            if value.fset is not None:
                yield Member(title, signatures_of(value.fset), cls, "setter")
        elif type(value).__name__ in FUNCTIONS:
            yield Member(title, signatures_of(value), cls, "constructor" if member == "__init__" else "method")


def all_members():
    """Functions, constructors, methods and properties; enumerators and exceptions have nothing to call."""
    for prefix, module in (("", _C), ("ops.", _C.ops)):
        for name, value in sorted(vars(module).items()):
            if inspect.isclass(value) and not issubclass(value, (enum.Enum, BaseException)):
                yield from members_of_class(prefix + name, value)
            elif type(value).__name__ in FUNCTIONS:
                yield Member(prefix + name, signatures_of(value), None, "function")


def split_top(text):
    """The parts between the commas that stand in no bracket."""
    parts, depth, begin = [], 0, 0
    for k, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(text[begin:k])
            begin = k + 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]


class Parameter(NamedTuple):
    name: str
    type: str
    optional: bool
    keyword: bool


def parameters_of(signature):
    inner = signature[signature.index("(") + 1 : signature.rindex(")" + (" ->" if " ->" in signature else ""))]
    keyword, found = False, []
    for part in split_top(inner):
        if part in ("*", "/"):
            keyword = keyword or part == "*"
            continue
        head, _, default = part.partition(" = ")
        name, _, kind = head.partition(": ")
        found.append(
            Parameter(name, kind.replace("collections.abc.", "").replace("nvfuser._C.", ""), bool(default), keyword)
        )
    return found


class Scene:
    """A fusion and all that hangs on it; `owners` holds every object, by name."""

    DTYPES = (DataType.Float, DataType.Int, DataType.Bool, DataType.ComplexFloat)

    def __init__(self, dtype, rng):
        self.rng = rng
        fusion = _C.Fusion()
        guard = FusionGuard(fusion)
        x, y = [nvfuser.define_tensor(shape=[-1, 4], contiguity=True, dtype=dtype) for _ in range(2)]
        row, flags, where = [
            nvfuser.define_tensor(shape=[-1], contiguity=True),
            nvfuser.define_tensor(shape=[-1, 4], contiguity=True, dtype=DataType.Bool),
            nvfuser.define_tensor(shape=[-1, 4], contiguity=True, dtype=DataType.Int),
        ]
        target = nvfuser.define_tensor(shape=[-1], contiguity=True, dtype=DataType.Int)
        inputs = [x, y, row, flags, where, target]
        for value in inputs:
            fusion.add_input(value)
        z = nvfuser.ops.logical_or(x, y) if dtype == DataType.Bool else x + y
        fusion.add_output(z)
        executor = _C.FusionExecutor(fusion)
        self.dtype = dtype
        arrays = self.fresh_inputs()
        self.owners = dict(
            fusion=fusion, guard=guard, x=x, y=y, z=z, row=row, flags=flags, where=where, target=target,
            scalar=nvfuser.define_scalar(), expr=z.definition(), axis=x.axis(0), domain=x.domain(),
            executor=executor, arrays=arrays, out=[np.empty_like(arrays[0])],
            argument=_C.TensorArgument(arrays[2].ctypes.data, DataType.Float, False, 0, [3], [1]),
            cache=_C.FusionCache(2), profiler=_C.Profiler(),
        )  # fmt: skip

    def fresh_inputs(self):
        """Arrays on which the fusion runs."""
        names = {DataType.Float: "f4", DataType.Int: "i8", DataType.Bool: "?", DataType.ComplexFloat: "c8"}
        arrays = [np.ones((3, 4), names[self.dtype]) for _ in range(2)]
        return [*arrays, np.ones(3, "f4"), np.ones((3, 4), "?"), np.zeros((3, 4), "i8"), np.zeros(3, "i8")]

    def plan(self):
        return self.owners["executor"].prepare(self.owners["arrays"], Way.evaluator)

    def profiler(self):
        """One that has seen a call."""
        profiler = _C.Profiler()
        profiler.start()
        nvfuser.FusionExecutorCache(self.owners["fusion"]).execute(self.owners["arrays"], target="evaluator")
        profiler.stop()
        return profiler

    def profile(self):
        """Of a call that the evaluator ran."""
        runner = nvfuser.FusionExecutorCache(self.owners["fusion"])
        with nvfuser.PythonProfiler() as profiler:
            runner.execute(self.owners["arrays"], target="evaluator")
        return profiler.profile

    def instance(self, cls):
        """An object of a class, or of one that derives from it."""
        made = {
            "Plan": self.plan,
            "Profiler": self.profiler,
            "OutputSpec": lambda: self.plan().outputs[0],
            "FusionProfile": self.profile,
            "KernelProfile": lambda: self.profile().kernel_profiles[0],
            "Executable": lambda: nvfuser.FusionExecutorCache(self.owners["fusion"]),
            "LentTensor": lambda: _C.LentTensor(self.owners["argument"], False, self.owners["arrays"][0]),
        }.get(cls.__name__)
        if made is not None:
            return made()
        fitting = [name for name, value in self.owners.items() if type(value) is cls]
        fitting = fitting or [name for name, value in self.owners.items() if isinstance(value, cls)]
        assert fitting, f"the scene has no {cls.__name__}"
        return self.owners["x" if cls is _C.Val or "x" in fitting else self.rng.choice(fitting)]

    def argument(self, member, parameter):
        """A value for a parameter: by its name where that says more than the type, else by its type."""
        o = self.owners
        by_member = {
            ("ops.broadcast_in_dim", "shape"): [2, *o["x"].shape()],
            ("ops.broadcast_in_dim", "broadcast_dims"): [1, 2],
            ("ops.expand", "shape"): [-1, 4],
            ("ops.permute", "dims"): (1, 0),
            ("ops.squeeze", "arg"): o["guard"] and nvfuser.ops.broadcast(o["x"], [True, False, False]),
            ("FusionExecutor.fusion_id", "arg"): 7,
            ("Executable.executor", "executor"): o["executor"],
            ("FusionCache.get", "fusion"): o["fusion"],
            ("evaluate_float64", "outputs"): [o.setdefault("memory", np.zeros(256)).ctypes.data],
            ("describe_dense", "position"): 0,
            ("TensorArgument.__init__", "data"): o["arrays"][2].ctypes.data,
            ("prepare_described", "sets"): [[describe(array) for array in o["arrays"]]],
            ("Fusion.add_input", "input"): nvfuser.define_scalar(),
            ("option", "variable"): "NVFUSER_CACHE",
            ("ops.squeeze", "dims"): [0],
            ("ops.batch_norm", "training"): True,
            ("ops.batch_norm_forward", "training"): True,
        }
        if (member, parameter.name) in by_member:
            return by_member[member, parameter.name]
        by_name = {
            "condition": o["flags"],
            "fill_value": 2.0, "length": 4, "eps": 1e-5, "momentum": 0.1, "index": o["where"], "target": o["target"],
            "log_sum": o["row"], "dim": -1,
            "dims": [1], "weight": None, "bias": None, "running_mean": None, "running_var": None, "mean": o["row"],
            "rstd": o["row"], "normalized_shape": [4], "is_broadcast_dim": [False, True, False],
            "stride_order": [0, 1], "shape": [2, 3], "sizes": [3, 4], "strides": [4, 1], "num_groups": 2,
            "parent": o.setdefault("folder", scratch_folder()), "reduction": "sum",
            "approximate": "tanh", "inputs": o["arrays"], "way": Way.evaluator, "target_": "evaluator",
            "call": (o["executor"], o["arrays"], Way.evaluator, ""), "steps": 1, "scheduler": "user",
            "calls": [(o["executor"], o["arrays"], Way.evaluator, "")], "max_fusions": 2, "capsule": capsule(),
            "alias_input": None, "contiguity": True, "report": True, "device": "", "max": None, "min": None,
            "threshold": 0.5, "value": 1.0, "schedule_for": "", "save_repro_inputs": False, "out": None,
            "described": o["argument"], "owner": o["arrays"], "step": None, "start": None, "position": 0,
        }  # fmt: skip
        if parameter.name in by_name:
            value = by_name[parameter.name]
            fits = "Val" in parameter.type if parameter.name in ("index", "step") else True
            if fits and (value is not None or "None" in parameter.type):
                return value
        return self.by_type(parameter.type)

    def by_type(self, kind):
        o = self.owners
        table = {
            "int": 0, "bool": True, "str": "x", "float": 0.5, "complex": 2, "object": o["x"], "Val": o["x"],
            "TensorView": o["z"], "DataType": DataType.Float, "Fusion": o["fusion"], "FusionExecutor": o["executor"],
            "TensorArgument": o["argument"], "Way": Way.evaluator, "Sequence[int]": [0], "ValRef": o["x"],
        }  # fmt: skip
        for choice in kind.split(" | "):
            if choice in table:
                return table[choice]
        raise LookupError(f"no argument of type {kind}")


def describe(array):
    return nvfuser.tensors.NumpyFramework().describe(array)


def capsule():
    return np.ones(3, np.float32).__dlpack__()


def call(member, signature, scene):
    """Calls a member with arguments for one of its signatures, some by name."""
    if member.kind == "getter":
        return getattr(scene.instance(member.owner), member.name.rpartition(".")[2])
    parameters = [p for p in parameters_of(signature) if p.name != "self"]
    chosen = [p for p in parameters if not p.optional or scene.rng.random() < 0.5 or p.name == "target"]
    named = scene.rng.randrange(len(chosen) + 1)
    values = {}
    for p in chosen:
        is_way = member.name == "Executable.execute" and p.name == "target"
        values[p.name] = "evaluator" if is_way else scene.argument(member.name, p)
    if member.kind == "setter":
        return setattr(scene.instance(member.owner), member.name.rpartition(".")[2], next(iter(values.values())))
    # by position as far as nothing is left out before it
    positional = []
    for k, p in enumerate(parameters):
        if p in chosen and not p.keyword and len(positional) == k < named and not hidden(p.name):
            positional.append(values.pop(p.name))
    unnamed = [p.name for p in chosen if hidden(p.name) and p.name in values]
    positional += [values.pop(name) for name in unnamed]
    if member.kind == "function":
        module = _C.ops if member.name.startswith("ops.") else _C
        return getattr(module, member.name.rpartition(".")[2])(*positional, **values)
    if member.kind == "constructor":
        return member.owner(*positional, **values)
    return getattr(scene.instance(member.owner), member.name.rpartition(".")[2])(*positional, **values)


def hidden(name):
    """Parameters without a name of their own are called by position."""
    return re.fullmatch(r"arg\d*", name) is not None and name != "arg"


def seeded(seed):
    return random.Random(seed)
