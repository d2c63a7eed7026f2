"""Load a folder of files as a `Lake`: which files belong to it, and which discovered stream each stream file is.

Every file is read by itself (`reading`), so that one that can't be read hides no mistake in another. Nothing here
compares two files: the rules in `checks` do.
"""

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from airbyte_model.suggestions import suggestion
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.errors import LakeError
from lotus_infra.lake import disk
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.discovered import Connector, Discovered, Identity, meant_streams
from lotus_infra.lake.lake import (
    CONNECTORS_FOLDER,
    DESTINATIONS_FOLDER,
    DISCOVERED_FOLDER,
    SCHEMA_FOLDER,
    SOURCE_FILE,
    STACKS_FOLDER,
    Lake,
    SourceFolder,
    StreamFile,
)
from lotus_infra.lake.models import DestinationConfig, SourceConfig, StreamConfig
from lotus_infra.lake.modules import SourceModule, read_module
from lotus_infra.lake.overlays import StackOverlay, for_stack
from lotus_infra.lake.reading import Reader
from lotus_infra.lake.references import LakeNames

OBSOLETE_CATALOG = "_catalog.json"
_MANIFESTS = (".yaml", ".yml")
"""Beside the connectors' files: the manifests of one's own connectors."""
_README = "README.md"
_PROJECT_FILE = "Pulumi.yaml"
"""It is in the repository's folder, which the names of modules are relative to."""
_NAME_FOLDER = "name the folder that holds the stream files: `--streams` of a command, `lotus:streams` of a stack"
_LEFTOVER = "is left by a killed command or an editor, and not read"
_MOST_SHOWN = 10
_FOLDERS = (DESTINATIONS_FOLDER, CONNECTORS_FOLDER, STACKS_FOLDER)
_USE_IDENTIFIER = "use lower-case letters, digits and underscores, a letter first"


class LoadedLake(NamedTuple):
    """A lake, and what is wrong with its files one by one."""

    lake: Lake
    diagnostics: tuple[Diagnostic, ...]

    @property
    def value_names(self) -> LakeNames | None:
        """The names of the stack's values that its files refer to.

        None if they are unknown, because the file of a source or a destination can't be read or is misplaced.
        """
        for each in self.diagnostics:
            folder, _, name = each.file.rpartition("/")
            if not each.harmless and (not folder or folder.startswith("_") or name == SOURCE_FILE):
                return None
        return self.lake.value_names


@dataclass(frozen=True, slots=True)
class _SourceTree:
    """The files of one source's folder, by name without the suffix; `discovered` is None without that folder."""

    name: str
    streams: tuple[str, ...]
    has_source_file: bool
    discovered: frozenset[str] | None


@dataclass(slots=True)
class _Tree:
    """The files of a lake, by name without the suffix, and those that are misplaced."""

    sources: list[_SourceTree] = field(default_factory=list)
    destinations: tuple[str, ...] = ()
    connectors: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector, and restore it: a process that serves for days needs it.

    A lake's objects have no cycles and all stay: the collector finds nothing in them, and doubles the time of a big
    load by walking over all of them again and again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load_stack_lake(directory: Path, stack: str, *, begun: bool = True) -> Lake:
    """Load the lake of a stack, whatever is wrong with other files than the stack's own.

    Args:
        directory: The folder.
        stack: The stack's name; empty for the lake as its files have it.
        begun: As in `load_lake`.

    Raises:
        LakeError: As `load_lake`; or the file of what differs in the stack can't be read.
    """
    return for_stack(load_lake(directory, begun=begun).lake, stack)


def load_usable_lake(directory: Path, stack: str = "") -> Lake:
    """Load a lake whose files can all be read.

    Args:
        directory: The folder.
        stack: The stack whose lake it is; empty for the lake as its files have it.

    Raises:
        LakeError: The folder or one of its files can't be read.
    """
    lake, diagnostics = load_lake(directory)
    unusable = list(dict.fromkeys(f"{one.file} {one.what}" for one in diagnostics if not one.harmless))
    if unusable:
        shown = unusable[:_MOST_SHOWN] + [f"and {len(unusable) - _MOST_SHOWN} more"] * (len(unusable) > _MOST_SHOWN)
        raise LakeError(f"{directory} has files that can't be used: {'; '.join(shown)}", "run `lotus check`")
    return for_stack(lake, stack)


@collector_paused()
def load_lake(directory: Path, *, begun: bool = True) -> LoadedLake:
    """Load everything in a lake's folder.

    Args:
        directory: The folder.
        begun: False to accept a lake without sources, or whose folder does not exist yet.

    Raises:
        LakeError: The folder is missing, can't be listed, or contains nothing that could be a lake.
    """
    tree = _Tree() if not begun and not directory.exists() else _scan(directory)
    if begun and not tree.sources and not tree.diagnostics:
        raise LakeError(f"{directory} has no sources in it", "add a folder with _source.json and <stream>.json files")
    reader = Reader(directory)
    sources = tuple(_source(directory, reader, source) for source in tree.sources)
    destinations = {
        name: reader.read(f"{DESTINATIONS_FOLDER}/{name}.json", DestinationConfig) for name in tree.destinations
    }
    connectors = {name: _connector(reader, name) for name in tree.connectors}
    stacks = {name: reader.read(f"{STACKS_FOLDER}/{name}.json", StackOverlay) for name in tree.stacks}
    lake = Lake(directory, sources, destinations, connectors, stacks, modules=load_modules(directory, sources))
    return LoadedLake(lake, (*tree.diagnostics, *reader.diagnostics))


def load_modules(directory: Path, sources: Iterable[SourceFolder]) -> Mapping[str, SourceModule] | None:
    """Read the modules of sources, each once; none is run.

    Args:
        directory: The lake's folder.
        sources: The sources; those of other engines have no module.

    Returns:
        The modules that exist, by name; None if no folder at or above the lake's has a `Pulumi.yaml`.
    """
    names = {source.module for source in sources if source.reader.has_module}
    here = directory.absolute()
    root = next((above for above in (here, *here.parents) if names and (above / _PROJECT_FILE).is_file()), None)
    if root is None:
        return None
    files = {name: root / naming.source_module_file(name) for name in sorted(names)}
    return {name: _module(name, file) for name, file in files.items() if os.path.lexists(file)}


def _module(name: str, file: Path) -> SourceModule:
    try:
        return read_module(name, disk.read_file(str(file)))
    except disk.UnreadableError as error:
        return SourceModule(mistake=error.what)


def load_value_names(directory: Path) -> LakeNames | None:
    """The names of the stack's values that a lake's files refer to. Of the streams, only those with mappers are read.

    None if they are unknown: the folder is missing, or a file can't be read.
    """
    try:
        tree = _scan(directory)
    except LakeError:
        return None
    reader = Reader(directory)
    mapped = [replace(each, streams=_with_mappers(directory, each), discovered=None) for each in tree.sources]
    sources = tuple(_source(directory, reader, each) for each in mapped)
    if not all(len(read.streams) == len(each.streams) for read, each in zip(sources, mapped, strict=True)):
        return None
    destinations = {
        name: reader.read(f"{DESTINATIONS_FOLDER}/{name}.json", DestinationConfig) for name in tree.destinations
    }
    lake = Lake(directory, sources, destinations, {name: _connector(reader, name) for name in tree.connectors})
    return LoadedLake(lake, (*tree.diagnostics, *reader.diagnostics)).value_names if sources else None


def _with_mappers(directory: Path, source: _SourceTree) -> tuple[str, ...]:
    """The streams whose files may refer to values of the stack. Parsing all files would take a second for thousands."""
    found = []
    for name in source.streams:
        try:
            content = disk.read_file(str(directory / source.name / f"{name}.json"))
        except disk.UnreadableError:
            content = b""
        found += [name] if b'"mappers"' in content else []
    return tuple(found)


def _source(directory: Path, reader: Reader, tree: _SourceTree) -> SourceFolder:
    before = len(reader.diagnostics)
    config = reader.read(f"{tree.name}/{SOURCE_FILE}", SourceConfig) if tree.has_source_file else None
    offered = tree.discovered
    discovered = DiscoveredFolder(directory, tree.name, offered, reader) if offered is not None else None
    streams = [_stream(reader, tree.name, name, discovered) for name in tree.streams]
    return SourceFolder(
        name=tree.name,
        config=config,
        streams=tuple(stream for stream in streams if stream is not None),
        offered=tree.discovered,
        complete=len(reader.diagnostics) == before,
    )


def _stream(reader: Reader, source: str, name: str, discovered: "DiscoveredFolder | None") -> StreamFile | None:
    file = f"{source}/{name}.json"
    config = reader.read(file, StreamConfig)
    if config is None:
        return None
    stream = StreamFile(file, source, name, config)
    return discovered.complete(stream) if discovered is not None else stream


@dataclass(slots=True)
class DiscoveredFolder:
    """The discovered streams of a source: each is found by its namespace and name, whatever its file is called.

    A source may offer thousands of streams. The files that are probably those of a stream are read first; all of them
    are read only if these do not settle which stream it is.

    Attributes:
        directory: The lake's folder.
        source: The source's folder.
        files: The names of the files without the suffix.
        reader: Reports what is wrong with the files of the lake's streams.
    """

    directory: Path
    source: str
    files: frozenset[str]
    reader: Reader
    _read: dict[str, Discovered | None] = field(default_factory=dict)
    _by_identity: dict[Identity, str] | None = None

    def complete(self, stream: StreamFile) -> StreamFile:
        """A stream with its discovered one; unknown if the file that is probably its own can't be read."""
        namespace, name = stream.config.namespace, stream.config.stream
        for likely in self._likely_files(stream):
            found = self._discovered(likely)
            if found is None:
                return stream
            if found.identity == (namespace, name):
                return replace(stream, discovered=found)
        known = self._all()
        meant = meant_streams((namespace, name), known)
        return stream.among({each: found for each in meant if (found := self._discovered(known[each])) is not None})

    def _likely_files(self, stream: StreamFile) -> Iterator[str]:
        """The files that are probably those of a stream, the likeliest first; one may come twice."""
        namespace, name = stream.config.namespace, stream.config.stream
        for likely in (stream.name, name):
            if likely in self.files:
                yield likely
        # Nearly every stream is found by then, and a lake has many thousand.
        for likely in (naming.stream_file(name), naming.stream_file(name, namespace or "")):
            if likely in self.files:
                yield likely

    def find(self, identity: Identity) -> Discovered | None:
        """The discovered stream of a namespace and a name; None if there is none, or several without the namespace."""
        known = self._all()
        meant = meant_streams(identity, known)
        return self._discovered(known[meant[0]]) if len(meant) == 1 else None

    def _discovered(self, name: str) -> Discovered | None:
        if name not in self._read:
            self._read[name] = self.reader.read_light(self._path(name), Discovered)
        return self._read[name]

    def _all(self) -> dict[Identity, str]:
        """The files of all streams. What is wrong with a file that is of no stream of the lake is not reported."""
        if self._by_identity is None:
            silent = Reader(self.directory)
            found = {
                name: self._read[name] if name in self._read else silent.read_light(self._path(name), Discovered)
                for name in sorted(self.files)
            }
            self._read |= {name: each for name, each in found.items() if each is not None}
            self._by_identity = {each.identity: name for name, each in found.items() if each is not None}
        return self._by_identity

    def _path(self, name: str) -> str:
        return f"{self.source}/{DISCOVERED_FOLDER}/{name}.json"


def _connector(reader: Reader, name: str) -> Connector | None:
    file = f"{CONNECTORS_FOLDER}/{name}.json"
    connector = reader.read(file, Connector)
    if connector is not None and connector.connector != name:
        _report_name(reader, file, "connector", connector.connector, name)
    if (
        connector is not None
        and connector.manifest is not None
        and not reader.has(CONNECTORS_FOLDER, connector.manifest)
    ):
        what, remedy = f"there is no {connector.manifest} beside it", f"`lotus connector add {name} --manifest FILE`"
        reader.diagnostics.append(Diagnostic(file, ("manifest",), what, remedy))
    if connector is not None and connector.is_own:
        for path in _defaults_of_secrets(connector.spec):
            what = "is the default of a secret, which everybody reads who may read this file"
            remedy = "if it is a real value, delete it here and in the manifest, and replace it where it came from"
            reader.diagnostics.append(Diagnostic(file, ("spec", *path), what, remedy, harmless=True))
    return connector


def _defaults_of_secrets(spec: JsonValue, path: JsonPath = ()) -> Iterator[JsonPath]:
    """Where a specification has a text as the default of a secret."""
    if isinstance(spec, dict):
        default = spec.get("default")
        if spec.get("airbyte_secret") is True and isinstance(default, str) and default:
            yield (*path, "default")
    parts = spec.items() if isinstance(spec, dict) else enumerate(spec if isinstance(spec, list) else ())
    for key, inner in parts:
        yield from _defaults_of_secrets(inner, (*path, key))


def _report_name(reader: Reader, file: str, key: str, content: str, name: str) -> None:
    """Report a file whose name is not the one in its content."""
    what = f'is "{content}" in the file {PurePosixPath(file).name}'
    remedy = f'write "{name}" or rename the file to {content}.json'
    reader.diagnostics.append(Diagnostic(file, (key,), what, remedy))


def _scan(directory: Path) -> _Tree:
    """List a lake's folder without opening a file.

    Raises:
        LakeError: The folder is missing or can't be listed.
    """
    tree = _Tree()
    for entry in _entries(directory, directory, tree.diagnostics):
        name = entry.name
        if not disk.is_folder(entry):
            tree.diagnostics.extend(_check_loose_file(entry))
        elif name == DESTINATIONS_FOLDER:
            tree.destinations = _json_names(directory, name, tree.diagnostics)
        elif name == CONNECTORS_FOLDER:
            tree.connectors = _json_names(directory, name, tree.diagnostics, _MANIFESTS)
        elif name == STACKS_FOLDER:
            tree.stacks = _json_names(directory, name, tree.diagnostics)
        elif name.startswith(("_", ".")):
            if name != SCHEMA_FOLDER:
                remedy = suggestion(name, _FOLDERS, "move it out of the lake's folder")
                tree.diagnostics.append(_stray(name, remedy))
        else:
            tree.sources.append(_scan_source(directory, name, tree.diagnostics))
    return tree


def _scan_source(directory: Path, source: str, diagnostics: list[Diagnostic]) -> _SourceTree:
    if not naming.is_identifier(source):
        what = "can't be a source's folder: it names prefixes and models"
        diagnostics.append(Diagnostic(source, (), what, _USE_IDENTIFIER))
    streams: list[str] = []
    discovered: frozenset[str] | None = None
    has_source_file = False
    for entry in _entries(directory, directory / source, diagnostics):
        name, file = entry.name, f"{source}/{entry.name}"
        stem = name.removesuffix(".json")
        if disk.is_folder(entry):
            if name == DISCOVERED_FOLDER:
                discovered = frozenset(_json_names(directory, file, diagnostics))
            else:
                remedy = suggestion(name, (DISCOVERED_FOLDER,), "a source's folder has no others")
                diagnostics.append(_stray(file, remedy))
        elif name == SOURCE_FILE:
            has_source_file = True
        elif name == OBSOLETE_CATALOG:
            diagnostics.append(_obsolete(file))
        elif stem == name or name.startswith(("_", ".")) or not disk.is_file(entry):
            remedy = suggestion(name, (SOURCE_FILE,), "a source's folder has <stream>.json files")
            diagnostics.append(_stray(file, remedy))
        else:
            streams.append(stem)
            if not naming.is_identifier(stem):
                what = "can't name a stream: it names prefixes and models"
                diagnostics.append(Diagnostic(file, (), what, _USE_IDENTIFIER))
    if not has_source_file:
        what = f'the source "{source}" has no {SOURCE_FILE}'
        remedy = "write one, or move the stream files to their source"
        diagnostics.append(Diagnostic(f"{source}/{SOURCE_FILE}", (), what, remedy))
    return _SourceTree(source, tuple(streams), has_source_file, discovered)


def _json_names(
    directory: Path, folder: str, diagnostics: list[Diagnostic], others: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The names of a folder's JSON files; anything else in it is reported, but files with one of the other endings."""
    names: list[str] = []
    for entry in _entries(directory, directory / folder, diagnostics):
        if entry.name.endswith(".json") and disk.is_file(entry) and not entry.name.startswith(("_", ".")):
            names.append(entry.name.removesuffix(".json"))
        elif not (others and entry.name.endswith(others) and disk.is_file(entry)):
            diagnostics.append(_stray(f"{folder}/{entry.name}", "this folder has <name>.json files only"))
    return tuple(names)


def _entries(lake: Path, directory: Path, diagnostics: list[Diagnostic]) -> list[os.DirEntry[str]]:
    """The entries of a folder of a lake, sorted by name; leftovers are reported as notices and left out.

    Raises:
        LakeError: The folder can't be listed, or has too many entries.
    """
    try:
        found = disk.entries(directory)
    except FileNotFoundError:
        raise LakeError(f"{directory} does not exist", _NAME_FOLDER) from None
    except NotADirectoryError:
        raise LakeError(f"{directory} is not a folder", _NAME_FOLDER) from None
    except OSError as error:
        raise LakeError(f"{directory} can't be listed ({error.strerror or error})", "make it readable") from None
    except disk.UnreadableError as error:
        raise LakeError(f"{directory} {error.what}", error.remedy) from None
    kept: list[os.DirEntry[str]] = []
    for entry in found:
        if disk.is_leftover(entry.name):
            file = (directory / entry.name).relative_to(lake).as_posix()
            diagnostics.append(Diagnostic(file, (), _LEFTOVER, "delete it if no program has it open", harmless=True))
        elif not disk.is_of_the_system(entry.name):
            kept.append(entry)
    return kept


def _check_loose_file(entry: os.DirEntry[str]) -> Iterator[Diagnostic]:
    """Report a file beside the source folders, unless it is the README."""
    if entry.name == OBSOLETE_CATALOG:
        yield _obsolete(entry.name)
    elif entry.name.endswith(".json"):
        yield _stray(entry.name, "move it into the folder of its source")
    elif entry.name != _README:
        yield _stray(entry.name, "move it out of the lake's folder")


def _stray(file: str, remedy: str) -> Diagnostic:
    return Diagnostic(file, (), "is not a file that a lake has", remedy)


def _obsolete(file: str) -> Diagnostic:
    return Diagnostic(file, (), "is obsolete and not read", "delete it", harmless=True)
