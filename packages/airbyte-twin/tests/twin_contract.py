"""Checks answers against Airbyte's OpenAPI documents, more strictly than they ask: no undeclared member passes."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCUMENTS = {
    "/api/public/v1": "airbyte-public-api.yaml",
    "/api/v1": "airbyte-config-api.yaml",
}
PROBLEM_MEMBERS = {"status", "type", "title", "detail", "documentationUrl", "data"}
TEXT_ERRORS = {(404, "application/json"), (405, ""), (415, ""), (401, "text/html"), (501, "")}
"""Status and type of errors that have no JSON body: unknown routes, wrong methods, other content, a proxy's refusal,
and what only Cloud has."""
UNDECLARED = {("POST", "/sources/initiateOAuth")}
"""Calls whose successful answer is a document that is not declared."""
DEPARTURES: dict[tuple[str, str], tuple[int, str | None]] = {
    ("POST", "/groups"): (200, None),
    ("GET", "/regions"): (200, "data"),
    ("GET", "/dataplanes"): (200, "data"),
}
"""Calls that the server answers against its own document: the declared status, and the member that it sends bare."""
FORMATS = FormatChecker(formats=())


ACCOUNT = ("regionId", "dataplaneId", "clientId", "clientSecret")
DATAPLANE_CREATED = {
    "type": "object",
    "required": [*ACCOUNT],
    "properties": {name: {"type": "string"} for name in ACCOUNT},
    "additionalProperties": False,
}


@FORMATS.checks("uuid", raises=ValueError)
@FORMATS.checks("UUID", raises=ValueError)
def is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value


def data_folder() -> Path:
    """Where the reference data should be."""
    default = Path(__file__).parents[4] / "shared" / "data"
    return Path(os.environ.get("LOTUS_SHARED_DATA", default))


def shared_data() -> Path:
    """The folder of reference data; skips the test without it."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"no reference data: set LOTUS_SHARED_DATA to its folder ({folder} is none)")
    return folder


def strict(node: Any) -> Any:
    """The schema with nothing left open, and with OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: strict(value) for key, value in node.items()}
    if isinstance(result.get("properties"), dict) and not {"oneOf", "allOf", "anyOf"} & set(result):
        result.setdefault("additionalProperties", False)
    if result.pop("nullable", None) is True and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    return result


class Contract:
    """One OpenAPI document."""

    def __init__(self, root: str, document: dict[str, Any]) -> None:
        self.paths: dict[str, Any] = document["paths"]
        schemas = strict(document["components"]["schemas"])
        if "AirbyteStream" in schemas:
            schemas["AirbyteStream"]["required"] = ["name", "jsonSchema"]
        # The public document refers to a schema that only the other one has.
        schemas.setdefault("DataplaneCreateResponseBody", DATAPLANE_CREATED)
        contents = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": {"schemas": schemas}}
        self.registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(contents))
        self.prefix = "" if "public" in root else "/v1"
        self.patterns = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path)
            for path in sorted(self.paths, key=lambda p: "{" in p)
        ]

    def template(self, path: str) -> str | None:
        """The documented path that an actual one is of."""
        full = self.prefix + path
        return next((template for pattern, template in self.patterns if pattern.fullmatch(full)), None)

    def success_schema(self, method: str, path: str, status: int) -> dict[str, Any] | None:
        """What a successful answer must look like; None for no body.

        Raises:
            AssertionError: The document does not know the call or the status.
        """
        template = self.template(path)
        assert template is not None, f"{path} is not declared"
        answers = self.paths[template][method.lower()]["responses"]
        assert str(status) in answers, f"{method} {path} may not answer {status}"
        content = answers[str(status)].get("content", {}).get("application/json")
        return absolute(content["schema"]) if content and "schema" in content else None

    def errors(self, schema: dict[str, Any], document: Any) -> list[str]:
        """How a document breaks a schema."""
        validator = Draft202012Validator(schema, registry=self.registry, format_checker=FORMATS)
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)]


def absolute(schema: Any) -> Any:
    """The schema with references into the registered document."""
    if isinstance(schema, dict):
        return {
            key: "urn:api" + value if key == "$ref" and isinstance(value, str) else absolute(value)
            for key, value in schema.items()
        }
    return schema


@cache
def contract(root: str) -> Contract:
    """The document below a root, read once."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (shared_data() / "airbyte" / DOCUMENTS[root]).read_text(encoding="utf-8")
    return Contract(root, yaml.load(text, Loader=loader))


def check_answer(method: str, path: str, status: int, content_type: str, document: Any) -> None:
    """Fail unless an answer is one that its API may give; without reference data only errors are checked.

    Raises:
        AssertionError: It is not.
    """
    root = next((root for root in DOCUMENTS if path.startswith(root + "/")), None)
    if root is None or path.endswith("/applications/token") or path == root + "/":
        return
    path = path.removesuffix("/")
    if status >= 400:
        check_error(status, content_type, document)
        return
    if not data_folder().is_dir():
        return
    departure = DEPARTURES.get((method, path.removeprefix(root))) if "public" in root else None
    if departure:
        status, member = departure
        document = document if member is None else {member: document}
    schema = contract(root).success_schema(method, path.removeprefix(root), status)
    if (method, path.removeprefix(root)) in UNDECLARED:
        return
    if schema is None:
        assert content_type != "application/json", f"{method} {path} has an undeclared body"
        return
    assert content_type == "application/json"
    errors = contract(root).errors(schema, as_declared(document))
    assert not errors, f"{method} {path}: {errors}"


def as_declared(document: Any) -> Any:
    """The document without what the server answers against its own contract, as recorded.

    A deleted actor's configuration is null, logs have both forms, a condition has an empty list of further ones, and
    `instance_configuration` names no workspace.
    """
    if isinstance(document, list):
        return [as_declared(item) for item in document]
    if not isinstance(document, dict):
        return document
    result = {key: as_declared(value) for key, value in document.items()}
    for key in ("configuration", "connectionConfiguration"):
        if result.get(key, ...) is None:
            result[key] = {}
    if result.keys() == {"events", "logLines"}:
        del result["events"]
    if result.get("conditions") == []:
        del result["conditions"]
    if "initialSetupComplete" in result and "trackingStrategy" in result:
        result["defaultWorkspaceId"] = "00000000-0000-0000-0000-000000000000"
    return result


def check_error(status: int, content_type: str, document: Any) -> None:
    """Fail unless an error has one of the server's shapes."""
    if isinstance(document, str):
        assert (status, content_type) in TEXT_ERRORS, (status, content_type)
        return
    members = set(document)
    if "title" in members:
        assert members == PROBLEM_MEMBERS
        assert document["status"] == status
    elif "errorId" in members:
        assert members <= {"errorId", "message"}
        UUID(document["errorId"])
    else:
        assert members == {"message", "_links", "_embedded"}
