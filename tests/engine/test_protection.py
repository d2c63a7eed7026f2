"""What `lotus:protectSources` protects on the real engine: connections with their cursors, and how one is removed."""

import pytest

from lotus_infra.clients.pulumi import Engine
from lotus_infra.commands.preview import run_preview
from lotus_infra.commands.review import ReviewRequest, review_losses
from lotus_infra.errors import LotusError
from tests.engine.lake import Document, Lake


def urns(lake: Lake, name: str) -> list[str]:
    """The URNs of a source and its connection, the connection first."""
    suffixes = (f"connection:Connection::{name}", f"source:Source::{name}")
    return [urn for suffix in suffixes for urn in lake.pulumi.resources() if urn.endswith(suffix)]


def protected(lake: Lake) -> set[tuple[str, str]]:
    """The kinds and names of the resources that the state marks as protected."""
    found = (urn for urn, resource in lake.pulumi.resources().items() if resource.get("protect"))
    return {(urn.split("::")[-2].split(":")[-1], urn.split("::")[-1]) for urn in found}


def test_a_state_of_before_previews_empty_and_no_destroy_deletes_a_connection(applied: Lake) -> None:
    pulumi = applied.pulumi
    pulumi.config_set("lotus:protectSources", "true")
    pulumi.preview("--expect-no-changes").ok()
    pulumi.up().ok()
    assert protected(applied) == {
        (kind, name) for kind in ("Source", "Connection") for name in ("faker", "klaviyo", "shopify")
    }
    applied.twin.clear_calls()

    pulumi.run("destroy", "--yes").failed()
    for arguments in ([], ["--continue-on-error"]):
        assert "Connection::shopify" in pulumi.destroy(*arguments).failed().output
    applied.remove("klaviyo")
    assert "Connection::klaviyo" in pulumi.up().failed().output

    assert applied.writes() == []
    assert len(applied.live("connections")) == 3


def test_a_connection_is_replaced_once_the_stack_acknowledges_it_and_is_protected_again(applied: Lake) -> None:
    pulumi = applied.pulumi
    pulumi.config_set("lotus:protectSources", "true")
    pulumi.up().ok()
    before = applied.one("connections", "Shopify → S3")
    applied.edit("_destinations/s3.json", lambda destination: destination["configuration"].update(s3_bucket_path="b"))
    other = (pulumi.project / "streams" / "_destinations" / "s3.json").read_text(encoding="utf-8")
    applied.edit("_destinations/s3.json", lambda destination: destination["configuration"].update(s3_bucket_path="raw"))
    (pulumi.project / "streams" / "_destinations" / "other.json").write_text(other, encoding="utf-8")
    applied.edit("_destinations/other.json", rename)
    applied.edit("shopify/_source.json", lambda source: source.update(destination="other"))
    with pytest.raises(LotusError, match='add "connection shopify" to lotus:acknowledge in the stack'):
        run_preview(Engine.around(pulumi.project / "streams", "test", pulumi.environment))

    pulumi.run("config", "set", "--path", "lotus:acknowledge[0]", "connection shopify").ok()
    file = pulumi.project / "preview.json"
    file.write_text(pulumi.preview("--json").ok().stdout, encoding="utf-8")
    gate = review_losses(ReviewRequest(file, pulumi.project / "streams")).gate
    assert (gate.ok, {loss.object for loss in gate.accepted}, gate.stale) == (True, {"connection shopify"}, ())
    pulumi.up().ok()

    assert applied.one("connections", "Shopify → Other")["connectionId"] != before["connectionId"]
    assert ("Connection", "shopify") not in protected(applied)
    pulumi.run("config", "rm", "lotus:acknowledge").ok()
    pulumi.preview("--expect-no-changes").ok()
    pulumi.up().ok()
    assert ("Connection", "shopify") in protected(applied)


def rename(destination: Document) -> None:
    destination["name"] = "Other"


def test_an_unprotected_source_is_removed_with_its_connection(applied: Lake) -> None:
    pulumi = applied.pulumi
    pulumi.config_set("lotus:protectSources", "true")
    pulumi.up().ok()
    applied.remove("klaviyo")

    pulumi.run("state", "unprotect", "--yes", *urns(applied, "klaviyo")).ok()
    pulumi.up().ok()

    assert [source["name"] for source in applied.live("sources")] == ["Faker", "Shopify"]
    assert len(applied.live("connections")) == 2
