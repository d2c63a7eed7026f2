"""The picture of what is made of some streams: the models that read them, and the marts that are made of these."""

from collections.abc import Mapping, Sequence

from lotus_infra.dbt.parts import Model, Project, StreamName
from lotus_infra.picture.parts import COLUMNS, Kind, Node, Picture

GOES = " (removed)"


def downstream(streams: Mapping[StreamName, bool], project: Project) -> Picture:
    """Draw streams with all that is made of them; those that nothing is made of are left out.

    Args:
        streams: each with whether it goes.
        project: the dbt project.
    """
    models = {model.name: model for model in project.models}
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    reached: list[str] = []
    for (source, stream), goes in sorted(streams.items()):
        key = f"stream:{source}/{stream}"
        readers = [name for name, model in sorted(models.items()) if (source, stream) in _read(model)]
        if readers:
            label = f"{source}/{stream}{GOES if goes else ''}"
            nodes[key] = Node(key, "stream", label, COLUMNS["stream"], missing=goes)
        for name in readers:
            nodes.setdefault(f"model:{name}", _node(models[name]))
            edges.append((key, f"model:{name}"))
            reached.append(name)
    _follow(reached, models, nodes, edges)
    return Picture(tuple(nodes.values()), tuple(dict.fromkeys(edges)))


def _follow(
    reached: Sequence[str], models: Mapping[str, Model], nodes: dict[str, Node], edges: list[tuple[str, str]]
) -> None:
    """Add what is made of models that are reached, and what is made of that."""
    waiting, done = list(dict.fromkeys(reached)), set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in done:
            continue
        done.add(name)
        for other, model in sorted(models.items()):
            if name in model.refs:
                nodes.setdefault(f"model:{other}", _node(model))
                edges.append((f"model:{name}", f"model:{other}"))
                waiting.append(other)


def _read(model: Model) -> set[StreamName]:
    return {read.stream for read in (*model.arrivals, *model.sources)}


def _node(model: Model) -> Node:
    kind: Kind = "model" if _read(model) else "mart"
    return Node(f"model:{model.name}", kind, model.name, COLUMNS[kind], model.file)
