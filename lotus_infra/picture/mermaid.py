"""The picture as Mermaid, which GitHub and many editors draw."""

import re

from lotus_infra.picture.parts import Kind, Node, Picture

_SHAPES: dict[Kind, tuple[str, str]] = {
    "source": ("([", "])"),
    "stream": ("[", "]"),
    "prefix": ("[(", ")]"),
    "model": ("[", "]"),
    "mart": ("[[", "]]"),
}


def mermaid(picture: Picture) -> str:
    """Write a picture as a flowchart."""
    names: dict[str, str] = {}
    for node in picture.nodes:
        names[node.key] = _free_name(re.sub(r"\W", "_", node.key, flags=re.ASCII), set(names.values()))
    lines = ["flowchart LR"]
    lines += [f"    {_node(names[node.key], node)}" for node in picture.nodes]
    lines += [f"    {names[tail]} --> {names[head]}" for tail, head in picture.edges]
    if any(node.missing for node in picture.nodes):
        lines.append("    classDef missing stroke:#c62828,stroke-dasharray:4 3")
    return "\n".join(lines) + "\n"


def _node(name: str, node: Node) -> str:
    start, end = _SHAPES[node.kind]
    written = f'{name}{start}"{_escaped(node.label)}"{end}'
    return f"{written}:::missing" if node.missing else written


def _escaped(text: str) -> str:
    """A text between quotes; Mermaid writes characters by number as `#35;`."""
    return re.sub(r'[#"<>&`\x00-\x1f]', lambda found: f"#{ord(found[0])};", text)


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
