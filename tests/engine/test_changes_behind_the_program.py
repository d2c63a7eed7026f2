"""What somebody changes in Airbyte's own pages is shown, and repaired."""

from tests.engine.lake import Document, Lake

EDITED = {
    "name": "Somebody's name",
    "status": "inactive",
    "prefix": "tmp_",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "schedule": {"scheduleType": "manual"},
}


def configure(lake: Lake, source: Document, **changes: object) -> None:
    """Change a source's configuration as its page does: whole, with masks for secrets."""
    edited = {"name": source["name"], "configuration": source["configuration"] | changes}
    lake.api("PUT", f"/sources/{source['sourceId']}", edited)


def without_total_tax(streams: list[Document]) -> Document:
    """The streams with one field of orders unselected."""
    for stream in streams:
        stream.pop("mappers", None)
        if stream["name"] == "orders":
            stream["selectedFields"] = [
                field for field in stream["selectedFields"] if field["fieldPath"] != ["total_tax"]
            ]
    return {"configurations": {"streams": streams}}


def assert_seen_and_repaired(lake: Lake, expected: list[tuple[str, str, str]]) -> None:
    """A refresh shows the change, the next preview wants to undo it, and `up` does, to the last."""
    shown = lake.pulumi.run("refresh", "--preview-only", "--diff").ok().stdout
    assert "11 unchanged" not in shown
    assert lake.changes("--refresh") == expected
    lake.pulumi.up("--refresh").ok()
    assert lake.changes("--refresh") == []


def test_everything_that_someone_edited_is_seen_and_repaired(applied: Lake) -> None:
    shopify, faker = applied.one("sources", "Shopify"), applied.one("sources", "Faker")
    connection = applied.one("connections", "Shopify → S3")
    configure(applied, shopify, start_date="2020-02-02")
    configure(applied, faker, parallelism=2)
    streams = without_total_tax(applied.one("connections", "Shopify → S3")["configurations"]["streams"])
    applied.api("PATCH", f"/connections/{connection['connectionId']}", EDITED | streams)

    changed = [("update", "Connection", "shopify"), ("update", "Source", "faker"), ("update", "Source", "shopify")]
    assert_seen_and_repaired(applied, changed)

    assert applied.one("sources", "Shopify") == shopify
    assert applied.one("sources", "Faker") == faker
    assert applied.one("connections", "Shopify → S3") == connection


def test_what_someone_deleted_is_made_again(applied: Lake) -> None:
    before = applied.one("connections", "Klaviyo → S3")["connectionId"]
    applied.api("DELETE", f"/connections/{before}")
    applied.api("DELETE", f"/sources/{applied.one('sources', 'Faker')['sourceId']}")

    made = [("create", "Connection", "faker"), ("create", "Connection", "klaviyo"), ("create", "Source", "faker")]
    assert_seen_and_repaired(applied, made)

    assert applied.one("connections", "Klaviyo → S3")["connectionId"] != before
