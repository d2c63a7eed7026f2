"""From a stream's file to the stream as the public API takes it."""

import pytest

from lotus_infra.lake.catalog import ConfiguredStream, catalog, configure
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.lake import SourceFolder, StreamFile
from lotus_infra.lake.models import SourceConfig, StreamConfig
from tests.support.lakes import Document, discovered, stream


def config(**overrides: object) -> StreamConfig:
    return StreamConfig.model_validate(stream(**overrides))


def found(**overrides: object) -> Discovered:
    return Discovered.model_validate(discovered(**overrides))


def test_a_stream_is_configured_from_its_file() -> None:
    assert configure(config(), found()) == ConfiguredStream(
        name="orders",
        namespace=None,
        sync_mode="incremental_append",
        cursor_field=("updated_at",),
        primary_key=(("id",),),
        selected_fields=("email", "id", "updated_at"),
    )


def test_the_order_of_the_fields_in_the_file_makes_no_difference() -> None:
    fields = stream()["fields"]
    assert isinstance(fields, dict)

    assert configure(config(fields=dict(reversed(fields.items()))), None) == configure(config(), None)


def test_the_namespace_is_the_one_that_the_source_has() -> None:
    assert configure(config(), found(namespace="public")).namespace == "public"


def test_a_cursor_that_the_file_leaves_out_is_the_one_that_the_source_suggests() -> None:
    assert configure(config(cursor_field=[]), found()).cursor_field == ("updated_at",)
    assert configure(config(cursor_field=[]), None).cursor_field == ()


def test_a_key_that_the_file_leaves_out_is_the_sources_own_and_never_a_mere_suggestion() -> None:
    assert configure(config(primary_key=[]), found(source_defined_primary_key=[["id"]])).primary_key == (("id",),)
    assert configure(config(primary_key=[]), found()).primary_key == ()


KEYS: list[tuple[Document, str, bool, bool]] = [
    ({"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}, "full_refresh_overwrite", False, False),
    ({"sync_mode": "full_refresh", "destination_sync_mode": "append"}, "full_refresh_append", False, False),
    (
        {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite_dedup"},
        "full_refresh_overwrite_deduped",
        False,
        True,
    ),
    ({"destination_sync_mode": "append_dedup"}, "incremental_deduped_history", True, True),
    ({"destination_sync_mode": "update"}, "incremental_update", True, True),
]


@pytest.mark.parametrize(("mode", "name", "has_cursor", "has_key"), KEYS)
def test_a_mode_that_drops_a_cursor_or_a_key_is_not_sent_one(
    mode: Document, name: str, *, has_cursor: bool, has_key: bool
) -> None:
    configured = configure(config(**mode), found())

    assert configured.sync_mode == name
    assert bool(configured.cursor_field) == has_cursor
    assert bool(configured.primary_key) == has_key


def test_a_catalog_has_the_selected_streams_by_name() -> None:
    names = {"refunds": True, "orders": True, "parked": False}
    streams = tuple(
        StreamFile(f"shop/{name}.json", "shop", name, config(stream=name, selected=selected))
        for name, selected in names.items()
    )

    settings = SourceConfig(connector="source-faker", configuration={})
    [connection] = SourceFolder("shop", settings, streams, None).connections

    assert [each.name for each in catalog(connection)] == ["orders", "refunds"]
