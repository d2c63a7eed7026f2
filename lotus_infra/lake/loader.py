"""From a folder of files to a `Lake`: what each file must be, and that its name and its content agree.

Every file is read by itself, so that one that can't be read hides nothing about the others. Nothing here compares two
files: that is for the rules in `checks`.
"""

import gc
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from pathlib import Path, PurePosixPath
from typing import NamedTuple, NoReturn, TypeVar

from airbyte_model.suggestions import nearest, suggestion
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from lotus_infra.errors import LakeError
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.discovered import Connector, Discovered
from lotus_infra.lake.json_text import child, duplicates
from lotus_infra.lake.lake import (
    CONNECTORS_FOLDER,
    DESTINATIONS_FOLDER,
    DISCOVERED_FOLDER,
    SCHEMA_FOLDER,
    SOURCE_FILE,
    Lake,
    SourceFolder,
    StreamFile,
)
from lotus_infra.lake.models import REFUSED, DestinationConfig, Field, SourceConfig, StreamConfig
from lotus_infra.naming import is_identifier

NOT_A_KEY = "is not a known key"
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}
_WANTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "dataclass_type": "an object",
}
Model = TypeVar("Model", bound=BaseModel)
_BOM = b"\xef\xbb\xbf"
_SYNTAX = "JSON wants double quotes, a comma between entries and none after the last"
OBSOLETE_CATALOG = "_catalog.json"
README = "README.md"
_NAMES = "use lower-case letters, digits and underscores, a letter first"


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector, and restore it: a process that serves for days needs it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def explain(error: ValidationError, model: type[BaseModel], document: JsonValue, file: str) -> Iterator[Diagnostic]:
    """Yield one finding for each place that a model refused; of a place and one inside it, the inner is told.

    Args:
        error: What pydantic raised.
        model: The model that refused the document.
        document: The document as `json` parsed it.
        file: The file, relative to the lake's folder.
    """
    refused = [(_place(document, details), details) for details in error.errors(include_url=False)]
    told: set[JsonPath] = set()
    vague = {path[:length] for path, _ in refused for length in range(len(path))}
    for path, details in refused:
        if path not in told and path not in vague:
            told.add(path)
            what, remedy = _words(details, model, path)
            yield Diagnostic(file, path, what, remedy)


def as_meant(document: JsonValue, found: Iterable[Diagnostic], model: type[BaseModel]) -> JsonValue:
    """The document with misspelt keys as the keys that they most likely are, and without those that are like none."""
    meant = dict(document) if isinstance(document, dict) else {}
    for finding in found:
        if finding.what == NOT_A_KEY and len(finding.path) == 1:
            misspelt = str(finding.path[0])
            value = meant.pop(misspelt)
            likely = nearest(misspelt, _known_keys(model, finding.path) - meant.keys())
            if likely is not None:
                meant[likely] = value
    return meant


def _place(document: JsonValue, details: ErrorDetails) -> JsonPath:
    """Where in the document an error is; a key that is missing or unknown is named all the same."""
    loc = details["loc"]
    if details["type"] == "missing" or details["type"] in _UNKNOWN_KEY:
        return (*_inside(document, loc[:-1]), loc[-1])
    return _inside(document, loc)


def _inside(document: JsonValue, loc: JsonPath) -> JsonPath:
    """The part of pydantic's location that the document has: tags of unions and steps we inserted drop out."""
    path: list[str | int] = []
    here = document
    for step in loc:
        found = child(here, step)
        if found:
            here = found[0]
            path.append(step)
    return tuple(path)


def _words(details: ErrorDetails, model: type[BaseModel], path: JsonPath) -> tuple[str, str]:
    """What is wrong and what to do, for one of pydantic's errors."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == REFUSED:
        return str(context["what"]), str(context["remedy"])
    if kind == "missing":
        return "is missing", f'add "{path[-1]}"'
    if kind in _UNKNOWN_KEY:
        known = _known_keys(model, path)
        return NOT_A_KEY, suggestion(str(path[-1]), known, f"known keys are {', '.join(sorted(known))}")
    if kind == "literal_error":
        return _one_of(details["input"], re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {_json_type(details['input'])}", f"write {_WANTED[kind]}"
    return f"can't be read ({details['msg']})", "see the field reference in the README of the lake's folder"


def _one_of(given: object, allowed: list[str]) -> tuple[str, str]:
    choice = f"write one of {', '.join(allowed)}"
    if not isinstance(given, str):
        return f"must be a word, not {_json_type(given)}", choice
    return f'"{given}" is not one of the words it may be', suggestion(given, allowed, choice)


def _known_keys(model: type[BaseModel], path: JsonPath) -> set[str]:
    """The keys that the object around a path may have."""
    if len(path) == 1:
        owner: object = model
    else:
        owner = model.model_fields[str(path[0])].annotation
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return {field.alias or name for name, field in owner.model_fields.items()}
    return {field.name for field in dataclass_fields(Field)}


def _json_type(value: object) -> str:
    """What JSON calls a value."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


class Reader:
    """Reads the files of one lake and gathers what is wrong with them.

    Attributes:
        findings: What is wrong with the files read so far.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = str(directory)
        self.findings: list[Diagnostic] = []
        self._has_duplicates = False
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=_not_a_number)

    def report(self, file: str, what: str, remedy: str, *, line: int | None = 1, harmless: bool = False) -> None:
        """Add a finding about a whole file."""
        self.findings.append(Diagnostic(file, (), what, remedy, line, harmless))

    def read(self, file: str, model: type[Model]) -> Model | None:
        """Read a file that people write.

        Args:
            file: Relative to the lake's folder.
            model: What the file must be.

        Returns:
            The model; None when a finding is more than a misspelt key.
        """
        before = len(self.findings)
        data = self._bytes(file)
        text = self._text(file, data) if data else None
        if data is None or text is None:
            return None
        document = self._document(file, text)
        if len(self.findings) > before:
            return None
        return self._model(file, data, document, model)

    def read_light(self, file: str, model: type[Model]) -> Model | None:
        """Read a file that tools write: as `read`, but twice as fast, and blind to repeated keys."""
        data = self._bytes(file)
        if data is None:
            return None
        try:
            return model.model_validate_json(data)
        except ValidationError:
            return self.read(file, model)

    def _bytes(self, file: str) -> bytes | None:
        try:
            data = self._raw(file)
        except OSError as error:
            self.report(file, f"can't be read ({error.strerror or error})", "make it a readable file")
            return None
        if not data.strip():
            self.report(file, "is empty", "write a JSON object into it, or delete it")
            return None
        return data

    def _raw(self, file: str) -> bytes:
        # A Path for each of many thousand files takes longer to make than its file to read.
        with open(f"{self._folder}/{file}", "rb", buffering=0) as opened:  # noqa: PTH123
            return opened.readall()

    def _text(self, file: str, data: bytes) -> str | None:
        if data.startswith(_BOM):
            self.report(file, "starts with a byte order mark", "save it as UTF-8 without one (BOM)")
            return None
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.report(file, "is not UTF-8", "save it as UTF-8", line=line)
            return None

    def _document(self, file: str, text: str) -> JsonValue:
        self._has_duplicates = False
        try:
            document: JsonValue = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            what = f"is not JSON ({error.msg[:1].lower()}{error.msg[1:]}, column {error.colno})"
            self.report(file, what, _SYNTAX, line=error.lineno)
            return None
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            self.report(file, f"can't be read as JSON ({reason})", "simplify it")
            return None
        if self._has_duplicates:
            for path, line in duplicates(text):
                self.findings.append(Diagnostic(file, path, "is there twice", "delete one of the two", line))
        if not isinstance(document, dict):
            self.report(file, "must hold one JSON object", "write the settings between { and }")
        return document

    def _model(self, file: str, data: bytes, document: JsonValue, model: type[Model]) -> Model | None:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            found = tuple(explain(error, model, document, file))
            self.findings.extend(found)
        # A misspelt key hides nothing else of its file: the rules see what was meant.
        try:
            return model.model_validate_json(json.dumps(as_meant(document, found, model)))
        except ValidationError:
            return None

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        entries = dict(pairs)
        if len(entries) != len(pairs):
            self._has_duplicates = True
        return entries


def _not_a_number(constant: str) -> NoReturn:
    message = f"{constant} is no JSON number"
    raise ValueError(message)


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
    findings: list[Diagnostic] = field(default_factory=list)


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
            tree.sources.append(_source_folder(directory, name, tree.findings))
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


def _source_folder(directory: Path, source: str, findings: list[Diagnostic]) -> SourceTree:
    if not is_identifier(source):
        findings.append(Diagnostic(source, (), "can't be a source's folder: it names prefixes and models", _NAMES))
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
                findings.append(Diagnostic(file, (), "can't name a stream: it names prefixes and models", _NAMES))
    if not has_source_file:
        what = f'the source "{source}" has no {SOURCE_FILE}'
        findings.append(
            Diagnostic(f"{source}/{SOURCE_FILE}", (), what, "write one, or move the stream files to their source")
        )
    return SourceTree(source, tuple(streams), has_source_file, discovered)


def _json_names(directory: Path, folder: str, findings: list[Diagnostic]) -> tuple[str, ...]:
    """The names of a folder's JSON files; anything else in it is a stray."""
    names: list[str] = []
    for entry in _entries(directory / folder):
        if entry.name.endswith(".json") and entry.is_file() and not entry.name.startswith(("_", ".")):
            names.append(entry.name.removesuffix(".json"))
        else:
            findings.append(_stray(f"{folder}/{entry.name}", "this folder has <name>.json files only"))
    return tuple(names)


def _loose_file(entry: os.DirEntry[str]) -> Iterator[Diagnostic]:
    """A file beside the source folders: only the README belongs there."""
    if entry.name == OBSOLETE_CATALOG:
        yield _obsolete(entry.name)
    elif entry.name.endswith(".json"):
        yield _stray(entry.name, "move it into the folder of its source")
    elif entry.name != README:
        yield _stray(entry.name, "move it out of the lake's folder")


def _stray(file: str, remedy: str) -> Diagnostic:
    return Diagnostic(file, (), "is not a file that a lake has", remedy)


def _obsolete(file: str) -> Diagnostic:
    return Diagnostic(file, (), "is obsolete and not read", "delete it", harmless=True)


class LoadedLake(NamedTuple):
    """A lake, and what is wrong with its files one by one."""

    lake: Lake
    findings: tuple[Diagnostic, ...]


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


def _refuse(directory: Path, findings: Sequence[Diagnostic]) -> None:
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
        reader.findings.append(Diagnostic(file, (key,), what, f'write "{name}" or rename the file to {content}.json'))
