"""The lineage as SVG: laid out in columns, without scripts or fonts to load, readable on light and on dark.

The layout is written by hand because graphviz needs its `dot` binary, and Mermaid draws only in a browser or Node.

Lengths are pixels. Columns are as wide as their longest label, in a font of one width; each stream has a row; edges
cross no box.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rich.cells import cell_len

from lotus_infra.lake.diagnostics import escape_unprintable
from lotus_infra.lineage import COLUMNS, Kind, Lineage, Node

FONT_SIZE = 12
CHARACTER = 7.3
BOX_HEIGHT = 24
ROW = 34
MARGIN = 24
HEADER = 34
_PADDING = 10
_GAP = 64
_WIDE_GAP = 120
_BETWEEN_SOURCES = 12
_THREAD = 14

_STYLE = f"""\
text {{ font: {FONT_SIZE}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }}
.head {{ font-weight: bold; fill: #59636e; }}
.paper {{ fill: #ffffff; }}
.edge {{ fill: none; stroke: #8c959f; stroke-width: 1.2; }}
.box {{ stroke-width: 1.2; }}
.source {{ fill: #ddf4ff; stroke: #54aeff; }}
.stream {{ fill: #f6f8fa; stroke: #8c959f; }}
.prefix {{ fill: #fff8c5; stroke: #d4a72c; }}
.model {{ fill: #dafbe1; stroke: #4ac26b; }}
.mart {{ fill: #fbefff; stroke: #c297ff; }}
.missing {{ fill: #ffebe9; stroke: #cf222e; stroke-dasharray: 4 3; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc; }}
.head {{ fill: #9198a1; }}
.paper {{ fill: #0d1117; }}
.edge {{ stroke: #656c76; }}
.source {{ fill: #0c2d6b; stroke: #388bfd; }}
.stream {{ fill: #212830; stroke: #656c76; }}
.prefix {{ fill: #4b2900; stroke: #bb8009; }}
.model {{ fill: #033a16; stroke: #2ea043; }}
.mart {{ fill: #3c1e70; stroke: #ab7df8; }}
.missing {{ fill: #5d0f12; stroke: #f85149; }}
}}"""
_HEADS: Mapping[Kind, str] = {
    "source": "source",
    "stream": "stream",
    "prefix": "files in S3",
    "model": "model",
    "mart": "mart",
}
_OF_ANY_DESTINATION = "written to"
_LOOKS: Mapping[Kind, Kind] = {"table": "stream"}

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """The rectangle of a node; `y` is its middle."""

    node: Node
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A lineage with coordinates.

    Attributes:
        boxes: One for each node.
        edges: The points of each edge: it starts at the first, ends at the last, and in between it crosses other
            columns, each on a straight line between two points.
        columns: The left of each column.
        width: Of the whole drawing.
        height: Of the whole drawing.
    """

    boxes: tuple[Box, ...]
    edges: tuple[tuple[Point, ...], ...]
    columns: Mapping[int, float]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Slot:
    """A node in a column, or an edge that crosses it."""

    key: str
    wanted: float
    height: float


def layout(lineage: Lineage) -> Layout:
    """Lay out a lineage."""
    nodes = {node.key: node for node in lineage.nodes}
    widths = _widths(lineage.nodes)
    starts = _starts(widths)
    heights = _rows(lineage)
    edges = sorted(lineage.edges, key=lambda edge: (nodes[edge[1]].column, edge))
    for column in range(COLUMNS["mart"], max(widths, default=0) + 1):
        heights |= _mart_heights(column, nodes, edges, heights)
    boxes = tuple(Box(node, starts[node.column], heights[node.key], widths[node.column]) for node in lineage.nodes)
    drawn = tuple(_points(edge, nodes, heights, starts, widths) for edge in lineage.edges)
    right = max((start + widths[column] for column, start in starts.items()), default=0.0)
    bottom = max(heights.values(), default=0.0)
    return Layout(boxes, drawn, starts, right + MARGIN, bottom + BOX_HEIGHT / 2 + MARGIN)


def _widths(nodes: Iterable[Node]) -> dict[int, float]:
    longest: dict[int, int] = defaultdict(int)
    for node in nodes:
        # Characters of East Asian scripts and emoji take two columns of such a font.
        longest[node.column] = max(longest[node.column], cell_len(escape_unprintable(node.label)))
    return {column: longest[column] * CHARACTER + 2 * _PADDING for column in sorted(longest)}


def _starts(widths: Mapping[int, float]) -> dict[int, float]:
    starts: dict[int, float] = {}
    x = float(MARGIN)
    for column, width in widths.items():
        # Between models and marts there are many edges, which need room.
        starts[column] = x
        x += width + (_WIDE_GAP if column >= COLUMNS["model"] else _GAP)
    return starts


def _rows(lineage: Lineage) -> dict[str, float]:
    """The heights of all but marts: a row for each model, a stream in its first model's, a source in the middle."""
    heads: dict[str, list[str]] = defaultdict(list)
    for tail, head in lineage.edges:
        heads[tail].append(head)
    heights: dict[str, float] = {}
    y = MARGIN + HEADER + BOX_HEIGHT / 2

    for source in (node for node in lineage.nodes if node.kind == "source"):
        streams = heads[source.key]
        for stream in streams:
            (prefix,) = heads[stream]
            heights[stream] = heights[prefix] = y
            for model in heads[prefix]:
                if model not in heights:
                    heights[model] = y
                    y += ROW
            y = max(y, heights[stream] + ROW)
        heights[source.key] = (heights[streams[0]] + heights[streams[-1]]) / 2
        y += _BETWEEN_SOURCES
    for node in lineage.nodes:
        if node.kind == "model" and node.key not in heights:
            heights[node.key] = y
            y += ROW
    return heights


def _mart_heights(
    column: int, nodes: Mapping[str, Node], edges: Sequence[tuple[str, str]], heights: Mapping[str, float]
) -> dict[str, float]:
    """The heights in a column of marts: each as near to its inputs as the others allow."""
    inputs: dict[str, list[float]] = defaultdict(list)
    slots: list[_Slot] = []
    for tail, head in edges:
        if nodes[head].column == column:
            inputs[head].append(_last_height(tail, head, column, heights))
        elif nodes[tail].column < column < nodes[head].column:
            slots.append(_Slot(_thread(tail, head, column), _last_height(tail, head, column, heights), _THREAD))
    top = MARGIN + HEADER + BOX_HEIGHT / 2
    for key, node in nodes.items():
        if node.column == column and node.key not in heights:
            above = inputs[key]
            slots.append(_Slot(key, sum(above) / len(above) if above else top, ROW))
    slots.sort(key=lambda slot: (slot.wanted, slot.key))
    return dict(zip((slot.key for slot in slots), _spread(slots, top), strict=True))


def _spread(slots: Sequence[_Slot], top: float) -> list[float]:
    """Heights in the given order, none too close to the next, with the smallest sum of squared moves.

    This is isotonic regression (pool adjacent violators) on heights less the room that all slots before need.
    """
    offsets: list[float] = []
    for place, slot in enumerate(slots):
        offsets.append(offsets[-1] + (slots[place - 1].height + slot.height) / 2 if place else 0.0)
    pools: list[tuple[float, int]] = []
    for slot, offset in zip(slots, offsets, strict=True):
        total, count = slot.wanted - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, members = pools.pop()
            total, count = total + before, count + members
        pools.append((total, count))
    levels = [max(total / count, top) for total, count in pools for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _thread(tail: str, head: str, column: int) -> str:
    """The key of the slot where an edge crosses a column."""
    return f"{tail} > {head} @ {column}"


def _last_height(tail: str, head: str, column: int, heights: Mapping[str, float]) -> float:
    """The height at which an edge enters a column: that of its slot or node in the column before."""
    crossed = _thread(tail, head, column - 1)
    return heights[crossed] if crossed in heights else heights[tail]


def _points(
    edge: tuple[str, str],
    nodes: Mapping[str, Node],
    heights: Mapping[str, float],
    starts: Mapping[int, float],
    widths: Mapping[int, float],
) -> tuple[Point, ...]:
    tail, head = edge
    points: list[Point] = [(starts[nodes[tail].column] + widths[nodes[tail].column], heights[tail])]
    for column in range(nodes[tail].column + 1, nodes[head].column):
        if (thread := _thread(tail, head, column)) in heights:
            points += [(starts[column], heights[thread]), (starts[column] + widths[column], heights[thread])]
    return (*points, (starts[nodes[head].column], heights[head]))


def svg(lineage: Lineage) -> str:
    """Draw a lineage."""
    placed = layout(lineage)
    width, height = _number(placed.width), _number(placed.height)
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" role="img">',
        "<title>The lake: from sources to marts</title>",
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="paper" {size}/>',
        *_heads(placed),
        *(f'<path class="edge" d="{_path(edge)}"/>' for edge in placed.edges),
        *map(_box, placed.boxes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _heads(placed: Layout) -> list[str]:
    y = _number(MARGIN + HEADER / 2)
    names = {COLUMNS[kind]: head for kind, head in _HEADS.items()}
    if any(box.node.kind == "table" for box in placed.boxes):
        names[COLUMNS["table"]] = _OF_ANY_DESTINATION
    return [
        f'<text class="head" x="{_number(start)}" y="{y}">{escape(names[column])}</text>'
        for column, start in placed.columns.items()
        if column in names
    ]


def _path(points: Sequence[Point]) -> str:
    """A curve that starts and ends horizontally, and crosses other columns on straight lines."""
    (x, y), *others = points
    written = [f"M{_number(x)} {_number(y)}"]
    for place, (to_x, to_y) in enumerate(others):
        if place % 2:
            written.append(f"H{_number(to_x)}")
        else:
            middle = _number((x + to_x) / 2)
            written.append(f"C{middle} {_number(y)} {middle} {_number(to_y)} {_number(to_x)} {_number(to_y)}")
        x, y = to_x, to_y
    return " ".join(written)


def _box(box: Box) -> str:
    node = box.node
    look = "missing" if node.missing else _LOOKS.get(node.kind, node.kind)
    top = box.y - BOX_HEIGHT / 2
    return (
        f"<g><title>{_shown(node.file or node.label)}</title>"
        f'<rect class="box {look}" x="{_number(box.x)}" y="{_number(top)}" width="{_number(box.width)}"'
        f' height="{BOX_HEIGHT}" rx="4"/>'
        f'<text x="{_number(box.x + 10)}" y="{_number(box.y + FONT_SIZE / 3)}">{_shown(node.label)}</text></g>'
    )


def _shown(text: str) -> str:
    """A text for SVG, which has no control characters, not even escaped ones."""
    return escape(escape_unprintable(text))


def _number(value: float) -> str:
    """A length with one decimal, so that every machine writes the same."""
    return f"{value:.1f}".removesuffix(".0")
