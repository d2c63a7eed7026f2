"""The lake's lineage: connections, streams, what they write, models and marts as nodes, and Mermaid's text of it.

It is read from the lake's files and those of the dbt project. `lineage_svg` draws the same graph.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from lotus_infra import naming
from lotus_infra.dbt.project import Model, Project, StreamName
from lotus_infra.lake.lake import Connection, Lake, StreamFile

Kind = Literal["source", "stream", "prefix", "table", "model", "mart"]

COLUMNS: Mapping[Kind, int] = {"source": 0, "stream": 1, "prefix": 2, "table": 2, "model": 3, "mart": 4}
"""The column of each kind; a mart downstream of marts is further right."""

_MISSING = " (missing)"
_REMOVED = " (removed)"
_PAUSED = " (paused)"
_OF_DLT = " (dlt)"
_MOST_OF_LABEL = 100
"""Characters of a label; a source may have names of any length."""

_SHAPES: Mapping[Kind, tuple[str, str]] = {
    "source": ("([", "])"),
    "stream": ("[", "]"),
    "prefix": ("[(", ")]"),
    "table": ("[/", "/]"),
    "model": ("[", "]"),
    "mart": ("[[", "]]"),
}
"""The brackets of a node in Mermaid."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the graph.

    Attributes:
        key: Its kind and name; unique.
        kind: A source stands for one of its connections, a prefix for a stream's files in S3, and a table for any other
            place: models of the lake read those in Postgres.
        label: The text to show.
        column: From the left, 0 for sources.
        file: The file that declares it; empty for a place.
        missing: Whether it is expected and absent, or about to be removed.
    """

    key: str
    kind: Kind
    label: str
    column: int
    file: str = ""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """Nodes, from top to bottom within each column, and edges as pairs of keys, upstream first."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def lineage_of(lake: Lake, project: Project | None, source: str | None = None) -> Lineage:
    """The lineage of a lake, from the connections of its sources to marts.

    Args:
        lake: The lake; only selected streams are included.
        project: The dbt project; without one the lineage ends at the files.
        source: The only source to include, with everything downstream of it, or its only connection: `shop/daily`.
    """
    builder = _Builder(lake, project)
    for connection in lake.connections:
        if source in {None, connection.source, f"{connection.source}/{connection.name}"}:
            builder.add_connection(connection)
    builder.add_models(every=source is None)
    return Lineage(tuple(builder.nodes.values()), tuple(dict.fromkeys(builder.edges)))


class _Builder:
    """Collects nodes and edges, each node once."""

    def __init__(self, lake: Lake, project: Project | None) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self._lake, self._has_project = lake, project is not None
        self._sources = {source.name: source for source in lake.sources}
        self._several = len({connection.config.destination for connection in lake.connections}) > 1
        self._models = {model.name: model for model in (project.models if project is not None else ())}
        self._tables = {
            (source.name, stream.name)
            for source in lake.sources
            for stream in source.streams
            if lake.table_read_of(source, stream) is not None
        }
        self._readers: dict[StreamName, list[str]] = defaultdict(list)
        for name, model in sorted(self._models.items()):
            for stream in self._reads_of(model):
                self._readers[stream].append(name)

    def add_connection(self, connection: Connection) -> None:
        """Add a connection, its streams, where it writes them, and the models that read them there.

        A stream that several connections take is there for each: what they write are different files.
        """
        resource = connection.resource
        source = self._sources[connection.source]
        label = resource + _OF_DLT * (source.engine == "dlt") + _PAUSED * connection.is_paused
        for stream in connection.streams:
            name = f"{resource}/{stream.name}"
            path = [
                self._put(Node(f"source:{resource}", "source", label, COLUMNS["source"], connection.file)),
                self._put(Node(f"stream:{name}", "stream", _shortened(stream.name), COLUMNS["stream"], stream.file)),
                self._put(self._place(name, connection, stream)),
            ]
            self.edges.extend(pairwise(path))
            read = self._lake.read_of(source, stream) or self._lake.table_read_of(source, stream)
            if self._has_project and read is not None and read.resource == resource:
                self.edges.extend((path[-1], self._put_model(model)) for model in self._readers_of(stream))

    def _place(self, name: str, connection: Connection, stream: StreamFile) -> Node:
        """Where a connection writes a stream, with the destination's label if the lake has several in use."""
        written = self._lake.place_of(connection, stream)
        kind: Kind = "prefix"
        if not self._lake.writes_files(connection):
            kind = "table"
            table = self._lake.table_of(connection, stream)
            names = ".".join(filter(None, (connection.namespace_of(stream), connection.name_of(stream))))
            written = str(table) if table is not None else names
        whose = f"{self._lake.destination_label(connection.config.destination)}: " if self._several else ""
        return Node(f"prefix:{name}", kind, _shortened(whose + written), COLUMNS[kind])

    def add_models(self, *, every: bool) -> None:
        """Add the models that read models: every one, or those downstream of the nodes so far."""
        depths = {name: self._depth(name, ()) for name in self._models}
        for name, model in sorted(self._models.items(), key=lambda item: (depths[item[0]], item[0])):
            inputs = [f"model:{ref}" for ref in model.refs if f"model:{ref}" in self.nodes]
            if every or inputs:
                self._put_model(name, depths[name])
            if f"model:{name}" in self.nodes:
                self.edges.extend((tail, f"model:{name}") for tail in inputs)

    def _reads_of(self, model: Model) -> tuple[StreamName, ...]:
        """The streams that a model reads as they arrive, by their files or their tables in Postgres."""
        tables = (ref.stream for ref in model.sources if ref.stream in self._tables)
        return tuple(dict.fromkeys((*model.streams, *tables)))

    def _readers_of(self, stream: StreamFile) -> list[str]:
        """The models that read a stream: its own first, even if it does not exist."""
        own = naming.dbt_model(stream.source, stream.name)
        return list(dict.fromkeys((own, *self._readers[stream.source, stream.name])))

    def _put_model(self, name: str, depth: int = -1) -> str:
        """Add a model; one that reads only models is called a mart here, though dbt has no such kind."""
        model, key = self._models.get(name), f"model:{name}"
        if model is None:
            return self._put(Node(key, "model", name + _MISSING, COLUMNS["model"], missing=True))
        if depth < 0:
            return self._put(Node(key, "model", name, COLUMNS["model"], model.file))
        return self._put(Node(key, "mart", name, COLUMNS["mart"] + depth, model.file))

    def _put(self, node: Node) -> str:
        self.nodes.setdefault(node.key, node)
        return node.key

    def _depth(self, name: str, path: tuple[str, ...]) -> int:
        """The length of the longest chain of marts upstream of a mart; -1 for a model that is not a mart.

        Models that `ref` each other in a circle, which dbt refuses, end the chain.
        """
        model = self._models.get(name)
        if model is None or self._reads_of(model) or name in path:
            return -1
        return 1 + max((self._depth(ref, (*path, name)) for ref in model.refs), default=-1)


def downstream(streams: Mapping[StreamName, bool], project: Project) -> Lineage:
    """The lineage downstream of some streams; streams that no model reads are left out.

    Args:
        streams: Each with whether it is removed.
        project: The dbt project.
    """
    models = {model.name: model for model in project.models}
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    reached: list[str] = []
    for (source, stream), removed in sorted(streams.items()):
        key = f"stream:{source}/{stream}"
        readers = [name for name, model in sorted(models.items()) if (source, stream) in _streams_of(model)]
        if readers:
            label = f"{source}/{stream}{_REMOVED if removed else ''}"
            nodes[key] = Node(key, "stream", label, COLUMNS["stream"], missing=removed)
        for name in readers:
            nodes.setdefault(f"model:{name}", _model_node(models[name]))
            edges.append((key, f"model:{name}"))
            reached.append(name)
    _add_downstream(reached, models, nodes, edges)
    return Lineage(tuple(nodes.values()), tuple(dict.fromkeys(edges)))


def _add_downstream(
    reached: Sequence[str], models: Mapping[str, Model], nodes: dict[str, Node], edges: list[tuple[str, str]]
) -> None:
    """Add every model downstream of the models that are reached."""
    waiting, done = list(dict.fromkeys(reached)), set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in done:
            continue
        done.add(name)
        for other, model in sorted(models.items()):
            if name in model.refs:
                nodes.setdefault(f"model:{other}", _model_node(model))
                edges.append((f"model:{name}", f"model:{other}"))
                waiting.append(other)


def _shortened(text: str) -> str:
    """A text of any length as a label: its beginning and its end."""
    half = (_MOST_OF_LABEL - 1) // 2
    return text if len(text) <= _MOST_OF_LABEL else f"{text[:half]}…{text[-half:]}"


def _streams_of(model: Model) -> set[StreamName]:
    return {ref.stream for ref in (*model.arrivals, *model.sources)}


def _model_node(model: Model) -> Node:
    kind: Kind = "model" if _streams_of(model) else "mart"
    return Node(f"model:{model.name}", kind, model.name, COLUMNS[kind], model.file)


def mermaid(lineage: Lineage) -> str:
    """Write a lineage as a Mermaid flowchart, which GitHub and many editors draw."""
    names: dict[str, str] = {}
    for node in lineage.nodes:
        names[node.key] = _free_name(re.sub(r"\W", "_", node.key, flags=re.ASCII), set(names.values()))
    lines = ["flowchart LR"]
    lines += [f"    {_mermaid_node(names[node.key], node)}" for node in lineage.nodes]
    lines += [f"    {names[tail]} --> {names[head]}" for tail, head in lineage.edges]
    if any(node.missing for node in lineage.nodes):
        lines.append("    classDef missing stroke:#c62828,stroke-dasharray:4 3")
    return "\n".join(lines) + "\n"


def _mermaid_node(name: str, node: Node) -> str:
    start, end = _SHAPES[node.kind]
    written = f'{name}{start}"{_escaped(node.label)}"{end}'
    return f"{written}:::missing" if node.missing else written


def _escaped(text: str) -> str:
    """A text for Mermaid's double quotes; `#35;` is a character by its number.

    Mermaid looks for directives (`%%{`), Markdown and HTML in quotes too: only what has no meaning there stays.
    """
    return re.sub(r"[^\w ./():,=+-]", lambda found: f"#{ord(found[0])};", text)


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
