# SPDX-License-Identifier: Apache-2.0
"""The examples on the pages of the documentation run and give what stands there; links between files lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for path in [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    if "_generated" not in path.parts
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([\w-]+))?\)|\]\(#([\w-]+)\)")


def anchors_of(path):
    """Anchors of a page's headings, as GitHub and the site make them."""
    titles = re.findall(r"^#{1,3} (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [p for p in PAGES if ">>> " in p.read_text()], ids=lambda page: page.stem)
def test_examples_of_a_page_run(page):
    text = "\n".join(BLOCK.findall(page.read_text()))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    said = []
    outcome = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert outcome.attempted >= 3 and not outcome.failed, "".join(said)


def test_links_between_files():
    broken = []
    for page in PAGES:
        for target, anchor, own in LINK.findall(page.read_text()):
            if re.match(r"\w+:", target):
                continue
            path = (page.parent / target).resolve() if target else page
            if not path.exists() or (
                (anchor or own) and path.suffix == ".md" and (anchor or own) not in anchors_of(path)
            ):
                broken.append(f"{page.relative_to(ROOT)}: {target}#{anchor or own}")
    assert not broken
