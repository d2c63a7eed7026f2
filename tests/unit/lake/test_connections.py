"""A source with several connections, and streams whose names are not those of their files."""

from pathlib import Path
from typing import Any

import pytest

from lotus_infra import naming
from lotus_infra.lake.lake import Connection, Lake, StreamFile
from lotus_infra.lake.loader import load_lake
from tests.support.lakes import Document, clean_files, destination, discovered, problems_of, source, stream, write

OTHER = {"_destinations/copy.json": destination(name="Copy")}


def listed(**connections: Document) -> Document:
    """The clean source's file with these connections."""
    return {key: value for key, value in source().items() if key != "destination"} | {"connections": connections}


def lake_of(directory: Path, changes: dict[str, Any]) -> Lake:
    loaded = load_lake(write(directory, clean_files() | OTHER | changes))
    assert loaded.diagnostics == ()
    return loaded.lake


def connections_of(lake: Lake) -> dict[str, Connection]:
    return {each.resource: each for each in lake.connections}


def streams_of(lake: Lake) -> dict[str, StreamFile]:
    return {each.name: each for each in lake.streams}


def test_the_short_form_is_one_connection_with_the_name_of_its_source(tmp_path: Path) -> None:
    short = lake_of(tmp_path / "short", {"shop/_source.json": source(prefix="eu_")})
    long = lake_of(tmp_path / "long", {"shop/_source.json": listed(shop={"destination": "s3", "prefix": "eu_"})})

    [one], [other] = short.connections, long.connections
    assert (one.resource, one.config.prefix) == (other.resource, other.config.prefix) == ("shop", "eu_")
    assert (one.path("prefix"), other.path("prefix")) == (("prefix",), ("connections", "shop", "prefix"))


def test_each_connection_takes_its_streams_to_its_destination(tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path,
        {
            "shop/_source.json": listed(shop={}, daily={"destination": "copy", "streams": ["refunds"]}),
            "shop/refunds.json": stream(stream="refunds"),
            "shop/_discovered/refunds.json": discovered(stream="refunds"),
        },
    )

    found = connections_of(lake)
    assert {name: [each.name for each in one.streams] for name, one in found.items()} == {
        "shop": ["orders", "refunds"],
        "shop/daily": ["refunds"],
    }
    [folder] = lake.sources
    labels = [lake.connection_label(folder, each) for each in folder.connections]
    assert labels == ["Shop → S3", "Shop Daily → Copy"]


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ({}, "raw/shop/orders/"),
        ({"namespace": "Big-Shop"}, "raw/Big-Shop/orders/"),
        ({"namespace": "x_${SOURCE_NAMESPACE}"}, "raw/x_app/orders/"),
        ({"namespace_definition": "source"}, "raw/app/orders/"),
        ({"namespace_definition": "destination"}, "raw/orders/"),
        ({"namespace": "", "prefix": "My "}, "raw/My_orders/"),
    ],
)
def test_a_stream_is_written_where_its_connection_says(settings: Document, written: str, tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path,
        {
            "shop/_source.json": source(**settings),
            "shop/_discovered/orders.json": None,
            "shop/_discovered/orders@app.json": discovered(namespace="app"),
        },
    )

    [folder] = lake.sources
    assert lake.prefix_of(folder, folder.streams[0]) == written


def test_two_schemas_with_one_table_are_two_streams(tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path,
        {
            "shop/_source.json": source(namespace="${SOURCE_NAMESPACE}"),
            "shop/orders.json": stream(namespace="app"),
            "shop/old_orders.json": stream(namespace="old"),
            "shop/_discovered/orders.json": None,
            "shop/_discovered/orders@app.json": discovered(namespace="app"),
            "shop/_discovered/orders@old.json": discovered(namespace="old", fields={"id": {"type": "integer"}}),
        },
    )

    streams = streams_of(lake)
    assert [streams[name].identity for name in ("orders", "old_orders")] == [("app", "orders"), ("old", "orders")]
    assert [len(each.discovered.fields) for each in streams.values() if each.discovered] == [1, 6]


def test_a_stream_without_fields_has_all_that_were_discovered(tmp_path: Path) -> None:
    everything = {key: value for key, value in stream().items() if key != "fields"}
    lake = lake_of(tmp_path, {"shop/orders.json": everything})

    found = streams_of(lake)["orders"]
    assert found.config.takes_all
    assert [*found.fields] == ["id", "email", "updated_at", "created_at", "address", "lines"]


@pytest.mark.parametrize("file", ["default", "of any name"])
@pytest.mark.parametrize("name", ["Account", "Sheet 1", "app.users", "ab-tests", "表", "a/b", "it's 🎉", " "])
def test_a_streams_file_may_have_another_name_than_the_stream(name: str, file: str, tmp_path: Path) -> None:
    file = naming.stream_file(name) if file == "default" else file
    offer = {f"shop/_discovered/{file}.json": discovered(stream=name)}
    changes = {"shop/orders.json": stream(stream=name), "shop/_discovered/orders.json": None}

    lake = lake_of(tmp_path, changes | offer)

    assert streams_of(lake)["orders"].discovered is not None


def test_settings_beside_connections_are_reported_at_their_line(tmp_path: Path) -> None:
    both = source(connections={"shop": {}})

    assert problems_of(tmp_path, {"shop/_source.json": both}) == [
        (
            'shop/_source.json:7: destination: is a setting of a connection beside "connections": '
            "move it into each of the connections"
        )
    ]


def test_a_connection_names_files_of_its_source(tmp_path: Path) -> None:
    changes = {"shop/_source.json": listed(shop={"streams": ["ordrs"]})}

    assert [problem.split(": ", 1)[1] for problem in problems_of(tmp_path, changes)] == [
        "connections.shop: has no streams: select a stream, or delete the connection",
        'connections.shop.streams[0]: "ordrs" is no stream file of the source "shop": did you mean "orders"?',
        (
            '(file): is taken by no connection of its source: name it in the "streams" of a connection in '
            'shop/_source.json, or write "selected": false'
        ),
    ]


def test_a_stream_that_two_connections_write_to_one_place_is_reported(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/_source.json": listed(shop={}, daily={})})

    assert [problem.split(": ", 2)[2] for problem in problems] == [
        (
            'the prefix "raw/shop/orders/" is already that of another connection that takes it: '
            "give one of the two another namespace or prefix"
        )
    ]


def test_a_mistake_in_a_connection_is_reported_at_its_line(tmp_path: Path) -> None:
    schedule = {"type": "cron", "cron": "* 0 * * * ?"}
    changes = {"shop/_source.json": listed(shop={"destination": "s4", "schedule": schedule})}

    places = [problem.split(": ")[:2] for problem in problems_of(tmp_path, changes)]
    assert [field for _, field in places] == ["connections.shop.destination", "connections.shop.schedule.cron"]


def test_two_destinations_with_one_bucket_are_one_place(tmp_path: Path) -> None:
    changes = {"shop/_source.json": listed(shop={}, daily={"destination": "copy"})}

    assert ["the prefix" in problem for problem in problems_of(tmp_path, OTHER | changes)] == [True]


def test_two_sources_with_one_replication_slot_are_reported(tmp_path: Path) -> None:
    slot = {"method": "CDC", "replication_slot": "lotus", "publication": "lotus"}
    database = {"host": "db.example.com", "port": 5432, "database": "app", "replication_method": slot}
    unpinned = {"connector": "decd338e-5647-4c0b-adf4-da0e75f5a750"}
    changes: dict[str, Any] = {}
    for name in ("one", "two"):
        changes[f"{name}/_source.json"] = source(**unpinned, name=name, configuration=database)
        changes[f"{name}/orders.json"] = stream()

    assert problems_of(tmp_path, changes) == [
        (
            'two/_source.json:10: configuration.replication_method.replication_slot: the replication slot "lotus" is '
            "already that of one/_source.json: give each source a slot of its own, or one of the two loses changes"
        )
    ]


def test_models_read_the_landing_bucket_where_a_destination_refers_to_it(tmp_path: Path) -> None:
    landing = destination(name="Landing")
    assert isinstance(landing["configuration"], dict)
    landing["configuration"]["s3_bucket_name"] = {"$landing": "bucket"}
    settings = listed(copy={"destination": "copy", "namespace": "copied"}, shop={})
    lake = lake_of(tmp_path, {"shop/_source.json": settings, "_destinations/s3.json": landing})

    [folder] = lake.sources
    assert lake.prefix_of(folder, folder.streams[0]) == "raw/shop/orders/"
