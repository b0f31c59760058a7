# SPDX-License-Identifier: Apache-2.0
"""Bindings that return pointers or references say what becomes of the object: reads python/bindings/*.cpp.

Nodes of a fusion are returned by wrap(), which makes the wrapper own the fusion; other objects by value or by
shared_ptr.  A function bound with .def, m.def, def_op or .def_prop_* whose result is a pointer or a reference has to
name an rv_policy.  What a function returns is read from its own text (`-> T&`, `return &x`) and, for pointers to
members, from the class.  Status 1 with one line for each finding.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"(?:\.|\b\w+\.)(?:def(?:_prop_r[ow]|_static|_method)?)\(|\bdef_op\(\s*m,\s*")
ARROW = re.compile(r"\][^{]*?->\s*([^{]+?)\s*\{", re.S)
MEMBER = re.compile(r"^&(?:(\w+)::)?(\w+)$")


def split_top(text: str) -> list[str]:
    """The parts between the commas that stand in no bracket and in no string."""
    parts, depth, begin, k = [], 0, 0, 0
    while k < len(text):
        letter = text[k]
        if letter == '"':
            k = re.compile(r'(?:\\.|[^"\\])*"').match(text, k + 1).end() - 1  # type: ignore[union-attr]
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(text[begin:k].strip())
            begin = k + 1
        k += 1
    return [*parts, text[begin:].strip()]


def calls(text: str) -> Iterator[tuple[int, list[str]]]:
    """(position, arguments) of every call that binds something."""
    text = re.sub(r"(?<!:)//.*", lambda comment: " " * len(comment[0]), text)
    text = re.sub(r'R"(\w*)\(.*?\)\1"', lambda raw: '"' + " " * (len(raw[0]) - 2) + '"', text, flags=re.S)
    for found in CALL.finditer(text):
        depth, k = 1, found.end()
        while depth:
            if text[k] == '"':
                k = re.compile(r'(?:\\.|[^"\\])*"').match(text, k + 1).end() - 1  # type: ignore[union-attr]
            depth += (text[k] in "([{") - (text[k] in ")]}")
            k += 1
        yield found.start(), split_top(text[found.end() : k - 1])


def declared_result(owner: str, name: str, text: str) -> str:
    """What a member function, or a function of the file, returns by its declaration: `*`, `&` or nothing."""
    if owner:
        body = re.search(rf"(?:class|struct) {owner}\b[^;{{]*\{{(.*?)\n\}};", text, re.S)
        text = body[1] if body else ""
    return next(iter(re.findall(rf"[\w>]\s*([*&])\s*{name}\(", text)), "")


def returned(function: str, headers: str) -> str:
    """Why the function is taken to return a pointer or a reference; empty when it is not."""
    if member := MEMBER.match(function):
        kind = declared_result(member[1] or "", member[2], headers)
        return f"{function} returns {kind}" if kind else ""
    if not function.startswith("["):
        return ""
    arrow = ARROW.search(function)
    if arrow:
        return f"-> {arrow[1]}" if arrow[1][-1] in "*&" else ""
    if re.search(r"\breturn &", function):
        return "returns an address"
    if re.search(r"\breturn (?:self\.)?get\(\)->(?:input|output|definition|extent|domain|fusion)\(", function):
        return "returns a node that is not wrapped"
    return ""


def findings(path: Path, headers: str) -> Iterator[str]:
    text = path.read_text()
    own = headers + text
    for position, arguments in calls(text):
        if any("rv_policy::" in argument for argument in arguments):
            continue
        for argument in arguments[:3]:
            if why := returned(argument, own):
                line = text.count("\n", 0, position) + 1
                yield f"{path.relative_to(ROOT)}:{line}: {arguments[0]}: {why}, and no rv_policy says who owns it"


def main() -> int:
    headers = "".join(path.read_text() for path in sorted((ROOT / "src/nvfuser").rglob("*.h")))
    sources = sorted((ROOT / "python/bindings").glob("*.cpp"))
    bound = sum(1 for path in sources for _ in calls(path.read_text()))
    found = [line for path in sources for line in findings(path, headers)]
    print(
        "\n".join(found) if found else f"binding policies: {bound} bindings, none returns a bare pointer or reference"
    )
    return int(bool(found) or bound < 150)


if __name__ == "__main__":
    sys.exit(main())
