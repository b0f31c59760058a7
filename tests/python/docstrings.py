# SPDX-License-Identifier: Apache-2.0
"""The public symbols, their signatures, and the sections of their docstrings."""

import ast
import enum
import inspect
import re
from dataclasses import dataclass, field
from typing import Any

import nvfuser
import nvfuser_direct
from nvfuser_direct import nvfuser_direct_version, pytorch_utils

UNDERLINE = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.M)
PRIVATE_BASES = ("Defining", "Executable")


@dataclass
class Symbol:
    name: str
    value: Any
    is_attribute: bool = False
    parameters: list[str] = field(default_factory=list)
    forms: int = 1
    returns: bool = False

    @property
    def doc(self) -> str:
        return inspect.cleandoc(own_doc(self.value) or "")

    @property
    def summary(self) -> str:
        return " ".join(UNDERLINE.split(self.doc)[0].split("\n\n")[0].split())

    @property
    def sections(self) -> dict[str, str]:
        parts = UNDERLINE.split(self.doc)
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    @property
    def documented_parameters(self) -> list[str]:
        lines = self.sections.get("Parameters", "").splitlines()
        heads = [line.partition(" :")[0] for line in lines if line and not line.startswith(" ")]
        return [name for head in heads for name in head.split(", ")]


def own_doc(value: Any) -> str | None:
    """The docstring; of a compiled function that of its first overload, all of which have to have the same."""
    forms = getattr(value, "__nb_signature__", None)
    if forms:
        docs = {form[1] for form in forms}
        return docs.pop() if len(docs) == 1 else None
    return value.__doc__


def parsed(text: str) -> ast.FunctionDef:
    text = re.sub(r"\\(\d+)", "0", text)  # defaults stand apart
    return ast.parse(text + ": ...").body[0]  # type: ignore[return-value]


def fill(symbol: Symbol, function: Any) -> Symbol:
    """Puts in the names of the parameters, and whether something is returned."""
    forms = getattr(function, "__nb_signature__", None)
    if forms:
        symbol.forms = len(forms)
        for form in forms:
            head = parsed(form[0])
            arguments = [a.arg for a in [*head.args.posonlyargs, *head.args.args, *head.args.kwonlyargs]]
            symbol.parameters += [name for name in arguments if name not in [*symbol.parameters, "self"]]
            symbol.returns |= not (isinstance(head.returns, ast.Constant) and head.returns.value is None)
        return symbol
    signature = inspect.signature(function)
    named = [p for p in signature.parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    symbol.parameters = [p.name for p in named if p.name not in ("self", "cls")]
    symbol.returns = signature.return_annotation not in (None, "None", inspect.Signature.empty)
    return symbol


def members(prefix: str, cls: type) -> list[Symbol]:
    """Public members that the class, or a base which is not public, defines."""
    found = []
    for base in cls.__mro__:
        if base is not cls and base.__name__ not in PRIVATE_BASES:
            break  # a public one, which lists its own
        for name, value in vars(base).items():
            if name.startswith("_") or isinstance(value, cls) or f"{prefix}.{name}" in [s.name for s in found]:
                continue
            value = inspect.unwrap(value.__func__) if isinstance(value, (classmethod, staticmethod)) else value
            if callable(value) and not isinstance(value, type):
                found.append(fill(Symbol(f"{prefix}.{name}", value), value))
            elif isinstance(value, property) or type(value).__name__ == "nb_bound_method":
                found.append(Symbol(f"{prefix}.{name}", value, is_attribute=True))
    return found


def constructor(cls: type) -> Any:
    """What makes objects of a class, where it has parameters of its own to document."""
    if issubclass(cls, (Exception, enum.Enum, str)):
        return None
    made = vars(cls).get("__init__") or vars(cls).get("__new__")
    return made if made is not None and (inspect.isfunction(made) or hasattr(made, "__nb_signature__")) else None


def described(name: str, value: Any) -> list[Symbol]:
    if inspect.ismodule(value) or isinstance(value, str):
        return []
    if isinstance(value, type):
        init = constructor(value)
        symbol = Symbol(name, value)
        if init is not None:
            fill(symbol, init)
            symbol.returns = False
        if issubclass(value, enum.Enum):
            return [symbol, *(Symbol(f"{name}.{member.name}", member, is_attribute=True) for member in value)]
        return [symbol, *([] if issubclass(value, Exception) else members(name, value))]
    return [fill(Symbol(name, value), value)]


def public_symbols() -> list[Symbol]:
    """Everything that users reach by a public name, each once."""
    found = [symbol for name in nvfuser.__all__ for symbol in described(name, getattr(nvfuser, name))]
    found += [
        s for name in dir(nvfuser.ops) if name[0] != "_" for s in described(f"ops.{name}", getattr(nvfuser.ops, name))
    ]
    own = [name for name in nvfuser_direct.__all__ if getattr(nvfuser_direct, name) is not getattr(nvfuser, name, None)]
    for name in own:
        found += described(f"nvfuser_direct.{name}", getattr(nvfuser_direct, name))
    found += described("nvfuser_direct_version.NvfuserVersion", nvfuser_direct_version.NvfuserVersion)
    for name, value in vars(pytorch_utils).items():
        if getattr(value, "__module__", "") == pytorch_utils.__name__ and name[0] != "_":
            found += described(f"pytorch_utils.{name}", value)
    return found
