# SPDX-License-Identifier: Apache-2.0
"""The API reference: one page for each part of the package, made from signatures and docstrings of what is imported.

Sphinx's autodoc knows nothing of compiled functions with overloads; here they and Python's are one list.
"""

from __future__ import annotations

import enum
import inspect
import re
from pathlib import Path

import generated_file
from docstrings import Symbol, public_symbols
from sphinx.ext.napoleon import Config, NumpyDocstring

import nvfuser

PAGES = {
    "definition": "Defining and running fusions",
    "operations": "Operations",
    "graph": "The graph",
    "runtime": "Executors, caches, profiles",
    "enums": "Enums and errors",
    "direct": "nvfuser_direct",
}
DEFINING = ("FusionDefinition", "TensorSpec", "define_tensor", "define_scalar", "translate_fusion", "draw")
GRAPH = (nvfuser.Statement, nvfuser.Fusion, nvfuser.FusionGuard)
CONFIG = Config(napoleon_use_rtype=False, napoleon_use_param=False, napoleon_use_admonition_for_examples=False)


def plain(text: str) -> str:
    """Types by the names that users write."""
    return re.sub(r"\bnvfuser\._C\.|\btyping\.|\bcollections\.abc\.", "", text)


def signatures(symbol: Symbol) -> list[str]:
    """Each form of a call, without the name."""
    value = symbol.value
    if isinstance(value, type):
        value = getattr(value, "__init__", None) if symbol.parameters else None
    forms = getattr(value, "__nb_signature__", None)
    if forms:
        texts = []
        for text, _, defaults in forms:
            filled = re.sub(r"\\(\d+)", lambda m, d=defaults: repr(d[int(m[1])]), text)
            texts.append(plain(filled.partition("(")[2].removeprefix("self, ").removeprefix("self")))
        return ["(" + text for text in texts]
    if value is None or symbol.is_attribute:
        return [""]
    signature = inspect.signature(value)
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    return [plain(str(signature.replace(parameters=parameters)))]


def kind_of(symbol: Symbol) -> str:
    if symbol.is_attribute:
        return "attribute"
    if isinstance(symbol.value, type):
        return "exception" if issubclass(symbol.value, Exception) else "class"
    return "method" if symbol.name[0].isupper() or re.match(r"nvfuser_direct\.[A-Z]\w+\.", symbol.name) else "function"


def entry(symbol: Symbol) -> str:
    """A directive with the docstring below it."""
    forms = signatures(symbol)
    head = f".. py:{kind_of(symbol)}:: {symbol.name}{forms[0]}\n"
    head += "".join(f"{' ' * len(f'.. py:{kind_of(symbol)}:: ')}{symbol.name}{form}\n" for form in forms[1:])
    doc = str(NumpyDocstring(symbol.doc, CONFIG, what=kind_of(symbol)))
    body = "\n".join("   " + line if line else "" for line in doc.splitlines())
    return f"{head}\n{body}\n"


def page_of(symbol: Symbol) -> str:
    first = symbol.name.partition(".")[0]
    if first in ("ops", *DEFINING):
        return "operations" if first == "ops" else "definition"
    if first.startswith("nvfuser_direct") or first == "pytorch_utils":
        return "direct"
    value = getattr(nvfuser, first)
    if isinstance(value, type) and issubclass(value, (enum.Enum, Exception)):
        return "enums"
    is_graph = (isinstance(value, type) and issubclass(value, GRAPH)) or first == "compute_tensor_descriptor"
    return "graph" if is_graph else "runtime"


def write(folder: Path) -> None:
    """Writes the pages into a folder."""
    texts: dict[str, list[str]] = {name: [] for name in PAGES}
    for symbol in public_symbols():
        texts[page_of(symbol)].append(entry(symbol))
    for name, title in PAGES.items():
        module = "" if name == "direct" else ".. py:currentmodule:: nvfuser\n\n"
        text = f"{title}\n{'=' * len(title)}\n\n{module}" + "\n".join(texts[name])
        generated_file.write(folder / f"{name}.rst", text)
