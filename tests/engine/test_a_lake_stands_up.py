"""The project's own lake, by the real engine, against a faithful Airbyte."""

from tests.engine.lake import Lake


def test_the_first_up_makes_three_connections_with_twelve_streams(lake: Lake) -> None:
    lake.pulumi.up().ok()

    streams = {item["name"]: len(item["configurations"]["streams"]) for item in lake.live("connections")}
    assert streams == {"Faker → S3": 3, "Klaviyo → S3": 6, "Shopify → S3": 3}
    exported = lake.pulumi.outputs()["sources"]
    assert exported["shopify"]["connectionId"] == lake.one("connections", "Shopify → S3")["connectionId"]
    assert exported["shopify"]["streams"]["orders"] == "raw/shopify/orders/"


def test_a_second_preview_changes_nothing_and_calls_nothing(applied: Lake) -> None:
    assert applied.changes() == []
    assert applied.twin.calls() == []


def test_a_second_up_changes_nothing(applied: Lake) -> None:
    assert "11 unchanged" in applied.pulumi.up().ok().stdout
    assert applied.writes() == []


def test_a_refresh_finds_nothing_to_change(applied: Lake) -> None:
    assert "11 unchanged" in applied.pulumi.refresh().ok().stdout
    assert applied.writes() == []


def test_a_removed_field_is_one_update_that_names_it(applied: Lake) -> None:
    applied.edit("shopify/orders.json", lambda stream: stream["fields"].pop("total_tax"))

    preview = applied.pulumi.preview("--diff").ok().output
    assert "orders: - field total_tax" in preview
    assert applied.changes() == [("update", "Connection", "shopify")]


def test_an_added_field_is_one_update_and_keeps_the_sync_state(applied: Lake) -> None:
    applied.edit("faker/users.json", lambda stream: stream["fields"].pop("age"))
    applied.pulumi.up().ok()
    before = applied.one("connections", "Faker → S3")
    applied.twin.clear_calls()

    applied.edit("faker/users.json", lambda stream: stream["fields"].update(age={"type": "integer"}))

    assert "users: + field age" in applied.pulumi.preview().ok().output
    assert applied.changes() == [("update", "Connection", "faker")]
    applied.pulumi.up().ok()
    after = applied.one("connections", "Faker → S3")
    assert after["connectionId"] == before["connectionId"]
    [users] = [stream for stream in after["configurations"]["streams"] if stream["name"] == "users"]
    assert {"fieldPath": ["age"]} in users["selectedFields"]
    assert applied.changes() == []


def test_a_deleted_stream_file_is_one_update(applied: Lake) -> None:
    applied.remove("shopify/order_refunds.json")

    assert "- stream order_refunds" in applied.pulumi.preview().ok().output
    applied.pulumi.up().ok()

    names = [stream["name"] for stream in applied.one("connections", "Shopify → S3")["configurations"]["streams"]]
    assert sorted(names) == ["customers", "orders"]
    assert [method for method, _ in applied.writes()] == ["PATCH"]


def test_a_new_label_is_an_update_and_no_replacement(applied: Lake) -> None:
    before = applied.one("sources", "Shopify")["sourceId"]

    applied.edit("shopify/_source.json", lambda source: source.update(name="Shop"))

    assert applied.changes() == [("update", "Connection", "shopify"), ("update", "Source", "shopify")]
    applied.pulumi.up().ok()
    assert applied.one("sources", "Shop")["sourceId"] == before
    assert applied.one("connections", "Shop → S3")


def test_destroying_the_stack_leaves_nothing(applied: Lake) -> None:
    applied.pulumi.destroy().ok()

    assert applied.live("connections") == applied.live("sources") == applied.live("destinations") == []
