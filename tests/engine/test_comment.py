"""What the real engine prints of a few changes is told as the golden comments tell it."""

from pathlib import Path

from lotus_infra.commands.comment import render
from lotus_infra.commands.review import ReviewRequest, review_impact, review_losses
from lotus_infra.plan.preview import read_preview
from tests.engine.lake import Document, Lake


def _orders(document: Document) -> None:
    del document["fields"]["total_tax"]
    document["fields"]["note"] = {"type": "string"}
    document["backfill"] = "2026-02-01-reprice"


def test_a_real_preview_is_told_by_what_it_does_to_data(applied: Lake, tmp_path: Path) -> None:
    applied.edit("shopify/orders.json", _orders)
    applied.remove("shopify/order_refunds.json")
    applied.remove("klaviyo")
    applied.edit("shopify/customers.json", lambda document: document.update(sync_mode="full_refresh"))
    applied.pulumi.config_set("lotus:shopify_api_password", "another-value", secret=True)
    file = tmp_path / "preview.json"
    file.write_text(applied.pulumi.preview("--json").ok().stdout, encoding="utf-8")
    request = ReviewRequest(file, applied.pulumi.project / "streams")

    review = review_impact(request)

    assert [loss.object for loss in review.gate.blocked] == ["source klaviyo", "stream shopify/customers"]
    klaviyo, shopify = review.impact.sources
    assert (klaviyo.change, klaviyo.lost) == ("removed", 6)
    assert shopify.details.secrets == ("configuration.credentials.api_password",)
    [connection] = shopify.connections
    assert [(each.name, each.change) for each in connection.streams] == [
        ("customers", "changed"),
        ("order_refunds", "removed"),
        ("orders", "changed"),
    ]
    orders = connection.streams[2]
    assert (orders.added_fields, orders.removed_fields) == (("note",), ("total_tax",))
    assert [(each.stream, each.why) for each in connection.refreshes] == [("orders", "token 2026-02-01-reprice")]
    assert "will refresh orders (token 2026-02-01-reprice)" in "".join(shopify.details.said)
    told = render(review)
    assert "🔴 destroys" in told
    assert "another-value" not in told

    applied.pulumi.run("config", "set", "--path", "lotus:acknowledge[0]", "source klaviyo").ok()
    applied.pulumi.run("config", "set", "--path", "lotus:acknowledge[1]", "stream shopify/customers").ok()
    assert review_losses(request).gate.ok
    steps = read_preview(applied.pulumi.preview("--json").ok().stdout).steps
    assert [
        step.new.inputs["allowCursorLoss"]
        for step in steps
        if step.name == "shopify" and step.new and "configurations" in step.new.inputs
    ] == [True]


def test_a_real_preview_of_another_address_closes_the_gate_and_names_the_secrets(applied: Lake, tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    applied.pulumi.config_set("lotus:shopify_store", "another-store")
    file.write_text(applied.pulumi.preview("--json").ok().stdout, encoding="utf-8")

    review = review_impact(ReviewRequest(file, applied.pulumi.project / "streams"))

    assert [(loss.object, loss.effect) for loss in review.gate.blocked] == [("source shopify", "exposes")]
    told = render(review)
    assert "⚠️ `shop`: `a-store` → `another-store`" in told
    assert "`shopify_api_password` as `credentials.api_password`" in told


SETTINGS = ("destination", "namespace", "prefix", "schedule", "non_breaking_changes")


def _split(document: Document) -> None:
    """The settings of the one connection in `connections`, under the name that it has."""
    document["connections"] = {"shopify": {key: document.pop(key) for key in SETTINGS}}


def _two(document: Document) -> None:
    own = document["connections"]["shopify"]
    document["connections"]["daily"] = own | {"namespace": "shopify_daily", "streams": ["orders"], "status": "inactive"}
    own["streams"] = ["customers", "order_refunds"]


def test_a_source_is_split_into_connections_without_a_change_and_a_stream_that_moves_is_a_loss(
    applied: Lake, tmp_path: Path
) -> None:
    applied.edit("shopify/_source.json", _split)
    assert applied.pulumi.preview("--json", "--refresh", "--expect-no-changes").ok().changes() == ()

    applied.edit("shopify/_source.json", _two)
    file = tmp_path / "preview.json"
    file.write_text(applied.pulumi.preview("--json").ok().stdout, encoding="utf-8")
    review = review_impact(ReviewRequest(file, applied.pulumi.project / "streams"))

    assert [(loss.object, loss.effect) for loss in review.gate.blocked] == [("stream shopify/orders", "destroys")]
    [shopify] = review.impact.sources
    assert [(each.name, each.change) for each in shopify.connections] == [
        ("shopify", "changed"),
        ("shopify/daily", "added"),
    ]
    told = render(review)
    assert "it moves to the connection shopify/daily" in told
    assert "**connection `shopify/daily`** is added" in told
    assert "writes to `destination s3`, below `shopify_daily`:" in told
    assert "it does not sync" in told
