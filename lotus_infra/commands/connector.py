"""`lotus connector`: pin connectors, each with its definition, its version and its specification.

A specification comes from the live server, from a file, or from the connector itself. What differs from the pinned
one is shown before it is written, with the configurations of the lake that would no longer fit.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, cast

import click
import yaml
from pulumi_airbyte.client import Airbyte
from pydantic import JsonValue, ValidationError

from lotus_infra.clients.airbyte import beginning_workspace, stack_texts, translate_errors
from lotus_infra.clients.connectors import ServerConnector, find_definition, printed_specification, server_specification
from lotus_infra.commands.completion import CONNECTOR_NAMES
from lotus_infra.commands.file_plan import FilePlan, settle
from lotus_infra.commands.options import JSON, STACK, STREAMS, YES, check_step
from lotus_infra.errors import LotusError
from lotus_infra.lake.checks.configuration import configurations_fit
from lotus_infra.lake.connectors import SpecChange, facts_of, file_text, in_order_of, spec_changes, specification_of
from lotus_infra.lake.diagnostics import pluralize
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.disk import UnreadableError, read_file
from lotus_infra.lake.lake import CONNECTORS_FOLDER, Lake
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.reading import explain_validation_error
from lotus_infra.lake.references import CONFIG
from lotus_infra.lake.report import apply_rules

_NAME = re.compile(r"(source|destination)-[a-z0-9]+(-[a-z0-9]+)*")
_MODES = ("overwrite", "append", "append_dedup", "overwrite_dedup", "update", "soft_delete")


@dataclass(frozen=True, slots=True)
class PinOptions:
    """What to pin, as the user gives it; empty texts are not given.

    Attributes:
        definition_id: The id of the definition.
        definition_config: The stack's value that is the id, where it differs by stack.
        version: The version.
        origin: A file with the specification.
        command: The connector's executable, whose `spec` is run.
        image: The image of a connector of one's own, `repository:tag`.
        manifest: The manifest of a connector of one's own.
    """

    definition_id: str = ""
    definition_config: str = ""
    version: str = ""
    origin: Path | None = None
    command: str = ""
    image: str = ""
    manifest: Path | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is a connector of one's own."""
        return bool(self.image or self.manifest)


@dataclass(frozen=True, slots=True)
class Pin:
    """A connector as it will be pinned.

    Attributes:
        connector: The connector.
        before: As it is pinned now; None if it is not.
        manifest: The text of its manifest; None if it has none.
    """

    connector: Connector
    before: Connector | None
    manifest: str | None = None

    @property
    def changes(self) -> tuple[SpecChange, ...]:
        """What differs from the pinned one."""
        return spec_changes(self.before, self.connector) if self.before is not None else ()

    @property
    def files(self) -> dict[str, str]:
        """Its files, by path in the lake."""
        files = {f"{CONNECTORS_FOLDER}/{self.connector.connector}.json": file_text(self.connector)}
        if self.manifest is not None:
            files[f"{CONNECTORS_FOLDER}/{self.connector.manifest}"] = self.manifest
        return files


@click.group()
def connector() -> None:
    """Pin connectors with their specifications.

    A pin has a connector's definition, its version and the specification that `lotus check` validates against.

    Example: lotus connector add source-stripe
    """


@connector.command("add")
@click.argument("name", shell_complete=CONNECTOR_NAMES)
@click.option(
    "--definition-id",
    default="",
    metavar="ID",
    help="The id of its definition; by default found on the server by name.",
)
@click.option(
    "--definition-config", default="", metavar="KEY", help="Take the id from the stack's value lotus:KEY: it differs."
)
@click.option("--version", default="", metavar="VERSION", help="Its version, if the server is not asked.")
@click.option(
    "--from", "origin", type=click.Path(path_type=Path, dir_okay=False), help="A FILE with its specification."
)
@click.option(
    "--command", default="", metavar="COMMAND", help='Run its own `spec`: "source-faker", "docker run --rm mine:1.0".'
)
@click.option("--image", default="", metavar="REPOSITORY:TAG", help="The image of a connector of your own.")
@click.option(
    "--manifest", type=click.Path(path_type=Path, dir_okay=False), help="The manifest of a connector of your own."
)
@YES
@STACK
@STREAMS
@JSON
def add_connector(
    name: str,
    directory: Path,
    stack: str | None,
    *,
    definition_id: str,
    definition_config: str,
    version: str,
    origin: Path | None,
    command: str,
    image: str,
    manifest: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Pin the connector NAME, or update its pin.

    Shows what changes, and asks before it writes. The specification is the live server's, unless a file, a command or a
    manifest has it.

    Example: lotus connector add source-stripe
    """
    if origin is not None and command:
        raise click.UsageError("--from and --command both give the specification: leave one out")
    if image and manifest is not None:
        raise click.UsageError("--image and --manifest are two connectors: leave one out")
    options = PinOptions(definition_id, definition_config, version, origin, command, image, manifest)
    lake = load_lake(directory, begun=False).lake
    pin = make_pin(lake, name, options, stack)
    settle(_plan(lake, [pin]), yes=yes, as_json=as_json)


@connector.command("update")
@click.argument("names", nargs=-1, shell_complete=CONNECTOR_NAMES)
@click.option("--all", "every", is_flag=True, help="All pinned connectors but those of your own.")
@YES
@STACK
@STREAMS
@JSON
def update_connectors(
    names: Sequence[str], directory: Path, stack: str | None, *, every: bool, yes: bool, as_json: bool
) -> None:
    """Update pins to the live server's versions.

    Shows what changes, and asks before it writes.

    Example: lotus connector update --all
    """
    lake = load_lake(directory, begun=False).lake
    if every == bool(names):
        raise click.UsageError("Name connectors, or pass --all.")
    own = {name for name, each in lake.connectors.items() if each is not None and each.is_own}
    chosen = [name for name in lake.connectors if name not in own] if every else list(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in lake.connectors]
    if unknown:
        raise LotusError(f"{', '.join(unknown)} is not pinned", f"`lotus connector add {unknown[0]}` pins it")
    pins = [make_pin(lake, name, PinOptions(), stack) for name in chosen]
    settle(_plan(lake, pins), yes=yes, as_json=as_json)


def make_pin(lake: Lake, name: str, options: PinOptions, stack: str | None) -> Pin:
    """A connector's pin; nothing is written.

    Raises:
        LotusError: The connector, its definition or its specification can't be found.
    """
    if not _NAME.fullmatch(name):
        raise LotusError(f'"{name}" is not a connector\'s name', "write a name such as source-stripe or destination-s3")
    before = lake.connectors.get(name)
    named = options.is_own or options.definition_id or options.definition_config
    if before is not None and before.is_own and not named:
        what = f"{name} is a connector of your own"
        how = f"`lotus connector add {name}` updates it with its --manifest or --image, or a --definition-id"
        raise LotusError(what, how)
    document: dict[str, JsonValue] = {"connector": name}
    if before is not None and before.name is not None:
        document["name"] = before.name
    manifest = read_text(options.manifest) if options.manifest is not None else None
    if manifest is not None and options.manifest is not None:
        manifest_of(manifest, options.manifest)
    given = _given_specification(options, manifest)
    if options.is_own:
        document |= _own(name, options, manifest)
        if given is None:
            how = f"give it to `lotus connector add {name}` with --from or --command"
            raise LotusError(f"the specification of {name} is unknown", how)
        version = options.version
    else:
        reference = options.definition_config or (_config_key(before) if not options.definition_id else "")
        known = _known_id(lake, options, before, reference, stack)
        found, given = _from_server(lake, name, known, given, stack)
        document["definition_id"] = {CONFIG: reference} if reference else found.definition_id
        version = options.version or found.version or ""
    schema, modes = given
    modes = modes or (before.destination_sync_modes if before is not None else ())
    document |= {
        "version": version or None,
        "spec": in_order_of(facts_of(schema), before.spec if before is not None else None),
    }
    document["destination_sync_modes"] = [mode for mode in modes if mode in _MODES]
    return Pin(_validated(name, document), before, manifest)


_Given = tuple[dict[str, JsonValue], tuple[str, ...]]


class _KnownId(NamedTuple):
    """A definition's id, empty if unknown; and the name of the stack's value that it is, if it differs by stack."""

    definition_id: str
    reference: str = ""


def _given_specification(options: PinOptions, manifest: str | None) -> _Given | None:
    """The specification that the user gives by a file, a command or a manifest; None if by none of them."""
    if options.origin is not None:
        return specification_of(read_text(options.origin), str(options.origin))
    if options.command:
        return specification_of(printed_specification(options.command), f"the output of {options.command}")
    if manifest is not None and options.manifest is not None:
        spec = manifest_of(manifest, options.manifest)["spec"]
        return specification_of(json.dumps(spec, default=str), f"`spec` of {options.manifest}")
    return None


def _own(name: str, options: PinOptions, manifest: str | None) -> dict[str, JsonValue]:
    """The keys of a connector of one's own.

    Raises:
        LotusError: It has a definition id too, or its image has no tag.
    """
    if options.definition_id or options.definition_config:
        raise LotusError(
            "a connector of your own has no definition id",
            f"`lotus connector add {name}` takes it without --definition-id",
        )
    if manifest is not None:
        return {"manifest": f"{name}.yaml"}
    repository, _, tag = options.image.rpartition(":")
    if not repository or not tag or "/" in tag:
        raise LotusError(f"{options.image} has no tag", "write repository:tag")
    return {"image": {"repository": repository, "tag": tag}}


def _config_key(before: Connector | None) -> str:
    reference = before.id_reference if before is not None else None
    return reference.name if reference is not None else ""


def _known_id(lake: Lake, options: PinOptions, before: Connector | None, reference: str, stack: str | None) -> _KnownId:
    """The definition that the user, the stack or the present pin names."""
    if not reference:
        pinned = before.known_id if before is not None else None
        return _KnownId(options.definition_id or pinned or "")
    values = stack_texts(lake.directory, stack, [reference])
    return _KnownId(values.get(reference, ""), reference)


def _from_server(
    lake: Lake, name: str, known: _KnownId, given: _Given | None, stack: str | None
) -> tuple[ServerConnector, _Given]:
    """The connector's definition, and its specification if the user gives none.

    Raises:
        LotusError: The server is not known, or lacks the definition.
    """
    if given is not None and (known.definition_id or known.reference):
        return ServerConnector(known.definition_id, None), given
    if known.reference and not known.definition_id:
        remedy = f"`pulumi config set lotus:{known.reference} <the definition's id>`"
        raise LotusError(f"the stack has no value lotus:{known.reference}", remedy)
    settings, workspace_id = beginning_workspace(lake.directory, stack)
    with closing(Airbyte(settings)) as airbyte, translate_errors():
        found = find_definition(airbyte, name, workspace_id, known.definition_id)
        return found, given or server_specification(airbyte, name, found.definition_id, workspace_id)


def _validated(name: str, document: Mapping[str, JsonValue]) -> Connector:
    try:
        return Connector.model_validate({key: value for key, value in document.items() if value not in (None, [])})
    except ValidationError as error:
        found = list(explain_validation_error(error, Connector, dict(document), name))
        raise LotusError(f"{'.'.join(map(str, found[0].path))} {found[0].what}", found[0].remedy) from None


def manifest_of(text: str, file: Path) -> Mapping[str, JsonValue]:
    """The content of a manifest.

    Raises:
        LotusError: The text is not a manifest with a specification.
    """
    try:
        document = _mapping(yaml.safe_load(text))
    except yaml.YAMLError:
        raise LotusError(f"{file} is not YAML", "name the manifest of a connector") from None
    if "spec" not in document or document.get("type") != "DeclarativeSource":
        hint = "export it from Airbyte's connector builder: type DeclarativeSource, with a spec"
        raise LotusError(f"{file} is not a connector's manifest", hint)
    try:
        json.dumps(document, default=str)
    except (ValueError, TypeError, RecursionError):
        raise LotusError(f"{file} contains itself, or keys that JSON has not", "remove the anchor or the key") from None
    return document


def _mapping(value: object) -> Mapping[str, JsonValue]:
    return cast("Mapping[str, JsonValue]", value) if isinstance(value, dict) else {}


def read_text(file: Path) -> str:
    """The text of a file that the user names.

    Raises:
        LotusError: It can't be read.
    """
    try:
        return read_file(str(file)).decode()
    except UnreadableError as error:
        raise LotusError(f"{file} {error.what}", error.remedy) from None
    except UnicodeDecodeError:
        raise LotusError(f"{file} is not UTF-8", "name a text file") from None


def _plan(lake: Lake, pins: Sequence[Pin]) -> FilePlan:
    files = {name: text for pin in pins for name, text in pin.files.items()}
    lines = [line for pin in pins for line in _pin_lines(pin)]
    problems = unfit(lake, [pin.connector for pin in pins])
    if problems:
        lines += [*problems, f"{pluralize(len(problems), 'problem')} to fix after the update"]
    shown: list[JsonValue] = [
        {
            "connector": pin.connector.connector,
            "version": pin.connector.version,
            "changes": [str(change) for change in pin.changes],
        }
        for pin in pins
    ]
    document: dict[str, JsonValue] = {"connectors": shown, "problems": list(problems)}
    return FilePlan(lake.directory, files, frozenset(files), lines, [check_step(lake.directory)], document)


def _pin_lines(pin: Pin) -> list[str]:
    connector = pin.connector
    if pin.before is not None:
        return [f"    {change}" for change in pin.changes]
    kept = connector.known_id or (f"lotus:{_config_key(connector)}" if connector.id_reference else "your own")
    return [f"    {connector.connector} {connector.version or ''}".rstrip() + f", definition {kept}"]


def unfit(lake: Lake, connectors: Sequence[Connector]) -> tuple[str, ...]:
    """The problems that configurations of the lake have with these connectors, and did not have before."""
    after = replace(lake, connectors={**lake.connectors, **{each.connector: each for each in connectors}})
    drafts = {f"{CONNECTORS_FOLDER}/{each.connector}.json": file_text(each) for each in connectors}
    before = set(apply_rules(lake, [configurations_fit]).problems)
    found = apply_rules(after, [configurations_fit], drafts=drafts).problems
    return tuple(str(each) for each in found if each not in before)
