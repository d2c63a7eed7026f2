"""Streams and fields against what the source has."""

from pathlib import Path

import pytest

from tests.support.lakes import Document, Files, discovered, problems_of, report_on, stream

ID: Document = {"type": "integer"}
TIME: Document = {"type": "string"}


def fields(**more: object) -> Document:
    return stream(fields={"id": ID, "updated_at": TIME, **more})


def test_a_stream_that_the_source_does_not_have_is_reported_with_the_nearest(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/ordrs.json": stream(stream="ordrs")}) == [
        'shop/ordrs.json:2: stream: "ordrs" is no stream of the source "shop": did you mean "orders"?'
    ]


def test_a_stream_that_is_like_no_other_is_reported_with_a_remedy(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/zebras.json": stream(stream="zebras")})

    assert problems[0].endswith("delete the file, or run `lotus discover shop` if the source has it")


def test_a_source_that_was_never_discovered_is_noticed_and_not_compared(tmp_path: Path) -> None:
    report = report_on(tmp_path, {"shop/_discovered/orders.json": None, "shop/orders.json": fields(emial=ID)})

    assert report.problems == ()
    assert [(notice.file, notice.field) for notice in report.notices] == [(f"{tmp_path}/shop/_source.json", "")]


TWO_SCHEMAS: Files = {
    "shop/_discovered/orders.json": None,
    "shop/_discovered/any name.json": discovered(namespace="public"),
    "shop/_discovered/Zz@1.json": discovered(namespace="app", fields={"id": ID}),
    "shop/_discovered/other.json": "not JSON",
}


def test_a_stream_is_matched_by_its_namespace_and_name_and_not_by_its_file(tmp_path: Path) -> None:
    files = {"shop/orders.json": stream(namespace="public")}
    assert problems_of(tmp_path / "public", {**TWO_SCHEMAS, **files}) == []

    files = {"shop/orders.json": stream(namespace="app")}
    assert [each.split(": ")[1] for each in problems_of(tmp_path / "app", {**TWO_SCHEMAS, **files})] == [
        "cursor_field",
        "fields.email",
        "fields.updated_at",
    ]


def test_a_name_in_several_namespaces_needs_the_namespace(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "none", {**TWO_SCHEMAS, "shop/orders.json": stream()}) == [
        (
            'shop/orders.json:2: stream: "orders" is in several namespaces of the source "shop": "app", "public": '
            'add "namespace": "app", or that of another one'
        )
    ]
    [problem] = problems_of(tmp_path / "other", {**TWO_SCHEMAS, "shop/orders.json": stream(namespace="sales")})
    assert problem.endswith(
        'namespace: "orders" is no stream of "sales" in the source "shop": '
        "delete the file, or run `lotus discover shop` if the source has it"
    )


WRONG_FIELDS: list[tuple[Document, str]] = [
    ({"emial": {"type": "string"}}, 'fields.emial: is not a field that the source has: did you mean "email"?'),
    (
        {"zzz": {"type": "string"}},
        "fields.zzz: is not a field that the source has: delete it, or run `lotus discover` ",
    ),
    ({"email": ID}, "fields.email.type: is integer where the source has string: write "),
    ({"email": {"type": ["string", "integer"]}}, "fields.email.type: is integer, string where the source has string"),
    (
        {"created_at": {"type": "string", "format": "date"}},
        "fields.created_at.format: is date where the source has date-time",
    ),
    (
        {"address": {"type": "object", "properties": {"citty": TIME}}},
        'fields.address.properties.citty: is not a field that the source has: did you mean "city"?',
    ),
    (
        {"address": {"type": "object", "properties": {"zip": ID}}},
        "fields.address.properties.zip.type: is integer where the source has string",
    ),
    (
        {"lines": {"type": "array", "items": {"sku": ID}}},
        "fields.lines.items.sku.type: is integer where the source has",
    ),
    (
        {"lines": {"type": "array", "items": {"type": "object", "properties": {"sku": ID}}}},
        "fields.lines.items.properties.sku.type: is integer where the source has string",
    ),
    (
        {"lines": {"type": "array", "items": {"type": "string"}}},
        "fields.lines.items.type: is string where the source has",
    ),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG_FIELDS)
def test_a_field_that_the_source_lacks_or_has_otherwise_is_reported(
    wrong: Document, expected: str, tmp_path: Path
) -> None:
    problems = problems_of(tmp_path, {"shop/orders.json": fields(**wrong)})

    assert len(problems) == 1
    assert problems[0].split(": ", maxsplit=1)[1].startswith(expected)


RIGHT_FIELDS: list[Document] = [
    {"id": {"type": ["integer", "null"]}},
    {"email": {"type": "unknown"}},
    {"email": {"type": "string", "description": "Where to write to."}},
    {"created_at": {"type": "string"}},
    {"address": {"type": "object"}},
    {"address": {"type": "object", "properties": {"zip": {"type": ["null", "string"]}}}},
    {"lines": {"type": "array"}},
    {"lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}},
    {"lines": {"type": "array", "items": {}}},
]


@pytest.mark.parametrize("right", RIGHT_FIELDS)
def test_a_field_may_say_less_than_the_source_and_leave_nulls_out(right: Document, tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/orders.json": fields(**right)}) == []


def test_a_source_that_does_not_know_its_types_agrees_with_all(tmp_path: Path) -> None:
    unknown = {"id": {"type": "unknown"}, "updated_at": {"type": "null"}}

    assert (
        problems_of(
            tmp_path, {"shop/orders.json": fields(), "shop/_discovered/orders.json": discovered(fields=unknown)}
        )
        == []
    )


def test_a_stream_without_fields_is_reported(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/orders.json": stream(fields={})}) == [
        "shop/orders.json:13: fields: selects no field: name at least one field, or delete the file"
    ]


def test_a_stream_that_is_not_selected_may_have_fields_that_are_gone(tmp_path: Path) -> None:
    parked = {"shop/parked.json": stream(stream="parked", selected=False, fields={"gone": ID})}

    assert problems_of(tmp_path, parked | {"shop/_discovered/parked.json": discovered(stream="parked")}) == []
