"""The closed grammar of harmless values, and the credentials in values that a specification describes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airbyte_model.secrets import described
from airbyte_model.specifications import Specification
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.lake.secrecy import Secrecy, holds_credential, is_harmless, is_plain_key, without_credentials
from tests.support.lakes import OWN_STREAMS

REPOSITORY = Path(__file__).parents[3]
HARMLESS: list[tuple[str, Any]] = [
    ("anything", None),
    ("anything", True),
    ("anything", "true"),
    ("anything", ""),
    ("port", 5432),
    ("port", "5432"),
    ("page_size", 100),
    ("start_date", "2025-01-01"),
    ("replicationStartDate", "2025-01-01T00:00:00Z"),
    ("polling_interval", "PT1H"),
    ("lookback_window", "7 days"),
    ("cron_expression", "0 0 12 ? * MON-FRI"),
    ("time_zone", "Europe/Berlin"),
    ("s3_bucket_region", "us-west-1"),
    ("region", "europe-west1"),
    ("location", "EU"),
    ("locale", "de_DE"),
    ("host", "db.example.com"),
    ("hostname", "lake.us-east-1.rds.amazonaws.com"),
    ("bootstrap_servers", "a.example.com:9092,b.example.com:9092"),
    ("token_url", "https://a.example/oauth2/token"),
    ("base_url", "https://api.example.com/v1/"),
    ("auth_type", "oauth2.0"),
    ("ssl_mode", "verify-ca"),
    ("format_type", "Parquet"),
    ("replication_method", "CDC"),
    ("delimiter", ";"),
]
PERHAPS_SECRET: list[tuple[str, Any]] = [
    # A harmless form under another key, and another form under a harmless key.
    ("password", "2025-01-01"),
    ("pwd", "us-west-1"),
    ("secret", "db.example.com"),
    ("pin", 4809),
    ("pin", "4809"),
    ("port", 480913480),
    ("limit", float("nan")),
    ("host", "db"),
    ("host", "a1b2c3d4e5f6.example.com"),
    ("host", "user@db.example.com"),
    ("region", "hunter2"),
    ("start_date", "2025-99-99"),
    ("cron_expression", "correct horse battery staple now"),
    ("time_zone", "Europe/Hunter"),
    ("auth_type", "hunter"),
    ("webhook_url", "https://hooks.example.com"),
    ("callback_url", "https://api.example.com"),
    ("base_url", "https://user:secret@api.example.com"),
    ("base_url", "https://api.example.com/T0123/B0123"),
    ("base_url", "https://api.example.com/?code=1"),
    ("database", "production"),
    ("username", "admin"),
    ("account_id", "123456789012"),
    ("text", "true "),
    ("type", "ключ"),
]
CREDENTIALS = [
    "-----BEGIN RSA PRIVATE KEY-----\nabc",
    "redis://:secret@cache",
    "postgres://user:pa/ss@host/db",
    "mongodb+srv://user:secret@host",
    "https://secret@example.com/repository.git",
    "https://example.com/c?sv=1&sig=abc",
    "https://example.com/?X-Amz-Signature=abc",
    "https://example.com/?access_token=abc",
    "user=x&password=y",
    "Server=a;Uid=b;Pwd=c",
    "AccountName=a;AccountKey=abc==",
    "Bearer abcdefgh12",
    "Basic dXNlcjpwdw==",
    "Authorization: abc",
    "X-Api-Key: abc",
    "https://hooks.slack.com/services/T/B/x",
    "eyJhbGciOiJI.eyJzdWIi.x",
    '{"type": "service_account", "private_key": "x"}',
    '{"a": [{"clientSecret": "x"}]}',
    "[" * 100_000,
]
PLAIN = [
    "a-store",
    "Shopify EU",
    "Basic customers",
    "Bearer of news",
    "Acme password resets",
    "https://example.com/@handle/x",
    "primary_key=id",
    "arn:aws:iam::123456789012:role/reader",
    "user@example.com",
    "git@github.com:a/b.git",
    "s3://bucket/path",
    "{date}_{timestamp}_{part_number}.{sync_id}",
    '{"token": "string", "id": "integer"}',
    "SELECT token FROM t",
]


def test_a_long_host_takes_no_exponential_time() -> None:
    assert not is_harmless("host", "ax-" * 5_000 + "!")


@pytest.mark.parametrize(("key", "value"), HARMLESS)
def test_a_value_of_a_known_kind_under_a_key_of_that_kind_is_harmless(key: str, value: Any) -> None:
    assert is_harmless(key, value)


@pytest.mark.parametrize(("key", "value"), PERHAPS_SECRET)
def test_any_other_value_may_be_a_secret(key: str, value: Any) -> None:
    assert not is_harmless(key, value)


def test_each_example_of_the_documentation_is_harmless_under_its_key_only() -> None:
    page = (REPOSITORY / "docs" / "how-to" / "leave-terraform.md").read_text(encoding="utf-8")
    documented = re.findall(r"\| `([^`]+)` = `([^`]+)` \|", page)
    assert len(documented) == 11
    for key, value in documented:
        assert is_harmless(key, int(value) if value.isdigit() else value), key
        assert not is_harmless("password", value), key


@given(
    st.text(alphabet="abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789+/=_-", min_size=16),
    st.sampled_from(HARMLESS),
)
def test_a_random_token_is_harmless_under_no_key(token: str, known: tuple[str, Any]) -> None:
    mixed = token + "7Zq0"
    assert not is_harmless(known[0], mixed)


@pytest.mark.parametrize("text", CREDENTIALS)
def test_a_credential_is_seen_and_taken_out_of_a_message(text: str) -> None:
    assert holds_credential(text)
    if len(text) < 1000 and not text.startswith("{"):
        assert not holds_credential(without_credentials(f"the text {text}"))


@pytest.mark.parametrize("text", PLAIN)
def test_an_ordinary_text_is_no_credential(text: str) -> None:
    assert not holds_credential(text)
    assert without_credentials(text) == text


def test_a_key_that_reads_as_data_is_not_shown() -> None:
    assert all(map(is_plain_key, ("credentials", "apiKey", "X-Api-Key", "access_key_id", "oauth2", "s3.bucket")))
    assert not any(map(is_plain_key, ("", "$match", "a b", "Zq7mK0wX4vB9", "a1b2c3d4e5", "ключ", "x" * 61)))


# What a specification describes


SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "number": {"type": ["null", "integer"]},
        "choice": {"enum": ["a", "b"]},
        "untyped": {"title": "Anything"},
        "referred": {"$ref": "#/definitions/other"},
        "free": {"type": "object", "additionalProperties": {"type": "string"}},
        "list": {"type": "array", "items": {"type": "string"}},
        "any_list": {"type": "array"},
        "auth": {
            "type": "object",
            "oneOf": [
                {
                    "required": ["kind"],
                    "properties": {"kind": {"const": "key"}, "key": {"type": "string", "airbyte_secret": True}},
                },
                {"required": ["kind"], "properties": {"kind": {"enum": ["user"]}, "user": {"type": "string"}}},
            ],
        },
    },
    "definitions": {"other": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("configuration", "paths"),
    [
        ({"text": "a", "number": 1, "choice": "a"}, {("text",), ("number",), ("choice",)}),
        ({"text": 1, "number": "1", "choice": "c", "untyped": "a", "referred": "a"}, set()),
        ({"text": {"inside": "a"}, "other": "a"}, set()),
        ({"free": {"a": "b"}, "any_list": ["a"]}, set()),
        ({"list": ["a", 1]}, {("list", 0)}),
        ({"auth": {"kind": "user", "user": "a", "key": "b"}}, {("auth", "kind"), ("auth", "user")}),
        ({"auth": {"kind": "key", "key": "a", "user": "b"}}, {("auth", "kind"), ("auth", "key")}),
        ({"auth": {"kind": "other", "user": "a"}}, set()),
        ({"auth": {"user": "a"}}, set()),
    ],
)
def test_a_leaf_is_described_by_its_property_its_type_and_its_branch(
    configuration: dict[str, Any], paths: set[tuple[str | int, ...]]
) -> None:
    assert described(SPEC, configuration) == paths


def specifications() -> Iterator[Any]:
    for file in sorted((OWN_STREAMS / "_connectors").iterdir()):
        yield pytest.param(json.loads(file.read_text())["spec"], id=file.stem)


def examples(schema: dict[str, Any]) -> Iterator[Any]:
    """Values that a schema allows: one for each branch of each choice, with every property."""
    branches = schema.get("oneOf") or schema.get("anyOf")
    if branches:
        for branch in branches:
            yield from examples({**{key: schema[key] for key in schema if key not in {"oneOf", "anyOf"}}, **branch})
        return
    if "const" in schema or "enum" in schema:
        yield schema.get("const", (schema.get("enum") or [None])[-1])
        return
    kinds = schema.get("type", "string")
    kind = next(each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "null")
    if kind == "object":
        inside = {key: list(examples(each)) for key, each in schema.get("properties", {}).items()}
        for number in range(max(map(len, inside.values()), default=1)):
            yield {key: each[min(number, len(each) - 1)] for key, each in inside.items()}
    elif kind == "array":
        yield [next(examples(schema.get("items", {})))]
    else:
        yield {"string": "any free text", "integer": 123456789, "number": 0.5, "boolean": True}[kind]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
    for key, inner in items or ():
        yield from leaves(inner, (*path, key))


@pytest.mark.parametrize("schema", [*specifications()])
def test_every_setting_of_a_pinned_connector_that_is_not_secret_stays_readable(schema: dict[str, Any]) -> None:
    spec = Specification(schema)
    for configuration in examples(schema):
        secrecy = Secrecy.of(configuration, spec)
        for path, leaf in leaves(configuration):
            expected = "specified" if spec.is_secret(path) and not isinstance(leaf, bool) else None
            assert secrecy.reason(path, leaf) == expected, path


def test_own_configurations_with_their_specifications_hide_nothing_but_secrets() -> None:
    for file in sorted(Path(OWN_STREAMS).glob("*/_source.json")):
        document = json.loads(file.read_text())
        pinned = json.loads((OWN_STREAMS / "_connectors" / f"{document['connector']}.json").read_text())
        spec = Specification(pinned["spec"])
        secrecy = Secrecy.of(document["configuration"], spec)
        for path, leaf in leaves(document["configuration"]):
            if not str(path[-1]).startswith("$"):
                assert secrecy.reason(path, leaf) is None
