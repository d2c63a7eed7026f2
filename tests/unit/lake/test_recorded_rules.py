"""`lotus check` against what a running Airbyte refused and accepted, where stream files can express it.

Files show more than inputs do: `_discovered/` has the source's streams, and `_connectors/` what destinations support.
"""

from pathlib import Path
from typing import Any

from airbyte_model.modes import MODES
from airbyte_model.secrets import MASK

from lotus_infra.lake.checks.layout import files_are_readable
from lotus_infra.lake.discovered import Defaults, Discovered, Options, file_text, parse_fields
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.report import check_lake
from tests.support.lakes import Files, write
from tests.support.recorded import Document, Known, Reason, Write, assert_agreement, disagreements, facts

FORESEEN = frozenset({Reason.INPUTS, Reason.SPECIFICATION, Reason.DISCOVERY})
PAIRS = {mode: pair for pair, mode in MODES.items()}
STREAM_KEYS = {"name", "syncMode", "cursorField", "primaryKey", "selectedFields", "mappers"}
OTHER_KEYS = {"tags", "status", "dataResidency", "bogus", "resourceAllocation"}
"""Properties that stream files don't have."""
REASONS: dict[str, list[tuple[str, str]]] = {
    "the stack says which workspace, and no file": [("errors", "workspace no UUID"), ("errors", "no workspace")],
    "the folder's name stands in for a name that is left out": [
        ("*", "put no name"),
        ("errors", "no name"),
        ("errors", "null name"),
    ],
    "a mask is no value: a file that has one has lost the secret": [
        ("destinations", "put with mask"),
        ("secrets", "put mask*"),
        ("secrets", "patch *"),
        ("secrets", "create with masks"),
        ("secrets", "shopify *"),
    ],
    "people and imports find an object by its label, which is a text": [
        ("sources", "empty name"),
        ("sources", "number as name"),
    ],
    "files have one spelling of a value": [
        ("cron", 'schedule {"scheduleType": "MANUAL"}'),
        ("streams", "cursor as text"),
        ("streams", "key flat"),
    ],
    "a part of a schedule that its type never uses is a mistake": [("cron", "schedule {*manual*cronExpression*")],
    "the provider writes it by the Config API": [("cron", "schedule {*basicTiming*")],
    "the provider sends the expression without its zone": [("cron", "cron '0 0 * * * ? utc'")],
}
"""Why `lotus check` and the server may disagree, with patterns of sequences and steps."""
KNOWN: Known = {pattern: reason for reason, patterns in REASONS.items() for pattern in patterns}


def test_lotus_check_refuses_what_the_server_refuses_and_nothing_else(tmp_path: Path) -> None:
    def refusal(write: Write) -> str | None:
        lake = as_files(write)
        assert lake is not None
        return problems_in(tmp_path / str(len([*tmp_path.iterdir()])), lake)

    assert_agreement(disagreements(refusal, FORESEEN, lambda write: as_files(write) is not None), KNOWN)


def problems_in(folder: Path, lake: Files) -> str | None:
    """The problems of a lake on one line; None where there is none. The layout of files is no rule of a server."""
    problems = check_lake(write(folder, lake)).problems
    own = {each.what for each in files_are_readable(load_lake(folder).lake)}
    return "; ".join(f"{each.field}: {each.what}" for each in problems if each.what not in own) or None


def as_files(write: Write) -> Files | None:
    """A lake that requests the same; None if files can't express it."""
    if write.reason is Reason.SERVER or OTHER_KEYS & {key for key, value in write.sent.items() if value is not None}:
        return None
    if not all(definition in facts() for definition in write.definitions):
        return None
    if not can_say(write):
        return None
    pinned = dict(map(connector, write.definitions))
    return {**pinned, **(connection(write) if write.kind == "connection" else actor(write))}


def can_say(write: Write) -> bool:
    """Whether files have words for the streams and the name of a write; a connection's label is made by its ends'."""
    if write.kind != "connection":
        return True
    if write.sent.get("name") and write.reason is Reason.INPUTS and len(write.sent["name"]) > 256:
        return False
    streams = streams_of(write)
    names = [stream.get("name") for stream in streams]
    catalog = [stream["name"] for stream in facts()[write.definitions[0]]["streams"]]
    return (
        bool(streams)
        and all(isinstance(name, str) and catalog.count(name) < 2 for name in names)
        and len(set(names)) == len(names)
        and all(set(stream) <= STREAM_KEYS and sayable(stream) for stream in streams)
    )


def sayable(stream: Document) -> bool:
    """A file has the pairs of modes that there are, each field once, by its name, and a configuration of a mapper."""
    if not all("mapperConfiguration" in mapper for mapper in stream.get("mappers") or ()):
        return False
    fields = stream.get("selectedFields")
    paths = [each.get("fieldPath") if isinstance(each, dict) else None for each in fields or ()]
    names = [path[0] for path in paths if isinstance(path, list) and len(path) == 1]
    mode = stream.get("syncMode")
    return (mode is None or mode in PAIRS) and len(names) == len(paths) == len(set(names))


def streams_of(write: Write) -> list[Document]:
    found: list[Document] = (write.declared.get("configurations") or {}).get("streams") or []
    return found


def connector(definition: str) -> tuple[str, Any]:
    """The file that pins a connector, as the server describes it."""
    known = facts()[definition]
    name = f"{known['kind']}-{known['type']}"
    modes = known.get("supported_destination_sync_modes", [])
    if "overwrite" in modes and "append_dedup" in modes and known.get("supports_refreshes"):
        modes = [*modes, "overwrite_dedup"]
    document = {
        "connector": name,
        "definition_id": definition,
        "spec": known["spec"],
        "destination_sync_modes": modes,
    }
    return f"_connectors/{name}.json", document


def actor(write: Write) -> Files:
    """A source or a destination with what the other one needs."""
    known = facts()[write.definitions[0]]
    configuration = write.declared.get("configuration")
    if isinstance(configuration, dict):
        configuration = hidden({k: v for k, v in configuration.items() if k != f"{write.kind}Type"}, [known["spec"]])
    document = {"connector": write.definitions[0], "configuration": configuration, "name": write.declared.get("name")}
    own = {key: value for key, value in document.items() if key in write.declared or key == "connector"}
    plain = {"stream": "plain", "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    other: Document = {"connector": str(uuid_of(write)), "configuration": {}, "name": "Other"}
    source, destination = (own, other) if write.kind == "source" else (other, own)
    return {
        "lab/_source.json": source | {"destination": "lake"},
        "lab/plain.json": plain | {"fields": {"id": {"type": "integer"}}},
        "_destinations/lake.json": destination,
    }


def uuid_of(write: Write) -> str:
    """A definition that nothing is known of."""
    return f"00000000-0000-4000-8000-{len(str(write)):012d}"


def hidden(value: Any, schemas: list[Document]) -> Any:
    """A configuration with a reference in place of each secret text."""
    branches = [inner for schema in schemas for inner in (schema, *schema.get("oneOf", ()))]
    if isinstance(value, str) and value != MASK and any(schema.get("airbyte_secret") for schema in branches):
        return value if value.startswith("secret_coordinate::") else {"$secret": "hidden"}
    if isinstance(value, dict):
        inside = [each.get("properties", {}) for each in branches]
        return {key: hidden(item, [each[key] for each in inside if key in each]) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden(item, [each["items"] for each in branches if "items" in each]) for item in value]
    return value


def connection(write: Write) -> Files:
    """A source whose streams are a connection's."""
    source, destination = (facts()[definition] for definition in write.definitions)
    files: dict[str, Any] = {
        "lab/_source.json": source_file(write, write.definitions[0], example(source["spec"])),
        "_destinations/lake.json": {"connector": write.definitions[1], "configuration": example(destination["spec"])},
    }
    catalog = {stream["name"]: stream for stream in source["streams"]}
    for name, found in catalog.items():
        files[f"lab/_discovered/{name}.json"] = file_text(discovered(found))
    for stream in streams_of(write):
        known = catalog.get(stream["name"])
        files[f"lab/{stream['name']}.json"] = stream_file(stream, discovered(known) if known else None)
    return files


def source_file(write: Write, definition: str, configuration: Document) -> Document:
    given = write.declared
    document: Document = {"connector": definition, "configuration": configuration, "destination": "lake"}
    if given.get("prefix"):
        document["prefix"] = given["prefix"]
    if given.get("nonBreakingSchemaUpdatesBehavior") is not None:
        document["non_breaking_changes"] = given["nonBreakingSchemaUpdatesBehavior"]
    for key, name in (("namespaceDefinition", "namespace_definition"), ("namespaceFormat", "namespace")):
        if given.get(key) is not None:
            document[name] = given[key]
    schedule = given.get("schedule")
    if schedule is not None:
        names = {"scheduleType": "type", "cronExpression": "cron", "basicTiming": "every"}
        document["schedule"] = {names[key]: value for key, value in schedule.items() if value is not None}
    return document


def discovered(stream: Document) -> Discovered:
    """What `lotus discover` writes of a stream."""
    return Discovered(
        stream=stream["name"],
        namespace=stream.get("namespace"),
        options=Options(sync_modes=tuple(stream.get("supported_sync_modes") or ("full_refresh",))),
        defaults=Defaults(cursor_field=tuple(stream.get("default_cursor_field") or ())),
        source_defined_cursor=bool(stream.get("source_defined_cursor")),
        source_defined_primary_key=tuple(map(tuple, stream.get("source_defined_primary_key") or ())),
        fields=parse_fields(stream["json_schema"]),
    )


def stream_file(stream: Document, found: Discovered | None) -> Document:
    known = (
        {name: {"type": field.type} for name, field in found.fields.items()} if found else {"id": {"type": "integer"}}
    )
    selected = stream.get("selectedFields")
    names = known if selected is None else [each["fieldPath"][0] for each in selected]
    sync_mode, destination_sync_mode = PAIRS[stream.get("syncMode") or "full_refresh_overwrite"]
    document = {
        "stream": stream["name"],
        "sync_mode": sync_mode,
        "destination_sync_mode": destination_sync_mode,
        "fields": {name: known.get(name, {"type": "string"}) for name in names},
        "cursor_field": stream.get("cursorField"),
        "primary_key": stream.get("primaryKey"),
        "mappers": [
            {"type": mapper["type"], "configuration": mapper["mapperConfiguration"]}
            for mapper in stream.get("mappers") or ()
        ],
    }
    return {key: value for key, value in document.items() if value is not None}


def example(spec: Document) -> Document:
    """A configuration that a specification takes: what it requires, by its types."""
    made: Document = {}
    for key in spec.get("required", ()):
        schema = spec["properties"][key]
        if schema.get("airbyte_secret"):
            made[key] = {"$secret": "hidden"}
        elif schema.get("type") == "object":
            made[key] = example(schema.get("oneOf", [schema])[0])
        else:
            made[key] = schema.get("const", (schema.get("enum") or ["x"])[-1])
    return made
