"""What somebody changes in Airbyte's own pages is shown, and repaired."""

import pytest

from tests.engine.lake import Lake


def assert_seen_and_repaired(lake: Lake, expected: list[tuple[str, str, str]]) -> None:
    """A refresh shows the change, the next preview wants to undo it, and `up` does, to the last."""
    shown = lake.pulumi.run("refresh", "--preview-only", "--diff").ok().stdout
    assert "11 unchanged" not in shown
    assert lake.changes("--refresh") == expected
    lake.pulumi.up("--refresh").ok()
    assert lake.changes("--refresh") == []


def test_a_start_date_that_someone_edited(applied: Lake) -> None:
    source = applied.one("sources", "Shopify")
    edited = source["configuration"] | {"start_date": "2020-02-02"}
    applied.api("PUT", f"/sources/{source['sourceId']}", {"name": "Shopify", "configuration": edited})

    assert_seen_and_repaired(applied, [("update", "Source", "shopify")])

    assert applied.one("sources", "Shopify")["configuration"]["start_date"] == "2025-12-25"


def test_a_setting_that_someone_added(applied: Lake) -> None:
    source = applied.one("sources", "Faker")
    edited = source["configuration"] | {"parallelism": 2}
    applied.api("PUT", f"/sources/{source['sourceId']}", {"name": "Faker", "configuration": edited})

    assert_seen_and_repaired(applied, [("update", "Source", "faker")])

    assert applied.one("sources", "Faker")["configuration"] == source["configuration"]


def test_a_connection_that_someone_deleted(applied: Lake) -> None:
    before = applied.one("connections", "Klaviyo → S3")["connectionId"]
    applied.api("DELETE", f"/connections/{before}")

    assert_seen_and_repaired(applied, [("create", "Connection", "klaviyo")])

    assert applied.one("connections", "Klaviyo → S3")["connectionId"] != before


def test_a_source_that_someone_deleted_with_its_connection(applied: Lake) -> None:
    applied.api("DELETE", f"/sources/{applied.one('sources', 'Faker')['sourceId']}")

    assert_seen_and_repaired(applied, [("create", "Connection", "faker"), ("create", "Source", "faker")])


def test_a_field_that_someone_unselected(applied: Lake) -> None:
    connection = applied.one("connections", "Shopify → S3")
    streams = connection["configurations"]["streams"]
    for stream in streams:
        stream.pop("mappers", None)
        if stream["name"] == "orders":
            selected = stream["selectedFields"]
            stream["selectedFields"] = [field for field in selected if field["fieldPath"] != ["total_tax"]]
    applied.api("PATCH", f"/connections/{connection['connectionId']}", {"configurations": {"streams": streams}})

    assert_seen_and_repaired(applied, [("update", "Connection", "shopify")])

    [orders] = [
        stream
        for stream in applied.one("connections", "Shopify → S3")["configurations"]["streams"]
        if stream["name"] == "orders"
    ]
    assert {"fieldPath": ["total_tax"]} in orders["selectedFields"]


@pytest.mark.parametrize(
    "edit",
    [
        {"name": "Somebody's name"},
        {"status": "inactive"},
        {"prefix": "tmp_"},
        {"nonBreakingSchemaUpdatesBehavior": "ignore"},
        {"schedule": {"scheduleType": "manual"}},
        {"schedule": {"scheduleType": "cron", "cronExpression": "0 30 * * * ?"}},
    ],
    ids=str,
)
def test_a_setting_of_a_connection_that_someone_edited(applied: Lake, edit: dict[str, object]) -> None:
    connection = applied.one("connections", "Shopify → S3")
    applied.api("PATCH", f"/connections/{connection['connectionId']}", edit)

    assert_seen_and_repaired(applied, [("update", "Connection", "shopify")])

    assert applied.one("connections", "Shopify → S3") == connection
