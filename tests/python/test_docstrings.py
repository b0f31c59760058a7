# SPDX-License-Identifier: Apache-2.0
"""Every public symbol has a docstring in numpy's style that fits its signature, and every example in it runs."""

import doctest
import re
from collections import Counter

import numpy as np
from docstrings import public_symbols

import nvfuser
from nvfuser_direct import nvfuser_direct_version, pytorch_utils

# Functions that raise nothing of their own.
NEVER_RAISE = re.compile(
    r"Val\..*|IterDomain\..*|Expr\.(location|inputs|outputs)|TensorView\.(dtype|shape|domain|get_\w+_domain|has_root)|FusionGuard.*"
    r"|Fusion\.(inputs|outputs|vals|exprs|describe_input|print_math|python_source|structural_hash|same_definition)"
    r"|(nvfuser_direct\.)?version|reset_profiler|translate_fusion|LRUCache\.(num_fusions|stats|cache_compile)"
    r"|FusionDefinition\.validate_definition|FusionExecutorCache\.fusion|TensorSpec"
    r"|pytorch_utils\.retry_on_oom_or_skip_test|(nvfuser_direct\.)?(FusionDefinition|FusionExecutorCache|LRUCache)"
)


def findings_of(symbol):
    """What a docstring lacks."""
    sections = symbol.sections
    if not symbol.summary.endswith((".", ".)")):
        yield "its first paragraph is no sentence"
    longest = max(symbol.doc.splitlines(), key=len)
    if len(longest) > 120:
        yield f"a line is too long: {longest}"
    if symbol.is_attribute:
        return
    order = sorted if symbol.forms > 1 else list  # several forms have no common order
    if order(symbol.documented_parameters) != order(symbol.parameters):
        yield f"Parameters are {symbol.documented_parameters}, the signature has {symbol.parameters}"
    if symbol.returns != ("Returns" in sections):
        yield "Returns " + ("is missing" if symbol.returns else "of nothing")
    can_raise = not isinstance(symbol.value, type) and not NEVER_RAISE.fullmatch(symbol.name)
    wanted = ["See Also", "Examples", *(["Raises"] if can_raise else [])]
    yield from (f"{name} is missing" for name in wanted if not sections.get(name, "").strip())
    known = ["Parameters", "Returns", "Raises", "See Also", "Notes", "Examples"]
    if [name for name in known if name in sections] != list(sections):
        yield f"sections are {list(sections)}"


def test_docstrings_fit_their_signatures():
    symbols = public_symbols()
    found = [f"{symbol.name}: {finding}" for symbol in symbols for finding in findings_of(symbol)]
    print(f"{len(symbols)} public symbols")
    assert len(symbols) > 250
    assert not found, "\n".join(found)


def test_no_two_symbols_share_a_summary():
    texts = {id(symbol.value): symbol.summary for symbol in public_symbols()}  # what is inherited counts once
    counts = Counter(texts.values())
    assert not [summary for summary, count in counts.items() if count > 1]


def test_see_also_names_what_there_is():
    names = {symbol.name for symbol in public_symbols()} | {"nvfuser.FusionDefinition.execute", "nvfuser.version"}
    known = names | {name.removeprefix("ops.") for name in names} | {f"nvfuser.{name}" for name in names}
    missing = []
    for symbol in public_symbols():
        for name in symbol.sections.get("See Also", "").replace("\n", " ").split(","):
            if name.strip() and name.strip() not in known:
                missing.append(f"{symbol.name}: {name.strip()}")
    assert not missing


def test_every_example_runs_and_shows_its_result():
    runner = doctest.DocTestRunner(verbose=False)
    parser, silent, failed, count = doctest.DocTestParser(), [], [], 0
    for symbol in public_symbols():
        scope = {"np": np, "nvfuser": nvfuser, **{name: getattr(nvfuser, name) for name in nvfuser.__all__}}
        scope.update(vars(pytorch_utils) if symbol.name.startswith("pytorch_utils") else {})
        scope["NvfuserVersion"] = nvfuser_direct_version.NvfuserVersion
        test = parser.get_doctest(symbol.doc, scope, symbol.name, None, 0)
        count += len(test.examples)
        if not symbol.is_attribute and not any(example.want for example in test.examples):
            silent.append(symbol.name)
        text = []
        if runner.run(test, out=text.append).failed:
            failed.append("".join(text))
    print(f"{count} lines of examples")
    assert not failed, "\n".join(failed)
    assert not silent
