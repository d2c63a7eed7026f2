"""The YAML files of a dbt project: the sources and models that they declare, with the line of each.

It reads what it knows and passes over the rest: whether a file is what dbt wants is for dbt to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import yaml
from pydantic import JsonValue

from lotus_infra.dbt.parts import ModelEntry, Settings, SourceEntry, Table

# The parser in C reads the files of a thousand streams in a second; the other is for installations without it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class EntriesError(Exception):
    """The text is no YAML.

    Attributes:
        line: 1-based.
    """

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


@dataclass(frozen=True, slots=True)
class Entries:
    """What one file declares."""

    sources: tuple[SourceEntry, ...]
    models: tuple[ModelEntry, ...]


def read_entries(file: str, text: str) -> Entries:
    """Read a file's text.

    Raises:
        EntriesError: It is no YAML.
    """
    root = compose(text)
    return Entries(tuple(_sources(file, root)), tuple(_models(file, root)))


def compose(text: str) -> yaml.Node | None:
    """A YAML text as nodes that know their lines; None when it is empty.

    Raises:
        EntriesError: It is no YAML.
    """
    with _told_by_line():
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    return node


def document(text: str) -> JsonValue:
    """A YAML text as plain values, those of JSON as far as dbt goes.

    Raises:
        EntriesError: It is no YAML.
    """
    with _told_by_line():
        value: JsonValue = yaml.load(text, Loader=_LOADER)  # noqa: S506  (the loader is the safe one, in C)
    return value


@contextmanager
def _told_by_line() -> Iterator[None]:
    try:
        yield
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise EntriesError(mark.line + 1 if mark is not None else 1) from error


def at(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    """What a mapping has under a key, one inside the other; None when it has nothing there."""
    here = node
    for key in keys:
        if not isinstance(here, yaml.MappingNode):
            return None
        here = next((value for name, value in here.value if text_of(name) == key), None)
    return here


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a list; none when it isn't one."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def text_of(node: yaml.Node | None) -> str | None:
    """A scalar as it is written; None for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def named(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The items of a list that have a name."""
    for item in items(node):
        name = text_of(at(item, "name"))
        if name is not None:
            yield name, item


def line_of(node: yaml.Node) -> int:
    """Where a node starts, 1-based."""
    return int(node.start_mark.line) + 1


def _sources(file: str, root: yaml.Node | None) -> Iterator[SourceEntry]:
    for name, item in named(at(root, "sources")):
        tables = tuple(_table(file, name, table, entry) for table, entry in named(at(item, "tables")))
        yield SourceEntry(name, file, line_of(item), tables)


def _table(file: str, source: str, name: str, item: yaml.Node) -> Table:
    # dbt takes both places; the one inside `config` is the newer.
    meta = at(item, "config", "meta") or at(item, "meta")
    prefix = at(meta, "prefix")
    return Table(
        stream=(source, name),
        file=file,
        line=line_of(item),
        columns={column: line_of(entry) for column, entry in named(at(item, "columns"))},
        prefix=text_of(prefix),
        prefix_line=line_of(prefix or item),
        location=text_of(at(meta, "external_location")),
    )


def _models(file: str, root: yaml.Node | None) -> Iterator[ModelEntry]:
    for name, item in named(at(root, "models")):
        config = at(item, "config")
        settings = Settings(_texts(at(config, "tags")), _texts(at(config, "unique_key")), line_of(config or item))
        yield ModelEntry(name, file, line_of(item), settings)


def _texts(node: yaml.Node | None) -> tuple[str, ...]:
    """A scalar or a list of scalars, as texts."""
    texts = map(text_of, items(node)) if isinstance(node, yaml.SequenceNode) else (text_of(node),)
    return tuple(text for text in texts if text is not None)
