"""The formats of the lake's files as JSON Schemas, for editors that complete and underline.

The models are the source; the schemas only translate them.
"""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from lotus_infra.lake.discovered import Connector, Discovered
from lotus_infra.lake.models import DestinationConfig, SourceConfig, StreamConfig

KINDS: dict[str, type[BaseModel]] = {
    "stream": StreamConfig,
    "source": SourceConfig,
    "destination": DestinationConfig,
    "discovered": Discovered,
    "connector": Connector,
}
INTRODUCTION = """\
# The lake's files

The field reference of every file in this folder. It is made of the models in `lotus_infra/lake`; a test fails when
the two differ, and `make bless` writes it anew.

```
<source>/_source.json              a source and its connection
<source>/<stream>.json             a stream that the lake wants
<source>/_discovered/<stream>.json what the source was found to have, written by `lotus discover`
_destinations/<name>.json          where data goes
_connectors/<connector>.json       facts of a connector at one version
```

A source or a stream is named in lower-case letters, digits and underscores, a letter first. `lotus check` finds every
mistake at once; `lotus scaffold <source> <stream>` writes a stream's dbt model; `lotus schema --write` gives editors
what they need to complete and underline, and every file may have a `"$schema"` key for them.

`lotus check` applies Airbyte's own rules: it refuses what the server refuses for a reason that files show, and takes
what the server takes. That is the case for modes, cursors, keys, schedules and configurations, for a label of more than
256 characters (also the one that a connection gets from its source and its destination), and for a NUL character.

In a `configuration`, what differs by stack or must stay secret is a reference to a value of the stack, and what the
landing zone has is a reference to it, so that no bucket and no credential is written twice:

| reference | stands for |
|---|---|
| `{"$secret": "shopify_api_password"}` | the secret `lotus:shopify_api_password`, set by `pulumi config set --secret` |
| `{"$secret": "shopify_refresh_token", "rotates": true}` | the same for the first write alone: Airbyte rotates it \
afterwards, and no run writes the stack's value over the new one |
| `{"$config": "shopify_store"}` | the value `lotus:shopify_store`, read as a string |
| `{"$config": "workers", "as": "integer"}` | the same, read as `integer`, `number`, `boolean` or `json` |
| `{"$landing": "bucket"}` | what the landing zone has: its `bucket`, `prefix`, `region` or `endpoint`, or \
the writer's `access_key_id` or `secret_access_key` |

`"rotates": true` is for secrets that a connector replaces by itself, such as OAuth's single-use refresh tokens. It is
the option `ignoreChanges` of Pulumi for that one place: a new source or destination is made with the stack's value, and
one that exists keeps what it has. So a secret that is added to one that exists is written by an `up` without
`"rotates"`; add `"rotates"` afterwards. A new authorization goes the same way: take it out, set the stack's new value,
`up`, and put it back.
"""
_PARTS = (
    ("stream", "", "A stream: `<source>/<stream>.json`"),
    ("stream", "Field", "A field, in `fields`"),
    ("source", "", "A source: `<source>/_source.json`"),
    ("source", "Schedule", "A schedule, in `schedule`"),
    ("destination", "", "A destination: `_destinations/<name>.json`"),
    ("discovered", "", "A discovered stream: `<source>/_discovered/<stream>.json`"),
    ("discovered", "Options", "Its modes, in `options`"),
    ("discovered", "Defaults", "Its suggestions, in `defaults`"),
    ("connector", "", "A pinned connector: `_connectors/<connector>.json`"),
)


class _EditorSchema(GenerateJsonSchema):
    """JSON Schema in the draft that editors know best, without the titles that pydantic makes of names."""

    schema_dialect = "http://json-schema.org/draft-07/schema#"

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        document = super().generate(schema, mode)
        document["$schema"] = self.schema_dialect
        return document

    def get_title_from_name(self, name: str) -> str:
        return name

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(kind: str) -> JsonSchemaValue:
    """The JSON Schema of a kind of file.

    Args:
        kind: One of `KINDS`.
    """
    return KINDS[kind].model_json_schema(schema_generator=_EditorSchema)


def handbook() -> str:
    """The whole reference, as Markdown."""
    return "\n".join([INTRODUCTION, *(line for kind, part, title in _PARTS for line in _part(kind, part, title))])


def _part(kind: str, definition: str, title: str) -> Iterator[str]:
    document = json_schema(kind)
    schema = document["$defs"][definition] if definition else document
    required = schema.get("required", [])
    yield f"## {title}\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key, value in schema["properties"].items():
        default = "required" if key in required else _default(value)
        meaning = " ".join(value.get("description", "").split()).replace("|", "\\|")
        yield f"| `{key}` | {_type(value)} | {default} | {meaning} |"
    yield ""


def _default(value: JsonSchemaValue) -> str:
    default = value.get("default")
    return "" if default is None else f"`{json.dumps(default)}`"


def _type(value: JsonSchemaValue) -> str:
    """A schema's type in a few words."""
    if "$ref" in value:
        name = str(value["$ref"]).rsplit("/", maxsplit=1)[-1]
        return "any JSON" if name == "JsonValue" else name.lower()
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_type(choice) for choice in value["anyOf"] if choice.get("type") != "null"))
    if value.get("type") == "array":
        return f"list of ({_type(value['items'])})"
    if isinstance(value.get("additionalProperties"), dict) and "$ref" in value["additionalProperties"]:
        return f"map of ({_type(value['additionalProperties'])})"
    return str(value.get("type", "any"))
