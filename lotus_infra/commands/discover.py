"""`lotus discover`: what a source has now, written beside its stream files, and which of those it breaks."""

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

from lotus_infra.clients.airbyte import Live, connected, told
from lotus_infra.commands.options import EVERY, JSON, STACK, STREAMS
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.checks import FACT_CHECKS
from lotus_infra.lake.diagnostics import LocatedDiagnostic, counted, printable
from lotus_infra.lake.discovered import (
    MODES_OF_SOURCES,
    Defaults,
    Difference,
    Discovered,
    Options,
    arranged,
    differences,
    fields_of,
    text_of,
    unwritable,
)
from lotus_infra.lake.lake import DISCOVERED_FOLDER, SourceFolder
from lotus_infra.lake.loader import Reader
from lotus_infra.lake.report import judge

Change = Literal["added", "removed", "changed", "rewritten"]
"""`rewritten` has the same facts in other words: a file that was written by hand or can't be read."""
_REWRITTEN = ": the same facts, written anew"
_SIGNS: Final[dict[Change, str]] = {"added": "+", "removed": "-", "changed": "~", "rewritten": "~"}


@click.command()
@click.argument("source", required=False)
@EVERY
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option("--source-id", default="", help="The source in Airbyte, where its label does not tell it.")
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
    """Write what SOURCE has now into its folder; exit with 1 if that breaks one of its stream files.

    Shows what has changed since it was discovered last. Asks for the source where none is named.

    Example: lotus discover shopify --dry-run
    """
    if every and source_id:
        raise click.UsageError("--source-id is of one source, and --all asks for every one")
    found: list[Discovery] = []
    with connected(directory, stack) as live:
        if source is None and not every and sys.stdin.isatty():
            source = _choice([folder.name for folder in live.lake.sources])
        run = attempt if every else discover_source
        for name in live.chosen([source] if source is not None else [], every=every):
            with Console(stderr=True).status(f"Discovering {name}"):
                found.append(run(live, name, source_id, dry_run=dry_run))
            if not as_json:
                click.echo(render(found[-1]))
    if as_json:
        click.echo(json.dumps(as_document(found), indent=2))
    if not all(each.ok for each in found):
        sys.exit(1)


def _choice(names: Sequence[str]) -> str:
    """The name that the user picks from a numbered list."""
    for number, name in enumerate(names, start=1):
        click.echo(f"  {number}. {name}", err=True)
    chosen: int = click.prompt("Which source", type=click.IntRange(1, len(names)), err=True)
    return names[chosen - 1]


@dataclass(frozen=True, slots=True)
class StreamChange:
    """What has become of a stream since it was discovered last; of a changed one with the places."""

    stream: str
    change: Change
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stream that the source has and the lake can't, and why."""

    stream: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What came of discovering a source.

    Attributes:
        source: The source's folder.
        streams: How many streams have a file.
        changes: What has changed, by the stream's name.
        left_out: The streams that have no file.
        problems: What no longer fits in the source's stream files, sorted by file and line.
        written: Whether files were written.
        failure: Why the source could not be discovered; empty when it was.
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
        """Whether the source was discovered and its stream files fit what it has."""
        return not (self.failure or self.problems)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of `_discovered/`: its bytes, none if it can't be read, and what it says."""

    content: bytes
    facts: Discovered | None


def discover_source(live: Live, name: str, source_id: str = "", *, dry_run: bool = False) -> Discovery:
    """Discover a source anew, and write what it has.

    Args:
        live: The lake and its Airbyte.
        name: The source's folder.
        source_id: The source in Airbyte, where the label does not tell it.
        dry_run: Whether to write nothing.

    Raises:
        LotusError: There is no such source, Airbyte or the connector fails, or the source has no streams; nothing was
            written.
    """
    with told():
        [folder] = live.folders([name])
        found = live.airbyte.discover_schema(source_id or live.source_id(folder))
    if not found:
        raise LotusError(f"the source {name} has no streams", "check its configuration and its permissions")
    facts, left_out = facts_of(found)
    before = _files(live.lake.directory, folder)
    after = {stream: _file(each, before.get(stream)) for stream, each in sorted(facts.items())}
    changes = tuple(_changes(before, after))
    report = judge(live.lake.with_facts(folder, facts), FACT_CHECKS)
    if changes and not dry_run:
        _write(live.lake.directory / name / DISCOVERED_FOLDER, before, after)
    return Discovery(name, len(after), changes, left_out, report.problems, bool(changes) and not dry_run)


def attempt(live: Live, name: str, source_id: str = "", *, dry_run: bool = False) -> Discovery:
    """Discover a source as one of several, whose failure must not be in the way of the others."""
    try:
        return discover_source(live, name, source_id, dry_run=dry_run)
    except LotusError as error:
        return Discovery(name, failure=str(error))


def facts_of(found: Sequence[DiscoveredStream]) -> tuple[dict[str, Discovered], tuple[LeftOut, ...]]:
    """What was discovered as the lake's files have it, by the stream's name, and the streams that no file can have."""
    streams = [_discovered(stream) for stream in found]
    refused = {id(stream): LeftOut(stream.stream, reason) for stream, reason in unwritable(streams)}
    kept = {stream.stream: stream for stream in streams if id(stream) not in refused}
    return kept, tuple(dict.fromkeys(refused.values()))


def _discovered(stream: DiscoveredStream) -> Discovered:
    """A stream as the lake's files have it; what can be read in no known way can be read in full (Airbyte protocol)."""
    key = tuple(map(tuple, stream.source_defined_primary_key))
    modes = tuple(mode for mode in MODES_OF_SOURCES if mode in stream.supported_sync_modes)
    return Discovered(
        stream=stream.name,
        namespace=stream.namespace,
        options=Options(sync_modes=modes or MODES_OF_SOURCES[:1]),
        defaults=Defaults(primary_key=key, cursor_field=tuple(stream.default_cursor_field)),
        source_defined_cursor=stream.source_defined_cursor,
        source_defined_primary_key=key,
        fields=fields_of(stream.json_schema),
    )


def _files(directory: Path, source: SourceFolder) -> dict[str, _File]:
    reader = Reader(directory)
    files: dict[str, _File] = {}
    for stream in sorted(source.offered or ()):
        file = f"{source.name}/{DISCOVERED_FOLDER}/{stream}.json"
        files[stream] = _File(_content(directory / file), reader.read_light(file, Discovered))
    return files


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _file(found: Discovered, before: _File | None) -> _File:
    facts = arranged(found, before.facts if before is not None else None)
    return _File(text_of(facts).encode(), facts)


def _changes(before: Mapping[str, _File], after: Mapping[str, _File]) -> Iterator[StreamChange]:
    for stream in sorted({*before, *after}):
        old, new = before.get(stream), after.get(stream)
        if old is None:
            yield StreamChange(stream, "added")
        elif new is None:
            yield StreamChange(stream, "removed")
        elif old.content != new.content:
            places = differences(old.facts, new.facts) if old.facts is not None and new.facts is not None else ()
            yield StreamChange(stream, "changed" if places else "rewritten", places)


def _write(folder: Path, before: Mapping[str, _File], after: Mapping[str, _File]) -> None:
    """Replace the files of a folder, all at once: in a copy that then takes its place.

    Raises:
        LakeError: The folder can't be written; it is as it was.
    """
    # One that is a link leads to the folder that is meant.
    folder = folder.resolve()
    partial, old = (folder.with_name(f".{folder.name}.{state}") for state in ("partial", "old"))
    try:
        for left_behind in (partial, old):
            shutil.rmtree(left_behind, ignore_errors=True)
        if folder.is_dir():
            shutil.copytree(folder, partial)
        else:
            partial.mkdir()
        for stream in before.keys() - after.keys():
            (partial / f"{stream}.json").unlink()
        for stream, file in after.items():
            (partial / f"{stream}.json").write_bytes(file.content)
        _swap(partial, folder, old)
    except OSError as error:
        raise LakeError(f"{folder} can't be written ({error.strerror or error})", "make it writable") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _swap(new: Path, folder: Path, old: Path) -> None:
    was_there = folder.is_dir()
    if was_there:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if was_there:
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def render(found: Discovery) -> str:
    """A discovery as text."""
    return "\n".join(printable(line) for line in _lines(found))


def _lines(found: Discovery) -> Iterator[str]:
    if found.failure:
        yield f"{found.source}: {found.failure}"
        return
    yield f"{found.source}: {counted(found.streams, 'stream')}, {_summary(found.changes)}"
    for change in found.changes:
        yield f"  {_SIGNS[change.change]} {change.stream}{_REWRITTEN if change.change == 'rewritten' else ''}"
        yield from (f"      {difference}" for difference in change.differences)
    yield from (f"  ! {stream.stream} has no file: {stream.reason}" for stream in found.left_out)
    if found.changes and not found.written:
        yield "  nothing is written"
    yield from map(str, found.problems)
    if found.problems:
        files = counted(len({problem.file for problem in found.problems}), "stream file")
        kept = "; what was discovered is written all the same" if found.written else ""
        yield f"{files} of {found.source} to mend{kept}"


def _summary(changes: Sequence[StreamChange]) -> str:
    counts = Counter(change.change for change in changes)
    return ", ".join(f"{counts[kind]} {kind}" for kind in _SIGNS if counts[kind]) or "nothing has changed"


def as_document(found: Sequence[Discovery]) -> dict[str, JsonValue]:
    """Discoveries as one JSON document, for programs."""
    return {"ok": all(each.ok for each in found), "sources": [dict(asdict(each)) for each in found]}
