"""The rules of places agree with the twin's landing, and with what a running Airbyte stored and refused."""

import re
from typing import Any

import pytest
from airbyte_model.places import (
    NAMESPACE_DEFINITIONS,
    column_name,
    folder_of,
    has_dots_alone,
    key_name,
    written_name,
    written_namespace,
)
from airbyte_twin.landing import LandingStream
from airbyte_twin.landing import names as twins
from airbyte_twin.landing.configuration import parse_configuration
from airbyte_twin.landing.layout import layout_of
from airbyte_twin.sync.run.destinations import Namespaces
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra import naming
from tests.support.recorded import Reason, writes

KEYS = {
    "Account": "Account",
    "Sheet 1": "Sheet_1",
    "app.users": "app.users",
    "ab-tests": "ab-tests",
    "表": "_",
    "🦆 ducks": "__ducks",
    'a"b': "a_b",
    "it's": "it's",
    "Größe": "Gro_e",
    "naïve café": "naive_cafe",
    "ﬁ½": "fi1_2",
    "a/b": "a/b",
    ".hidden": ".hidden",
    "..": "..",
    "…": "...",
    "#1 % [x] {y}": "_1____x___y_",
    "$100?*": "$100?*",
    "a\tb\u00a0c": "a_b_c",
    "\\": "_",
}
COLUMNS = {
    "id": "id",
    "Account Name": "Account_Name",
    "two  blanks": "two_blanks",
    "Größe": "Gro_e",
    "表": "_",
    'a"b': "a_b",
    "1st": "_1st",
    "select": "select",
    "a.b-c": "a_b_c",
    "": "_",
}
ODD = st.sampled_from(
    ["", " ", "/", "//", ".", "..", "a", "é", "表", "${SOURCE_NAMESPACE}", "${NAMESPACE}", "$", "\u00a0"]
)
TEXTS = st.lists(ODD | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=5).map("".join)


@pytest.mark.parametrize(("name", "key"), KEYS.items())
def test_a_name_becomes_a_safe_part_of_a_key(name: str, key: str) -> None:
    assert key_name(name) == twins.key_name(name) == key


@pytest.mark.parametrize(("field", "column"), COLUMNS.items())
def test_a_field_becomes_a_safe_column(field: str, column: str) -> None:
    assert column_name(field) == twins.column_name(field) == column


@given(TEXTS)
def test_any_name_is_written_as_the_twin_writes_it(text: str) -> None:
    assert key_name(text) == twins.key_name(text)
    assert column_name(text) == twins.column_name(text)
    assert key_name(key_name(text)) == key_name(text)
    assert column_name(column_name(text)) == column_name(text)


@given(st.sampled_from(NAMESPACE_DEFINITIONS), st.none() | TEXTS, st.none() | TEXTS)
def test_any_namespace_is_written_as_the_twin_writes_it(definition: str, template: str | None, own: str | None) -> None:
    assert written_namespace(definition, template, own) == (Namespaces(definition, template).of(own) or "")


@given(st.sampled_from(["raw", "raw/", "/raw", "a/b", ""]), TEXTS, TEXTS, TEXTS)
def test_any_stream_has_the_folder_that_the_twin_lists(path: str, namespace: str, prefix: str, name: str) -> None:
    settings: dict[str, Any] = {
        "s3_bucket_name": "lake",
        "s3_bucket_path": path,
        "s3_path_format": naming.PATH_FORMAT,
        "s3_bucket_region": "us-east-1",
        "file_name_pattern": "part_{part_number}.parquet",
        "format": {"format_type": "Parquet"},
    }
    stream = LandingStream(name, namespace or None, prefix if prefix.strip() else "", {}, None, 1, 0, 1)
    own = re.escape(folder_of(path, namespace, written_name(prefix, name)))
    layout = layout_of(parse_configuration(settings), stream)
    assert re.fullmatch(own + "year=", layout.path.partition("${YEAR}")[0]), layout.path


@pytest.mark.parametrize(
    ("definition", "template", "own", "written"),
    [
        ("custom_format", "shop", "public", "shop"),
        ("custom_format", "${SOURCE_NAMESPACE}", "public", "public"),
        ("custom_format", "App-${SOURCE_NAMESPACE}-x", "public", "App-public-x"),
        ("custom_format", "${SOURCE_NAMESPACE}", None, ""),
        ("custom_format", "pg ${SOURCE_NAMESPACE}", None, "pg "),
        ("custom_format", "  ", "public", ""),
        ("custom_format", None, "public", ""),
        ("source", "shop", "public", "public"),
        ("source", "shop", None, ""),
        ("destination", "shop", "public", ""),
    ],
)
def test_a_connection_names_the_namespace(definition: str, template: str | None, own: str | None, written: str) -> None:
    assert written_namespace(definition, template, own) == written
    assert (Namespaces(definition, template).of(own) or "") == written


def test_parts_of_dots_alone_are_found() -> None:
    assert has_dots_alone("raw/../x/")
    assert has_dots_alone("raw/./x/")
    assert not has_dots_alone("raw/..x/.y/...")


def test_the_definitions_are_those_that_a_running_airbyte_takes() -> None:
    sent = [write for write in writes() if write.kind == "connection" and write.sent.get("namespaceDefinition")]
    taken = {write.sent["namespaceDefinition"] for write in sent if write.reason is Reason.ACCEPTED}
    assert {"custom_format", "source"} <= taken <= {*NAMESPACE_DEFINITIONS}
    assert {"customformat", "zz"} <= {write.sent["namespaceDefinition"] for write in sent} - taken
