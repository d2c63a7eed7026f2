"""A secret that Airbyte rotates is the stack's for the first write alone."""

from tests.engine.lake import SHOPIFY_PASSWORD, Document, Lake

ANOTHER = "another-value-of-the-shopify-password"
SOURCE = "shopify/_source.json"


def marked(source: Document) -> None:
    source["configuration"]["credentials"]["api_password"]["rotates"] = True


def test_a_rotating_secret_is_written_once_and_never_by_a_new_value_of_the_stack(lake: Lake) -> None:
    lake.edit(SOURCE, marked)
    lake.pulumi.up().ok()
    lake.pulumi.config_set("lotus:shopify_api_password", ANOTHER, secret=True)
    lake.twin.clear_calls()

    assert lake.changes() == []
    lake.edit(SOURCE, lambda source: source.update(name="Shop"))
    assert [change for change in lake.changes() if change[2] == "shopify"] == [
        ("update", "Connection", "shopify"),
        ("update", "Source", "shopify"),
    ]
    lake.pulumi.up().ok()

    assert lake.one("sources", "Shop")
    assert lake.changes("--refresh") == []
    stored = [secret.value for secret in lake.twin.store.secrets]
    assert SHOPIFY_PASSWORD in stored
    assert ANOTHER not in stored


def test_marking_a_secret_that_is_written_already_changes_nothing(applied: Lake) -> None:
    applied.edit(SOURCE, marked)

    assert applied.changes() == []
