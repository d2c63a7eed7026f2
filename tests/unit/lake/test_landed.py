"""What lands of a stream: its columns after mappers and in the names of files, and what can't land is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.landed import is_known, landed
from lotus_infra.lake.models import StreamConfig
from tests.support.lakes import discovered, problems_of, report_on, source, stream

TEXT = {"type": "string"}
PEOPLE = {"id": {"type": "integer"}, "E-Mail": TEXT, "updated_at": TEXT}


def hashing(field: str, **overrides: Any) -> dict[str, Any]:
    return {
        "type": "hashing",
        "configuration": {"targetField": field, "method": "SHA-256", "fieldNameSuffix": "_hashed"} | overrides,
    }


def encryption(field: str, **overrides: Any) -> dict[str, Any]:
    configuration = {"algorithm": "AES", "targetField": field, "fieldNameSuffix": "_x", "key": {"$secret": "aes_key"}}
    return {"type": "encryption", "configuration": configuration | {"mode": "CTR", "padding": "NoPadding"} | overrides}


def renaming(field: str, new: str) -> dict[str, Any]:
    return {"type": "field-renaming", "configuration": {"originalFieldName": field, "newFieldName": new}}


def filtering(field: str) -> dict[str, Any]:
    return {"type": "field-filtering", "configuration": {"targetField": field}}


def file_of(offered: dict[str, Any] | None = None, **overrides: object) -> StreamFile:
    config = StreamConfig.model_validate(stream(**overrides), strict=False)
    file = StreamFile("shop/orders.json", "shop", "orders", config)
    if offered is None:
        return file
    return replace(file, discovered=Discovered.model_validate(discovered(fields=offered), strict=False))


def test_fields_become_columns_that_files_can_have() -> None:
    members = {"first name": TEXT, "tags": {"type": "array", "items": {"type": "object", "properties": {"a b": TEXT}}}}
    found = landed(file_of(fields=PEOPLE | {"größe": {"type": "object", "properties": members}}))
    assert [*found.columns] == ["id", "E_Mail", "updated_at", "gro_e"]
    inside = found.columns["gro_e"].properties
    assert inside is not None
    assert [*inside] == ["first_name", "tags"]
    assert inside["tags"].items is not None
    assert [*(inside["tags"].items.properties or {})] == ["a_b"]


@pytest.mark.parametrize(
    ("mappers", "columns", "key", "cursor", "lost"),
    [
        ([], "id E_Mail updated_at", ["id"], ["updated_at"], set()),
        ([hashing("id")], "id_hashed E_Mail updated_at", ["id_hashed"], ["updated_at"], set()),
        ([renaming("id", "Key 1")], "Key_1 E_Mail updated_at", ["Key_1"], ["updated_at"], set()),
        ([renaming("updated_at", "at")], "id E_Mail at", ["id"], ["at"], set()),
        ([encryption("id")], "id_x E_Mail updated_at", [], ["updated_at"], {"primary_key"}),
        ([filtering("id")], "E_Mail updated_at", [], ["updated_at"], {"primary_key"}),
        ([hashing("updated_at")], "id E_Mail updated_at_hashed", ["id"], [], {"cursor_field"}),
        ([filtering("updated_at")], "id E_Mail", ["id"], [], {"cursor_field"}),
    ],
)
def test_a_key_and_a_cursor_are_what_mappers_leave_of_them(
    mappers: list[Any], columns: str, key: list[str], cursor: list[str], lost: set[str]
) -> None:
    found = landed(file_of(fields=PEOPLE, mappers=mappers))
    assert " ".join(found.columns) == columns
    assert [list(path) for path in found.key] == ([key] if key else [])
    assert list(found.cursor) == cursor
    assert found.lost == lost


def test_hashed_and_encrypted_values_are_texts_and_a_renamed_object_has_no_members_that_are_known() -> None:
    fields = PEOPLE | {"data": {"type": "object", "properties": {"a": TEXT}}}
    columns = landed(file_of(fields=fields, mappers=[hashing("id"), renaming("data", "content")])).columns
    assert columns["id_hashed"].types == {"string"}
    assert columns["content"].properties is None
    assert columns["content"].types == frozenset()


def test_a_deletion_is_reported_by_the_column_that_lands() -> None:
    fields = PEOPLE | {"_ab_cdc_deleted_at": TEXT}
    assert landed(file_of(fields=fields)).deleted == "_ab_cdc_deleted_at"
    renamed = landed(file_of(fields=fields, mappers=[renaming("_ab_cdc_deleted_at", "gone at")]))
    assert (renamed.deleted, renamed.lost) == ("gone_at", frozenset())
    gone = landed(file_of(fields=fields, mappers=[filtering("_ab_cdc_deleted_at")]))
    assert (gone.deleted, gone.lost) == (None, frozenset({"deleted"}))


def test_members_that_the_source_declares_have_the_names_of_files_and_others_their_own() -> None:
    fields = PEOPLE | {"data": {"type": "object"}}
    nested: Any = {"fields": fields, "cursor_field": ["data", "changed on"]}
    assert landed(file_of(**nested)).cursor == ("data", "changed on")
    offered = PEOPLE | {"data": {"type": "object", "properties": {"changed on": TEXT}}}
    assert landed(file_of(offered, **nested)).cursor == ("data", "changed_on")


def test_a_stream_that_takes_all_fields_is_known_once_it_is_discovered() -> None:
    assert not is_known(file_of(fields="all"))
    everything = file_of(PEOPLE, fields="all")
    assert is_known(everything)
    assert [*landed(everything).columns] == ["id", "E_Mail", "updated_at"]


# Checks.


def people(**overrides: object) -> dict[str, object]:
    return {"shop/orders.json": stream(fields=PEOPLE, **overrides), "shop/_discovered/orders.json": None}


def found_in(directory: Path, changes: dict[str, object]) -> list[str]:
    return problems_of(directory, changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"a b": TEXT, "a-b": TEXT},
            'fields.a-b: becomes the column a_b, as "a b" does, and destination-s3 refuses that: select one of the two',
        ),
        (
            {"_airbyte_meta": TEXT},
            "fields._airbyte_meta: becomes the column _airbyte_meta, as a column of Airbyte's own does,",
        ),
        (
            {"data": {"type": "array", "items": {"type": "object", "properties": {"ä": TEXT, "a": TEXT}}}},
            'fields.data.items.properties.a: becomes the member a, as "ä" does, and destination-s3 refuses',
        ),
    ],
)
def test_two_fields_of_one_column_are_refused(fields: dict[str, Any], expected: str, tmp_path: Path) -> None:
    changes = people() | {"shop/orders.json": stream(fields=PEOPLE | fields)}
    (found,) = found_in(tmp_path, changes)
    assert expected in found
    elsewhere = {
        "_destinations/s3.json": {"connector": "destination-postgres", "configuration": {}},
        "_connectors/destination-postgres.json": {
            "connector": "destination-postgres",
            "definition_id": "25c5221d-dce2-4163-ade9-739ef790f503",
            "spec": {},
        },
    }
    assert found_in(tmp_path / "elsewhere", changes | elsewhere) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stream": ".."}, 'lands below "raw/shop/../"'),
        ({"stream": "a/./b"}, 'lands below "raw/shop/a/./b/"'),
        ({"stream": "\u2025"}, 'lands below "raw/shop/../"'),
        ({"stream": "x" * 1000}, "lands below a prefix of 1010 characters"),
    ],
)
def test_a_place_that_readers_take_for_another_is_refused(
    changes: dict[str, object], expected: str, tmp_path: Path
) -> None:
    (found,) = found_in(tmp_path, people(**changes))
    assert expected in found


@pytest.mark.parametrize(
    ("mappers", "expected"),
    [
        ([hashing("E-Mail"), filtering("id"), renaming("updated_at", "at"), encryption("E-Mail_hashed")], []),
        (
            [hashing("Email")],
            ['mappers[0].configuration.targetField: "Email" is no field of the stream: did you mean "E-Mail"?'],
        ),
        (
            [hashing("E-Mail", method="MD6")],
            ['mappers[0].configuration.method: is not an allowed value: did you mean "MD5"?'],
        ),
        (
            [hashing("E-Mail", salt="x")],
            ["mappers[0].configuration.salt: is no key that the specification allows: write one of fieldNameSuffix,"],
        ),
        (
            [encryption("E-Mail", key="00112233445566778899aabbccddeeff")],
            ["mappers[0].configuration.key: is a secret in plain text: keep the value in the stack and name it"],
        ),
        (
            [encryption("E-Mail", key={"$config": "aes_key"})],
            ["mappers[0].configuration.key: is a secret, but the reference is not"],
        ),
        (
            [renaming("E-Mail", "id")],
            ['mappers[0].configuration.newFieldName: makes the field "id", which the stream has'],
        ),
        (
            [renaming("E-Mail", "updated-at")],
            ['fields.updated_at: becomes the column updated_at, as "updated-at" does'],
        ),
    ],
)
def test_mappers_are_checked_offline(mappers: list[Any], expected: list[str], tmp_path: Path) -> None:
    found = found_in(tmp_path, people(mappers=mappers))
    assert len(found) == len(expected)
    assert all(start in text for start, text in zip(expected, found, strict=True)), found


def test_a_key_that_mappers_take_away_is_a_notice(tmp_path: Path) -> None:
    changes: Any = people(mappers=[encryption("id"), hashing("updated_at")])
    notices = [notice for notice in report_on(tmp_path, changes).notices if "mappers" in notice.what]
    assert [(notice.field, notice.what.partition(" after ")[0]) for notice in notices] == [
        ("primary_key", "no longer tells rows apart"),
        ("cursor_field", "no longer orders rows"),
    ]


def test_names_of_any_text_are_taken(tmp_path: Path) -> None:
    changes = people(stream="a b") | {"shop/_source.json": source(namespace="A ${SOURCE_NAMESPACE}", prefix="P-")}
    assert found_in(tmp_path, changes) == []
