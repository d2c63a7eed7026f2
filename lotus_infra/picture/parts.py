"""What is in the picture: nodes in columns, and edges that go from left to right."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from lotus_infra import naming
from lotus_infra.dbt.parts import Project, StreamName
from lotus_infra.lake.lake import Lake, SourceFolder, StreamFile

Kind = Literal["source", "stream", "prefix", "model", "mart"]
COLUMNS: Mapping[Kind, int] = {"source": 0, "stream": 1, "prefix": 2, "model": 3, "mart": 4}
"""The column of each kind; a mart that is made of marts is further right."""
MISSING = " (missing)"


@dataclass(frozen=True, slots=True)
class Node:
    """A thing of the lake.

    Attributes:
        key: Its kind and name, which no other node has.
        kind: What it is.
        label: What the picture calls it.
        column: From the left, 0 for sources.
        file: The file that it is from; empty for a prefix.
        missing: Whether it should be there and isn't.
    """

    key: str
    kind: Kind
    label: str
    column: int
    file: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes in the order from top to bottom within each column, and edges by the keys of two nodes."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def picture_of(lake: Lake, project: Project | None, source: str | None = None) -> Picture:
    """The picture of a lake.

    Args:
        lake: The lake; streams that aren't selected are left out.
        project: The dbt project; without one the picture ends at the files.
        source: The one source to draw, with all that is made of it.
    """
    drawing = _Drawing(lake, project)
    for folder in lake.sources:
        if source in {None, folder.name}:
            drawing.add_source(folder)
    drawing.add_models(every=source is None)
    return Picture(tuple(drawing.nodes.values()), tuple(dict.fromkeys(drawing.edges)))


class _Drawing:
    """A picture in the making."""

    def __init__(self, lake: Lake, project: Project | None) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self._lake, self._has_project = lake, project is not None
        self._models = {model.name: model for model in (project.models if project is not None else ())}
        self._reading: dict[StreamName, list[str]] = defaultdict(list)
        for name, model in sorted(self._models.items()):
            for arrivals in model.arrivals:
                self._reading[arrivals.stream].append(name)

    def add_source(self, source: SourceFolder) -> None:
        """Add a source with its streams, where their files are, and what reads these."""
        for stream in source.selected_streams:
            name, prefix = f"{source.name}/{stream.name}", self._lake.prefix_of(source, stream.name)
            path = [
                self._put(Node(f"source:{source.name}", "source", source.name, COLUMNS["source"], source.file)),
                self._put(Node(f"stream:{name}", "stream", stream.name, COLUMNS["stream"], stream.file)),
                self._put(Node(f"prefix:{name}", "prefix", prefix, COLUMNS["prefix"])),
            ]
            self.edges.extend(pairwise(path))
            if self._has_project:
                self.edges.extend((path[-1], self._put_model(model)) for model in self._readers(stream))

    def add_models(self, *, every: bool) -> None:
        """Add models that are made of models: all, or those that are made of what is there already."""
        depths = {name: self._depth(name, ()) for name in self._models}
        for name, model in sorted(self._models.items(), key=lambda item: (depths[item[0]], item[0])):
            inputs = [f"model:{ref}" for ref in model.refs if f"model:{ref}" in self.nodes]
            if every or inputs:
                self._put_model(name, depths[name])
            if f"model:{name}" in self.nodes:
                self.edges.extend((tail, f"model:{name}") for tail in inputs)

    def _readers(self, stream: StreamFile) -> list[str]:
        """The models that read a stream, its own first even when it is not there."""
        own = naming.dbt_model(stream.source, stream.name)
        return list(dict.fromkeys((own, *self._reading[stream.source, stream.name])))

    def _put_model(self, name: str, depth: int = -1) -> str:
        """Add a model; one that is made of models is a mart, and to dbt a model like the others."""
        model, key = self._models.get(name), f"model:{name}"
        if model is None:
            return self._put(Node(key, "model", name + MISSING, COLUMNS["model"], missing=True))
        if depth < 0:
            return self._put(Node(key, "model", name, COLUMNS["model"], model.file))
        return self._put(Node(key, "mart", name, COLUMNS["mart"] + depth, model.file))

    def _put(self, node: Node) -> str:
        self.nodes.setdefault(node.key, node)
        return node.key

    def _depth(self, name: str, behind: tuple[str, ...]) -> int:
        """How many marts a mart is made of, one after the other; models that read arrivals count none."""
        model = self._models.get(name)
        if model is None or model.arrivals or name in behind:
            return -1
        return 1 + max((self._depth(ref, (*behind, name)) for ref in model.refs), default=-1)
