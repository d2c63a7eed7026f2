"""Manifests of declarative sources: the specification and the streams that they describe.

Source: airbyte-cdk ManifestReferenceResolver and ModelToComponentFactory.
"""

import re
from collections.abc import Iterator

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.records import DiscoveredStream, PrimaryKey

DEEPEST = 32
"""References may lead into each other this often: one that leads back to itself has no end."""
MOST_VALUES = 20_000
"""References may multiply a schema to no more values than this."""
PARAMETER = re.compile(r"\{\{\s*parameters(?:\.(\w+)|\[['\"](\w+)['\"]\])\s*\}\}")
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
        grouped = resolved(manifest, stream.get("streams"))
        if stream.get("type") == "ConditionalStreams" and isinstance(grouped, list):
            # The condition is about a configuration, which is not known here.
            yield from _streams(manifest, [each for each in grouped if not _is_group(manifest, each)])
            continue
        found = _stream(manifest, _with_parameters(stream), as_object(stream.get("$parameters")))
        if found is not None:
            yield found


def _is_group(manifest: Manifest, entry: JsonValue) -> bool:
    return "streams" in as_object(resolved(manifest, entry))


def _with_parameters(component: JsonObject) -> JsonObject:
    """A component with what it lacks taken from its parameters."""
    return {**as_object(component.get("$parameters")), **component}


def _stream(manifest: Manifest, stream: JsonObject, parameters: JsonObject) -> DiscoveredStream | None:
    """A stream with the values of its parameters in it; None if it has no name."""
    name = _filled(stream.get("name"), parameters)
    if not isinstance(name, str):
        return None
    # A stream that delegates to another one for each kind of read has the columns of either.
    full = as_object(resolved(manifest, stream.get("full_refresh_stream")))
    incremental = {**stream, **as_object(resolved(manifest, stream.get("incremental_stream")))}
    reader = _with_parameters(full) if full else stream
    sync = as_object(resolved(manifest, incremental.get("incremental_sync")))
    cursor = _filled(sync.get("cursor_field", parameters.get("cursor_field") if sync else None), parameters)
    key = resolved(manifest, incremental.get("primary_key", reader.get("primary_key")))
    has_cursor = isinstance(cursor, str) and bool(cursor)
    return DiscoveredStream(
        name=name,
        json_schema=_schema(manifest, reader),
        supported_sync_modes=("full_refresh", "incremental") if has_cursor else ("full_refresh",),
        source_defined_cursor=has_cursor,
        default_cursor_field=(cursor,) if isinstance(cursor, str) and cursor else (),
        source_defined_primary_key=_key(key, parameters),
    )


def _filled(value: JsonValue, parameters: JsonObject) -> JsonValue:
    """A text with the values of parameters in it; other values as they are."""
    if not isinstance(value, str):
        return value
    return PARAMETER.sub(lambda found: str(parameters.get(found[1] or found[2], found[0])), value)


def _key(value: JsonValue, parameters: JsonObject) -> PrimaryKey:
    """A primary key, which may be a name, a list of names, or a list of paths."""
    if isinstance(value, str):
        return ((str(_filled(value, parameters)),),) if value else ()
    if not isinstance(value, list):
        return ()
    return tuple(
        tuple(str(_filled(step, parameters)) for step in (part if isinstance(part, list) else [part])) for part in value
    )


def _schema(manifest: Manifest, stream: JsonObject) -> JsonObject:
    """The schema of an inline loader, the only one that a manifest has all of; else one without columns."""
    loader = resolved(manifest, stream.get("schema_loader"))
    loaders = loader if isinstance(loader, list) else [loader]
    for each in loaders:
        schema = as_object(_resolved_inside(manifest, as_object(resolved(manifest, each)).get("schema"), [MOST_VALUES]))
        if schema:
            return schema
    return {"type": "object", "properties": {}}


def _resolved_inside(manifest: Manifest, value: JsonValue, left: list[int], depth: int = 0) -> JsonValue:
    """A value with the references within it resolved.

    Args:
        manifest: Where they lead.
        value: The value.
        left: One number, how many values there may still be.
        depth: How deep in the whole it is.
    """
    found = resolved(manifest, value)
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST:
        return None
    if isinstance(found, dict):
        return {key: _resolved_inside(manifest, item, left, depth + 1) for key, item in found.items()}
    if isinstance(found, list):
        return [_resolved_inside(manifest, item, left, depth + 1) for item in found]
    return found
