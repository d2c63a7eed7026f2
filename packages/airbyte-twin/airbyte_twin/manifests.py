"""Manifests of declarative sources: the specification and the streams that they describe.

Source: airbyte-cdk ManifestReferenceResolver and ModelToComponentFactory.
"""

from collections.abc import Iterator

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.records import DiscoveredStream, PrimaryKey

DEEPEST = 32
"""References may lead into each other this often: one that leads back to itself has no end."""
Manifest = JsonObject | None


def manifest_spec(manifest: Manifest) -> JsonObject:
    """The `connectionSpecification` of a declarative source; empty without one."""
    return as_object(resolved(manifest, as_object(_at(manifest, "spec")).get("connection_specification")))


def manifest_streams(manifest: Manifest) -> tuple[DiscoveredStream, ...]:
    """The streams of a declarative source, as its discovery finds them; one without a name is left out."""
    listed = _at(manifest, "streams")
    return tuple(_streams(manifest, listed if isinstance(listed, list) else []))


def resolved(manifest: Manifest, value: JsonValue) -> JsonValue:
    """A part of a manifest behind its own reference, which keys beside it override; None for a broken reference."""
    for _ in range(DEEPEST):
        if not isinstance(value, dict) or "$ref" not in value:
            return value
        target = _target(manifest, value["$ref"])
        if not isinstance(target, dict):
            return target
        value = {**target, **{key: item for key, item in value.items() if key != "$ref"}}
        if "$ref" not in target:
            return value
        value["$ref"] = target["$ref"]
    return None


def _target(manifest: Manifest, reference: JsonValue) -> JsonValue:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found: JsonValue = manifest
    for step in reference[2:].split("/"):
        if isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            found = as_object(found).get(step)
    return found


def _at(manifest: Manifest, key: str) -> JsonValue:
    return resolved(manifest, as_object(manifest).get(key))


def _streams(manifest: Manifest, listed: list[JsonValue]) -> Iterator[DiscoveredStream]:
    for entry in listed:
        stream = as_object(resolved(manifest, entry))
        # A component takes what it lacks from its parameters.
        stream = {**as_object(stream.get("$parameters")), **stream}
        name = stream.get("name")
        if not isinstance(name, str):
            continue
        cursor = as_object(resolved(manifest, stream.get("incremental_sync"))).get("cursor_field")
        incremental = isinstance(cursor, str)
        yield DiscoveredStream(
            name=name,
            json_schema=_schema(manifest, stream),
            supported_sync_modes=("full_refresh", "incremental") if incremental else ("full_refresh",),
            source_defined_cursor=incremental,
            default_cursor_field=(cursor,) if isinstance(cursor, str) else (),
            source_defined_primary_key=_key(resolved(manifest, stream.get("primary_key"))),
        )


def _key(value: JsonValue) -> PrimaryKey:
    """A primary key, which may be a name, a list of names, or a list of paths."""
    if isinstance(value, str):
        return ((value,),)
    if not isinstance(value, list):
        return ()
    return tuple(tuple(map(str, part)) if isinstance(part, list) else (str(part),) for part in value)


def _schema(manifest: Manifest, stream: JsonObject) -> JsonObject:
    """The schema of an inline loader, the only one that a manifest has all of; else one without columns."""
    loader = resolved(manifest, stream.get("schema_loader"))
    loaders = loader if isinstance(loader, list) else [loader]
    for each in loaders:
        schema = as_object(resolved(manifest, as_object(resolved(manifest, each)).get("schema")))
        if schema:
            return schema
    return {"type": "object", "properties": {}}
