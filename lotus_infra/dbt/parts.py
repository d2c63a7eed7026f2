"""What a dbt project is made of, as far as the lake's streams have to do with it.

Every file is named relative to the project's folder, with forward slashes; every line is 1-based. These are facts of
the project's files alone: this module knows neither how they are read nor what they are held against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lotus_infra.lake.diagnostics import Diagnostic

PROJECT_FILE = "dbt_project.yml"
MODELS_FOLDER = "models"
StreamName = tuple[str, str]
"""Source and stream."""
Member = str | None
"""A step of a JSON path: the member of an object, or None for any element of an array."""


@dataclass(frozen=True, slots=True)
class Read:
    """A column that a query reads of what has arrived.

    Attributes:
        column: As the query writes it; upper and lower case make no difference to DuckDB.
        line: Where.
        path: What is taken out of it by a JSON path; empty when it is read as a whole.
    """

    column: str
    line: int
    path: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """A column that a query reads of a part of its own that has no such column."""

    column: str
    part: str
    line: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A call of `arrivals('<source>', '<stream>')` or of `source` with the same, and what is read of it."""

    stream: StreamName
    line: int
    reads: tuple[Read, ...] = ()


@dataclass(frozen=True, slots=True)
class Latest:
    """A call of `latest(rows, key, cursor)`; the key is more than one column when rows have a composite key."""

    key: tuple[str, ...]
    cursor: str
    line: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a model's `config` says that matters here.

    Attributes:
        tags: In the order of the file.
        unique_key: Columns; empty without one.
        line: Where `config` stands.
    """

    tags: tuple[str, ...] = ()
    unique_key: tuple[str, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A model's file.

    Attributes:
        name: The file without its ending, which is the model's name in dbt.
        file: `models/core/shopify/int_shopify__orders.sql`.
        settings: Those in the file together with those of its entry in a YAML file.
        arrivals: What it reads of files that have arrived since the last time.
        sources: What it reads of all files of a stream, or of a table that is none of the lake's.
        refs: The models that it is made of.
        absent: What its own parts are asked for in vain.
        computes_arrivals: Whether it has a call of `arrivals` whose stream can't be told from the text.
    """

    name: str
    file: str
    settings: Settings
    arrivals: tuple[Arrivals, ...] = ()
    sources: tuple[Arrivals, ...] = ()
    latest: tuple[Latest, ...] = ()
    refs: tuple[str, ...] = ()
    absent: tuple[Absent, ...] = ()
    computes_arrivals: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A stream's entry among the `tables` of a source.

    Attributes:
        columns: The lines of the declared columns, by name.
        prefix: `meta.prefix`; None without one.
        location: `meta.external_location`; None without one.
    """

    stream: StreamName
    file: str
    line: int
    columns: Mapping[str, int]
    prefix: str | None
    prefix_line: int
    location: str | None = None


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source among the `sources` of a YAML file."""

    name: str
    file: str
    line: int
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model among the `models` of a YAML file."""

    name: str
    file: str
    line: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class Project:
    """All that matters here of a dbt project.

    Attributes:
        directory: The folder with `dbt_project.yml`.
        models: By file.
        sources: By file, in the order of each.
        entries: Likewise.
        findings: Files that can't be read, and what in them can't be told from their text.
    """

    directory: Path
    models: tuple[Model, ...]
    sources: tuple[SourceEntry, ...]
    entries: tuple[ModelEntry, ...]
    findings: tuple[Diagnostic, ...]

    @property
    def unread(self) -> frozenset[str]:
        """The files that can't be read, about which rules stay quiet."""
        return frozenset(finding.file for finding in self.findings if not finding.harmless)
