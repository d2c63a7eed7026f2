"""Sources that dlt reads, in previews: what differs, what is hidden, which tokens fire, and what is lost."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic import JsonValue

from lotus_infra.lake.lake import SourceFolder
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.models import SourceConfig
from lotus_infra.plan.addresses import Files
from lotus_infra.plan.analysis import impact_of
from lotus_infra.plan.drift import DriftKind, drift_of
from lotus_infra.plan.impact import Impact
from lotus_infra.plan.preview import read_preview
from tests.support.lakes import OWN_STREAMS
from tests.support.previews import DLT_SOURCE, ERP_SECRET, ORDERS, SECRET, Digest, Inputs, Stream, read_by_dlt

VALUES = {"stringData": {"AWS_ACCESS_KEY_ID": "[secret]", "LOTUS_SOURCE_ERP": "[secret]"}}
SECRETS = {"api_key": {"$secret": "erp_api_key"}}
HIDDEN_ADDRESS = {"api_key": {"$secret": "erp_api_key"}, "url": {"$secret": "erp_url"}}
SHOWN_ADDRESS = {"api_key": {"$secret": "erp_api_key"}, "url": {"$config": "erp_url"}}
LOST = "destroys: stream erp/orders its cursor is lost, because its sync mode changes"


def files(configuration: Mapping[str, Any], values: Mapping[str, JsonValue] | None = None) -> Files:
    lake = load_lake(OWN_STREAMS).lake
    config = SourceConfig.model_validate({"engine": "dlt", "configuration": configuration})
    return Files(replace(lake, sources=(*lake.sources, SourceFolder("erp", config, (), None))), values)


def effect(digest: Digest, known: Files | None = None) -> Impact:
    return impact_of(read_preview(digest.text()), files=known)


def updated(new: Inputs, old: Inputs | None = None) -> Digest:
    return Digest().step("update", DLT_SOURCE, "erp", old or read_by_dlt([ORDERS]), new)


def secret_changed(*paths: str, configuration: Mapping[str, Any] | None = None, op: str = "refresh") -> Digest:
    inputs = read_by_dlt([ORDERS], **({"configuration": configuration} if configuration else {}))
    digest = Digest().step(op, DLT_SOURCE, "erp", inputs, inputs) if op else Digest()
    return digest.step("update", SECRET, ERP_SECRET, VALUES, VALUES, *paths)


def losses(impact: Impact) -> list[str]:
    return [f"{loss.effect}: {loss.object} {loss.what}" for loss in impact.losses]


@pytest.mark.parametrize("paths", [("stringData.LOTUS_SOURCE_ERP",), ("stringData",), ("data.LOTUS_SOURCE_ERP",), ()])
@pytest.mark.parametrize("op", ["refresh", "same"])
def test_a_rotated_secret_is_to_look_at_and_named(paths: tuple[str, ...], op: str) -> None:
    impact = effect(secret_changed(*paths, op=op))

    [source] = impact.sources
    assert source.details.secrets == ("configuration.api_key",)
    assert (impact.verdict, losses(impact)) == ("look", [])


def test_another_key_of_the_writer_is_no_change_of_the_source() -> None:
    impact = effect(secret_changed("stringData.AWS_ACCESS_KEY_ID", "stringData.AWS_SECRET_ACCESS_KEY"))

    assert impact.sources == ()
    assert [(other.name, other.effect) for other in impact.others] == [(ERP_SECRET, "look")]


def test_an_address_that_only_the_secret_has_counts_as_changed_with_it() -> None:
    impact = effect(secret_changed("stringData.LOTUS_SOURCE_ERP", configuration=HIDDEN_ADDRESS))

    [loss] = impact.losses
    assert (loss.object, loss.effect) == ("source erp", "exposes")
    assert loss.what.startswith("may point to another place: url (hidden); if so, its secrets are sent there")


def test_a_preview_without_the_component_finds_such_an_address_in_the_files() -> None:
    digest = secret_changed("stringData.LOTUS_SOURCE_ERP", op="")

    assert losses(effect(digest, files(HIDDEN_ADDRESS))) == [
        "exposes: source erp may point to another place: url (hidden); if so, its secrets are sent there"
    ]
    assert losses(effect(digest, files(SECRETS))) == []
    # The component would show a plain value of the stack, and the preview would have a step of it.
    assert losses(effect(digest, files(SHOWN_ADDRESS, {"erp_url": "https://erp.example.com"}))) == []


def test_without_the_component_and_the_files_nothing_is_known_of_a_secret() -> None:
    impact = effect(secret_changed("stringData.LOTUS_SOURCE_ERP", op=""))

    [loss] = impact.losses
    assert (loss.object, loss.effect) == (f"source {ERP_SECRET}", "exposes")


def test_a_shown_setting_that_changes_calls_no_secret_changed() -> None:
    new = read_by_dlt([ORDERS], configuration={**SECRETS, "url": "https://erp.example.com", "page_size": 5})
    digest = updated(new).step("update", SECRET, ERP_SECRET, VALUES, VALUES, "stringData.LOTUS_SOURCE_ERP")

    impact = effect(digest)

    [source] = impact.sources
    assert (source.details.secrets, [each.name for each in source.details.settings]) == (
        (),
        ["configuration.page_size"],
    )
    assert losses(impact) == []


def test_another_secret_at_the_same_place_is_named() -> None:
    new = read_by_dlt([ORDERS], configuration={"api_key": {"$secret": "another"}, "url": "https://erp.example.com"})

    [source] = effect(updated(new)).sources

    assert source.details.secrets == ("configuration.api_key",)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({}, {"orders": "2026-02-01"}, "token 2026-02-01"),
        ({"orders": "2026-01-01"}, {"orders": "2026-02-01"}, "token 2026-02-01"),
        ({"orders": False}, {"orders": True}, "token true"),
        ({}, {"orders": True}, None),
        ({"orders": True}, {"orders": False}, None),
        ({"orders": "2026-02-01"}, {"orders": "2026-02-01", "items": "2026-02-01"}, None),
        ({"orders": "2026-02-01"}, {"orders": False}, None),
    ],
)
def test_a_token_fires_by_the_rules_of_every_stream(before: Inputs, after: Inputs, why: str | None) -> None:
    old, new = (read_by_dlt([ORDERS], backfills=each) for each in (before, after))

    impact = effect(updated(new, old))

    refreshes = [
        each for source in impact.sources for connection in source.connections for each in connection.refreshes
    ]
    assert [(each.stream, each.why) for each in refreshes] == ([("orders", why)] if why else [])
    assert all(each.how == "the next run reads the stream from its start, as a new generation" for each in refreshes)


def test_a_stream_that_is_new_needs_no_token() -> None:
    new = read_by_dlt([ORDERS, Stream("items")], backfills={"orders": True, "items": "2026-02-01"})

    [source] = effect(updated(new)).sources

    [connection] = source.connections
    assert connection.refreshes == ()
    assert [(each.name, each.change) for each in connection.streams] == [("items", "added")]


@pytest.mark.parametrize(
    ("changed", "cursor", "lost"),
    [
        (ORDERS.but(cursor="id"), "from the beginning, as dlt has no value of id yet", []),
        (ORDERS.but(fields=("id", "updated_at")), "kept", []),
        (
            ORDERS.but(mode="full_refresh_append"),
            "lost: its sync mode changes",
            [LOST],
        ),
        (
            ORDERS.but(mode="full_refresh_overwrite"),
            "lost: its sync mode changes",
            [
                f"{LOST}; its existing rows are overwritten",
            ],
        ),
    ],
)
def test_dlt_keeps_a_cursor_as_long_as_its_stream_is_incremental(changed: Stream, cursor: str, lost: list[str]) -> None:
    impact = effect(updated(read_by_dlt([changed])))

    [source] = impact.sources
    [connection] = source.connections
    [stream] = connection.streams
    assert (stream.cursor, losses(impact), bool(connection.cursors.lost)) == (cursor, lost, bool(lost))


def test_rows_that_land_twice_are_in_a_model_twice_without_a_key() -> None:
    keyless = ORDERS.but(others={"primaryKey": None})

    [source] = effect(updated(read_by_dlt([keyless.but(cursor="id")]), read_by_dlt([keyless]))).sources

    [stream] = source.connections[0].streams
    assert stream.remarks == ("its rows land a second time, and models have both, as it has no key",)


def test_a_removed_source_takes_its_secret_along_and_loses_nothing() -> None:
    digest = Digest().step("delete", DLT_SOURCE, "erp", read_by_dlt()).step("delete", SECRET, ERP_SECRET, VALUES)

    impact = effect(digest)

    assert (impact.verdict, losses(impact)) == ("touches data", [])


def test_a_secret_that_is_deleted_without_its_source_is_a_loss() -> None:
    assert losses(effect(Digest().step("delete", SECRET, ERP_SECRET, VALUES))) == [
        f"destroys: Secret {ERP_SECRET} is deleted: pods that need it do not start"
    ]


def test_another_secret_that_is_deleted_beside_a_source_is_a_loss() -> None:
    digest = Digest().step("delete", DLT_SOURCE, "erp", read_by_dlt()).step("delete", SECRET, "dagster-lake", VALUES)

    assert losses(effect(digest)) == ["destroys: Secret dagster-lake is deleted: pods that need it do not start"]


def test_a_property_that_the_table_does_not_have_is_to_look_at() -> None:
    impact = effect(updated(read_by_dlt([ORDERS], somethingNew=3)))

    assert impact.verdict == "look"
    assert "changes in a property that the table of verdicts does not have" in {
        note.what for note in impact.sources[0].details.notes
    }


def test_a_change_of_nothing_is_to_look_at() -> None:
    assert effect(updated(read_by_dlt([ORDERS]))).verdict == "look"


def test_another_path_or_prefix_moves_new_rows() -> None:
    for change in ({"path": "other"}, {"prefix": "v2_"}, {"namespaceFormat": "shop"}):
        [source] = effect(updated(read_by_dlt([ORDERS], **change))).sources
        assert source.connections[0].remarks == (
            "new rows land under another namespace or prefix: existing rows stay where they are",
        )


def test_a_change_that_is_not_applied_is_drift_by_stream_and_an_applied_source_has_none() -> None:
    def drift(new: Inputs) -> list[tuple[str, str, tuple[str, ...], DriftKind]]:
        old = read_by_dlt([ORDERS])
        digest = Digest().step("refresh", DLT_SOURCE, "erp", old, old)
        digest.step("same" if new == old else "update", DLT_SOURCE, "erp", old, new)
        found = drift_of(read_preview(digest.text())).objects
        return [(one.kind, one.name, each.path, each.kind) for one in found for each in one.differences]

    assert drift(read_by_dlt([ORDERS])) == []
    assert drift(read_by_dlt([ORDERS.but(cursor="id")], status="inactive")) == [
        ("source", "erp", ("status",), DriftKind.NOT_APPLIED),
        ("source", "erp", ("streams", "orders", "cursor_field"), DriftKind.NOT_APPLIED),
    ]
