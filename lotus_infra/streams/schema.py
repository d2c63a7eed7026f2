"""The formats of the lake's files as JSON Schemas, for editors that complete and underline.

The models are the source; the schemas only translate them.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from lotus_infra.streams.facts import Connector, Discovered
from lotus_infra.streams.model import DestinationConfig, SourceConfig, StreamConfig

KINDS: dict[str, type[BaseModel]] = {
    "stream": StreamConfig,
    "source": SourceConfig,
    "destination": DestinationConfig,
    "discovered": Discovered,
    "connector": Connector,
}


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
