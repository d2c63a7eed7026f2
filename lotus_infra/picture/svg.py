"""The picture as SVG that stands for itself: no script, no font to load, readable on light and on dark."""

from collections.abc import Sequence
from html import escape

from lotus_infra.picture.layout import BOX_HEIGHT, FONT_SIZE, HEADER, MARGIN, Box, Layout, Point, layout
from lotus_infra.picture.parts import COLUMNS, Picture

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
_HEADS = {"source": "source", "stream": "stream", "prefix": "files in S3", "model": "model", "mart": "mart"}


def svg(picture: Picture) -> str:
    """Draw a picture."""
    placed = layout(picture)
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
    names = {column: _HEADS[kind] for kind, column in COLUMNS.items()}
    return [
        f'<text class="head" x="{_number(start)}" y="{y}">{escape(names[column])}</text>'
        for column, start in placed.columns.items()
        if column in names
    ]


def _path(points: Sequence[Point]) -> str:
    """A curve that leaves and arrives level, and goes straight through the columns that it only passes."""
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
    look = "missing" if node.missing else node.kind
    top = box.y - BOX_HEIGHT / 2
    return (
        f"<g><title>{escape(node.file or node.label)}</title>"
        f'<rect class="box {look}" x="{_number(box.x)}" y="{_number(top)}" width="{_number(box.width)}"'
        f' height="{BOX_HEIGHT}" rx="4"/>'
        f'<text x="{_number(box.x + 10)}" y="{_number(box.y + FONT_SIZE / 3)}">{escape(node.label)}</text></g>'
    )


def _number(value: float) -> str:
    """A length without more digits than can be seen, and the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")
