"""What a lake's files say of connections and streams that a preview names: destinations, files, acknowledgements."""

from pathlib import Path
from typing import Any

import pytest

from lotus_infra.lake.loader import load_lake
from lotus_infra.naming import LOSS_LABEL
from lotus_infra.plan.addresses import Files, targets
from lotus_infra.plan.analysis import impact_of, main_steps
from lotus_infra.plan.gate import Gate, gate
from lotus_infra.plan.preview import read_preview
from tests.support.lakes import clean_files, destination, source, stream, write
from tests.support.previews import CONNECTION, DESTINATION, ORDERS, SOURCE, UNKNOWN, Digest, Stream, actor, connection

Document = dict[str, Any]
CONNECTIONS: Document = {
    "hourly": {"destination": "s3", "streams": ["orders"]},
    "daily": {"destination": "eu", "streams": ["orders", "accounts", "app_orders"]},
}


def files(folder: Path, **more: Document) -> Files:
    """A lake whose source `shop` has two connections, and streams of any name."""
    only = {key: value for key, value in source(connections=CONNECTIONS).items() if key != "destination"}
    lake = clean_files() | {
        "_destinations/eu.json": destination(),
        "shop/_source.json": only,
        "shop/orders.json": stream(namespace="public"),
        "shop/app_orders.json": stream(namespace="app"),
        "shop/accounts.json": stream(stream="Account Details"),
        "shop/_discovered/orders.json": None,
    }
    return Files(load_lake(write(folder, lake | {f"shop/{name}.json": each for name, each in more.items()})).lake)


def judged(digest: Digest, files: Files, *agreed: str) -> Gate:
    return gate(impact_of(read_preview(digest.text()), files=files), frozenset(agreed), (), LOSS_LABEL)


def test_each_connection_has_its_own_destination(tmp_path: Path) -> None:
    lake = files(tmp_path)

    assert lake.destination_of("shop/hourly") == "s3"
    assert lake.destination_of("shop/daily") == "eu"
    assert lake.destination_of("shop") is None
    assert lake.destination_of("shop/weekly") is None


def test_a_connection_of_a_replaced_destination_stays_with_it_and_others_move(tmp_path: Path) -> None:
    lake = files(tmp_path)

    def blocked(name: str) -> list[str]:
        digest = Digest().step("replace", DESTINATION, "eu", actor(), actor(workspaceId="w-2"), "workspaceId")
        old, new = connection([ORDERS], destinationId="destination-eu"), connection([ORDERS], destinationId=UNKNOWN)
        digest.step("replace", CONNECTION, name, old, new, "destinationId")
        return [loss.object for loss in judged(digest, lake).blocked if loss.kind == "connection"]

    assert blocked("shop/daily") == []
    assert blocked("shop/hourly") == ["connection shop/hourly"]


def test_a_further_connection_to_another_destination_is_an_exposure(tmp_path: Path) -> None:
    def blocked(*names: str) -> list[str]:
        digest = Digest()
        for name in names:
            digest.step("create", CONNECTION, name, None, connection([ORDERS], destinationId=UNKNOWN))
        return [f"{loss.object} {loss.effect}" for loss in judged(digest, files(tmp_path)).blocked]

    assert blocked("shop/daily") == ["connection shop/daily exposes"]
    # A source without a connection, such as a new one, sends its streams nowhere yet.
    assert blocked("shop/daily", "shop/hourly") == []
    assert blocked("shop/weekly") == []


def test_a_target_lists_where_each_new_connection_writes(tmp_path: Path) -> None:
    digest = Digest()
    spaces = [ORDERS.but(namespace=space) for space in ("public", "app")]
    digest.step("create", CONNECTION, "shop/hourly", None, connection(spaces, namespaceDefinition="destination"))
    formatted = connection(spaces, namespaceFormat="shop_${SOURCE_NAMESPACE}", prefix="x_")
    digest.step("create", CONNECTION, "shop/daily", None, formatted)
    digest.step("create", CONNECTION, "shop/own", None, connection(spaces, namespaceDefinition="source"))

    [target] = targets(main_steps(read_preview(digest.text())), files(tmp_path))

    found = {each.connection: (each.destination, each.namespace, each.places) for each in target.writes}
    assert (target.kind, target.name) == ("source", "shop")
    assert found == {
        "shop/hourly": ("s3", "", ("orders",)),
        "shop/daily": ("eu", "shop_${SOURCE_NAMESPACE}/x_", ("shop_app/x_orders", "shop_public/x_orders")),
        "shop/own": ("destination-1", "${SOURCE_NAMESPACE}", ("app/orders", "public/orders")),
    }


def overwritten(stream: Stream) -> Digest:
    new = stream.but(mode="full_refresh_overwrite")
    return Digest().step("update", CONNECTION, "shop/daily", connection([stream]), connection([new]), "configurations")


@pytest.mark.parametrize(
    "name", ["stream shop/Account Details", "stream shop/accounts"], ids=["by its own name", "by its file's"]
)
def test_a_stream_of_any_name_is_acknowledged_by_its_name_or_its_file(tmp_path: Path, name: str) -> None:
    digest = overwritten(Stream("Account Details"))

    assert [loss.object for loss in judged(digest, files(tmp_path)).blocked] == ["stream shop/Account Details"]
    found = judged(digest, files(tmp_path), name)
    assert (found.ok, found.stale) == (True, ())


def test_the_name_of_another_streams_file_acknowledges_nothing(tmp_path: Path) -> None:
    lake = files(tmp_path)
    app, public = (overwritten(ORDERS.but(namespace=space)) for space in ("app", "public"))

    assert judged(public, lake, "stream shop/orders").ok
    assert not judged(app, lake, "stream shop/orders").ok
    assert judged(app, lake, "stream shop/app_orders").ok
    assert judged(app, lake, "stream shop/orders (namespace app)").ok


def test_models_are_those_of_the_streams_files(tmp_path: Path) -> None:
    lake = files(tmp_path)

    assert lake.stream_files("shop/daily", ("app", "orders")) == ("app_orders",)
    assert lake.stream_files("shop/daily", (None, "Account Details")) == ("accounts",)
    # A stream of which the state has no namespace may be any of its name that the connection takes.
    assert lake.stream_files("shop/hourly", (None, "orders")) == ("orders",)
    # Of a stream without a file, the one that it had by default; never that of another stream.
    assert lake.stream_files("shop/daily", ("sales", "Leads & Deals")) == ("leads_deals",)
    assert lake.stream_files("shop/daily", ("sales", "orders")) == ("sales_orders",)


OWN_ID, STAGING_ID = "0c6f6f6e-7a33-4a6e-9d1d-0f6f7e1f0a11", "5d6f6f6e-7a33-4a6e-9d1d-0f6f7e1f0a22"
SPEC: Document = {
    "type": "object",
    "properties": {"opener": {"type": "string", "airbyte_secret": True}, "url": {"type": "string"}},
}


def own_connectors(folder: Path) -> Files:
    """A source of a connector of one's own, and one of a connector whose id differs by stack."""
    lake = clean_files() | {
        "_connectors/source-mine.json": {
            "connector": "source-mine",
            "version": "1.2.0",
            "image": {"repository": "example/source-mine", "tag": "1.2.0"},
            "spec": SPEC,
        },
        "_connectors/source-staged.json": {
            "connector": "source-staged",
            "definition_id": {"$config": "staged_definition"},
            "version": "2.0.0",
            "spec": SPEC,
        },
        "shop/_source.json": source(connector="source-mine", configuration={"opener": {"$secret": "shop_opener"}}),
        "other/_source.json": source(connector="source-staged", configuration={"opener": {"$secret": "other_opener"}}),
    }
    return Files(load_lake(write(folder, lake)).lake, {"staged_definition": STAGING_ID})


@pytest.mark.parametrize(
    ("name", "definition", "connector"),
    [
        ("shop", OWN_ID, "source-mine 1.2.0"),
        ("shop", UNKNOWN, "source-mine 1.2.0"),
        ("other", STAGING_ID, "source-staged 2.0.0"),
        ("other", OWN_ID, f"{OWN_ID} (not pinned)"),
    ],
)
def test_a_connector_of_ones_own_or_of_a_stack_is_found_by_the_file(
    tmp_path: Path, name: str, definition: str, connector: str
) -> None:
    lake = own_connectors(tmp_path)
    opened = actor({"opener": "[secret]", "url": "https://a.example.com"}, definitionId=definition)
    rotated = Digest().step("update", SOURCE, name, opened, opened, "configuration.opener")

    [target] = targets(main_steps(read_preview(rotated.text())), lake)

    assert target.connector is not None
    assert target.connector.after == connector
    # A pinned specification says that the hidden value is a secret and no address.
    assert judged(rotated, lake).ok is not connector.endswith("(not pinned)")


def test_a_source_that_leaves_a_connector_of_ones_own_has_another_connector(tmp_path: Path) -> None:
    lake = own_connectors(tmp_path)
    digest = Digest().step(
        "replace", SOURCE, "shop", actor(definitionId=STAGING_ID), actor(definitionId=UNKNOWN), "definitionId"
    )

    [target] = targets(main_steps(read_preview(digest.text())), lake)

    assert target.connector is not None
    assert (target.connector.before, target.connector.after) == ("source-staged 2.0.0", "source-mine 1.2.0")
    assert "source shop" in [loss.object for loss in judged(digest, lake).blocked]


def test_the_key_of_a_mapper_has_its_stream_as_a_reader(tmp_path: Path) -> None:
    key = {"type": "encryption", "configuration": {"algorithm": "AES", "key": {"$secret": "shop_opener"}}}
    lake = clean_files() | {
        "shop/orders.json": stream(mappers=[key]),
        "other/_source.json": source(configuration={"password": {"$secret": "shop_opener"}}),
    }
    added = Digest().step("create", SOURCE, "other", None, actor({"password": "[secret]"}))

    [target] = targets(main_steps(read_preview(added.text())), Files(load_lake(write(tmp_path, lake)).lake))

    assert [(each.name, each.readers) for each in target.secrets] == [("shop_opener", ("stream shop/orders",))]
