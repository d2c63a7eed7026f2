"""Previews of sources with several connections, which Pulumi names `shopify` and `shopify/daily`."""

from collections.abc import Sequence

from lotus_infra.naming import LOSS_LABEL
from lotus_infra.plan.analysis import impact_of
from lotus_infra.plan.gate import gate
from lotus_infra.plan.impact import SourceImpact
from lotus_infra.plan.preview import read_preview
from tests.support.previews import (
    CONNECTION,
    CUSTOMERS,
    KLAVIYO,
    ORDERS,
    REFUNDS,
    SHOPIFY,
    SOURCE,
    UNKNOWN,
    Digest,
    Stream,
    actor,
    connection,
)


def losses(digest: Digest, *agreed: str) -> list[str]:
    """The losses that the gate blocks, as a person reads them."""
    found = gate(impact_of(read_preview(digest.text())), frozenset(agreed), (), LOSS_LABEL)
    return [f"{loss.object} {loss.what}" for loss in found.blocked]


def source_of(digest: Digest) -> SourceImpact:
    """The one source that changes."""
    [found] = impact_of(read_preview(digest.text())).sources
    return found


def moved(
    before: Sequence[Stream] = (CUSTOMERS, ORDERS),
    after: Sequence[Stream] = (CUSTOMERS,),
    there: Sequence[Stream] = (REFUNDS,),
    arrives: Sequence[Stream] = (ORDERS, REFUNDS),
) -> Digest:
    """Streams that leave the connection `shopify` and come to `shopify/daily`."""
    digest = Digest().step("update", CONNECTION, "shopify", connection(before), connection(after), "configurations")
    return digest.step("update", CONNECTION, "shopify/daily", connection(there), connection(arrives), "configurations")


def test_a_connection_belongs_to_the_source_before_the_slash() -> None:
    digest = Digest().step("same", SOURCE, "shopify", actor(), actor())
    digest.step("same", CONNECTION, "shopify", connection(), connection())
    digest.step("create", CONNECTION, "shopify/daily", None, connection([Stream("fulfillments")]))

    source = source_of(digest)

    assert (source.name, source.change) == ("shopify", "changed")
    [daily] = source.connections
    assert (daily.name, daily.change) == ("shopify/daily", "added")
    assert [stream.name for stream in daily.streams] == ["fulfillments"]


def test_several_connections_of_a_source_change_each_for_itself() -> None:
    digest = Digest().step("update", SOURCE, "shopify", actor(), actor(name="Store"), "name")
    digest.step("update", CONNECTION, "shopify/daily", connection(), connection(prefix="x_"), "prefix")
    digest.step("delete", CONNECTION, "shopify/hourly", connection([REFUNDS]))

    source = source_of(digest)

    assert [(each.name, each.change) for each in source.connections] == [
        ("shopify/daily", "changed"),
        ("shopify/hourly", "removed"),
    ]
    assert source.connections[0].cursors.lost in (None, {})
    assert list(source.connections[1].cursors.lost or ()) == ["order_refunds"]


def test_a_deleted_connection_is_a_loss_by_its_own_name() -> None:
    digest = Digest().step("delete", CONNECTION, "shopify/daily", connection())

    assert losses(digest) == ["connection shopify/daily is deleted, with every cursor; files in the bucket stay"]
    assert losses(digest, "connection shopify")
    assert not losses(digest, "connection shopify/daily")


def test_a_deleted_source_includes_all_of_its_connections_and_no_namesake() -> None:
    digest = Digest().step("delete", SOURCE, "shopify", actor())
    for name in ("shopify", "shopify/daily", "shopify_eu/daily"):
        digest.step("delete", CONNECTION, name, connection())

    assert [each.partition(" is ")[0] for each in losses(digest)] == [
        "connection shopify_eu/daily",
        "source shopify",
    ]


def test_a_replaced_source_decides_about_the_cursors_of_every_connection() -> None:
    def replaced(definition: str) -> list[str]:
        digest = Digest()
        digest.step("replace", SOURCE, "shopify", actor(), actor(definitionId=definition), "workspaceId")
        for name, stream in (("shopify", CUSTOMERS), ("shopify/daily", ORDERS)):
            old, new = connection([stream]), connection([stream], sourceId=UNKNOWN)
            digest.step("replace", CONNECTION, name, old, new, "sourceId")
        return [each.partition(" its ")[0] for each in losses(digest) if each.startswith("stream ")]

    assert replaced(SHOPIFY) == []
    assert replaced(KLAVIYO) == ["stream shopify/customers", "stream shopify/orders"]


def test_a_stream_that_moves_to_another_connection_loses_its_cursor() -> None:
    [loss] = losses(moved())

    assert loss == (
        "stream shopify/orders its cursor is lost, because it moves from the connection shopify to shopify/daily, "
        "which reads it from the beginning"
    )
    assert not losses(moved(), "stream shopify/orders")
    hourly, daily = source_of(moved()).connections
    assert hourly.cursors.lost == {"orders": "it moves to the connection shopify/daily"}
    [there] = daily.streams
    assert there.cursor.startswith(
        "from the beginning, or from its old cursor if this connection had the stream before"
    )
    assert there.cursor.endswith("; it comes from the connection shopify")


def test_a_stream_without_a_cursor_moves_without_a_loss() -> None:
    whole = ORDERS.but(mode="full_refresh_append")

    assert losses(moved(before=(CUSTOMERS, whole), arrives=(REFUNDS, whole))) == []


def test_a_stream_of_another_namespace_is_another_stream() -> None:
    public, app = (ORDERS.but(namespace=name) for name in ("public", "app"))

    assert losses(moved(before=(CUSTOMERS, public), arrives=(REFUNDS, app))) == []
    assert len(losses(moved(before=(CUSTOMERS, public), arrives=(REFUNDS, public)))) == 1


def test_another_namespace_is_a_removed_and_an_added_stream() -> None:
    public, app = (ORDERS.but(namespace=name) for name in ("public", "app"))
    digest = Digest().step(
        "update", CONNECTION, "shopify/daily", connection([public]), connection([app]), "configurations"
    )

    [daily] = source_of(digest).connections

    assert [(each.name, each.change) for each in daily.streams] == [
        ("orders (namespace app)", "added"),
        ("orders (namespace public)", "removed"),
    ]


def test_a_namespace_that_the_file_adds_to_the_one_of_the_server_is_no_other_stream() -> None:
    bare, public = ORDERS, ORDERS.but(namespace="public")
    digest = Digest().step("update", CONNECTION, "shopify", connection([bare]), connection([public]), "configurations")

    [only] = source_of(digest).connections

    assert [(each.name, each.change) for each in only.streams] == [("orders (namespace public)", "changed")]
    assert losses(digest) == []


def test_another_key_of_a_connection_says_what_its_replacement_loses() -> None:
    digest = Digest().step("delete", CONNECTION, "shopify/daily", connection([CUSTOMERS, ORDERS]))
    digest.step("create", CONNECTION, "shopify/nightly", None, connection([CUSTOMERS, ORDERS]))

    [loss] = losses(digest)
    assert loss == (
        "connection shopify/daily is deleted, with every cursor; files in the bucket stay; customers, orders move to "
        "the connection shopify/nightly, which reads them from the beginning"
    )
    nightly = next(each for each in source_of(digest).connections if each.change == "added")
    assert {each.cursor for each in nightly.streams} == {
        "from the beginning; it comes from the connection shopify/daily"
    }


def test_a_stream_of_two_connections_is_lost_in_each_for_itself() -> None:
    whole = ORDERS.but(mode="full_refresh_append")
    digest = Digest()
    for name in ("shopify", "shopify/daily"):
        digest.step("update", CONNECTION, name, connection([ORDERS]), connection([whole]), "configurations")

    assert losses(digest) == [
        "stream shopify/orders its cursor in the connection shopify/daily is lost, because its sync mode changes",
        "stream shopify/orders its cursor is lost, because its sync mode changes",
    ]
    assert not losses(digest, "stream shopify/orders")


def test_a_stream_that_a_second_connection_takes_too_stays_in_the_first() -> None:
    digest = Digest().step("same", CONNECTION, "shopify", connection([ORDERS]), connection([ORDERS]))
    digest.step("create", CONNECTION, "shopify/daily", None, connection([ORDERS]))

    assert losses(digest) == []
    [daily] = source_of(digest).connections
    assert daily.streams[0].cursor == "from the beginning"


def test_a_stream_that_moves_to_a_connection_with_another_destination_goes_to_another_place() -> None:
    digest = Digest().step("delete", CONNECTION, "shopify/daily", connection([ORDERS, CUSTOMERS]))
    new = connection([ORDERS.but(mode="full_refresh_append")], destinationId="destination-2")
    digest.step("create", CONNECTION, "shopify/nightly", None, new)

    connections, streams = (
        [each for each in losses(digest) if each.startswith(kind)] for kind in ("connection ", "stream ")
    )
    assert len(connections) == 1
    [stream] = streams
    assert stream == (
        "stream shopify/orders writes to another destination, because it moves to the connection shopify/nightly: new "
        "rows go there, and existing rows stay in the old one"
    )


def test_a_stream_that_moves_to_another_namespace_of_the_destination_says_so() -> None:
    digest = moved()
    digest.steps[-1]["newState"]["inputs"]["namespaceFormat"] = "elsewhere"

    [daily] = [each for each in source_of(digest).connections if each.name == "shopify/daily"]

    [remark] = daily.streams[0].remarks
    assert remark == (
        "new rows land under another namespace or prefix than those of the connection shopify: existing rows stay "
        "where they are"
    )


def test_a_stream_that_loses_its_hashing_on_the_way_to_another_connection_is_exposed() -> None:
    settings = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    hashed = ORDERS.but(mode="full_refresh_append", mappers=({"type": "hashing", "mapperConfiguration": settings},))
    clear = ORDERS.but(mode="full_refresh_append")

    assert losses(moved(before=(CUSTOMERS, hashed), arrives=(REFUNDS, clear))) == [
        "stream shopify/orders email lands in the clear from now on: it is no longer hashed"
    ]
    assert losses(moved(before=(CUSTOMERS, clear), arrives=(REFUNDS, hashed))) == []


def test_secret_streams_close_the_gate_for_their_connection_only() -> None:
    secret = connection(configurations="[secret]")
    digest = Digest().step("update", CONNECTION, "shopify/daily", secret, secret, "configurations")

    assert [each.partition(" changes")[0] for each in losses(digest)] == ["connection shopify/daily"]
    assert not losses(digest, "connection shopify/daily")
