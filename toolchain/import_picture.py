"""Draw which rooms of the code import which, as Mermaid, into docs/architecture.md.

Run `python -m toolchain.import_picture` to print the picture, with `--write` to put it into the page. A room is a
folder or a file directly below a package; an arrow that follows from two others is left out.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import grimp

PAGE: Final = Path(__file__).parents[1] / "docs" / "architecture.md"
BEGIN: Final = "<!-- imports: drawn by `python -m toolchain.import_picture --write` -->\n"
END: Final = "<!-- imports: end -->\n"
ROOMS: Final = "lotus_infra"
"""The package that is drawn room by room; every other one is a single room."""
OTHERS: Final = ("pulumi_airbyte", "airbyte_model", "lotus_dagster")

Arrows = Mapping[str, frozenset[str]]
"""The rooms that each room imports."""


def rooms() -> Arrows:
    """The rooms of the code, and what each imports."""
    graph = grimp.build_graph(ROOMS, *OTHERS, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        found.setdefault(_room(module), set())
        for imported in graph.find_modules_directly_imported_by(module):
            found[_room(module)].add(_room(imported))
    return {room: frozenset(imports - {room}) for room, imports in found.items() if room != ROOMS}


def direct(arrows: Arrows) -> Arrows:
    """The arrows that do not follow from others.

    Args:
        arrows: of a graph without cycles.
    """
    return {
        room: frozenset(
            target for target in imports if not any(target in _below(arrows, other) for other in imports - {target})
        )
        for room, imports in arrows.items()
    }


def mermaid(arrows: Arrows) -> str:
    """A flowchart, from what imports to what is imported."""
    lines = [f"    {room} --> {target}" for room in sorted(arrows) for target in sorted(arrows[room])]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def placed(page: str, picture: str) -> str:
    """A page with the picture between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}{picture}{END}{after}"


def _room(module: str) -> str:
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] or ROOMS if package == ROOMS else package


def _below(arrows: Arrows, room: str) -> frozenset[str]:
    """All rooms that a room reaches."""
    found: set[str] = set()
    waiting = [room]
    while waiting:
        for target in arrows.get(waiting.pop(), frozenset()) - found:
            found.add(target)
            waiting.append(target)
    return frozenset(found)


def main(arguments: Iterable[str]) -> int:
    """Print the picture, or write it into the page."""
    picture = mermaid(direct(rooms()))
    if "--write" in arguments:
        PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), picture), encoding="utf-8")
    else:
        sys.stdout.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
