"""`lotus discover`: write the discovered schema of sources beside their stream files, and report the files that break.

The server is asked to pass over its cache, and the source's whole folder is replaced at once or not at all. The new
schema is written even if a stream file no longer fits it: `lotus check` reports the same diagnostics until it is fixed.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import click
from pulumi_airbyte.client.models import DiscoveredStream
from pydantic import JsonValue
from rich.console import Console

from lotus_infra.clients.airbyte import ConnectedLake, connected, select_sources, translate_errors
from lotus_infra.commands.completion import SOURCE_NAMES
from lotus_infra.commands.options import ALL_SOURCES, DRY_RUN, JSON, SOURCE_ID, STACK, STREAMS
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.checks import DISCOVERY_CHECKS
from lotus_infra.lake.diagnostics import LocatedDiagnostic, escape_unprintable, pluralize
from lotus_infra.lake.discovered import (
    SOURCE_SYNC_MODES,
    Defaults,
    Discovered,
    DiscoveredChange,
    Options,
    discovered_changes,
    file_text,
    files_of,
    in_file_order,
    parse_fields,
)
from lotus_infra.lake.disk import UnreadableError, beside, read_file
from lotus_infra.lake.lake import DISCOVERED_FOLDER, SourceFolder
from lotus_infra.lake.reading import Reader
from lotus_infra.lake.report import apply_rules

Change = Literal["added", "removed", "changed", "rewritten"]
"""`rewritten`: the same schema in another text, because the file was written by hand or can't be read."""
_SIGNS: Final[dict[Change, str]] = {"added": "+", "removed": "-", "changed": "~", "rewritten": "~"}


@dataclass(frozen=True, slots=True)
class StreamChange:
    """The change of a stream's file since the last discovery.

    Attributes:
        stream: The stream's name in the source.
        change: Its kind.
        differences: Of a changed one.
        namespace: The stream's namespace in the source; None if it has none.
        file: The name of its file without the suffix; the same as the stream's if that can be a file's name.
    """

    stream: str
    change: Change
    differences: tuple[DiscoveredChange, ...] = ()
    namespace: str | None = None
    file: str = ""

    @property
    def shown(self) -> str:
        """The file's name, and the stream's where it differs: `account (Account)`, `app_users (users of app)`."""
        if self.stream == self.file:
            return self.file
        return f"{self.file} ({_described(self.stream, self.namespace)})"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stream of the source that cannot have a file, its namespace in the source, and the reason."""

    stream: str
    reason: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """The result of discovering a source.

    Attributes:
        source: The source's folder.
        streams: How many streams have a file.
        changes: The changes, by the name of the stream's file.
        left_out: The streams without a file.
        problems: Diagnostics of the source's stream files, sorted by file and line.
        written: Whether files were written.
        failure: Why the source could not be discovered; empty if it was.
    """

    source: str
    streams: int = 0
    changes: tuple[StreamChange, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    problems: tuple[LocatedDiagnostic, ...] = ()
    written: bool = False
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether the source was discovered and its stream files fit the schema."""
        return not (self.failure or self.problems)


@dataclass(frozen=True, slots=True)
class _DiscoveredFile:
    """A file of `_discovered/`: its bytes (empty if unreadable), and its content (None if invalid)."""

    content: bytes
    schema: Discovered | None


@click.command()
@click.argument("source", required=False, shell_complete=SOURCE_NAMES)
@ALL_SOURCES
@SOURCE_ID
@DRY_RUN
@STACK
@STREAMS
@JSON
def discover(
    source: str | None,
    directory: Path,
    stack: str | None,
    source_id: str,
    *,
    every: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write what a source offers now into its folder.

    Shows the changes since the last discovery, and exits with 1 if a stream file no longer matches. Without SOURCE it
    asks for one on a terminal.

    Example: lotus discover shopify --dry-run
    """
    if every and source_id:
        raise click.UsageError("--source-id selects one source, and --all selects every source")
    found: list[Discovery] = []
    with connected(directory, stack) as live:
        if source is None and not every and sys.stdin.isatty():
            source = _prompt_source([folder.name for folder in live.lake.airbyte.sources])
        run = try_discover if every else discover_source
        for name in select_sources(live.lake.airbyte, [source] if source is not None else [], every=every):
            with Console(stderr=True).status(f"Discovering {name}"):
                found.append(run(live, name, source_id, dry_run=dry_run))
            if not as_json:
                click.echo(render(found[-1]))
    if as_json:
        click.echo(json.dumps(as_document(found), indent=2))
    if not all(each.ok for each in found):
        sys.exit(1)


def _prompt_source(names: Sequence[str]) -> str:
    """Let the user choose a name from a numbered list, on stderr."""
    for number, name in enumerate(names, start=1):
        click.echo(f"  {number}. {name}", err=True)
    chosen: int = click.prompt("Which source", type=click.IntRange(1, len(names)), err=True)
    return names[chosen - 1]


def discover_source(live: ConnectedLake, name: str, source_id: str = "", *, dry_run: bool = False) -> Discovery:
    """Discover a source, and write its schema.

    Args:
        live: The lake and its Airbyte.
        name: The source's folder.
        source_id: The source's id in Airbyte, if its label is ambiguous.
        dry_run: Whether to write nothing.

    Raises:
        LotusError: The source is not found, Airbyte or the connector fails, or the source has no streams; nothing was
            written.
    """
    owner, connection, _ = name.partition("/")
    if connection:
        what = f"{name} is a connection, and connections of a source share its schema"
        raise LotusError(what, f"`lotus discover {owner}`")
    [folder] = live.folders([name])
    if not folder.reader.discovers:
        what = f"{folder.reader.label} lists no streams of {name}: its stream files are all that is known of them"
        raise LotusError(what, f"write {name}/<stream>.json with the fields that the module yields")
    with translate_errors():
        found = live.airbyte.discover_schema(source_id or live.source_id(folder))
    if not found:
        raise LotusError(f"the source {name} has no streams", "check its configuration and its permissions")
    before = _read_files(live.lake.directory, folder)
    schemas, left_out = to_lake_format(found, {file: each.schema for file, each in before.items()})
    after = {file: _new_file(each, before.get(file)) for file, each in schemas.items()}
    changes = tuple(_changes(before, after))
    report = apply_rules(live.lake.with_facts(folder, schemas), DISCOVERY_CHECKS)
    if changes and not dry_run:
        _replace_files(live.lake.directory / name / DISCOVERED_FOLDER, before, after)
    return Discovery(name, len(after), changes, left_out, report.problems, bool(changes) and not dry_run)


def try_discover(live: ConnectedLake, name: str, source_id: str = "", *, dry_run: bool = False) -> Discovery:
    """Discover one source of several: a failure is part of the result, so that the others are discovered too."""
    try:
        return discover_source(live, name, source_id, dry_run=dry_run)
    except LotusError as error:
        return Discovery(name, failure=str(error))


def to_lake_format(
    found: Sequence[DiscoveredStream], before: Mapping[str, Discovered | None] | None = None
) -> tuple[Mapping[str, Discovered], tuple[LeftOut, ...]]:
    """Convert discovered streams to the lake's format, by file name, and list those that cannot have a file.

    Args:
        found: The streams.
        before: The source's files, as in `files_of`.
    """
    streams: list[Discovered] = []
    too_deep: list[LeftOut] = []
    for stream in found:
        try:
            streams.append(_in_lake_format(stream))
        except RecursionError:
            too_deep.append(LeftOut(stream.name, "its schema nests too deeply", stream.namespace))
    named = files_of(streams, before)
    refused = (LeftOut(stream.stream, reason, stream.namespace) for stream, reason in named.left_out)
    return named.files, tuple(dict.fromkeys((*too_deep, *refused)))


def _in_lake_format(stream: DiscoveredStream) -> Discovered:
    """A stream in the lake's format. Without a known sync mode it is full refresh, as in the Airbyte protocol."""
    key = tuple(map(tuple, stream.source_defined_primary_key))
    modes = tuple(mode for mode in SOURCE_SYNC_MODES if mode in stream.supported_sync_modes)
    return Discovered(
        stream=stream.name,
        namespace=stream.namespace,
        options=Options(sync_modes=modes or SOURCE_SYNC_MODES[:1]),
        defaults=Defaults(primary_key=key, cursor_field=tuple(stream.default_cursor_field)),
        source_defined_cursor=stream.source_defined_cursor,
        source_defined_primary_key=key,
        fields=parse_fields(stream.json_schema),
    )


def _read_files(directory: Path, source: SourceFolder) -> dict[str, _DiscoveredFile]:
    """The files of the last discovery, by name without the suffix."""
    reader = Reader(directory)
    files: dict[str, _DiscoveredFile] = {}
    for name in sorted(source.offered or ()):
        file = f"{source.name}/{DISCOVERED_FOLDER}/{name}.json"
        try:
            content = read_file(str(directory / file))
        except UnreadableError:
            content = b""
        files[name] = _DiscoveredFile(content, reader.read_light(file, Discovered))
    return files


def _new_file(found: Discovered, before: _DiscoveredFile | None) -> _DiscoveredFile:
    """The file of a stream; known entries keep their place, so that a diff shows only what changed."""
    schema = in_file_order(found, before.schema if before is not None else None)
    return _DiscoveredFile(file_text(schema).encode(), schema)


def _changes(before: Mapping[str, _DiscoveredFile], after: Mapping[str, _DiscoveredFile]) -> Iterator[StreamChange]:
    for file in sorted({*before, *after}):
        old, new = before.get(file), after.get(file)
        schema = next((each.schema for each in (new, old) if each is not None and each.schema is not None), None)
        namespace, stream = schema.identity if schema is not None else (None, file)
        if old is None:
            yield StreamChange(stream, "added", (), namespace, file)
        elif new is None:
            yield StreamChange(stream, "removed", (), namespace, file)
        elif old.content != new.content:
            found = (
                discovered_changes(old.schema, new.schema) if old.schema is not None and new.schema is not None else ()
            )
            yield StreamChange(stream, "changed" if found else "rewritten", found, namespace, file)


def _replace_files(folder: Path, before: Mapping[str, _DiscoveredFile], after: Mapping[str, _DiscoveredFile]) -> None:
    """Replace the files of a folder, all or none: they are written into a copy, which then takes the folder's place.

    Raises:
        LakeError: The folder can't be written; it is unchanged.
    """
    # A rename would replace a symbolic link, and not the folder that it points to.
    folder = folder.resolve()
    partial, old = (beside(folder, state) for state in ("partial", "old"))
    try:
        # Left by a killed run.
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)
        if folder.is_dir():
            # The folder may contain files that are not of a discovery.
            shutil.copytree(folder, partial)
        else:
            partial.mkdir()
        for name in before.keys() - after.keys():
            (partial / f"{name}.json").unlink()
        for name, file in after.items():
            (partial / f"{name}.json").write_bytes(file.content)
        _swap(partial, folder, old)
    except OSError as error:
        raise LakeError(f"{folder} can't be written ({error.strerror or error})", "make it writable") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Move `new` to `folder`; if that fails, restore the old folder. A folder cannot be renamed onto another."""
    existed = folder.is_dir()
    if existed:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if existed:
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def render(discovery: Discovery) -> str:
    """A discovery as text."""
    return "\n".join(escape_unprintable(line) for line in _lines(discovery))


def _lines(discovery: Discovery) -> Iterator[str]:
    if discovery.failure:
        yield f"{discovery.source}: {discovery.failure}"
        return
    yield f"{discovery.source}: {pluralize(discovery.streams, 'stream')}, {_summary(discovery.changes)}"
    for change in discovery.changes:
        note = ": same schema, reformatted" if change.change == "rewritten" else ""
        yield f"  {_SIGNS[change.change]} {change.shown}{note}"
        yield from (f"      {difference}" for difference in change.differences)
    for left in discovery.left_out:
        yield f"  ! {_described(left.stream, left.namespace)} has no file: {left.reason}"
    if discovery.changes and not discovery.written:
        yield "  nothing written"
    yield from map(str, discovery.problems)
    if discovery.problems:
        files = pluralize(len({problem.file for problem in discovery.problems}), "stream file")
        note = "; the discovered schema is written anyway" if discovery.written else ""
        yield f"{files} of {discovery.source} to fix{note}"


def _described(stream: str, namespace: str | None) -> str:
    return stream if namespace is None else f"{stream} of {namespace}"


def _summary(changes: Sequence[StreamChange]) -> str:
    counts = Counter(change.change for change in changes)
    return ", ".join(f"{counts[kind]} {kind}" for kind in _SIGNS if counts[kind]) or "no changes"


def as_document(discoveries: Sequence[Discovery]) -> dict[str, JsonValue]:
    """Discoveries as one JSON document."""
    return {"ok": all(each.ok for each in discoveries), "sources": [dict(asdict(each)) for each in discoveries]}
