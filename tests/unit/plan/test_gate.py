"""Losses that block a pull request, and what accepts them."""

from collections.abc import Callable

import pytest

from lotus_infra.naming import LOSS_LABEL
from lotus_infra.plan.analysis import impact_of
from lotus_infra.plan.gate import Gate, gate
from lotus_infra.plan.preview import read_preview
from tests.support.previews import (
    CONNECTION,
    CUSTOMERS,
    DESTINATION,
    KLAVIYO,
    ORDERS,
    SHOPIFY,
    SOURCE,
    UNKNOWN,
    Digest,
    Stream,
    actor,
    connection,
)

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


def judged(digest: Digest, *agreed: str, labels: tuple[str, ...] = ()) -> Gate:
    return gate(impact_of(read_preview(digest.text())), frozenset(agreed), labels, LOSS_LABEL)


def objects(found: Gate) -> list[str]:
    return [loss.object for loss in found.blocked]


def orders_become(stream: Stream, op: str = "update", **overrides: object) -> Digest:
    old, new = connection([CUSTOMERS, ORDERS]), connection([CUSTOMERS, stream], **overrides)
    return Digest().step(op, CONNECTION, "shopify", old, new, "configurations")


def replaced(definition: str) -> Digest:
    new = connection([CUSTOMERS, ORDERS], sourceId=UNKNOWN)
    return (
        Digest()
        .step("replace", SOURCE, "shopify", actor(), actor(definitionId=definition), "workspaceId")
        .step("replace", CONNECTION, "shopify", connection([CUSTOMERS, ORDERS]), new, "sourceId")
    )


def rules(days: int) -> dict[str, object]:
    return {"rules": [{"id": "expired-raw", "status": "Enabled", "expiration": {"days": days}}]}


BLOCKED: dict[str, tuple[Callable[[], Digest], list[str]]] = {
    "a deleted destination": (lambda: Digest().step("delete", DESTINATION, "s3", actor()), ["destination s3"]),
    "a deleted connection": (lambda: Digest().step("delete", CONNECTION, "a", connection()), ["connection a"]),
    "a deletion of an unknown kind": (lambda: Digest().step("delete", "x:y/z:Thing", "a", {}), ["Thing a"]),
    "a replaced bucket": (
        lambda: Digest().step("replace", BUCKET, "landing", {"bucket": "a"}, {"bucket": "b"}, "bucket"),
        ["bucket landing"],
    ),
    "a bucket that may be emptied": (
        lambda: Digest().step("update", BUCKET, "landing", {}, {"forceDestroy": True}, "forceDestroy"),
        ["bucket landing"],
    ),
    "a protection that ends": (
        lambda: Digest().step("same", BUCKET, "landing", {}, {}, protect=True),
        ["bucket landing"],
    ),
    "raw data that expires sooner": (
        lambda: Digest().step("update", LIFECYCLE, "landing", rules(90), rules(30), "rules"),
        ["bucket landing"],
    ),
    "a stream that is no longer incremental": (
        lambda: orders_become(ORDERS.but(mode="full_refresh_append")),
        ["stream shopify/orders"],
    ),
    "a source that moves to another workspace": (
        lambda: replaced(SHOPIFY),
        ["source shopify"],
    ),
    "a source of another connector": (
        lambda: replaced(KLAVIYO),
        ["source shopify", "source shopify", "stream shopify/customers", "stream shopify/orders"],
    ),
    "a source that the preview does not show": (
        lambda: orders_become(ORDERS, "replace", sourceId=UNKNOWN),
        ["stream shopify/customers", "stream shopify/orders"],
    ),
}
FREE: dict[str, Callable[[], Digest]] = {
    "another cursor field, for which Airbyte keeps the cursor": lambda: orders_become(ORDERS.but(cursor="id")),
    "a removed stream, whose files and cursor stay": lambda: orders_become(CUSTOMERS.but(name="customers_2")),
    "a bucket that is only forgotten": lambda: Digest().step("delete", BUCKET, "state", {}, retainOnDelete=True),
    "raw data that stays longer": lambda: Digest().step("update", LIFECYCLE, "landing", rules(30), rules(90), "rules"),
    "a component": lambda: Digest().step("delete", "lotus:airbyte:Pipeline", "shopify", {}),
}


@pytest.mark.parametrize("what", BLOCKED)
def test_a_loss_is_blocked_until_its_object_is_acknowledged(what: str) -> None:
    made, lost = BLOCKED[what]

    assert objects(judged(made())) == lost
    assert not judged(made()).ok
    assert judged(made(), *lost).ok
    assert objects(judged(made(), *(f"{each}-2" for each in lost))) == lost


@pytest.mark.parametrize("what", FREE)
def test_an_update_without_a_loss_passes(what: str) -> None:
    assert judged(FREE[what]()).ok


def test_the_label_accepts_every_loss_that_an_update_does_not_refuse() -> None:
    update, replacement = orders_become(ORDERS.but(mode="full_refresh_append")), replaced(KLAVIYO)

    assert judged(update, labels=("bug", LOSS_LABEL)).ok
    assert not judged(update, labels=("bug",)).ok
    assert not judged(replacement, labels=(LOSS_LABEL,)).ok


def test_a_stale_acknowledgement_is_reported_and_blocks_nothing() -> None:
    found = judged(Digest(), "stream shopify/orders")

    assert found.ok
    assert found.stale == ("stream shopify/orders",)


def test_a_preview_that_failed_never_passes() -> None:
    digest = Digest().said("error: no", severity="error")

    assert not judged(digest, labels=(LOSS_LABEL,)).ok


def test_the_events_of_a_replacement_count_once_and_their_secrets_stay_hidden() -> None:
    old, new = replaced(KLAVIYO), Digest()
    new.steps = [{**old.steps[0], "op": "create-replacement"}, *old.steps, {**old.steps[0], "op": "delete-replaced"}]

    assert impact_of(read_preview(new.text())) == impact_of(read_preview(old.text()))
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    paths = ("configuration.password", "configuration.shop")
    rotated = Digest().step(
        "update", SOURCE, "a", actor({"password": hidden}), actor({"password": hidden, "shop": "b"}), *paths
    )
    [source] = impact_of(read_preview(rotated.text())).sources
    assert source.details.secrets == ("configuration.password",)
    assert [(each.name, each.after) for each in source.details.settings] == [("configuration.shop", "b")]


def test_the_first_rules_of_an_existing_bucket_expire_its_data() -> None:
    rules = {"rules": [{"id": "raw", "status": "Enabled", "expiration": {"days": 1}}]}
    asked = Digest().step("create", LIFECYCLE, "landing", None, rules)
    assert objects(judged(asked)) == ["bucket landing"]
    assert judged(asked.step("create", BUCKET, "landing", None, {})).ok


def test_an_object_may_be_unchanged_in_one_step_and_deleted_in_a_later_one() -> None:
    asked = Digest().step("same", BUCKET, "landing", {}, {}).step("delete", BUCKET, "landing", {})
    assert objects(judged(asked)) == ["bucket landing"]


def test_a_preview_without_a_step_does_not_pass() -> None:
    assert not gate(impact_of(read_preview('{\n"changeSummary": {}}')), frozenset(), (), LOSS_LABEL).ok


def namesakes(**overrides: object) -> Digest:
    """Two streams of one name, which become overwritten."""
    old = [ORDERS.but(namespace=namespace) for namespace in ("sales", "hr")]
    new = [stream.but(mode="full_refresh_overwrite") for stream in old]
    return Digest().step("update", CONNECTION, "shop", connection(old), connection(new, **overrides), "configurations")


def test_streams_of_one_name_are_acknowledged_one_by_one() -> None:
    both = ["stream shop/orders (namespace hr)", "stream shop/orders (namespace sales)"]
    assert objects(judged(namesakes())) == both
    assert objects(judged(namesakes(), both[0])) == both[1:]
    assert objects(judged(namesakes(), "stream shop/orders")) == both
    assert judged(namesakes(), *both).ok


def test_a_stream_may_be_acknowledged_as_its_file_names_it() -> None:
    old, new = (ORDERS.but(namespace="sales", mode=mode) for mode in ("incremental_append", "full_refresh_overwrite"))
    digest = Digest().step("update", CONNECTION, "shop", connection([old]), connection([new]), "configurations")
    for name in ("stream shop/orders", "stream shop/orders (namespace sales)"):
        found = judged(digest, name)
        assert found.ok
        assert found.stale == ()


SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}


@pytest.mark.parametrize("hidden", ["[secret]", SECRET], ids=["in a digest", "in an event"])
@pytest.mark.parametrize("op", ["update", "replace"])
def test_changes_of_hidden_streams_are_losses(hidden: object, op: str) -> None:
    secret = connection(configurations=hidden)
    for old, new in ((secret, secret), (connection(), secret), (secret, connection())):
        digest = Digest().step(op, CONNECTION, "shop", old, new, "configurations")
        assert objects(judged(digest)) == ["connection shop"]
        assert judged(digest, "connection shop").ok


def test_unchanged_secret_streams_block_nothing() -> None:
    secret = connection(configurations="[secret]")
    digest = Digest().step("update", CONNECTION, "shop", secret, {**secret, "prefix": "p_"}, "prefix")
    assert judged(digest).ok


def test_a_replaced_connection_keeps_its_cursors_only_where_both_sources_are_seen_to_be_of_one_connector() -> None:
    def lost(*sources: tuple[str, str], **new: object) -> list[str]:
        digest = Digest()
        for name, definition in sources:
            digest.step("replace", SOURCE, name, actor(), actor(definitionId=definition), "workspaceId")
        old = connection([CUSTOMERS, ORDERS])
        found = objects(judged(digest.step("replace", CONNECTION, "shopify", old, {**old, **new}, *new)))
        return [each for each in found if each.startswith("stream ")]

    both = ["stream shopify/customers", "stream shopify/orders"]
    assert lost(("shopify", SHOPIFY), sourceId=UNKNOWN) == []
    assert lost(("shopify", KLAVIYO), sourceId=UNKNOWN) == both
    assert lost(("klaviyo", SHOPIFY), sourceId=UNKNOWN) == both
    assert lost(sourceId=UNKNOWN) == both
    assert lost(sourceId="source-klaviyo") == both
    assert lost(destinationId=UNKNOWN) == []
