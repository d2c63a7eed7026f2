"""`lotus add`: write the first files of a source, a stream or a destination.

A new source is discovered in Airbyte, by a temporary source that is deleted afterwards, or by the one that has its
label already. Everything is planned and checked before the first file is written, all files or none.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Final, TypeVar, cast, get_args

import click
from airbyte_model.modes import SYNC_MODES
from airbyte_model.places import SOURCE_NAMESPACE
from airbyte_model.schedules import interval_of
from airbyte_model.specifications import Specification, SpecificationError
from pulumi_airbyte.client.models import DiscoveredStream
from pydantic import JsonValue, ValidationError
from rich.console import Console

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, connected, stack_texts, translate_errors
from lotus_infra.clients.connectors import own_body, own_definition, temporary_source
from lotus_infra.commands.add_configuration import Settings, configure, is_terminal
from lotus_infra.commands.add_module import configuration_of, missing_extra, module_of
from lotus_infra.commands.add_streams import StreamOptions, choose, described, file_names, stream_text
from lotus_infra.commands.completion import (
    DESTINATION_CONNECTORS,
    DESTINATION_NAMES,
    OFFERED_STREAMS,
    SOURCE_CONNECTORS,
    SOURCE_NAMES,
)
from lotus_infra.commands.connector import Pin, PinOptions, make_pin, manifest_of, read_text
from lotus_infra.commands.discover import LeftOut, to_lake_format
from lotus_infra.commands.file_plan import FilePlan, settle
from lotus_infra.commands.options import JSON, SOURCE_ID, STACK, STREAMS, YES, check_step, streams_option
from lotus_infra.config.settings import NAMESPACE
from lotus_infra.config.stack import STACK_VARIABLE, Project
from lotus_infra.errors import LotusError
from lotus_infra.importer.secrets import SecretNames
from lotus_infra.lake.capabilities import READERS
from lotus_infra.lake.checks import CHECKS
from lotus_infra.lake.checks.sources import sources_have_streams
from lotus_infra.lake.diagnostics import pluralize
from lotus_infra.lake.discovered import Connector, Discovered, file_text
from lotus_infra.lake.lake import (
    CONNECTORS_FOLDER,
    DESTINATIONS_FOLDER,
    DISCOVERED_FOLDER,
    SOURCE_FILE,
    Lake,
    SourceFolder,
    StreamFile,
    find_source,
)
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.models import DestinationConfig, Engine, LakeFile, SourceConfig, StreamConfig
from lotus_infra.lake.reading import Reader, explain_validation_error
from lotus_infra.lake.references import Reference, parse_text, references, substitute
from lotus_infra.lake.report import apply_rules

LANDING_ZONE: Final[Mapping[str, JsonValue]] = {
    "s3_bucket_name": {"$landing": "bucket"},
    "s3_bucket_path": {"$landing": "prefix"},
    "s3_bucket_region": {"$landing": "region"},
    "s3_endpoint": {"$landing": "endpoint"},
    "access_key_id": {"$landing": "access_key_id"},
    "secret_access_key": {"$landing": "secret_access_key"},
    "s3_path_format": naming.PATH_FORMAT,
    "file_name_pattern": "part_{part_number}.parquet",
    "format": {"format_type": "Parquet", "compression_codec": "UNCOMPRESSED"},
}
"""The configuration of a destination-s3 that writes where the lake's readers look."""
_S3: Final = "destination-s3"
File = TypeVar("File", bound=LakeFile)

CONFIG_OPTIONS = (
    click.option("--config", "texts", multiple=True, metavar="KEY=VALUE", help="A setting; a.b=… for one inside."),
    click.option(
        "--config-file", type=click.Path(path_type=Path, dir_okay=False), help="A JSON FILE with the configuration."
    ),
    click.option("--secret", "secrets", multiple=True, metavar="KEY", help="A secret of the stack stands at KEY."),
    click.option("--by-stack", multiple=True, metavar="KEY", help="A plain value of the stack stands at KEY."),
)
LABEL_OF_OBJECT = click.option(
    "--label", default="", metavar="TEXT", help="Its name in Airbyte; by default NAME in title case."
)
_Command = TypeVar("_Command", bound=Callable[..., object])


def _config_options(command: _Command) -> _Command:
    for option in reversed(CONFIG_OPTIONS):
        command = option(command)
    return command


@click.group()
def add() -> None:
    """Write the files of a new source, stream or destination.

    Example: lotus add source stripe --connector source-stripe
    """


# A source


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a new source is connected.

    Attributes:
        name: The name of its folder.
        connector: Its connector.
        label: Its name in Airbyte; empty for the folder's name in title case.
        destination: The name of its destination.
        schedule: When it syncs, as `schedule_of` reads it; empty for on request.
        into: The namespace at the destination; empty for the folder's name.
        streams: The names of its streams to sync.
        namespaces: Their namespaces in the source; empty for all.
        every: Whether to sync all of its streams.
        discovers: Whether to discover it.
        source_id: The id of the source in Airbyte to discover; empty for the one with its label.
    """

    name: str
    connector: str
    label: str = ""
    destination: str = "s3"
    schedule: str = ""
    into: str = ""
    streams: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    every: bool = False
    discovers: bool = True
    source_id: str = ""


@add.command("source")
@click.argument("name")
@click.option(
    "--connector",
    default="",
    metavar="NAME",
    shell_complete=SOURCE_CONNECTORS,
    help="Its connector, such as source-stripe; pinned if it is not yet.",
)
@click.option(
    "--engine",
    type=click.Choice(get_args(Engine)),
    default="airbyte",
    show_default=True,
    help="What reads it: a connector of Airbyte, or with dlt a module in dagster/sources/.",
)
@click.option(
    "--module", default="", metavar="NAME", help="Its module, for dlt; by default NAME; written if it is new."
)
@_config_options
@LABEL_OF_OBJECT
@click.option(
    "--destination",
    default="s3",
    metavar="NAME",
    show_default=True,
    shell_complete=DESTINATION_NAMES,
    help="Where its streams are written.",
)
@click.option("--into", default="", metavar="NAMESPACE", help="Its namespace there; by default NAME.")
@click.option(
    "--schedule", default="", metavar="WHEN", help='When it syncs: "0 0 * * * ?", "1 hours"; by default on request.'
)
@click.option("--stream", "streams", multiple=True, metavar="NAME", help="A stream to sync, by its name in the source.")
@click.option("--all-streams", "every", is_flag=True, help="Sync all streams (of the given namespaces).")
@click.option(
    "--namespace", "namespaces", multiple=True, metavar="NAME", help="A namespace in the source to choose streams from."
)
@SOURCE_ID
@click.option("--no-discover", is_flag=True, help="Do not ask Airbyte for the source's schema.")
@YES
@STACK
@STREAMS
@JSON
def add_source(
    name: str,
    connector: str,
    directory: Path,
    stack: str | None,
    *,
    engine: Engine,
    module: str,
    texts: tuple[str, ...],
    config_file: Path | None,
    secrets: tuple[str, ...],
    by_stack: tuple[str, ...],
    label: str,
    destination: str,
    into: str,
    schedule: str,
    streams: tuple[str, ...],
    every: bool,
    namespaces: tuple[str, ...],
    source_id: str,
    no_discover: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Write the files of a new source NAME.

    These are its configuration, its discovered schema, and chosen streams. Shows them, and asks before it writes.
    Secrets become references to the stack's. To discover the source, a temporary one is created in Airbyte and deleted.
    It needs the values: the stack's, those of variables such as LOTUS_STRIPE_CLIENT_SECRET, or what you type.

    With --engine dlt a module is written to start from, or an existing one is used; Airbyte has no part in it.

    Example: lotus add source stripe --connector source-stripe --all-streams
    """
    options = SourceOptions(
        *(name, connector, label, destination, schedule, into, streams, namespaces, every, not no_discover, source_id)
    )
    if READERS[engine].has_module:
        _refuse_options_of_connectors(options)
        settings = Settings(texts, config_file, secrets, by_stack)
        settle(plan_with_module(directory, options, module or name, settings, stack), yes=yes, as_json=as_json)
        return
    _refuse_options_without_connector(options, module)
    settings = Settings(texts, config_file, secrets, by_stack, prompts=is_terminal())
    new = prepare_source(directory, options, settings, stack)
    if options.discovers:
        asks = is_terminal() and not as_json and not yes
        new = _discovered(directory, new, stack, yes=yes, asks=asks)
    settle(new.plan(stack), yes=yes, as_json=as_json)


def _discovered(directory: Path, new: "NewSource", stack: str | None, *, yes: bool, asks: bool) -> "NewSource":
    """The source with the streams that Airbyte discovers, unless the user refuses the temporary source."""
    with connected(directory, stack, begins=True) as live:
        discovery = _Discovering(live, new, stack, asks=asks)
        if yes or discovery.existing or (asks and discovery.confirmed()):
            return discovery.run()
        return replace(new, notes=(*new.notes, discovery.announcement))


def _refuse_options_without_connector(options: SourceOptions, module: str) -> None:
    """Refuse options that don't fit a source with a connector.

    Raises:
        click.UsageError: The connector is missing, or one option excludes another.
    """
    if module or not options.connector:
        raise click.UsageError("--module needs --engine dlt" if module else "Missing option '--connector'.")
    if options.every and options.streams:
        raise click.UsageError("--stream names streams, and --all-streams takes all: leave one out")


def _refuse_options_of_connectors(options: SourceOptions) -> None:
    """Refuse what only a source with a connector has.

    Raises:
        click.UsageError: It is given.
    """
    given = {
        "--connector": options.connector,
        "--stream": options.streams,
        "--all-streams": options.every,
        "--namespace": options.namespaces,
        "--source-id": options.source_id,
        "--no-discover": not options.discovers,
    }
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} is for a source with a connector: leave it out with --engine dlt")


def plan_with_module(
    directory: Path, options: SourceOptions, module: str, settings: Settings, stack: str | None
) -> FilePlan:
    """The files of a new source with a module, checked; nothing is written.

    Raises:
        LotusError: The source exists, its module can't be used, or the lake would have a mistake.
    """
    lake, name = load_lake(directory, begun=False).lake, options.name
    _refuse_name(
        name,
        [each.name for each in lake.sources],
        f"{directory} has a source",
        f"add to it by `lotus add stream {name} STREAM`",
    )
    new = module_of(directory, name, module)
    configuration = configuration_of(directory, name, new.module, settings)
    document = _document_with_module(options, module, configuration)
    file = f"{name}/{SOURCE_FILE}"
    config = validated(SourceConfig, document, file)
    known = replace(lake, modules={**(lake.modules or {}), module: new.module})
    refuse_mistakes(lake, _with_source(known, name, config, {}), {file: _text(document)})
    # The module is beside the lake's folder: the files' paths are relative to the repository's.
    folder = directory.absolute().relative_to(new.project).as_posix()
    files = {f"{folder}/{file}": _text(document), **({new.file: new.text} if new.text else {})}
    used = tuple(dict.fromkeys(reference for _, reference in references(config.configuration)))
    values, others = _value_commands(lake, used, stack)
    example = [f"{new.file} is an example to start from: it reads the stream orders"] if new.text else []
    example += filter(None, [missing_extra(new.project)])
    stream = min(new.module.resources, default="STREAM")
    adding = f"lotus add stream {name} {stream} --key id --cursor updated_at{streams_option(directory)}"
    shown: dict[str, JsonValue] = {
        "source": name,
        "module": new.file,
        "streams": [],
        "values": [{"name": each.name, "secret": each.secret} for each in used if each.part is None],
    }
    following = [*values, adding, check_step(directory), "pulumi preview"]
    return FilePlan(new.project, files, frozenset(), [*example, *_elsewhere(others)], following, shown)


def _document_with_module(
    options: SourceOptions, module: str, configuration: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """The content of `_source.json`."""
    document: dict[str, JsonValue] = {"$schema": "../.schema/source.json", "engine": "dlt"}
    if module != options.name:
        document["module"] = module
    document |= {"name": options.label or naming.label(options.name), "configuration": dict(configuration)}
    document["destination"] = options.destination
    if options.into:
        document["namespace"] = options.into
    if options.schedule:
        document["schedule"] = schedule_of(options.schedule)
    return document


@dataclass(frozen=True)
class NewSource:
    """A source's files before they are written.

    Attributes:
        lake: The lake, with the source's connector pinned.
        pin: The new pin of its connector; None if it is pinned already.
        options: The options.
        config: The content of `_source.json`.
        document: The same, as JSON.
        known: The values that the user's own file has, by name.
        offered: The discovered streams, by the name of their file; None if it was not discovered.
        left_out: Streams that can't have a file.
        notes: Further lines for the user.
    """

    lake: Lake
    pin: Pin | None
    options: SourceOptions
    config: SourceConfig
    document: Mapping[str, JsonValue]
    known: Mapping[str, str]
    offered: Mapping[str, Discovered] | None = None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[Reference, ...]:
        """The values of the stack that its configuration refers to, each once."""
        found = (reference for _, reference in references(self.config.configuration))
        return tuple(dict.fromkeys(found))

    @property
    def label(self) -> str:
        """Its name in Airbyte."""
        return self.config.name or naming.label(self.options.name)

    def streams(self) -> dict[str, tuple[Discovered | None, str]]:
        """The chosen streams with the texts of their files, by file name.

        Raises:
            LotusError: A chosen stream does not exist, or can't be synced.
        """
        if self.offered is None:
            return {}
        options = self.options
        chosen = choose(self.offered, options.streams, options.namespaces, every=options.every)
        modes = destination_modes(self.lake, options.destination)
        named = file_names(chosen, ())
        return {file: (stream, stream_text(stream, StreamOptions(), modes)) for file, stream in named.items()}

    def apart(self) -> "NewSource":
        """The source with a place for each of its namespaces, if streams of several have one name."""
        names = [each.stream for each in (self.offered or {}).values()]
        if self.options.into or len(names) == len(set(names)):
            return self
        namespace = f"{self.options.name}_{SOURCE_NAMESPACE}"
        document = {**self.document, "namespace": namespace}
        config = validated(SourceConfig, document, f"{self.options.name}/{SOURCE_FILE}")
        note = f"Streams of several namespaces have one name: they are written into {namespace}"
        return replace(self, document=document, config=config, notes=(*self.notes, note))

    def plan(self, stack: str | None) -> FilePlan:
        """Its files, checked.

        Raises:
            LotusError: The lake would have a mistake.
        """
        name, streams = self.options.name, self.streams()
        files = dict(self.pin.files) if self.pin is not None else {}
        files[f"{name}/{SOURCE_FILE}"] = _text(self.document)
        for file, each in (self.offered or {}).items():
            files[f"{name}/{DISCOVERED_FOLDER}/{file}.json"] = file_text(each)
        files |= {f"{name}/{file}.json": text for file, (_, text) in streams.items()}
        refuse_mistakes(self.lake, _with_source(self.lake, name, self.config, streams), files)
        notes = [*self.notes, *_stream_notes(name, streams), *_left_out_lines(self.left_out)]
        if self.offered is not None and not streams:
            notes.append(f"No stream is chosen: `lotus add stream {name} STREAM` adds one")
        values, others = _value_commands(self.lake, self.references, stack)
        notes += _elsewhere(others)
        following = [*values, *_next_commands(self.lake.directory, name, streams)]
        document: dict[str, JsonValue] = {
            "source": name,
            "streams": list(streams),
            "discovered": len(self.offered) if self.offered is not None else None,
            "values": [{"name": each.name, "secret": each.secret} for each in self.references if each.part is None],
            "left_out": [{"stream": each.stream, "reason": each.reason} for each in self.left_out],
        }
        return FilePlan(self.lake.directory, files, frozenset(), notes, following, document)


def prepare_source(directory: Path, options: SourceOptions, settings: Settings, stack: str | None) -> NewSource:
    """A new source, without its streams; nothing is written, and Airbyte is only read.

    Raises:
        LotusError: The source exists, its connector is unknown, or its configuration is incomplete or wrong.
    """
    lake = load_lake(directory, begun=False).lake
    _refuse_name(
        options.name,
        [each.name for each in lake.sources],
        f"{directory} has a source",
        f"add to it by `lotus add stream {options.name} STREAM`",
    )
    pin, lake = _pinned(lake, options.connector, "source", stack)
    connector = cast("Connector", lake.pinned(options.connector))
    configured = configure(options.name, specification(connector), settings, _free_names(lake))
    document: dict[str, JsonValue] = {"$schema": "../.schema/source.json", "connector": options.connector}
    document["name"] = options.label or naming.label(options.name)
    document["configuration"] = configured.document
    document["destination"] = options.destination
    if options.into:
        document["namespace"] = options.into
    if options.schedule:
        document["schedule"] = schedule_of(options.schedule)
    config = validated(SourceConfig, document, f"{options.name}/{SOURCE_FILE}")
    notes = _pin_notes(pin)
    return NewSource(lake, pin, options, config, document, configured.texts, notes=notes)


@dataclass(frozen=True)
class _Discovering:
    """Discovers a new source: the one in Airbyte that has its label and its connector, or else a temporary one.

    Attributes:
        live: The lake and its Airbyte.
        new: The new source.
        stack: The stack whose values it has.
        asks: Whether the user can be asked.
    """

    live: ConnectedLake
    new: NewSource
    stack: str | None
    asks: bool

    @cached_property
    def existing(self) -> str:
        """The id of the source in Airbyte; empty if there is none.

        Raises:
            LotusError: Several have the label.
        """
        if self.new.options.source_id:
            return self.new.options.source_id
        definition_id = self._definition_id()
        with translate_errors():
            listed = self.live.airbyte.list_actors("source", self.live.workspace_id)
        labelled = [each for each in listed if each.name == self.new.label]
        ids = [each.actor_id for each in labelled if definition_id in {"", each.definition_id}]
        if len(ids) > 1:
            hint = f"choose one with --source-id: {', '.join(sorted(ids))}"
            raise LotusError(f'Airbyte has several sources "{self.new.label}"', hint)
        return "".join(ids)

    @property
    def announcement(self) -> str:
        """What is created in Airbyte."""
        return f'A temporary source "{self.new.label}" is created in Airbyte, discovered and deleted'

    def confirmed(self) -> bool:
        """Whether the user agrees to that."""
        return click.confirm(f"{self.announcement}: go on?", err=True)

    def run(self) -> NewSource:
        """The new source with its streams.

        Raises:
            LotusError: A value is unknown, or Airbyte or the connector fails.
        """
        # Before the spinner, which would draw over a prompt for a value.
        configuration = {} if self.existing else self._resolved()
        with Console(stderr=True).status(f"Discovering {self.new.options.name}"), translate_errors():
            found = self._discovered(configuration)
        if not found:
            raise LotusError(f"the source {self.new.options.name} has no streams", "check its configuration")
        offered, left_out = to_lake_format(found)
        how = "the existing source" if self.existing else "a temporary source, which is deleted again"
        note = f"Discovered {pluralize(len(offered), 'stream')} by {how}"
        return replace(self.new, offered=offered, left_out=left_out, notes=(*self.new.notes, note)).apart()

    def _discovered(self, configuration: dict[str, JsonValue]) -> list[DiscoveredStream]:
        if self.existing:
            return self.live.airbyte.discover_schema(self.existing)
        with self._definition() as definition_id:
            body: dict[str, JsonValue] = {"name": self.new.label, "workspaceId": self.live.workspace_id}
            return self._of_temporary({**body, "definitionId": definition_id, "configuration": configuration})

    def _of_temporary(self, body: dict[str, JsonValue]) -> list[DiscoveredStream]:
        airbyte = self.live.airbyte
        with temporary_source(airbyte, body, _tell) as source_id:
            refused = airbyte.check_actor("source", source_id)
            if refused:
                hint = "correct the configuration or the stack's values"
                raise LotusError(f"{self.new.options.name} can't connect: {refused}", hint)
            return airbyte.discover_schema(source_id)

    @property
    def _connector(self) -> Connector:
        return cast("Connector", self.new.lake.pinned(self.new.config.connector))

    def _definition(self) -> AbstractContextManager[str]:
        """The definition of the connector; a temporary one for one's own that Airbyte does not have yet."""
        if not self._connector.is_own:
            return nullcontext(self._definition_id())
        kind, body = own_body(self._connector, _manifest(self.new.lake, self._connector))
        return own_definition(self.live.airbyte, self.live.workspace_id, kind, body, _tell)

    def _definition_id(self) -> str:
        """The id of the connector's definition; empty for one's own."""
        reference = self._connector.id_reference
        if reference is None:
            return self._connector.known_id or ""
        found = stack_texts(self.live.lake.directory, self.stack, [reference.name])
        if reference.name not in found:
            raise LotusError(f"lotus:{reference.name} has no value", f"`pulumi config set lotus:{reference.name}`")
        return found[reference.name]

    def _resolved(self) -> dict[str, JsonValue]:
        """The configuration with the stack's values."""
        wanted = [each for each in self.new.references if each.part is None]
        landing = [each for each in self.new.references if each.part is not None]
        if landing:
            raise LotusError("a part of the landing zone is unknown before it is deployed", "pass --no-discover")
        texts = self._texts([each.name for each in wanted])
        missing = [each for each in wanted if each.name not in texts]
        for each in missing if is_terminal() else ():
            texts[each.name] = click.prompt(f"lotus:{each.name}", hide_input=each.secret, err=True)
        lacking = [each for each in wanted if each.name not in texts]
        if lacking:
            commands = "; ".join(f"`{_set_command(each, self.stack)}`" for each in lacking)
            variables = ", ".join(_variable(each.name) for each in lacking)
            raise LotusError("the source can't be discovered without its values", f"{commands}; or export {variables}")
        self.live.airbyte.redactor.learn(texts[each.name] for each in wanted if each.secret)
        return cast("dict[str, JsonValue]", substitute(self.new.config.configuration, partial(_value, texts)))

    def _texts(self, names: Collection[str]) -> dict[str, str]:
        """The known values: of the user's file, of the environment, and of the stack."""
        known = {name: os.environ[_variable(name)] for name in names if _variable(name) in os.environ}
        known |= {name: text for name, text in self.new.known.items() if name in names}
        rest = [name for name in names if name not in known]
        return known | (stack_texts(self.live.lake.directory, self.stack, rest) if rest else {})


def _tell(message: str) -> None:
    click.echo(f"lotus: {message}", err=True)


def _manifest(lake: Lake, connector: Connector) -> dict[str, JsonValue] | None:
    """The content of a connector's manifest; None if it has none.

    Raises:
        LotusError: It can't be read.
    """
    if connector.manifest is None:
        return None
    file = lake.directory / CONNECTORS_FOLDER / connector.manifest
    return dict(manifest_of(read_text(file), file))


def _variable(name: str) -> str:
    return f"LOTUS_{name.upper()}"


def _value(texts: Mapping[str, str], reference: Reference) -> JsonValue:
    try:
        return parse_text(reference.type, texts[reference.name])
    except ValueError:
        raise LotusError(f"lotus:{reference.name} is not of type {reference.type}", "set another value") from None


# A stream


@add.command("stream")
@click.argument("source", shell_complete=SOURCE_NAMES)
@click.argument("stream", shell_complete=OFFERED_STREAMS)
@click.option(
    "--namespace", default="", metavar="NAME", help="The stream's namespace in the source, if several have the name."
)
@click.option(
    "--fields",
    default="",
    metavar="NAMES",
    help="The fields to sync, separated by commas; key and cursor are added. For dlt with their types: id:integer.",
)
@click.option("--all", "every", is_flag=True, help="Sync all fields, which is the default.")
@click.option("--as", "file", default="", metavar="NAME", help="The name of its file; by default made from STREAM.")
@click.option(
    "--sync-mode",
    "mode",
    metavar="MODE",
    type=click.Choice(SYNC_MODES),
    default=None,
    help="How it is synced, such as incremental_append, incremental_deduped_history or full_refresh_overwrite.",
)
@click.option(
    "--cursor", default="", metavar="PATH", help="The path of its cursor, with dots; by default the source's own."
)
@click.option(
    "--key", "keys", multiple=True, metavar="PATH", help="A path of its key, with dots; by default the source's own."
)
@YES
@STACK
@STREAMS
@JSON
def add_stream(
    source: str,
    stream: str,
    directory: Path,
    stack: str | None,
    *,
    namespace: str,
    fields: str,
    every: bool,
    file: str,
    mode: str | None,
    cursor: str,
    keys: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Write the file of a STREAM of a SOURCE.

    The file is written from the source's discovered schema. STREAM is its name in the source. By default it takes all
    fields, and appends new rows by the source's own cursor; without a cursor it is read in full and overwritten. Of a
    source that dlt reads nothing is discovered: STREAM is a resource of its module, and --fields have types.

    Example: lotus add stream shopify draft_orders
    """
    if fields and every:
        raise click.UsageError("--fields names fields, and --all takes all: leave one out")
    lake = load_lake(directory).lake
    folder = find_source(lake, source)
    if folder.config is None:
        raise LotusError(f"{folder.file} can't be used", "`lotus check` has details")
    named_fields = tuple(filter(None, (each.strip() for each in fields.split(",")))) or None
    path, key = tuple(filter(None, cursor.split("."))), tuple(tuple(each.split(".")) for each in keys)
    notes: list[str] = []
    if folder.reader.discovers:
        offered, notes = _offered(lake, folder, stack)
        modes = {mode for each in folder.connections for mode in destination_modes(lake, each.config.destination)}
    else:
        described_stream = described(stream, named_fields, cursor=path, key=key)
        named_fields = tuple(described_stream.fields) or None
        offered, modes = {naming.stream_file(stream): described_stream}, set(folder.reader.modes)
    options = StreamOptions(named_fields, mode or "", path, key)
    chosen = choose(offered, [stream], [namespace] if namespace else [], every=False)
    taken = {each.name for each in folder.streams}
    names = {file: next(iter(chosen.values()))} if file else file_names(chosen, taken)
    _refuse_streams(folder, names)
    texts = {name: (each, stream_text(each, options, modes)) for name, each in names.items()}
    plan = _plan_of_streams(lake, folder, texts, notes)
    settle(plan, yes=yes, as_json=as_json)


def _plan_of_streams(
    lake: Lake, folder: SourceFolder, texts: Mapping[str, tuple[Discovered, str]], notes: Sequence[str]
) -> FilePlan:
    """The files of new streams, checked; nothing is written.

    Raises:
        LotusError: The lake would have a mistake.
    """
    files = {f"{folder.name}/{name}.json": text for name, (_, text) in texts.items()}
    known = folder.reader.discovers
    given: _Texts = {name: (each if known else None, text) for name, (each, text) in texts.items()}
    refuse_mistakes(lake, _with_streams(lake, folder, given), files)
    shown: dict[str, JsonValue] = {"source": folder.name, "streams": list(texts)}
    following = _next_commands(lake.directory, folder.name, texts)
    return FilePlan(lake.directory, files, frozenset(), [*notes, *_stream_notes(folder.name, texts)], following, shown)


def _refuse_streams(folder: SourceFolder, names: Mapping[str, Discovered]) -> None:
    """Refuse a stream that the source has a file of, or a file name that can't be.

    Raises:
        LotusError: There is one.
    """
    known = {each.identity: each for each in folder.streams}
    for name, stream in names.items():
        if stream.identity in known:
            remedy = f"edit {known[stream.identity].file}"
            raise LotusError(f'"{stream.stream}" has a file already', remedy)
        if not naming.is_identifier(name):
            raise LotusError(f"\"{name}\" can't name a stream's file", "use lower-case letters, digits and underscores")


def _offered(lake: Lake, folder: SourceFolder, stack: str | None) -> tuple[Mapping[str, Discovered], list[str]]:
    """The streams of a source by their discovered files, or else as Airbyte discovers them now."""
    if folder.offered:
        reader = Reader(lake.directory)
        found = {
            name: reader.read_light(f"{folder.name}/{DISCOVERED_FOLDER}/{name}.json", Discovered)
            for name in sorted(folder.offered)
        }
        return {name: each for name, each in found.items() if each is not None}, []
    status = Console(stderr=True).status(f"Discovering {folder.name}")
    with connected(lake.directory, stack) as live, translate_errors(), status:
        offered, _ = to_lake_format(live.airbyte.discover_schema(live.source_id(folder)))
    return offered, [f"Discovered in Airbyte: `lotus discover {folder.name}` keeps the schema"]


# A destination


@add.command("destination")
@click.argument("name")
@click.option(
    "--connector",
    required=True,
    metavar="NAME",
    shell_complete=DESTINATION_CONNECTORS,
    help="Its connector, such as destination-s3; pinned if it is not yet.",
)
@_config_options
@LABEL_OF_OBJECT
@YES
@STACK
@STREAMS
@JSON
def add_destination(
    name: str,
    connector: str,
    directory: Path,
    stack: str | None,
    *,
    texts: tuple[str, ...],
    config_file: Path | None,
    secrets: tuple[str, ...],
    by_stack: tuple[str, ...],
    label: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Write the file of a new destination NAME.

    A destination-s3 writes to the landing zone, as the lake's readers expect, except where you set something else.

    Example: lotus add destination archive --connector destination-s3 --by-stack s3_bucket_name
    """
    lake = load_lake(directory, begun=False).lake
    _refuse_name(name, lake.destinations, f"{directory} has a destination", "edit its file")
    pin, lake = _pinned(lake, connector, "destination", stack)
    pinned = cast("Connector", lake.pinned(connector))
    defaults = LANDING_ZONE if pinned.connector == _S3 and config_file is None else {}
    settings = Settings(texts, config_file, secrets, by_stack, defaults, prompts=is_terminal())
    configured = configure(name, specification(pinned), settings, _free_names(lake))
    document: dict[str, JsonValue] = {"$schema": "../.schema/destination.json", "connector": connector}
    document |= {"name": label or naming.label(name), "configuration": configured.document}
    file = f"{DESTINATIONS_FOLDER}/{name}.json"
    config = validated(DestinationConfig, document, file)
    files = {**(pin.files if pin is not None else {}), file: _text(document)}
    after = replace(lake, destinations={**lake.destinations, name: config})
    refuse_mistakes(lake, after, files)
    used = tuple(dict.fromkeys(reference for _, reference in references(config.configuration)))
    commands, others = _value_commands(lake, used, stack)
    following = [*commands, check_step(directory)]
    notes = [
        *_pin_notes(pin),
        *_elsewhere(others),
        f'A source writes to it by "destination": "{name}" in its {SOURCE_FILE}',
    ]
    values: list[JsonValue] = [{"name": each.name, "secret": each.secret} for each in used if each.part is None]
    plan = FilePlan(directory, files, frozenset(), notes, following, {"destination": name, "values": values})
    settle(plan, yes=yes, as_json=as_json)


# What they share


def specification(connector: Connector) -> Specification:
    """The specification of a pinned connector.

    Raises:
        LotusError: It is no JSON Schema.
    """
    try:
        return Specification(connector.spec)
    except SpecificationError as error:
        hint = f"`lotus connector add {connector.connector}` pins it again"
        raise LotusError(f"the specification of {connector.connector} {error}", hint) from None


def destination_modes(lake: Lake, destination: str) -> tuple[str, ...]:
    """The modes in which a destination can write; empty if they are unknown."""
    config = lake.destinations.get(destination)
    pinned = lake.pinned(config.connector) if config is not None else None
    return pinned.destination_sync_modes if pinned is not None else ()


def schedule_of(text: str) -> dict[str, JsonValue]:
    """A schedule as the user gives it: `manual`, an interval such as `1 hours`, or a cron expression."""
    if text == "manual":
        return {"type": "manual"}
    if interval_of(text) is not None:
        return {"type": "basic", "every": text}
    return {"type": "cron", "cron": text}


def validated(model: type[File], document: dict[str, JsonValue], file: str) -> File:
    """Read a new file's document as the loader would.

    Raises:
        LotusError: The loader would refuse it.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        lines = "; ".join(
            f"{'.'.join(map(str, each.path))} {each.what}: {each.remedy}"
            for each in explain_validation_error(error, model, document, file)
        )
        raise LotusError(f"{file} would be wrong: {lines}") from None


def refuse_mistakes(before: Lake, after: Lake, files: Mapping[str, str]) -> None:
    """Refuse new files with which the lake would have more mistakes than before.

    Raises:
        LotusError: It would; with each of them.
    """
    # Streams are added one by one.
    rules = [rule for rule in CHECKS if rule is not sources_have_streams]
    known = set(apply_rules(before, rules, drafts=files).problems)
    # Of other files too: a name may be taken there.
    found = [each for each in apply_rules(after, rules, drafts=files).problems if each not in known]
    if found:
        raise LotusError(f"{pluralize(len(found), 'mistake')}:\n" + "\n".join(map(str, found)))


def _refuse_name(name: str, taken: Collection[str], what: str, remedy: str) -> None:
    if name in taken:
        raise LotusError(f'{what} "{name}" already', remedy)
    if not naming.is_identifier(name):
        hint = f"use lower-case letters, digits and underscores, such as {naming.identifier(name, 'source')}"
        raise LotusError(f'"{name}" can\'t be the name', hint)


def _pinned(lake: Lake, connector: str, kind: str, stack: str | None) -> tuple[Pin | None, Lake]:
    """The lake with a connector pinned, and the pin if it is new."""
    if not connector.startswith(f"{kind}-"):
        raise LotusError(f'"{connector}" is not a {kind} connector', f"name one such as {kind}-…")
    if lake.connectors.get(connector) is not None:
        return None, lake
    if connector in lake.connectors:
        raise LotusError(f"{CONNECTORS_FOLDER}/{connector}.json can't be used", "`lotus check` has details")
    pin = make_pin(lake, connector, PinOptions(), stack)
    return pin, replace(lake, connectors={**lake.connectors, connector: pin.connector})


def _pin_notes(pin: Pin | None) -> tuple[str, ...]:
    return () if pin is None else (f"{pin.connector.connector} is pinned at {pin.connector.version or 'no version'}",)


def _free_names(lake: Lake) -> SecretNames:
    return SecretNames(set(lake.value_names or ()))


def _text(document: Mapping[str, JsonValue]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


_Texts = Mapping[str, tuple[Discovered | None, str]]


def _with_source(lake: Lake, name: str, config: SourceConfig, streams: _Texts) -> Lake:
    return _with_streams(lake, SourceFolder(name, config, (), frozenset()), streams)


def _with_streams(lake: Lake, folder: SourceFolder, streams: _Texts) -> Lake:
    """The lake with further streams in a source."""
    new = [
        StreamFile(f"{folder.name}/{file}.json", folder.name, file, StreamConfig.model_validate_json(text), stream)
        for file, (stream, text) in streams.items()
    ]
    extended = replace(folder, streams=(*folder.streams, *new))
    others = [each for each in lake.sources if each.name != folder.name]
    return replace(lake, sources=tuple(sorted((*others, extended), key=lambda each: each.name)))


def _stream_notes(source: str, streams: _Texts) -> Iterator[str]:
    """A line for each stream whose file has another name."""
    for file, (stream, _) in streams.items():
        if stream is not None and (stream.stream, stream.namespace) != (file, None):
            of = f" of {stream.namespace}" if stream.namespace else ""
            yield f'    {source}/{file}.json is "{stream.stream}"{of}'


def _left_out_lines(left_out: Sequence[LeftOut]) -> Iterator[str]:
    return (f"  ! {each.stream} has no file: {each.reason}" for each in left_out)


def _set_command(reference: Reference, stack: str | None) -> str:
    option = f" --stack {stack}" if stack else ""
    if reference.secret:
        return f"pulumi config set --secret{option} lotus:{reference.name}"
    return f"pulumi config set{option} lotus:{reference.name} <value>"


def _value_commands(lake: Lake, used: Sequence[Reference], stack: str | None) -> tuple[list[str], list[str]]:
    """The commands that set the values of every stack of the project; those that a stack has are left out.

    Returns:
        Those to run next; and, where the shell has chosen a stack, those of the others, whose state may be elsewhere.
    """
    wanted = [each for each in used if each.part is None]
    project = Project.around(lake.directory)
    stacks = tuple(project.stacks) if project is not None else ()
    if project is None or not stacks:
        return [_set_command(each, stack) for each in wanted], []
    chosen = os.environ.get(STACK_VARIABLE, "").rpartition("/")[2]
    commands: list[str] = []
    others: list[str] = []
    for name in stacks:
        known = project.read(name).entries.values
        option = name if len(stacks) > 1 or stack else None
        missing = [_set_command(each, option) for each in wanted if f"{NAMESPACE}:{each.name}" not in known]
        (others if chosen in stacks and name != chosen else commands).extend(missing)
    return commands, others


def _elsewhere(commands: Sequence[str]) -> list[str]:
    """A note on the values of stacks that the shell has not chosen."""
    return (
        [f"Before another stack deploys it, in a shell with that stack's state: {'; '.join(commands)}"]
        if commands
        else []
    )


def _next_commands(directory: Path, source: str, streams: Collection[str]) -> list[str]:
    which = next(iter(streams)) if len(streams) == 1 else "--all"
    scaffold = f"lotus scaffold {source} {which}{streams_option(directory)}"
    return [*([scaffold] if streams else []), check_step(directory), "pulumi preview"]
