"""The lake's models for readers: as JSON Schemas for editors, and as the field reference in `streams/README.md`.

The text of each field is the docstring in its model; this module only lays it out.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from lotus_infra.lake.discovered import Connector, Discovered
from lotus_infra.lake.models import DestinationConfig, Field, SourceConfig, StreamConfig
from lotus_infra.lake.overlays import StackOverlay

FILE_MODELS: Final[dict[str, type[BaseModel]]] = {
    "stream": StreamConfig,
    "source": SourceConfig,
    "destination": DestinationConfig,
    "discovered": Discovered,
    "connector": Connector,
    "stack": StackOverlay,
}
"""The model of each kind of file."""

_INTRODUCTION = """\
# The lake's files

The field reference of every file in this folder. It is generated from the models in `lotus_infra/lake`; a test fails
if the two differ, and `make bless` updates it.

```
<source>/_source.json              a source and its connections
<source>/<file>.json               a stream of the lake
<source>/_discovered/<file>.json   a stream as the source offers it, written by `lotus discover`
_destinations/<name>.json          a destination
_connectors/<connector>.json       a connector at one version, with its specification
_connectors/<connector>.yaml       the manifest of a connector of your own, if it has one
_stacks/<stack>.json               what differs in one stack: sources, schedules, destinations
```

The name of a source's folder or of a stream's file has lower-case letters, digits and underscores, a letter first:
sensors, models and resources are named after it. A stream's own name and namespace are in its file. `lotus check`
reports every mistake at once; `lotus scaffold <source> <stream>` writes a stream's dbt model; `lotus schema --write`
writes the schemas with which editors complete and underline, and every file may have a `"$schema"` key for them.

`"engine"` in a `_source.json` says what reads the source: a connector of Airbyte, or with dlt a module in
`dagster/sources/`, whose arguments are then the `configuration`. `lotus check` refuses settings that the engine does
not have ([the table](../docs/engines-and-destinations.md)).

`lotus check` applies Airbyte's own rules, as far as files can show: to modes, cursors, keys, schedules and
configurations, to labels of more than 256 characters (also the label that a connection gets from its source and its
destination), and to NUL characters.

In a `configuration`, a value that differs by stack or must stay secret is a reference to a value of the stack. A value
of the landing zone is a reference to the landing zone, so that no bucket and no credential is written twice:

| reference | stands for |
|---|---|
| `{"$secret": "shopify_api_password"}` | the secret `lotus:shopify_api_password`, set by `pulumi config set --secret` |
| `{"$secret": "shopify_refresh_token", "rotates": true}` | the same, for the first write only: Airbyte rotates it \
afterwards, and no run overwrites the new value |
| `{"$config": "shopify_store"}` | the value `lotus:shopify_store`, read as a string |
| `{"$config": "workers", "as": "integer"}` | the same, read as `integer`, `number`, `boolean` or `json`; `$secret` \
takes `"as"` too |
| `{"$landing": "bucket"}` | a value of the landing zone: its `bucket`, `prefix`, `region` or `endpoint`, or \
the writer's `access_key_id` or `secret_access_key` |

`"rotates": true` is for secrets that a connector replaces by itself, such as OAuth's single-use refresh tokens. It is
Pulumi's option `ignoreChanges` for that one property: a new source or destination is created with the stack's value,
and an existing one keeps its own. To add such a secret to an existing source, run `up` without `"rotates"`, then add
it. To authorize again, remove `"rotates"`, set the stack's new value, run `up`, and put `"rotates"` back.
"""
_TABLES = (
    ("stream", "", "A stream: `<source>/<file>.json`"),
    ("stream", "Field", "A field, in `fields`"),
    ("stream", "Mapper", "A transformation, in `mappers`"),
    ("source", "", "A source: `<source>/_source.json`"),
    ("source", "NamedConnectionConfig", "A connection, in the `connections` of a source"),
    ("source", "Schedule", "A schedule, in `schedule`"),
    ("source", "Allocation", "The pods of a connector, in `resource_allocation`"),
    ("source", "Resources", "The resources of a pod, in Kubernetes' units"),
    ("destination", "", "A destination: `_destinations/<name>.json`"),
    ("discovered", "", "A discovered stream: `<source>/_discovered/<stream>.json`"),
    ("discovered", "Options", "Its modes, in `options`"),
    ("discovered", "Defaults", "Its suggestions, in `defaults`"),
    ("connector", "", "A pinned connector: `_connectors/<connector>.json`"),
    ("connector", "Image", "The image of a connector of your own, in `image`"),
    ("stack", "", "What differs in one stack: `_stacks/<stack>.json`"),
    ("stack", "SourceOverlay", "A source, in `sources`"),
    ("stack", "ConnectionOverlay", "A connection, in `connections`"),
)
"""Kind, definition within its schema (empty for the file itself), and title of each table."""


class _EditorSchema(GenerateJsonSchema):
    """JSON Schema in the draft that editors support best, without the titles that pydantic derives from names."""

    schema_dialect = "http://json-schema.org/draft-07/schema#"

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        document = self.sort(_described(super().generate(schema, mode)))
        document["$schema"] = self.schema_dialect
        return document

    def get_title_from_name(self, name: str) -> str:
        return name

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _described(document: JsonSchemaValue) -> JsonSchemaValue:
    """The document, with the text of each field.

    Pydantic would read the texts itself (`use_attribute_docstrings`), but in every process that imports the models: it
    parses their source for that.
    """
    models = {model.__name__: model for root in FILE_MODELS.values() for model in _models_of(root)}
    for name, schema in ((document.get("title"), document), *document.get("$defs", {}).items()):
        if name in models:
            texts = _texts(models[name])
            for key, value in schema["properties"].items():
                if key in texts:
                    value["description"] = texts[key]
    return document


def _models_of(root: type[BaseModel]) -> Iterator[type]:
    """The models of the modules that the model and its bases are in, and the dataclass of a field."""
    yield Field
    for base in root.__mro__:
        module = sys.modules[base.__module__]
        if module.__name__.startswith(__package__ or ""):
            found = (each for each in vars(module).values() if isinstance(each, type))
            yield from (each for each in found if issubclass(each, BaseModel))


@cache
def _texts(model: type) -> dict[str, str]:
    """The text under each field of a model and of its bases, by the field's key in a file."""
    fields: dict[str, Any] = vars(model)["__pydantic_fields__"]
    found: dict[str, str] = {}
    for base in reversed([each for each in model.__mro__ if each.__module__.startswith(__package__ or "")]):
        [body] = [node.body for node in ast.parse(inspect.getsource(base)).body if isinstance(node, ast.ClassDef)]
        for statements in pairwise(body):
            match statements:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                    found[fields[name].alias or name] = inspect.cleandoc(text)
    return found


def json_schema(kind: str) -> JsonSchemaValue:
    """The JSON Schema of a kind of file.

    Args:
        kind: One of `KINDS`.
    """
    return FILE_MODELS[kind].model_json_schema(schema_generator=_EditorSchema)


def field_reference() -> str:
    """The field reference, as Markdown."""
    tables = (line for kind, definition, title in _TABLES for line in _table(kind, definition, title))
    return "\n".join([_INTRODUCTION, *tables])


def _table(kind: str, definition: str, title: str) -> Iterator[str]:
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
    """A schema's type in a few words: `string or boolean`, `list of (string)`."""
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
