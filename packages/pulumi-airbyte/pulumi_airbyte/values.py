"""JSON values and dotted paths, shared by the SDK, the client and the plugin. Knows neither Pulumi nor HTTP."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]
Path: TypeAlias = tuple[str | int, ...]

MASK: Final = "**********"
"""What the server returns for every stored secret (airbyte-platform, JsonSecretsProcessor)."""


def canonical_json(value: JsonValue) -> str:
    """One text for all equal values: sorted keys, no spaces, no escapes of printable text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_list(value: object) -> bool:
    """Whether the value is a JSON array (text is a sequence too, but not one)."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def render_path(path: Path) -> str:
    """A property path as the engine writes it: `configuration.credentials.api_password`, `tags[0]`, `a["b.c"]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isidentifier() or key.replace("-", "_").isidentifier():
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text


def leaves(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, JsonValue]]:
    """Every scalar of the tree with its path; empty objects and arrays count as scalars."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    else:
        yield path, value
