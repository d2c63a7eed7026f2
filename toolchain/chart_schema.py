"""Write the chart schema that Helm values are checked with, from the JSON Schemas of the chart and its subchart.

Usage: `python -m toolchain.chart_schema SCHEMA_FOLDER [TARGET_FILE]`. The folder has `values.schema.json` and
`user-deployments.values.schema.json`. Prose is left out: keys, types, choices and what is required are kept.

Source of the schemas: dagster-io/dagster, `helm/dagster` and its subchart `dagster-user-deployments`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from lotus_infra.helm.chart_schema import FILE, SUBCHART

_KEPT = (
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "exclusiveMinimum", "if", "items", "minItems",
    "properties", "required", "then", "type",
)  # fmt: skip


def build(folder: Path) -> dict[str, JsonValue]:
    """The facts of the chart and of the subchart whose values it passes on.

    Args:
        folder: Where the two schema files are.
    """
    skipped: set[str] = set()
    chart = _document(_read(folder / "values.schema.json"), skipped)
    subchart = _document(_read(folder / "user-deployments.values.schema.json"), skipped)
    names: list[JsonValue] = [*sorted(name.rpartition("#/definitions/")[2] for name in skipped)]
    remote: list[JsonValue] = [*sorted({name.partition("#")[0] for name in skipped})]
    return {"skipped": names, "remote": remote, "chart": chart, SUBCHART: subchart}


def render(facts: Mapping[str, JsonValue]) -> str:
    """The file's text."""
    return json.dumps(facts, indent=1, sort_keys=True) + "\n"


def _read(file: Path) -> dict[str, JsonValue]:
    document: dict[str, JsonValue] = json.loads(file.read_text(encoding="utf-8"))
    return document


def _document(schema: dict[str, JsonValue], skipped: set[str]) -> dict[str, JsonValue]:
    definitions = cast("dict[str, JsonValue]", schema["$defs"])
    kept = cast("dict[str, JsonValue]", _facts(schema, skipped))
    return {**kept, "$defs": {name: _facts(inner, skipped) for name, inner in definitions.items()}}


def _facts(schema: JsonValue, skipped: set[str]) -> JsonValue:
    """A schema without prose; a reference to another document is left out, and noted as skipped."""
    if isinstance(schema, list):
        return [_facts(inner, skipped) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, JsonValue] = {}
    for keyword in _KEPT:
        value = schema.get(keyword)
        if keyword == "$ref" and isinstance(value, str) and not value.startswith("#/"):
            skipped.add(value)
        elif keyword == "properties" and isinstance(value, dict):
            kept[keyword] = {name: _facts(inner, skipped) for name, inner in value.items()}
        elif keyword in schema:
            kept[keyword] = _facts(value, skipped)
    return kept


def main(arguments: list[str]) -> int:
    """Write the facts; arguments are the folder of the schemas and, optionally, the file to write."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m toolchain.chart_schema SCHEMA_FOLDER [TARGET_FILE]\n")
        return 1
    target = Path(arguments[1]) if arguments[1:] else FILE
    target.write_text(render(build(Path(arguments[0]))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
