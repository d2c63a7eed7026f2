"""From a folder of files to a `Lake`: what each file must be, and that its name and its content agree.

Every file is read by itself, so that one that can't be read hides nothing about the others. Nothing here compares two
files: that is for the rules in `checks`.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from lotus_infra.errors import LakeError
from lotus_infra.streams.bulk import collector_paused
from lotus_infra.streams.facts import Connector, Discovered
from lotus_infra.streams.lake import (
    CONNECTORS_FOLDER,
    DESTINATIONS_FOLDER,
    DISCOVERED_FOLDER,
    SOURCE_FILE,
    Lake,
    SourceFolder,
    StreamFile,
)
from lotus_infra.streams.model import DestinationConfig, SourceConfig, StreamConfig
from lotus_infra.streams.problems import Finding
from lotus_infra.streams.read import Reader
from lotus_infra.streams.tree import SourceTree, Tree, scan


class LoadedLake(NamedTuple):
    """A lake, and what is wrong with its files one by one."""

    lake: Lake
    findings: tuple[Finding, ...]


@collector_paused()
def load_lake(directory: Path, *, begun: bool = True) -> LoadedLake:
    """Load everything in a lake's folder.

    Args:
        directory: The folder.
        begun: False where a lake may still be without sources, or without its folder.

    Raises:
        LakeError: The folder is missing, can't be listed, or has nothing in it that could be a lake.
    """
    tree = Tree() if not begun and not directory.exists() else scan(directory)
    if begun and not tree.sources and not tree.findings:
        raise LakeError(f"{directory} has no sources in it", "add a folder with _source.json and <stream>.json files")
    reader = Reader(directory)
    sources = tuple(_source(reader, source) for source in tree.sources)
    destinations = {
        name: reader.read(f"{DESTINATIONS_FOLDER}/{name}.json", DestinationConfig) for name in tree.destinations
    }
    connectors = {name: _connector(reader, name) for name in tree.connectors}
    return LoadedLake(Lake(directory, sources, destinations, connectors), (*tree.findings, *reader.findings))


def load_usable_lake(directory: Path) -> Lake:
    """Load a lake for those who only use it: one whose files can all be read.

    Raises:
        LakeError: The folder or one of its files can't be read.
    """
    lake, findings = load_lake(directory)
    _refuse(directory, [finding for finding in findings if not finding.harmless])
    return lake


@collector_paused()
def load_streams(directory: Path) -> tuple[StreamFile, ...]:
    """Load the stream files alone, for those who need their names and fields and nothing else of a lake.

    Raises:
        LakeError: The folder or one of its stream files can't be read.
    """
    reader = Reader(directory)
    tree: Tree = scan(directory)
    loaded = [_stream(reader, source.name, name, frozenset()) for source in tree.sources for name in source.streams]
    _refuse(directory, reader.findings)
    return tuple(stream for stream in loaded if stream is not None)


def _refuse(directory: Path, findings: Sequence[Finding]) -> None:
    """Raise an error that tells of all findings, if there are any."""
    if findings:
        told = "; ".join(f"{finding.file} {finding.what}" for finding in findings)
        raise LakeError(f"{directory} has files that can't be used: {told}", "run `lotus check`")


def _source(reader: Reader, tree: SourceTree) -> SourceFolder:
    before = len(reader.findings)
    config = reader.read(f"{tree.name}/{SOURCE_FILE}", SourceConfig) if tree.has_source_file else None
    offered = tree.discovered or frozenset()
    streams = [_stream(reader, tree.name, name, offered) for name in tree.streams]
    return SourceFolder(
        name=tree.name,
        config=config,
        streams=tuple(stream for stream in streams if stream is not None),
        offered=tree.discovered,
        complete=len(reader.findings) == before,
    )


def _stream(reader: Reader, source: str, name: str, offered: frozenset[str]) -> StreamFile | None:
    file = f"{source}/{name}.json"
    config = reader.read(file, StreamConfig)
    if config is None:
        return None
    _must_agree(reader, file, "stream", config.stream, name)
    discovered = _discovered(reader, source, name) if name in offered else None
    return StreamFile(file, source, name, config, discovered)


def _discovered(reader: Reader, source: str, name: str) -> Discovered | None:
    file = f"{source}/{DISCOVERED_FOLDER}/{name}.json"
    discovered = reader.read_light(file, Discovered)
    if discovered is not None:
        _must_agree(reader, file, "stream", discovered.stream, name)
    return discovered


def _connector(reader: Reader, name: str) -> Connector | None:
    file = f"{CONNECTORS_FOLDER}/{name}.json"
    connector = reader.read(file, Connector)
    if connector is not None:
        _must_agree(reader, file, "connector", connector.connector, name)
    return connector


def _must_agree(reader: Reader, file: str, key: str, content: str, name: str) -> None:
    """The name in a file is the name of the file."""
    if content != name:
        what = f'says "{content}" in the file {PurePosixPath(file).name}'
        reader.findings.append(Finding(file, (key,), what, f'write "{name}" or rename the file to {content}.json'))
