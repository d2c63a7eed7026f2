"""What stops a pull request, and what lets it through."""

from collections.abc import Callable

import pytest

from lotus_infra.changes.acknowledge import acknowledged
from lotus_infra.changes.digest import read
from lotus_infra.changes.gate import Gate, gate
from lotus_infra.changes.judge import impact_of
from lotus_infra.errors import LotusError
from lotus_infra.naming import LOSS_LABEL
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
    return gate(impact_of(read(digest.text())), acknowledged(list(agreed)), labels, LOSS_LABEL)


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
    "a deletion of a kind that nobody knows": (lambda: Digest().step("delete", "x:y/z:Thing", "a", {}), ["Thing a"]),
    "a bucket in another's place": (
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
    "a stream that is read as a whole": (
        lambda: orders_become(ORDERS.but(mode="full_refresh_append")),
        ["stream shopify/orders"],
    ),
    "a source of another connector": (
        lambda: replaced(KLAVIYO),
        ["stream shopify/customers", "stream shopify/orders"],
    ),
    "a source that the preview does not show": (
        lambda: orders_become(ORDERS, "replace", sourceId=UNKNOWN),
        ["stream shopify/customers", "stream shopify/orders"],
    ),
}
FREE: dict[str, Callable[[], Digest]] = {
    "a source of the same connector": lambda: replaced(SHOPIFY),
    "a cursor's other field, which Airbyte keeps the cursor for": lambda: orders_become(ORDERS.but(cursor="id")),
    "a stream that goes, whose files and cursor stay": lambda: orders_become(CUSTOMERS.but(name="customers_2")),
    "a bucket that is only left alone": lambda: Digest().step("delete", BUCKET, "state", {}, retainOnDelete=True),
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
def test_what_loses_nothing_is_free(what: str) -> None:
    assert judged(FREE[what]()).ok


def test_the_label_lets_pass_what_an_update_does_not_refuse_by_itself() -> None:
    update, replacement = orders_become(ORDERS.but(mode="full_refresh_append")), replaced(KLAVIYO)

    assert judged(update, labels=("bug", LOSS_LABEL)).ok
    assert not judged(update, labels=("bug",)).ok
    assert not judged(replacement, labels=(LOSS_LABEL,)).ok


def test_an_acknowledgement_in_vain_is_told_and_blocks_nothing() -> None:
    found = judged(Digest(), "stream shopify/orders")

    assert found.ok
    assert found.stale == ("stream shopify/orders",)


def test_a_preview_that_failed_never_passes() -> None:
    digest = Digest().said("error: no", severity="error")

    assert not judged(digest, labels=(LOSS_LABEL,)).ok


def test_events_of_a_replacement_are_one_and_a_secret_in_them_stays_one() -> None:
    old, new = replaced(KLAVIYO), Digest()
    new.steps = [{**old.steps[0], "op": "create-replacement"}, *old.steps, {**old.steps[0], "op": "delete-replaced"}]

    assert impact_of(read(new.text())) == impact_of(read(old.text()))
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
    places = ("configuration.password", "configuration.shop")
    rotated = Digest().step(
        "update", SOURCE, "a", actor({"password": hidden}), actor({"password": hidden, "shop": "b"}), *places
    )
    [source] = impact_of(read(rotated.text())).sources
    assert source.secrets == ("configuration.password",)
    assert [(each.name, each.after) for each in source.settings] == [("configuration.shop", "b")]


@pytest.mark.parametrize("value", ["stream shopify/orders", {"a": 1}, ["orders"], [1]])
def test_what_is_no_list_of_objects_is_told(value: object) -> None:
    with pytest.raises(LotusError, match="lotus:acknowledge is no list of objects: pulumi config set --path"):
        acknowledged(value)


def test_the_list_is_read_as_yaml_and_as_the_engine_hands_it_out() -> None:
    assert acknowledged(["source a"]) == acknowledged('["source a"]') == {"source a"}
    assert acknowledged(None) == frozenset()


def test_first_rules_of_a_bucket_that_has_data_let_it_expire() -> None:
    rules = {"rules": [{"id": "raw", "status": "Enabled", "expiration": {"days": 1}}]}
    asked = Digest().step("create", LIFECYCLE, "landing", None, rules)
    assert objects(judged(asked)) == ["bucket landing"]
    assert judged(asked.step("create", BUCKET, "landing", None, {})).ok


def test_what_one_step_leaves_as_it_is_may_still_go_in_a_later_one() -> None:
    asked = Digest().step("same", BUCKET, "landing", {}, {}).step("delete", BUCKET, "landing", {})
    assert objects(judged(asked)) == ["bucket landing"]


def test_a_preview_without_a_step_says_nothing() -> None:
    assert not gate(impact_of(read('{\n"changeSummary": {}}')), frozenset(), (), LOSS_LABEL).ok


def namesakes(**overrides: object) -> Digest:
    """Two streams of one name, which come to be overwritten."""
    old = [ORDERS.but(namespace=namespace) for namespace in ("sales", "hr")]
    new = [stream.but(mode="full_refresh_overwrite") for stream in old]
    return Digest().step("update", CONNECTION, "shop", connection(old), connection(new, **overrides), "configurations")


def test_streams_of_one_name_are_lost_each_by_itself() -> None:
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
def test_streams_that_a_preview_hides_are_not_called_safe(hidden: object, op: str) -> None:
    secret = connection(configurations=hidden)
    for old, new in ((secret, secret), (connection(), secret), (secret, connection())):
        digest = Digest().step(op, CONNECTION, "shop", old, new, "configurations")
        assert objects(judged(digest)) == ["connection shop"]
        assert judged(digest, "connection shop").ok


def test_secret_streams_that_stay_hold_nothing_up() -> None:
    secret = connection(configurations="[secret]")
    digest = Digest().step("update", CONNECTION, "shop", secret, {**secret, "prefix": "p_"}, "prefix")
    assert judged(digest).ok


def test_a_replaced_connection_keeps_its_cursors_only_where_both_sources_are_seen_to_be_of_one_connector() -> None:
    def lost(*sources: tuple[str, str], **new: object) -> list[str]:
        digest = Digest()
        for name, definition in sources:
            digest.step("replace", SOURCE, name, actor(), actor(definitionId=definition), "workspaceId")
        old = connection([CUSTOMERS, ORDERS])
        return objects(judged(digest.step("replace", CONNECTION, "shopify", old, old | new, *new)))

    both = ["stream shopify/customers", "stream shopify/orders"]
    assert lost(("shopify", SHOPIFY), sourceId=UNKNOWN) == []
    assert lost(("shopify", KLAVIYO), sourceId=UNKNOWN) == both
    assert lost(("klaviyo", SHOPIFY), sourceId=UNKNOWN) == both
    assert lost(sourceId=UNKNOWN) == both
    assert lost(sourceId="source-klaviyo") == both
    assert lost(destinationId=UNKNOWN) == []
