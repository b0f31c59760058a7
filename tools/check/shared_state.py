# SPDX-License-Identifier: Apache-2.0
"""State of the bindings that threads share is guarded: reads python/bindings/*.{h,cpp}.

A free-threaded interpreter has no lock of its own, and where it has one a function that runs Python code lets other
threads in.  So a variable of a namespace, or one that is `static`, `inline` or `mutable`, is constant, an atomic, a
mutex, of one thread, an `Imported`, a `Getter`, or the comment before it or behind it says what guards it ("guarded by
..."); and no static variable is made by Python code, because threads that wait for that hold the interpreter's lock.
Status 1 with one line for each finding.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# `static T name...` with an initializer, a brace or nothing behind it; functions have a parenthesis.
VARIABLE = re.compile(
    r"^[ \t]*(?P<kinds>(?:(?:static|inline|mutable|thread_local|constinit|constexpr|const)\s+)+)"
    r"(?P<type>[\w:]+(?:<[^;=(){}]*>)?(?:\s+const)?(?:\s*[&*]+\s*(?:const)?)?)\s*\b(?P<name>\w+)\s*"
    r"(?P<rest>=|\{|;|,|\(\")",
    re.M,
)
# One of a namespace that says nothing of its kind: at the begin of a line.
GLOBAL = re.compile(
    r"^(?!(?:using|namespace|struct|class|enum|template|return|extern|static|inline|typedef|const|constexpr|public|"
    r"private|else|friend|case|default|goto)\b)[\w:]+(?:<[^;(){}]*>)?[\s*&]+(?P<name>\w+)\s*(?:=[^=].*|\{.*\})?;",
    re.M,
)
SAFE_TYPES = ("std::atomic", "nb::ft_mutex", "Imported", "Getter", "thread_local")
RUNS_PYTHON = re.compile(r"import_\(|\.attr\(|nb::cast|PyObject_Call|PyImport")


def is_safe(kinds: str, type_: str) -> bool:
    pointer_to_changing = type_.rstrip().endswith("*")
    constant = "constexpr" in kinds or ("const" in kinds.split() and not pointer_to_changing) or "* const" in type_
    return constant or "thread_local" in kinds or type_.startswith(SAFE_TYPES) or type_.endswith("*const")


def findings(text: str) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) of each variable."""
    lines = text.splitlines()
    for found in GLOBAL.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, f"{found['name']}: a variable of a namespace that is not guarded"
    for found in VARIABLE.finditer(text):
        kinds = found["kinds"]
        if not re.search(r"\b(static|inline|mutable)\b", kinds):
            continue
        line = text.count("\n", 0, found.start("name"))
        near = lines[line] + (lines[line - 1] if line and lines[line - 1].strip().startswith("//") else "")
        if not is_safe(kinds, found["type"]) and "guarded by" not in near:
            yield line + 1, f"{found['name']}: threads share it, and nothing says what guards it"
        statement = text[found.start() : text.find(";", found.start())]
        if "static" in kinds and found["rest"] == "=" and RUNS_PYTHON.search(statement):
            yield line + 1, f"{found['name']}: a static that is made by Python code; use Imported"


EXAMPLES = {
    "static int count = 0;": True,
    "  static PyObject* last = nullptr;": True,
    "inline Last last_exchange;": True,
    "mutable Cache cache_;": True,
    "mutable Cache cache_;  // guarded by its own mutex_": False,
    "static constexpr int kCount = 3;": False,
    "static const auto* exchange = new Exchange;": True,
    "static auto* const known = new Known;  // guarded by known->mutex": False,
    "static constinit std::atomic<PyObject*> last = nullptr;": False,
    "inline nb::ft_mutex wrappers_mutex;": False,
    'static constinit Imported type("numpy", "generic");': False,
    "static thread_local Stack stack;": False,
    'static PyObject* const type = nb::module_::import_("numpy").ptr();': True,
    "static Entry entry_of(int k) {": False,
    "std::map<int, int> known;": True,
    "int calls = 0;": True,
    "nb::object wrap(const Statement* node);": False,
    "using Entry = State*;": False,
}


def main() -> int:
    for text, wrong in EXAMPLES.items():
        assert bool(list(findings(text))) == wrong, text
    found, variables = [], 0
    for path in sorted((ROOT / "python/bindings").glob("*")):
        text = path.read_text()
        variables += len(VARIABLE.findall(text))
        found += [f"{path.relative_to(ROOT)}:{line}: {what}" for line, what in findings(text)]
    print("\n".join(found) if found else f"shared state: {variables} variables, those that change are guarded")
    return int(bool(found) or variables < 10)


if __name__ == "__main__":
    sys.exit(main())
