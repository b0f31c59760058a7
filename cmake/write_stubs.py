# SPDX-License-Identifier: Apache-2.0
"""Writes the type stubs of the compiled module: write_stubs.py MODULE FOLDER leaves FOLDER/_C/{__init__,ops}.pyi.

The module is imported as `nvfuser._C` from a folder of its own, so that names come out as users see them; nothing of
the pure-Python face is needed.  What nanobind cannot know is put right: the exceptions live in `nvfuser` for users but
are declared here, names in hand-written signatures are imported, and what a signature says of all arguments at once is
said of each kind: operations on tensors give tensors, calls give results of the inputs' framework.
"""

import builtins
import keyword
import re
import shutil
import sys
import tempfile
from pathlib import Path

from nanobind import stubgen

# Modules that names in signatures come from.
SOURCES = {
    "Any": "from typing import Any",
    "builtins": "import builtins",
    "os": "import os",
    "np": "import numpy as np",
    "NDArray": "from numpy.typing import NDArray",
    "Iterable": "from collections.abc import Iterable",
    "Sequence": "from collections.abc import Sequence",
    "overload": "from typing import overload",
    "type_check_only": "from typing import type_check_only",
    "torch": "import torch",
    "TypeAlias": "from typing import TypeAlias",
}
IMPORT = re.compile(r"^(?:import|from) [^\n(]*\n", re.M)
KEYWORD_MEMBER = re.compile(rf"^    (?:{'|'.join(keyword.kwlist)}) = .*\n\n?", re.M)  # reached with getattr only
BARE_LIST = re.compile(r"(?<=[ \[])list(?=[,)\]])")
# A function of operands that are tensors, scalars or numbers; its result is a tensor when an operand is one.
OPERAND = re.compile(r"\w+: (Val \| (?:builtins\.)?complex)")
# Parameters that take dtypes of other packages too.
DTYPE = re.compile(r"(\b(?:dtype|value): (?:complex \| )?)DataType\b")
DTYPE_LIKE = "DTypeLike: TypeAlias = DataType | torch.dtype | np.dtype[Any] | type[complex] | type[np.generic]"
POINTWISE = re.compile(r'^def (\w+)\(([^\n]*: Val \| [^\n]*)\) -> Val:\n(    """.*?"""\n)', re.M | re.S)
OPERATOR = re.compile(r"^    def (__\w+__)\(self(, other: (?:Val \| )?complex)?\) -> Val:\n(        .*\n)", re.M)
EXECUTE = re.compile(
    r"^    def execute\(self, inputs: (?:Iterable|Sequence)\[object\], ([^\n]*)\) -> list\[Any\]:\n"
    r'(        """.*?"""\n)',
    re.M | re.S,
)
# Inputs of a call -> its results.  The first row that fits counts.
RESULTS = (
    ("complex", "Any"),
    ("np.ndarray[Any, Any] | complex", "np.ndarray[Any, Any]"),
    ("torch.Tensor | complex", "torch.Tensor"),
    ("object", "Any"),
)


def generate(module: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as site:
        package = Path(site) / "nvfuser"
        package.mkdir()
        (package / "__init__.py").touch()
        shutil.copy(module, package)
        sys.path.insert(0, site)
        import nvfuser._C as compiled

        for value in vars(compiled).values():
            if isinstance(value, type) and issubclass(value, Exception):
                value.__module__ = compiled.__name__
        stubgen.main(["-q", "-m", compiled.__name__, "-r", "-O", str(folder)])


def pointwise_overloads(match: re.Match[str]) -> str:
    """An overload for each operand that may be a tensor, and one for operands that are not."""
    name, parameters, doc = match.groups()
    forms = []
    for operand in OPERAND.finditer(parameters):
        begin, end = operand.span(1)
        forms.append((parameters[:begin] + "TensorView" + parameters[end:], "TensorView"))
        if " = None" in parameters[end:]:  # which only the first operand comes before
            break
    forms.append((parameters, "Val"))
    bodies = [f"\n{doc}"] + [" ...\n"] * (len(forms) - 1)
    return "\n".join(
        f"@overload\ndef {name}({form}) -> {result}:{body}" for (form, result), body in zip(forms, bodies, strict=True)
    )


def operators_of_tensors(text: str) -> str:
    """Operators of Val as TensorView has them; Val's own give a tensor for a tensor on the right."""
    of_tensors = [
        f"    def {name}(self{other or ''}) -> TensorView: ...\n" for name, other, _ in OPERATOR.findall(text)
    ]

    def of_values(match: re.Match[str]) -> str:
        name, other, doc = match.groups()
        if other is None or "Val" not in other:
            return match[0]
        tensor = f"    @overload\n    def {name}(self, other: TensorView) -> TensorView:\n{doc}"
        return f"{tensor}\n    @overload\n    def {name}(self{other}) -> Val: ...\n"

    text = OPERATOR.sub(of_values, text)
    head = re.search(r'^class TensorView\(Val\):\n    """.*?"""\n\n', text, re.M | re.S)
    return text[: head.end()] + "\n".join(of_tensors) + "\n" + text[head.end() :] if head else text


def operations_as_class(text: str) -> str:
    """The operations again as a class: of a module that is a member of objects (fd.ops) mypy knows nothing."""
    lines = [
        "",
        "@type_check_only",
        "class Operations:",
        '    """The operations as members of a FusionDefinition."""',
        "",
    ]
    for overloaded, head in re.findall(r"^(@overload\n)?(def [^\n]*):(?: \.\.\.)?\n", text, re.M):
        lines += ["    @overload"] * bool(overloaded) + ["    @staticmethod", f"    {head}: ...", ""]
    return "\n".join(lines)


def results_by_inputs(match: re.Match[str]) -> str:
    """A call for each kind of inputs."""
    rest, doc = match.groups()
    forms = [
        f"    @overload\n    def execute(self, inputs: Iterable[{inputs}], {rest}) -> list[{result}]:"
        for inputs, result in RESULTS
    ]
    forms[1] += " ...  # type: ignore[overload-overlap]\n"  # where both fit, the first form is taken
    return "\n".join([f"{forms[0]}\n{doc}", forms[1], *[f"{form} ...\n" for form in forms[2:]]])


def completed(text: str, classes: list[str]) -> str:
    """The stub with exactly the imports that its names need; `classes` are those of the enclosing module."""
    doc, body = re.match(r'(""".*?"""\n)(.*)', text, re.S).groups()
    kept = [line.strip() for line in IMPORT.findall(body) if line == "import enum\n" or "nvfuser" in line]
    body = KEYWORD_MEMBER.sub("", BARE_LIST.sub("list[object]", IMPORT.sub("", body).lstrip("\n")))
    if "Executable" in body:
        body = operators_of_tensors(EXECUTE.sub(results_by_inputs, body))
    else:
        body = POINTWISE.sub(pointwise_overloads, body)
    body = re.sub(r"^    __hash__.*= None$", "    __hash__: None  # type: ignore[assignment]", body, flags=re.M)
    hidden = set(re.findall(r"^def (\w+)\(", body, re.M)) & set(vars(builtins))
    if hidden:  # an operation named like a builtin type hides it in signatures
        types = re.compile(rf"(?<=[|:>] )({'|'.join(sorted(hidden))})(?=[ ,)|:])")
        body = re.sub(r"^def .*$", lambda line: types.sub(r"builtins.\1", line[0]), body, flags=re.M)
    if "Executable" not in body:
        body += operations_as_class(body)
    body = re.sub(r"^ *def .*$", lambda line: DTYPE.sub(r"\1DTypeLike", line[0]), body, flags=re.M)
    if "class DataType" in body:
        body += f"\n{DTYPE_LIKE}\n"
    code = re.sub(r'""".*?"""', "", body, flags=re.S)
    used = [line for name, line in SOURCES.items() if re.search(rf"\b{name}\b", code)]
    outer = [name for name in classes if re.search(rf"\b{name}\b", code)]
    if outer:
        used.append(f"from nvfuser._C import {', '.join(outer)}")
    return "\n".join(
        ["# Generated by cmake/write_stubs.py.", doc.rstrip("\n"), "", *sorted({*kept, *used}), "", "", body]
    )


def main() -> None:
    module, folder = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(folder / "_C", ignore_errors=True)
    generate(module, folder)
    root, ops = folder / "_C" / "__init__.pyi", folder / "_C" / "ops.pyi"
    text = root.read_text()
    classes = re.findall(r"^class (\w+)", text, re.M)
    root.write_text(completed(text, []))
    ops.write_text(completed(ops.read_text(), [*classes, "DTypeLike"]))


if __name__ == "__main__":
    main()
