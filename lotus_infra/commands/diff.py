"""`lotus diff`: what differs between two stacks of one lake, from the files alone.

Both sides come from the readers that every command uses: the lake of each stack, and its configuration as one model,
so that a setting that is written in one file and a default in the other is no difference. A secret is only set or not.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import click
from pydantic import BaseModel, JsonValue, SecretStr

from lotus_infra.commands.options import COMPARED_STACKS, JSON, STREAMS
from lotus_infra.commands.terminal import lead, paint
from lotus_infra.config.section import secret_keys
from lotus_infra.config.settings import DAGSTER, DATABASE_PASSWORDS, KEY_PAIRS, NAMESPACE, LotusKeys
from lotus_infra.config.stack import Project, StackReading
from lotus_infra.config.stack_files import refuse
from lotus_infra.config.workspaces import WORKSPACE
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.models import Schedule
from lotus_infra.lake.overlays import connection_settings, for_stack
from lotus_infra.lake.references import LANDING_ZONE
from lotus_infra.lake.secrecy import without_credentials

_MOST_SHOWN: Final = 200
"""Characters of a value; longer ones, such as a whole kubeconfig, are described instead."""


class Value(NamedTuple):
    """A value of one stack.

    Attributes:
        text: For people.
        compared: What it is compared by; a text that hides a part has the whole here.
    """

    text: str
    compared: str = ""


NOT_SET: Final = Value("not set")
SET: Final = Value("set")
Values = Mapping[str, Value]


class Group(NamedTuple):
    """A group of differences.

    Attributes:
        key: In the document.
        title: In the text.
    """

    key: str
    title: str


SOURCES = Group("sources", "Sources")
CONNECTIONS = Group("connections", "Connections")
VALUES = Group("values", "Values that the lake's files refer to")
AIRBYTE = Group("airbyte", "Airbyte")
LANDING = Group("landing_zone", "Landing zone")
DAGSTER_GROUP = Group("dagster", "Dagster")
SETTINGS = Group("settings", "Other settings")
GROUPS: Final = (SOURCES, CONNECTIONS, VALUES, AIRBYTE, LANDING, DAGSTER_GROUP, SETTINGS)


@dataclass(frozen=True, slots=True)
class Side:
    """A stack.

    Attributes:
        lake: Its lake.
        reading: Its configuration.
    """

    lake: Lake
    reading: StackReading


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two stacks.

    Attributes:
        group: What it belongs to.
        name: The source, the connection's setting, or the key.
        values: What each stack has there, for people; no secret.
    """

    group: Group
    name: str
    values: tuple[str, str]


@click.command()
@click.option("--exit-code", "failing", is_flag=True, help="Exit with 1 if there are differences, as `git diff` does.")
@COMPARED_STACKS
@STREAMS
@JSON
def diff(directory: Path, stacks: tuple[str, ...], *, failing: bool, as_json: bool) -> None:
    """Show what differs between two stacks.

    Compares sources, connections, values and settings, and works offline. Of a secret it shows only whether it is set.

    Example: lotus diff --stack staging --stack prod
    """
    names, found = compare_stacks(directory, stacks)
    ok = not (failing and found)
    click.echo(json.dumps(as_document(names, found, ok=ok), indent=2) if as_json else render(names, found), nl=as_json)
    if not ok:
        sys.exit(1)


def compare_stacks(directory: Path, stacks: tuple[str, ...]) -> tuple[tuple[str, str], tuple[Difference, ...]]:
    """Compare two stacks.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stacks: Their names.

    Returns:
        The names, shortened, and the differences in the order of the groups.

    Raises:
        LotusError: There are not two, one has no file, or a file of the lake or of a stack is invalid.
    """
    project = Project.needed(directory)
    names = project.named(stacks)
    if len(names) != 2:
        known = f", two of {', '.join(project.stacks)}" if len(project.stacks) > 1 else ""
        raise LotusError("two stacks are needed for a comparison", f"pass --stack NAME twice{known}")
    lake = load_usable_lake(directory)
    sides = []
    for name in names:
        reading = project.read(name, directory, lake.value_names)
        refuse(reading.problems)
        sides.append(Side(for_stack(lake, name), reading))
    first, second = sides
    return (names[0], names[1]), tuple(_differences(lake, first, second))


def _differences(lake: Lake, first: Side, second: Side) -> Iterator[Difference]:
    yield from _of_tables(SOURCES, _sources(lake, first), _sources(lake, second))
    yield from _of_tables(CONNECTIONS, _connections(first, second), _connections(second, first))
    yield from _of_tables(VALUES, _values(lake, first), _values(lake, second))
    ours: Values = _settings(lake, first)
    theirs: Values = _settings(lake, second)
    for key in (LANDING_ZONE, DAGSTER):
        ours, theirs = _without_parts(ours, theirs, key)
    for group in (AIRBYTE, LANDING, DAGSTER_GROUP, SETTINGS):
        yield from _of_tables(group, _of_group(ours, group), _of_group(theirs, group))


def _of_tables(group: Group, ours: Values, theirs: Values) -> Iterator[Difference]:
    """The differences between two tables of values by name; one that is missing is not set."""
    for name in sorted(ours.keys() | theirs.keys()):
        first, second = ours.get(name, NOT_SET), theirs.get(name, NOT_SET)
        if first != second:
            other = f"another, {second.text}" if first.text == second.text else second.text
            yield Difference(group, name, (first.text, other))


def _sources(lake: Lake, side: Side) -> dict[str, Value]:
    left_out = {source.name for source in side.lake.undeployed}
    return {each.name: Value("not deployed" if each.name in left_out else "deployed") for each in lake.sources}


def _connections(side: Side, other: Side) -> dict[str, Value]:
    """The settings of each connection of the sources that both stacks deploy."""
    both = {source.name for source in other.lake.sources}
    return {
        f"{source.name if key == source.name else f'{source.name}/{key}'} {setting}": _shown(value)
        for source in side.lake.sources
        if source.name in both
        for key, settings in connection_settings(source).items()
        for setting, value in settings.items()
    }


def _values(lake: Lake, side: Side) -> dict[str, Value]:
    """The values that the files refer to; of a secret, only that it is set."""
    found: dict[str, Value] = {}
    settings = side.reading.settings
    names = side.reading.names
    for name, references in (lake.value_names or {}).items():
        if settings is None or names is None or name not in names.names:
            continue
        is_secret = name in names.encrypted or any(each.secret for each in references)
        found[name] = SET if is_secret else _shown(settings.values.get(name, ""))
    return found


def _settings(lake: Lake, side: Side) -> dict[str, Value]:
    """Every fixed setting by full key and path, with its default where the stack's file has none.

    Those that the lake's files refer to are among its values.
    """
    settings, entries = side.reading.settings, side.reading.entries
    if settings is None:
        return {}
    found: dict[str, Value] = {}
    sections: dict[str, BaseModel] = {
        # Its default follows from other settings.
        NAMESPACE: settings.lotus.model_copy(update={"protect_sources": settings.lotus.protects_sources}),
        "airbyte": settings.airbyte,
        "aws": settings.aws,
        "kubernetes": settings.kubernetes,
        "pulumi": settings.pulumi,
    }
    for namespace, section in sections.items():
        for key, value in section.model_dump(by_alias=True).items():
            full = f"{namespace}:{key}"
            if isinstance(value, SecretStr) or full in settings.encrypted:
                found[full] = SET
            elif value is not None:
                found.update(_leaves(full, value))
    fixed = {f"{NAMESPACE}:{key}" for key in secret_keys(LotusKeys)}
    # The model has no value for a secret that is encrypted.
    found |= dict.fromkeys(sorted(fixed & entries.entries.keys()), SET)
    referred = {f"{NAMESPACE}:{name}" for name in lake.value_names or ()}
    return {key: value for key, value in found.items() if key not in referred}


def _leaves(path: str, value: object) -> Iterator[tuple[str, Value]]:
    """The leaves of a setting, each with its path as `pulumi config set --path` takes it; a list is one leaf."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    elif value is not None:
        yield path, _shown(value)


def _group_of(key: str) -> Group:
    """The group of a setting."""
    name = key.partition(":")[2].partition(".")[0]
    if key.startswith("airbyte:") or key == WORKSPACE:
        return AIRBYTE
    if name == LANDING_ZONE or name.startswith(KEY_PAIRS):
        return LANDING
    return DAGSTER_GROUP if name == DAGSTER or name in DATABASE_PASSWORDS else SETTINGS


def _of_group(settings: Values, group: Group) -> dict[str, Value]:
    return {key: value for key, value in settings.items() if _group_of(key) == group}


def _without_parts(ours: Values, theirs: Values, key: str) -> tuple[Values, Values]:
    """Two tables with an object as a whole in place of its parts, where only one of them has it."""
    start = f"{NAMESPACE}:{key}."
    is_ours, is_theirs = (any(each.startswith(start) for each in table) for table in (ours, theirs))
    if is_ours == is_theirs:
        return ours, theirs
    whole = {f"{NAMESPACE}:{key}": SET}
    first, second = (
        {name: value for name, value in table.items() if not name.startswith(start)} for table in (ours, theirs)
    )
    return (first | whole, second) if is_ours else (first, second | whole)


def _shown(value: object) -> Value:
    """A plain value; its text has no credential that an address may hold."""
    if isinstance(value, Schedule):
        zone = f" {value.time_zone}" if value.time_zone else ""
        return Value({"cron": f"cron {value.cron}{zone}", "basic": f"every {value.every}"}.get(value.type, value.type))
    if isinstance(value, frozenset | set):
        value = sorted(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > _MOST_SHOWN or "\n" in text:
        return Value(f"a text of {len(text):,} characters", text)
    return Value(without_credentials(text), text)


def render(names: tuple[str, str], found: tuple[Difference, ...]) -> str:
    """The differences as text, one line each, in groups; below them their number."""
    lines: list[str] = []
    for group in GROUPS:
        own = [each for each in found if each.group == group]
        if own:
            heading = paint(escape_unprintable(f"{group.title} ({len(own)})"), "strong")
            lines += [heading, *(f"  {lead(_line(names, each), 'warning')}" for each in own), ""]
    summary = paint(escape_unprintable(_summary(names, found)), "warning" if found else "good")
    return "".join(f"{line}\n" for line in [*lines, summary])


def _line(names: tuple[str, str], difference: Difference) -> str:
    sides = ", ".join(f"{name} {value}" for name, value in zip(names, difference.values, strict=True))
    return f"{difference.name}: {sides}"


def _summary(names: tuple[str, str], found: tuple[Difference, ...]) -> str:
    between = f"between {names[0]} and {names[1]}"
    return f"{pluralize(len(found), 'difference')} {between}" if found else f"No differences {between}"


def as_document(names: tuple[str, str], found: tuple[Difference, ...], *, ok: bool) -> dict[str, JsonValue]:
    """The differences as one JSON document; `ok` is the exit code's condition."""
    differences: list[JsonValue] = [
        {"group": each.group.key, "name": each.name, **dict(zip(("first", "second"), each.values, strict=True))}
        for each in found
    ]
    return {"ok": ok, "same": not found, "stacks": list(names), "differences": differences}
