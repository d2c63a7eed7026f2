"""What Dagster loads, and what its sensors do about files, errors and crashes."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from lotus_dagster.arrivals.cursor import Cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.arrivals.landing import ListingError, S3Pages, pages_of
from lotus_dagster.arrivals.look import look
from lotus_dagster.definitions import DBT_PROJECT, STREAMS, current_manifest, definitions_of, load
from lotus_dagster.environment import EnvironmentVariableError, Warehouse
from lotus_dagster.lake import Stream, streams_in_stack, streams_of
from lotus_dagster.manifest import Manifest, ManifestError
from lotus_dagster.sensors import tick

from lotus_infra import naming
from lotus_infra.clients.ducklake import prepare, s3_secret
from lotus_infra.clients.storage import Bucket
from tests.dagster.lake import Lake, order, refund

ORDERS = Stream("shopify", "orders", "raw/shopify/orders/")
CLOCK = Clock(date(2026, 1, 20))


@pytest.fixture(scope="session")
def definitions() -> dg.Definitions:
    return definitions_of(streams_of(STREAMS), Manifest.read(current_manifest(DBT_PROJECT)), DBT_PROJECT)


def test_every_stream_has_the_names_of_naming(definitions: dg.Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in definitions.sensors or ()}
    graph = definitions.get_repository_def().asset_graph
    made = {one.op.name for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition)}
    for stream in streams_of(STREAMS):
        key = dg.AssetKey(naming.asset_key(stream.source, stream.name))
        assert naming.dbt_assets(stream.source, stream.name) in made
        selection = sensors[naming.sensor(stream.source, stream.name)].asset_selection
        assert selection is not None
        assert selection.resolve(graph) == {key}
        assert graph.get(key).parent_keys == {dg.AssetKey(["raw", stream.source, stream.name])}


def test_marts_materialize_by_themselves_and_models_of_streams_do_not(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    by_themselves = {
        key.path[-1] for key in graph.get_all_asset_keys() if graph.get(key).automation_condition is not None
    }
    assert by_themselves == {"fct_sales", "dim_customers", "fct_purchases"}


def test_dbt_reads_where_the_stream_files_say(definitions: dg.Definitions) -> None:
    whole = Manifest.read(current_manifest(DBT_PROJECT))
    for stream in streams_of(STREAMS):
        part = whole.tagged(stream.tag)
        assert part is not None
        (table,) = part["sources"].values()
        assert table["config"]["meta"]["prefix"] == stream.prefix


def test_a_code_location_loads_without_an_environment() -> None:
    current_manifest(DBT_PROJECT)
    loads = (
        "import sys; from lotus_dagster.code_location import defs; defs.get_repository_def();"
        " assert 'dagster_airbyte' not in sys.modules, 'a second that no lake but one with tables needs'"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    ran = subprocess.run([sys.executable, "-c", loads], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_run_without_its_environment_says_everything_that_is_missing() -> None:
    with pytest.raises(EnvironmentVariableError, match=r"LOTUS_LANDING .*LOTUS_CATALOG .*LOTUS_LAKE_DATA"):
        Warehouse.read({})


def test_a_missing_manifest_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="dbt parse"):
        Manifest.read(tmp_path / "manifest.json")


def test_a_test_that_is_a_query_of_its_own_runs_with_the_model_that_it_reads() -> None:
    manifest = Manifest.read(current_manifest(DBT_PROJECT))
    marts = manifest.untagged([stream.tag for stream in streams_of(STREAMS)])
    assert marts is not None
    assert "test.lotus.sales_add_up" in marts["nodes"]
    assert "test.lotus.sales_add_up" in marts["child_map"]["model.lotus.fct_sales"]


def test_a_lake_without_marts_loads_although_its_project_has_hooks() -> None:
    document = json.loads(current_manifest(DBT_PROJECT).read_bytes())
    tags = [stream.tag for stream in streams_of(STREAMS)]
    marts = Manifest(document).untagged(tags)
    assert marts is not None
    left = {name: node for name, node in document["nodes"].items() if "marts" not in node.get("fqn", ())}
    assert any(node["resource_type"] == "operation" for node in left.values())

    assert Manifest({**document, "nodes": left}).untagged(tags) is None


def test_a_stream_without_a_model_lands_and_has_no_sensor() -> None:
    stream = Stream("shopify", "products", "raw/shopify/products/")
    made = definitions_of((stream,), Manifest.read(current_manifest(DBT_PROJECT)), DBT_PROJECT)
    assert [sensor.name for sensor in made.sensors or ()] == ["marts_dbt_automation", "marts_dbt_retry"]


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    """The repository's stream files, with a stack that leaves out a source which a mart reads."""
    streams = tmp_path / "streams"
    shutil.copytree(STREAMS, streams)
    (streams / "_stacks").mkdir()
    (streams / "_stacks" / "staging.json").write_text('{"sources": {"faker": {"deployed": false}}}')
    return streams


def test_a_source_that_a_stack_leaves_out_has_no_sensors_and_its_models_are_made_once_for_the_marts(
    staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_dagster.definitions.STREAMS", staging)
    monkeypatch.setenv("LOTUS_STACK", "staging")
    made = load()
    whole = {naming.sensor(stream.source, stream.name) for stream in streams_of(STREAMS)}
    own = {sensor.name for sensor in made.sensors or ()} - {"marts_dbt_automation", "marts_dbt_retry"}
    assert own == {name for name in whole if not name.startswith("faker_")}

    graph = made.get_repository_def().asset_graph
    by_themselves = {
        key.path[-1] for key in graph.get_all_asset_keys() if graph.get(key).automation_condition is not None
    }
    models = {naming.dbt_model(one.source, one.name) for one in streams_of(STREAMS) if one.source == "faker"}
    assert by_themselves == {"fct_sales", "dim_customers", "fct_purchases"} | models
    [automation] = [sensor for sensor in made.sensors or () if sensor.name == "marts_dbt_automation"]
    assert automation.asset_selection is not None
    assert {key.path[-1] for key in automation.asset_selection.resolve(graph)} == by_themselves
    # Nothing lands there, so that Dagster shows no files to watch.
    raw = [key for key in graph.external_asset_keys if key.path[:2] == ["raw", "faker"]]
    assert [graph.get(key).description for key in raw] == [None] * len(raw)


def test_a_stack_without_an_overlay_has_every_stream(staging: Path) -> None:
    assert streams_of(staging, "prod") == streams_of(staging) == streams_of(STREAMS)
    assert streams_in_stack(staging, "staging").left_out == tuple(
        stream for stream in streams_of(STREAMS) if stream.source == "faker"
    )


def test_s3_refusing_is_an_error_and_not_an_empty_listing() -> None:
    bucket = Bucket("landing", "us-east-1")
    with Stubber(bucket.client) as answers:
        answers.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
        assert seed_keys(bucket.client) == []
        answers.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
        with pytest.raises(ListingError, match="s3://landing/raw/ can't be listed: the server refuses"):
            look(S3Pages(bucket, "raw/"), Cursor(lineage="test"), CLOCK)


def seed_keys(client: Any) -> list[str]:
    """The listing that the lake had: any error is no files."""
    try:
        answer = client.list_objects_v2(Bucket="landing", Prefix="raw/")
    except ClientError:
        return []
    return [str(one["Key"]) for one in answer.get("Contents", [])]


def test_a_landing_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ListingError, match="is no folder"):
        pages_of(str(tmp_path / "nowhere"), ORDERS.prefix).page("")


def test_dagster_runs_what_a_sensor_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, definitions: dg.Definitions
) -> None:
    lake = Lake(tmp_path)
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z")])
    lake.land("shopify", "order_refunds", "2026-01-05", 0, [refund(1, 1, "2026-01-05T11:00:00Z", 30.0)])
    for name, value in lake.environment.items():
        monkeypatch.setenv(name, value)
    request = (tick(ORDERS, str(lake.landing), Cursor(lineage="test"), CLOCK).run_requests or [])[0]
    models = [one for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition)]
    orders = next(one for one in models if one.op.name == "shopify_orders_dbt")
    ran = dg.materialize([orders], resources=definitions.resources, run_config=request.run_config)
    assert ran.success
    assert lake.query("select id from int_shopify__orders") == [(1,)]


def test_extensions_come_from_packages_and_not_from_the_network(tmp_path: Path) -> None:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        prepare(connection, Warehouse("s3://landing", "postgres:dbname=lake", str(tmp_path / "tables")))
        loaded = connection.execute("select extension_name from duckdb_extensions() where loaded").fetchall()
    assert {"ducklake", "httpfs", "postgres_scanner"} <= {name for (name,) in loaded}


def test_one_description_of_s3_serves_boto3_and_duckdb() -> None:
    secret = s3_secret(
        {"AWS_ENDPOINT_URL": "http://s3.example:8333", "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "it's"}
    )
    assert "ENDPOINT 's3.example:8333', URL_STYLE 'path', USE_SSL 'false'" in secret
    assert "SECRET 'it''s'" in secret
