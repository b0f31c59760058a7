# SPDX-License-Identifier: Apache-2.0
"""A fusion as a picture: expressions as boxes in the order of their use, those of one kernel in one colour.

What is drawn is what will run: the fusion after its rewrites, cut where it will be cut.  Nothing is compiled, and no
device is asked.  igraph places the boxes; without it, and for large fusions, notebooks show text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nvfuser._C import DefinitionError, Expr, Fusion, TensorView, Val, segments_of

if TYPE_CHECKING:
    from nvfuser.defining import Defining

MOST_BOXES = 200  # of expressions; more are counted
MOST_LAYERS = 8  # that a line crosses
MOST_LINES, MOST_TEXT = 200, 20_000  # of a text that stands for a picture
COLOURS = ("#cfe2ff", "#d1e7dd", "#fff3cd", "#f8d7da", "#e2d9f3", "#d2f4ea", "#ffe5d0", "#e2e3e5")
WIDTH, HEIGHT, GAP, LAYER = 190, 40, 24, 78

Point = tuple[float, float]


class _Box:
    def __init__(self, title: str, detail: str, kernel: int | None = None) -> None:
        self.title, self.detail, self.kernel = title, detail, kernel
        self.below: list[int] = []  # boxes that read it
        self.layer = 0

    @property
    def hint(self) -> str:
        """What is shown under the pointer."""
        return f"{self.title}: {self.detail}" + ("" if self.kernel is None else f", kernel {self.kernel}")


class _Picture:
    """Boxes of the inputs, the first expressions and the outputs; how many expressions are left out."""

    def __init__(self, fusion: Fusion) -> None:
        drawn, groups = segments_of(fusion)
        self.kernels = len(groups)
        self.boxes: list[_Box] = []
        self._place: dict[Val, int] = {}  # value -> the box that gives it
        kernel_of = _kernel_of(groups)
        exprs = [expr for expr in drawn.exprs() if any(value in kernel_of for value in expr.outputs())]
        self.left_out = max(0, len(exprs) - MOST_BOXES)
        for value in drawn.inputs():
            self._add(_Box("input", _shape_of(value)), [], [value])
        for expr in exprs[:MOST_BOXES]:
            results = [value for value in expr.outputs() if value in kernel_of]
            box = _Box(_operation(expr), _shape_of(results[0]), kernel_of[results[0]])
            self._add(box, expr.inputs(), expr.outputs())
        for tensor in drawn.outputs():
            if tensor in self._place:
                self._add(_Box("output", _shape_of(tensor)), [tensor], [])

    def _add(self, box: _Box, reads: list[Val] | list[TensorView], gives: list[Val]) -> None:
        """A box with the lines to it; what comes from far above is named beside it instead."""
        sources: list[int] = []
        above = {self._place[value]: value for value in reads if value in self._place}
        box.layer = max((self.boxes[place].layer + 1 for place in above), default=0)
        for place, value in above.items():
            if box.layer - self.boxes[place].layer > MOST_LAYERS:
                place = len(self.boxes)
                self.boxes.append(_Box("from above", _shape_of(value)))
                self.boxes[place].layer = box.layer - 1
            sources.append(place)
        for place in sources:
            self.boxes[place].below.append(len(self.boxes))
        self._place.update(dict.fromkeys(gives, len(self.boxes)))
        self.boxes.append(box)


def _shape_of(value: Val) -> str:
    """Such as `T1 Float [i0, 3]`."""
    if not isinstance(value, TensorView):
        return str(value)
    return f"{str(value).partition('_')[0]} {value.dtype().name} [{', '.join(map(str, value.shape()))}]"


def _operation(expr: Expr) -> str:
    """The name of the operation, from `T2 = add(T0, T1);`."""
    return str(expr).partition(" = ")[2].partition("(")[0] or "expression"


def _kernel_of(groups: list[tuple[list[TensorView], list[TensorView]]]) -> dict[Val, int]:
    """The first kernel that computes a tensor."""
    found: dict[Val, int] = {}
    for number, (inputs, outputs) in enumerate(groups):
        pending: list[Val] = [*outputs]
        while pending:
            value = pending.pop()
            definition = value.definition()
            if definition is not None and value.is_tensor() and value not in found and value not in inputs:
                found[value] = number
                pending += definition.inputs()
    return found


def _placed(boxes: list[_Box]) -> tuple[list[Point], list[list[Point]]]:
    """The centre of each box, and the points through which each line goes."""
    try:
        import igraph
    except ImportError:
        raise ImportError("drawings need the package igraph: pip install 'nvfuser[draw]', or igraph itself") from None
    layers = [box.layer for box in boxes]
    ways: list[list[int]] = []  # of each line: the boxes and, on the layers between them, points
    for above, box in enumerate(boxes):
        for below in box.below:
            between = range(box.layer + 1, boxes[below].layer)
            ways.append([above, *range(len(layers), len(layers) + len(between)), below])
            layers += between
    edges = [pair for way in ways for pair in zip(way, way[1:], strict=False)]
    graph = igraph.Graph(n=len(layers), edges=edges, directed=True)
    layout = graph.layout_sugiyama(layers=layers, hgap=WIDTH + GAP, vgap=LAYER)
    places = [(x, y) for x, y in layout.coords[: len(layers)]]
    return places[: len(boxes)], [[places[k] for k in way] for way in ways]


def _clipped(text: str, most: int = 30) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _line(way: list[Point]) -> str:
    """A curve from the lower edge of the first box to the upper edge of the last."""
    points = [(way[0][0], way[0][1] + HEIGHT / 2), *way[1:-1], (way[-1][0], way[-1][1] - HEIGHT / 2)]
    text = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for (x, y), (u, v) in zip(points, points[1:], strict=False):
        middle = (y + v) / 2
        text += f" C{x:.0f} {middle:.0f} {u:.0f} {middle:.0f} {u:.0f} {v:.0f}"
    return f'<path d="{text}" fill="none" stroke="#777"/>'


def _rectangle(box: _Box, x: float, y: float) -> str:
    from html import escape

    colour = "#ffffff" if box.kernel is None else COLOURS[box.kernel % len(COLOURS)]
    return (
        f'<g><title>{escape(box.hint)}</title><rect x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="{HEIGHT / 2 if box.kernel is None else 4:.0f}" fill="{colour}" stroke="#555"/>'
        f'<text x="{x:.0f}" y="{y - 4:.0f}" font-weight="bold">{escape(_clipped(box.title))}</text>'
        f'<text x="{x:.0f}" y="{y + 12:.0f}">{escape(_clipped(box.detail))}</text></g>'
    )


def _legend(picture: _Picture, x: float, y: float) -> Iterator[str]:
    """The colours of the kernels, and what is left out."""
    names = [(f"kernel {k}", COLOURS[k % len(COLOURS)]) for k in range(min(picture.kernels, len(COLOURS)))]
    if picture.kernels > len(names):
        names.append((f"and {picture.kernels - len(names)} more", "none"))
    for row, (name, colour) in enumerate(names):
        yield f'<rect x="{x:.0f}" y="{y + 16 * row:.0f}" width="12" height="12" fill="{colour}" stroke="#555"/>'
        yield f'<text x="{x + 18:.0f}" y="{y + 16 * row + 10:.0f}" text-anchor="start">{name}</text>'
    if picture.left_out:
        text = f"and {picture.left_out} more expressions"
        yield f'<text x="{x:.0f}" y="{y + 16 * len(names) + 10:.0f}" text-anchor="start">{text}</text>'


def _svg(picture: _Picture) -> str:
    places, ways = _placed(picture.boxes)
    everything = [*places, *(point for way in ways for point in way)]
    left, right = min(x for x, _ in everything), max(x for x, _ in everything)
    top, bottom = min(y for _, y in everything), max(y for _, y in everything)
    legend = list(_legend(picture, left - WIDTH / 2, bottom + HEIGHT / 2 + 16))
    width, height = right - left + WIDTH + 8, bottom - top + HEIGHT + 24 + 16 * (len(legend) // 2 + 1)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left - WIDTH / 2 - 4:.0f} {top - HEIGHT / 2 - 4:.0f} '
        f'{width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" font-family="sans-serif" font-size="11" '
        'text-anchor="middle">'
    )
    boxes = [_rectangle(box, x, y) for box, (x, y) in zip(picture.boxes, places, strict=True)]
    return "\n".join([head, *map(_line, ways), *boxes, *legend, "</svg>"])


def draw(fusion: Fusion | Defining) -> str:
    """A picture of a fusion and its kernels, as SVG.

    Boxes are expressions, joined by the tensors that they hand on; those that one kernel computes have one colour.
    Notebooks show it for a fusion of at most 200 expressions without being asked.

    Parameters
    ----------
    fusion : Fusion or FusionDefinition
        What to draw, as it will run: rewritten, and cut into kernels.

    Returns
    -------
    str
        An ``<svg>`` element, of the first 200 expressions and the number of the others.

    Raises
    ------
    ImportError
        Without the package igraph (``pip install 'nvfuser[draw]'``).
    DefinitionError
        For a fusion without outputs.

    See Also
    --------
    Fusion.print_math, FusionDefinition.plan_text

    Examples
    --------
    >>> with FusionDefinition() as fd:
    ...     fd.add_output(ops.exp(fd.define_tensor(shape=[-1])))
    >>> draw(fd).splitlines()[-1]
    '</svg>'
    """
    graph = fusion if isinstance(fusion, Fusion) else fusion.fusion
    if not graph.outputs():
        raise DefinitionError("the fusion has no outputs to draw")
    return _svg(_Picture(graph))


def _text_of(fusion: Any) -> str:
    """The graph as text, of which the first lines."""
    lines = (fusion.print_math() if isinstance(fusion, Fusion) else repr(fusion)).splitlines()
    text = "\n".join(lines[:MOST_LINES])
    more = f"\n… and {len(lines) - MOST_LINES} lines more" if len(lines) > MOST_LINES else ""
    return text[:MOST_TEXT] + ("…" if len(text) > MOST_TEXT else "") + more


def html(fusion: Any) -> str:
    """What a notebook shows: the picture, or text where there is none.  Nothing is raised."""
    from html import escape

    try:
        graph = fusion if isinstance(fusion, Fusion) else fusion.fusion
        if 0 < len(graph.exprs()) <= MOST_BOXES:
            return draw(graph)
    except Exception:  # whoever looks has asked for nothing
        pass
    try:
        return f"<pre>{escape(_text_of(fusion))}</pre>"
    except Exception as error:
        return f"<pre>{escape(type(fusion).__name__)}: {escape(str(error)[:MOST_TEXT])}</pre>"
