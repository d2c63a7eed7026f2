"""Where everything is in the picture: columns as wide as their longest name, streams a row each, edges that hit no box.

All lengths are pixels. Names are drawn in a font of one width, so that their lengths are known here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lotus_infra.picture.parts import COLUMNS, Node, Picture

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

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place; `y` is its middle."""

    node: Node
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture with places.

    Attributes:
        boxes: A box for each node.
        edges: The points that each edge goes through: it leaves at the first and arrives at the last, and between them
            it crosses columns that it has nothing to do with, each in a straight line.
        columns: Where each column starts.
        width: Of the whole picture.
        height: Likewise.
    """

    boxes: tuple[Box, ...]
    edges: tuple[tuple[Point, ...], ...]
    columns: Mapping[int, float]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Slot:
    """What takes a place in a column: a node, or an edge that passes."""

    key: str
    wanted: float
    height: float


def layout(picture: Picture) -> Layout:
    """Give everything in a picture its place."""
    nodes = {node.key: node for node in picture.nodes}
    widths = _widths(picture.nodes)
    starts = _starts(widths)
    heights = _rows(picture)
    edges = sorted(picture.edges, key=lambda edge: (nodes[edge[1]].column, edge))
    for column in range(COLUMNS["mart"], max(widths, default=0) + 1):
        heights |= _settled(column, nodes, edges, heights)
    boxes = tuple(Box(node, starts[node.column], heights[node.key], widths[node.column]) for node in picture.nodes)
    drawn = tuple(_points(edge, nodes, heights, starts, widths) for edge in picture.edges)
    right = max((start + widths[column] for column, start in starts.items()), default=0.0)
    bottom = max(heights.values(), default=0.0)
    return Layout(boxes, drawn, starts, right + MARGIN, bottom + BOX_HEIGHT / 2 + MARGIN)


def _widths(nodes: Iterable[Node]) -> dict[int, float]:
    longest: dict[int, int] = defaultdict(int)
    for node in nodes:
        longest[node.column] = max(longest[node.column], len(node.label))
    return {column: longest[column] * CHARACTER + 2 * _PADDING for column in sorted(longest)}


def _starts(widths: Mapping[int, float]) -> dict[int, float]:
    starts: dict[int, float] = {}
    x = float(MARGIN)
    for column, width in widths.items():
        # Where many edges meet they need room to be told apart.
        starts[column] = x
        x += width + (_WIDE_GAP if column >= COLUMNS["model"] else _GAP)
    return starts


def _rows(picture: Picture) -> dict[str, float]:
    """The heights of all but marts: a row for each model, its stream beside the first, its source in the middle."""
    heads: dict[str, list[str]] = defaultdict(list)
    for tail, head in picture.edges:
        heads[tail].append(head)
    heights: dict[str, float] = {}
    y = MARGIN + HEADER + BOX_HEIGHT / 2

    for source in (node for node in picture.nodes if node.kind == "source"):
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
    for node in picture.nodes:
        if node.kind == "model" and node.key not in heights:
            heights[node.key] = y
            y += ROW
    return heights


def _settled(
    column: int, nodes: Mapping[str, Node], edges: Sequence[tuple[str, str]], heights: Mapping[str, float]
) -> dict[str, float]:
    """The heights in a column of marts: each as near to what it is made of as the others leave room for."""
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
    """Heights in the given order, none too close to the next, with the least squares of what each is moved by.

    This is isotonic regression by pooling neighbours, on heights less the room that all before need.
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
    """The key of the place where an edge passes a column."""
    return f"{tail} > {head} @ {column}"


def _last_height(tail: str, head: str, column: int, heights: Mapping[str, float]) -> float:
    """The height at which an edge comes into a column: that of where it was last."""
    passed = _thread(tail, head, column - 1)
    return heights[passed] if passed in heights else heights[tail]


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
