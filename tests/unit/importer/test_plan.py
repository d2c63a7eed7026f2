"""The files, imports and notes of a migration's plan."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.importer import files, terraform, terraform_objects
from lotus_infra.importer.model import Existing, ExistingConnection
from lotus_infra.importer.plan import MigrationPlan, plan_migration, update_from_server
from lotus_infra.lake.loader import load_lake, load_stack_lake
from tests.support import terraform as made
from tests.support.lakes import OWN_STREAMS, clean_files, write

PINNED = {f"_connectors/{file.name}": file.read_bytes() for file in (OWN_STREAMS / "_connectors").iterdir()}


@pytest.fixture
def existing() -> Existing:
    return terraform_objects.airbyte_objects(
        terraform.read_state(made.whole(), "terraform.tfstate"), "terraform.tfstate"
    )


def plan(existing: Existing, directory: Path, files: Any = PINNED, managed: tuple[str, ...] = ()) -> MigrationPlan:
    return plan_migration(existing, load_lake(write(directory, files), begun=False).lake, managed)


def changed(existing: Existing, **overrides: Any) -> Existing:
    [connection] = existing.connections
    return replace(existing, connections=(replace(connection, **overrides),))


def of_stream(existing: Existing, **overrides: Any) -> Existing:
    [stream] = existing.connections[0].streams
    return changed(existing, streams=(replace(stream, **overrides),))


def notes(made: MigrationPlan) -> list[tuple[str, str]]:
    return [(each.kind, f"{each.subject} {each.what}") for each in made.notes]


def test_both_providers_states_of_one_lake_become_the_same_files(existing: Existing, tmp_path: Path) -> None:
    shown = terraform_objects.airbyte_objects(terraform.read_state(made.shown(), "shown.json"), "shown.json")
    shown = replace(shown, schemas=existing.schemas)
    other = plan(shown, tmp_path / "b")

    one = {each.path: json.loads(each.text) for each in plan(existing, tmp_path / "a").files}
    two = {each.path: json.loads(each.text) for each in other.files}

    # The one provider has a basic schedule and notices of schema changes, which the other's API has not.
    assert one["shopify/_source.json"].pop("notify_schema_changes") is True
    assert one["shopify/_source.json"].pop("schedule") == {"type": "basic", "every": "1 hours"}
    assert two["shopify/_source.json"].pop("schedule") == {"type": "cron", "cron": "0 0 * * * ?"}
    assert one == two
    assert other.notes == ()
    assert not [value for value in made.HIDDEN if value in str(other)]


def test_a_source_that_the_stack_leaves_out_is_not_written_a_second_time(existing: Existing, tmp_path: Path) -> None:
    written = {each.path: each.text for each in plan(existing, tmp_path).files}
    written["_stacks/staging.json"] = '{"sources": {"shopify": {"deployed": false}}}'
    lake = load_stack_lake(write(tmp_path, written), "staging")
    [left] = (made := plan_migration(existing, lake)).notes
    assert (made.files, made.imports) == ((), ())
    assert left.what == "has its files in shopify, which the stack staging leaves out"
    assert left.remedy.startswith('delete its "deployed": false in _stacks/staging.json')


def test_an_import_file_names_components_so_that_urns_are_the_programs(existing: Existing, tmp_path: Path) -> None:
    document = json.loads(files.import_file(plan(existing, tmp_path).imports))

    assert [(each["name"], each["logicalName"], each.get("parent")) for each in document["resources"]] == [
        ("s3-destination", "s3", None),
        ("shopify-pipeline", "shopify", None),
        ("shopify-source", "shopify", "shopify-pipeline"),
        ("shopify-connection", "shopify", "shopify-pipeline"),
    ]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ({"unsupported": ("the alias sales",)}, "orders has the alias sales"),
        ({"unsupported": ("hashed fields",)}, "orders has hashed fields"),
        ({"mode": ""}, "orders has a sync mode that the public API has no word for"),
    ],
)
def test_an_unsupported_stream_leaves_out_its_whole_source(
    existing: Existing, tmp_path: Path, stream: dict[str, Any], expected: str
) -> None:
    found = plan(of_stream(existing, **stream), tmp_path)

    # A source without one of its streams would lose that stream by the first `up`.
    assert (found.files, found.imports, found.secrets) == ((), (), ())
    assert [kind for kind, _ in notes(found)] == ["left"]
    assert expected in notes(found)[0][1]


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({"schedule": None}, "its schedule is invalid"),
        ({"status": "locked"}, "its connection is locked in Airbyte"),
        ({"status": "deprecated"}, "its connection is deleted in Airbyte"),
        (
            {"namespace_definition": "custom_format", "namespace_format": "${STREAM}"},
            "has ${STREAM}, which Airbyte does not fill in",
        ),
        ({"non_breaking_changes": "other"}, "non_breaking_changes"),
        ({"streams": ()}, "its connection has no streams"),
        ({"destination_id": "elsewhere"}, "its destination is not imported"),
    ],
)
def test_an_unsupported_connection_is_left_out_with_the_reason(
    existing: Existing, tmp_path: Path, connection: dict[str, Any], expected: str
) -> None:
    found = plan(changed(existing, **connection), tmp_path)

    assert found.imports == ()
    assert any(kind == "left" and expected in what for kind, what in notes(found))


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({"unsupported": ("its notices by mail",)}, "loses its notices by mail"),
        (
            {"namespace_definition": "custom_format", "namespace_format": ""},
            "gets the namespace definition destination instead of a custom one without a format",
        ),
        ({"namespace_definition": "source"}, "loses its namespace format, which Airbyte ignores with source"),
    ],
)
def test_changes_of_the_first_up_are_noted(
    existing: Existing, tmp_path: Path, connection: dict[str, Any], expected: str
) -> None:
    found = plan(changed(existing, **connection), tmp_path)

    assert len(found.imports) == 3
    [(kind, what)] = notes(found)
    assert kind == "changes"
    assert expected in what


def test_two_sources_with_one_name_are_both_left_out(existing: Existing, tmp_path: Path) -> None:
    twin = replace(existing.of_kind("source")[0], id="44444444-0000-4000-8000-000000000004", label="SHOPIFY")

    found = plan(replace(existing, actors=(*existing.actors, twin)), tmp_path)

    assert found.imports == ()
    assert [kind for kind, what in notes(found) if "has the same name as another source" in what] == ["left"] * 2


def documents(made: MigrationPlan) -> dict[str, Any]:
    return {each.path: json.loads(each.text) for each in made.files if each.path.endswith(".json")}


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({}, {"namespace": "shopify", "prefix": ""}),
        ({"status": "inactive"}, {"status": "inactive"}),
        ({"prefix": "Raw-"}, {"prefix": "Raw-"}),
        ({"namespace_definition": "source", "namespace_format": ""}, {"namespace_definition": "source"}),
        ({"namespace_format": "Sales-${SOURCE_NAMESPACE}"}, {"namespace": "Sales-${SOURCE_NAMESPACE}"}),
        ({"tags": ("PII: yes", "nightly")}, {"tags": ["PII: yes", "nightly"]}),
    ],
)
def test_settings_of_one_connection_are_written_beside_the_connector(
    existing: Existing, tmp_path: Path, connection: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = plan(changed(existing, **connection), tmp_path)

    written = documents(found)["shopify/_source.json"]
    assert written | expected == written
    assert "connections" not in written
    assert found.notes == ()


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({"label": "sales"}, {"name": "sales"}),
        ({"resources": {"memory_limit": "1Gi"}}, {"resource_requirements": {"memory_limit": "1Gi"}}),
    ],
)
def test_a_connection_that_the_short_form_lacks_a_setting_for_is_written_in_the_long_one_under_the_same_resource(
    existing: Existing, tmp_path: Path, connection: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = plan(changed(existing, **connection), tmp_path)

    [(name, written)] = documents(found)["shopify/_source.json"]["connections"].items()
    assert (name, written | expected) == ("shopify", written)
    assert [each.name for each in found.imports if each.kind == "connection"] == ["shopify"]
    assert found.notes == ()


def test_all_connections_of_a_source_are_imported_and_share_the_files_of_equal_streams(
    existing: Existing, tmp_path: Path
) -> None:
    [source], [connection] = existing.of_kind("source"), existing.connections
    [orders] = connection.streams
    users = replace(orders, name="Users", namespace="App")
    others = (
        replace(connection, id="daily", label="Shopify Daily → S3", streams=(orders,), prefix="d_"),
        replace(connection, id="odd", label="daily", streams=(users,), prefix="o_"),
        replace(connection, id="copy", label="A copy!", streams=(replace(orders, fields=None), users), prefix="c_"),
        replace(connection, id="unlabelled", label="ends in a blank "),
    )
    first = replace(connection, streams=(orders, users))

    found = plan(replace(existing, connections=(*others, first)), tmp_path)

    written = documents(found)
    connections = written[f"{source.label.lower()}/_source.json"]["connections"]
    assert {name: (each.get("name"), each.get("streams")) for name, each in connections.items()} == {
        "shopify": (None, ["orders", "users"]),
        "a_copy": ("A copy!", ["orders_a_copy", "users"]),
        "daily": (None, ["orders"]),
        "daily_2": ("daily", ["users"]),
    }
    [left] = [what for kind, what in notes(found) if kind == "left"]
    assert left.startswith('connection "ends in a blank " (unlabelled) connections.')
    assert {"shopify/orders.json", "shopify/orders_a_copy.json", "shopify/users.json"} <= written.keys()
    assert written["shopify/users.json"]["namespace"] == "App"
    assert "fields" not in written["shopify/orders_a_copy.json"]


def test_connections_of_an_existing_file_are_imported_by_their_names_and_others_are_left(
    existing: Existing, tmp_path: Path
) -> None:
    [connection] = existing.connections
    mine = tmp_path / "mine"
    first = plan(
        replace(existing, connections=(connection, replace(connection, id="daily", label="Daily", prefix="d_"))), mine
    )
    for each in first.files:
        (mine / each.path).parent.mkdir(parents=True, exist_ok=True)
        (mine / each.path).write_text(each.text, encoding="utf-8")
    others = (
        replace(connection, id="daily", label="Daily", prefix="other_", status="inactive"),
        replace(connection, id="weekly", label="Weekly"),
    )

    found = plan_migration(replace(existing, connections=others), load_lake(mine).lake)

    assert [(each.kind, each.name, each.id) for each in found.imports] == [
        ("destination", "s3", made.DESTINATION_ID),
        ("source", "shopify", made.SOURCE_ID),
        ("connection", "shopify/daily", "daily"),
    ]
    assert found.files == ()
    assert notes(found) == [
        ("left", 'connection "Weekly" (weekly) shopify/_source.json has no connection with its name'),
        ("changes", 'shopify/_source.json has the connection "Shopify → S3", which Airbyte does not have'),
        ("changes", 'source "Shopify" shopify/ has other values of prefix, status'),
    ]


def test_a_folder_of_stream_files_gets_the_connections_that_take_them(existing: Existing, tmp_path: Path) -> None:
    [connection] = existing.connections
    [orders] = connection.streams
    users = replace(orders, name="Users", namespace="App")
    old = {"shopify/orders.json": (OWN_STREAMS / "shopify" / "orders.json").read_bytes()}
    old["shopify/people.json"] = old["shopify/orders.json"].replace(b'"orders"', b'"Users"')
    daily = replace(connection, id="daily", label="Daily", streams=(users,), prefix="d_")

    found = plan(replace(existing, connections=(connection, daily)), tmp_path, PINNED | old)

    connections = documents(found)["shopify/_source.json"]["connections"]
    assert {name: each["streams"] for name, each in connections.items()} == {
        "shopify": ["orders"],
        "daily": ["people"],
    }
    assert [each.path for each in found.files] == ["_destinations/s3.json", "shopify/_source.json"]


def test_sources_without_connections_and_destinations_without_sources_are_left_out(
    existing: Existing, tmp_path: Path
) -> None:
    found = plan(replace(existing, connections=()), tmp_path)

    assert found.imports == ()
    assert [each.subject for each in found.notes] == ['source "Shopify"', 'destination "S3"']


def test_existing_files_stay_and_differences_are_noted_without_values(existing: Existing, tmp_path: Path) -> None:
    files = clean_files() | {"shop/_source.json": None, "shop/orders.json": None, "shop/_discovered/orders.json": None}
    document = json.loads((OWN_STREAMS / "shopify" / "_source.json").read_text(encoding="utf-8"))
    document["configuration"] = {**made.SHOP, "shop": {"$config": "shop"}, "start_date": "2020-01-01"}
    password = {"$secret": "password", "rotates": True}
    document["configuration"]["credentials"] = {"auth_method": "api_password", "api_password": password}
    orders = (OWN_STREAMS / "shopify" / "orders.json").read_bytes()

    found = plan(existing, tmp_path, files | {"shopify/_source.json": document, "shopify/orders.json": orders})

    assert found.files == ()
    assert found.kept == ("_destinations/s3.json", "shopify/")
    assert len(found.imports) == 3
    [note] = [each for each in found.notes if each.subject == 'source "Shopify"']
    assert note.kind == "changes"
    assert "configuration.start_date" in note.what
    assert "streams.orders" in note.what
    assert "api_password" not in note.what
    assert "configuration.shop" not in note.what
    assert "2020" not in note.what


def test_a_file_with_another_connector_or_destination_is_noted(existing: Existing, tmp_path: Path) -> None:
    document = json.loads((OWN_STREAMS / "shopify" / "_source.json").read_text(encoding="utf-8"))
    document |= {"connector": "source-klaviyo", "destination": "elsewhere"}

    found = plan(existing, tmp_path, PINNED | {"shopify/_source.json": document})

    assert [what.partition("names ")[2] for _, what in notes(found) if " names another " in what] == [
        "another destination",
        "another connector",
    ]


def test_objects_in_the_state_are_not_imported_again(existing: Existing, tmp_path: Path) -> None:
    lake = load_lake(write(tmp_path, PINNED), begun=False).lake
    urn = "urn:pulumi:dev::lotus::lotus:airbyte:Pipeline::shopify"

    found = plan_migration(existing, lake, (made.DESTINATION_ID, made.SOURCE_ID), {"shopify": urn})

    document = json.loads(files.import_file(found.imports))
    assert document["nameTable"] == {"shopify-pipeline": urn}
    assert [(each["name"], each["parent"]) for each in document["resources"]] == [
        ("shopify-connection", "shopify-pipeline")
    ]
    assert found.notes == ()
    assert found.refusal == ""
    everything = plan_migration(existing, lake, (made.DESTINATION_ID, made.SOURCE_ID, made.CONNECTION_ID))
    assert (everything.imports, everything.refusal) == ((), "")


def test_a_prefix_of_two_streams_is_noted(existing: Existing, tmp_path: Path) -> None:
    [source] = existing.of_kind("source")
    second = replace(source, id="second", label="Shopify EU")
    connected: ExistingConnection = replace(
        existing.connections[0], id="connected", source_id="second", label="Shopify EU → S3"
    )

    both = replace(existing, actors=(*existing.actors, second), connections=(*existing.connections, connected))
    found = plan(both.with_schemas({"second": existing.schemas[made.SOURCE_ID]}), tmp_path)

    [note] = [what for _, what in notes(found)]
    assert note.startswith("shopify_eu/orders.json `lotus check` will refuse it: the prefix")
    assert note.endswith("is already that of shopify/orders.json")


def test_unknown_types_are_noted_with_the_command(existing: Existing, tmp_path: Path) -> None:
    found = plan(replace(existing, schemas={}), tmp_path)

    [file] = [json.loads(each.text) for each in found.files if each.path == "shopify/orders.json"]
    assert file["fields"] == {"id": {"type": "unknown"}, "updated_at": {"type": "unknown"}}
    [note] = found.notes
    assert note.what == "the types of orders.id, orders.updated_at are unknown"
    assert "lotus discover shopify" in note.remedy


def test_the_servers_values_win_and_differences_are_noted(existing: Existing) -> None:
    [source] = existing.of_kind("source")
    [destination] = existing.of_kind("destination")
    mask = "*" * 10
    masked = {**made.SHOP, "credentials": {"auth_method": "api_password", "api_password": mask}, "shop": "another"}
    live = Existing((replace(source, configuration=masked, address=""),), existing.connections, confirmed=True)
    extra = replace(destination, id="unknown", label="Other", address="")

    found = update_from_server(existing, replace(live, actors=(*live.actors, extra)))

    assert found.of_kind("source")[0].configuration["shop"] == "another"
    assert found.of_kind("source")[0].address == "airbyte_source.shopify"
    assert [(each.kind, each.subject, each.what.split(",")[0]) for each in found.notes] == [
        ("left", 'destination "S3" (airbyte_destination.s3)', "is in Terraform's state"),
        (
            "told",
            'source "Shopify" (airbyte_source.shopify)',
            "differs from Terraform's state (configuration.shop)",
        ),
        ("left", 'destination "Other"', "is in Airbyte"),
    ]


def test_objects_of_the_stack_that_terraform_lacks_are_listed_as_managed_and_not_as_left(
    existing: Existing, tmp_path: Path
) -> None:
    [source] = existing.of_kind("source")
    extra = replace(source, id="extra", label="Stripe", address="")
    connected = replace(existing.connections[0], id="connected", source_id="extra", label="Stripe → S3", address="")
    alone = replace(source, id="alone", label="Alone", address="")
    live = Existing((*existing.actors, extra, alone), (*existing.connections, connected), existing.tags, confirmed=True)
    lake = load_lake(write(tmp_path, PINNED), begun=False).lake

    found = plan_migration(update_from_server(existing, live), lake, ("extra", "connected", made.SOURCE_ID))

    assert [each.subject for each in found.notes if each.kind == "left"] == ['source "Alone"']
    assert found.managed == (
        'connection "Stripe → S3" (connected)',
        f'source "Shopify" ({made.SOURCE_ID})',
        'source "Stripe" (extra)',
    )
