"""Which files a lake's folder has, and which of them don't belong there.

It lists names and opens nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lotus_infra.errors import LakeError
from lotus_infra.naming import is_identifier
from lotus_infra.streams.lake import (
    CONNECTORS_FOLDER,
    DESTINATIONS_FOLDER,
    DISCOVERED_FOLDER,
    SCHEMA_FOLDER,
    SOURCE_FILE,
)
from lotus_infra.streams.problems import Finding, suggestion

OBSOLETE_CATALOG = "_catalog.json"
README = "README.md"
_NAMES = "use lower-case letters, digits and underscores, a letter first"


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The files of one source's folder, by name without their ending; `discovered` is None without that folder."""

    name: str
    streams: tuple[str, ...]
    has_source_file: bool
    discovered: frozenset[str] | None


@dataclass(slots=True)
class Tree:
    """The files of a lake, by name without their ending, and what is wrong with how they lie."""

    sources: list[SourceTree] = field(default_factory=list)
    destinations: tuple[str, ...] = ()
    connectors: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def scan(directory: Path) -> Tree:
    """List a lake's folder.

    Raises:
        LakeError: The folder is missing or can't be listed.
    """
    tree = Tree()
    for entry in _entries(directory):
        name = entry.name
        if not entry.is_dir():
            tree.findings.extend(_loose_file(entry))
        elif name == DESTINATIONS_FOLDER:
            tree.destinations = _json_names(directory, name, tree.findings)
        elif name == CONNECTORS_FOLDER:
            tree.connectors = _json_names(directory, name, tree.findings)
        elif name.startswith(("_", ".")):
            if name != SCHEMA_FOLDER:
                remedy = suggestion(name, (DESTINATIONS_FOLDER, CONNECTORS_FOLDER), "move it out of the lake's folder")
                tree.findings.append(_stray(name, remedy))
        else:
            tree.sources.append(_source(directory, name, tree.findings))
    return tree


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        raise LakeError(
            f"{directory} does not exist",
            "name the folder that holds the stream files: `--streams` of a command, `lotus:streams` of a stack",
        ) from None
    except NotADirectoryError:
        raise LakeError(
            f"{directory} is not a folder",
            "name the folder that holds the stream files: `--streams` of a command, `lotus:streams` of a stack",
        ) from None
    except OSError as error:
        raise LakeError(f"{directory} can't be listed ({error.strerror or error})", "make it readable") from None


def _source(directory: Path, source: str, findings: list[Finding]) -> SourceTree:
    if not is_identifier(source):
        findings.append(Finding(source, (), "can't be a source's folder: it names prefixes and models", _NAMES))
    streams: list[str] = []
    discovered: frozenset[str] | None = None
    has_source_file = False
    for entry in _entries(directory / source):
        name, file = entry.name, f"{source}/{entry.name}"
        stem = name.removesuffix(".json")
        if entry.is_dir():
            if name == DISCOVERED_FOLDER:
                discovered = frozenset(_json_names(directory, file, findings))
            else:
                findings.append(_stray(file, suggestion(name, (DISCOVERED_FOLDER,), "a source's folder has no others")))
        elif name == SOURCE_FILE:
            has_source_file = True
        elif name == OBSOLETE_CATALOG:
            findings.append(_obsolete(file))
        elif stem == name or name.startswith(("_", ".")) or not entry.is_file():
            findings.append(_stray(file, suggestion(name, (SOURCE_FILE,), "a source's folder has <stream>.json files")))
        else:
            streams.append(stem)
            if not is_identifier(stem):
                findings.append(Finding(file, (), "can't name a stream: it names prefixes and models", _NAMES))
    if not has_source_file:
        what = f'the source "{source}" has no {SOURCE_FILE}'
        findings.append(
            Finding(f"{source}/{SOURCE_FILE}", (), what, "write one, or move the stream files to their source")
        )
    return SourceTree(source, tuple(streams), has_source_file, discovered)


def _json_names(directory: Path, folder: str, findings: list[Finding]) -> tuple[str, ...]:
    """The names of a folder's JSON files; anything else in it is a stray."""
    names: list[str] = []
    for entry in _entries(directory / folder):
        if entry.name.endswith(".json") and entry.is_file() and not entry.name.startswith(("_", ".")):
            names.append(entry.name.removesuffix(".json"))
        else:
            findings.append(_stray(f"{folder}/{entry.name}", "this folder has <name>.json files only"))
    return tuple(names)


def _loose_file(entry: os.DirEntry[str]) -> Iterator[Finding]:
    """A file beside the source folders: only the README belongs there."""
    if entry.name == OBSOLETE_CATALOG:
        yield _obsolete(entry.name)
    elif entry.name.endswith(".json"):
        yield _stray(entry.name, "move it into the folder of its source")
    elif entry.name != README:
        yield _stray(entry.name, "move it out of the lake's folder")


def _stray(file: str, remedy: str) -> Finding:
    return Finding(file, (), "is not a file that a lake has", remedy)


def _obsolete(file: str) -> Finding:
    return Finding(file, (), "is obsolete and not read", "delete it", harmless=True)
