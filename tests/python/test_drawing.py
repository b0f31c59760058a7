# SPDX-License-Identifier: Apache-2.0
"""Pictures of fusions: what stands in them, what notebooks get, and what large ones leave out."""

import xml.etree.ElementTree as ElementTree

import child
import pytest

import nvfuser
from nvfuser import DataType, DefinitionError, Fusion, FusionDefinition, draw, ops
from nvfuser._C import compiler_runs

SVG = "{http://www.w3.org/2000/svg}"


def boxes(text):
    """Title and fill of each box, in the order of drawing."""
    root = ElementTree.fromstring(text)
    groups = root.findall(f"{SVG}g")
    return [(group.find(f"{SVG}title").text, group.find(f"{SVG}rect").get("fill")) for group in groups]


def two_kernels():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 8], contiguity=True)
        y = ops.segment_set(ops.exp(x) * 2.0)
        fd.add_output(ops.sum(y, 1))
        fd.add_output(x + 1.0)
    return fd


def test_boxes_lines_and_kernels():
    fd = two_kernels()
    text = draw(fd)
    found = boxes(text)
    titles = [title for title, _ in found]
    assert titles[0].startswith("input: T0 Float [i0, 8]") and titles[-1].startswith("output: ")
    assert [title.partition(":")[0] for title in titles].count("output") == 2
    colours = {title.rpartition(", ")[2]: fill for title, fill in found if ", kernel " in title}
    assert len(colours) == len(set(colours.values())) == 2
    root = ElementTree.fromstring(text)
    reads = sum(1 for expr in fd.fusion.exprs() for value in expr.inputs() if value.is_tensor())
    assert len(root.findall(f"{SVG}path")) == reads + 2  # lines to the outputs
    assert [node.text for node in root.findall(f"{SVG}text")] == ["kernel 0", "kernel 1"]
    places = {(rect.get("x"), rect.get("y")) for rect in root.iter(f"{SVG}rect") if rect.get("width") != "12"}
    assert len(places) == len(found), "boxes cover each other"


def test_a_fusion_and_its_definition_are_drawn_alike():
    fd = two_kernels()
    assert draw(fd) == draw(fd.fusion) == fd._repr_html_() == fd.fusion._repr_html_()


def long_chain(count):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        for _ in range(count):
            x = ops.sin(x)
        fd.add_output(x)
    return fd


def test_large_fusions_are_cut_short():
    fd = long_chain(230)
    assert "and 30 more expressions" in draw(fd) and len(boxes(draw(fd))) == 201  # the output's box is below the cut
    page = fd._repr_html_()
    assert page.startswith("<pre>") and "lines more" in page and len(page) < 30_000
    assert "lines more" in fd.fusion._repr_html_()
    assert len(long_chain(20_000)._repr_html_()) < 30_000


def test_long_lines_are_names():
    """What is read everywhere makes neither a wide picture nor a large file."""
    with FusionDefinition() as fd:
        xs = [fd.define_tensor(shape=[-1], contiguity=[True]) for _ in range(40)]
        y = xs[0]
        for k in range(198):
            y = y + xs[k % 40]
        fd.add_output(y)
    text = draw(fd)
    titles = [title for title, _ in boxes(text)]
    assert len(titles) < 450 and "from above: T1 Float [i1]" in titles and len(text) < 300_000


def test_looking_compiles_and_raises_nothing():
    before = compiler_runs()
    for fd in (FusionDefinition(), two_kernels()):
        assert fd._repr_html_()
    assert Fusion()._repr_html_().startswith("<pre>")
    with FusionDefinition() as fd:
        fd.define_tensor(shape=[-1], contiguity=[True], dtype=DataType.Half)
        assert "Half" in fd._repr_html_() or "half" in fd._repr_html_(), "a notebook looks while it is defined"
    assert compiler_runs() == before
    with pytest.raises(DefinitionError, match="no outputs to draw"):
        draw(Fusion())


def test_text_is_escaped():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(ops.where(x < 1.0, x, 0.0))
    ElementTree.fromstring(draw(fd))


def test_without_igraph():
    """Nothing imports it before a picture is asked for; then the error says what to install, and notebooks get text."""
    program = """
        import sys
        import nvfuser
        assert "igraph" not in sys.modules
        sys.modules["igraph"] = None
        with nvfuser.FusionDefinition() as fd:
            fd.add_output(fd.ops.exp(fd.define_tensor(shape=[-1])))
        try:
            nvfuser.draw(fd)
        except ImportError as error:
            print(error)
        print(fd._repr_html_()[:40])
    """
    said = child.output_of(program)
    assert "pip install 'nvfuser[draw]'" in said and "<pre>def nvfuser_fusion(fd" in said
    assert nvfuser.draw.__module__ == "nvfuser.drawing"
