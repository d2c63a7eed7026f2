"""Clean after apply, and not blind, for connections that nobody thought of."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.provider.lake import Document, Lake
from tests.provider.plugin import NOTHING, NUMBERS, Plugin
from tests.provider.refresh import assert_clean

CATALOG = {
    "users": ("id", "created_at", "updated_at", "name", "title", "age", "email", "address"),
    "products": ("id", "make", "model", "year", "price", "created_at", "updated_at"),
    "purchases": ("id", "product_id", "user_id", "created_at", "updated_at", "returned_at"),
}
NEEDED = ("id", "updated_at")
MODES = (
    "full_refresh_overwrite",
    "full_refresh_append",
    "full_refresh_overwrite_deduped",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
)
QUICK = settings(
    max_examples=settings().max_examples // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CRONS = ("0 0 * * * ?", "0 30 */2 * * ? UTC", "0 0 6 ? * MON", "0 0 0 1 1 ? 2030")
CRON_SCHEDULES = st.sampled_from(CRONS).map(lambda cron: {"scheduleType": "cron", "cronExpression": cron})
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"])
UNITS = st.sampled_from(["minute", "HOURS", "day", "weeks", "Months"])
CONFIG_SCHEDULES = st.builds(lambda cron, zone: cron | {"cronTimeZone": zone}, CRON_SCHEDULES, ZONES).filter(
    lambda schedule: not (schedule["cronExpression"].endswith("UTC") and schedule["cronTimeZone"] != "UTC")
) | st.builds(lambda n, unit: {"scheduleType": "basic", "basicTiming": f"every {n} {unit}"}, st.integers(1, 90), UNITS)
TEXTS = st.text("abcXYZ_09 →$", max_size=8)


@st.composite
def selections(draw: st.DrawFn, columns: tuple[str, ...]) -> list[Any]:
    """Some columns in some order, as names or as paths, those among them that every mode needs."""
    others = [column for column in columns if column not in NEEDED]
    chosen = draw(st.permutations([*NEEDED, *draw(st.lists(st.sampled_from(others), unique=True))]))
    return [{"fieldPath": [name]} if draw(st.booleans()) else name for name in chosen]


@st.composite
def streams(draw: st.DrawFn) -> list[Document]:
    """Any valid streams of the Faker source, each at most once."""
    names = draw(st.lists(st.sampled_from(sorted(CATALOG)), min_size=1, unique=True))
    hashing = {"type": "hashing", "mapperConfiguration": {"method": "MD5", "targetField": "id", "fieldNameSuffix": "_"}}
    filtering = {"type": "field-filtering", "mapperConfiguration": {"targetField": "created_at"}}
    optional = {
        "cursorField": st.just(["updated_at"]),
        "primaryKey": st.just([["id"]]),
        "mappers": st.sampled_from([[], [hashing], [filtering], [hashing, filtering]]),
        "includeFiles": st.just(value=False),  # no connector of the twin carries files
        "destinationObjectName": st.sampled_from(["a", "b"]),
        "syncMode": st.sampled_from(MODES),
    }
    fields = {name: {"selectedFields": selections(CATALOG[name])} for name in names}
    return [draw(st.fixed_dictionaries({"name": st.just(name)}, optional=optional | fields[name])) for name in names]


CONNECTIONS = st.fixed_dictionaries(
    {"configurations": streams()},
    optional={
        "schedule": st.just({"scheduleType": "manual"}) | CRON_SCHEDULES | CONFIG_SCHEDULES,
        "notifySchemaChanges": st.booleans(),
        "notifySchemaChangesByEmail": st.booleans(),
        "backfillPreference": st.sampled_from(["enabled", "disabled"]),
        "resourceRequirements": st.dictionaries(
            st.sampled_from(["cpu_limit", "memory_request"]), st.sampled_from(["1", "500m"])
        ),
        "namespaceDefinition": st.sampled_from(["source", "destination", "custom_format"]),
        "namespaceFormat": TEXTS,
        "prefix": TEXTS,
        "nonBreakingSchemaUpdatesBehavior": st.sampled_from(
            ["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
        ),
        "status": st.sampled_from(["active", "inactive"]),
        "name": TEXTS.filter(bool),
    },
)


def other(values: st.SearchStrategy[Any]) -> Callable[[Any], st.SearchStrategy[Any]]:
    """Any of the values but the present one."""
    return lambda present: values.filter(lambda value: value != present)


PROPERTIES: dict[str, Callable[[Any], st.SearchStrategy[Any]]] = {
    "name": other(TEXTS),
    "prefix": other(TEXTS),
    "namespaceFormat": lambda present: TEXTS.filter(lambda value: value != (present or "")),
    "namespaceDefinition": other(st.sampled_from(["source", "destination", "custom_format"])),
    "nonBreakingSchemaUpdatesBehavior": other(st.sampled_from(["ignore", "propagate_columns", "propagate_fully"])),
    "status": other(st.sampled_from(["active", "inactive"])),
    "schedule": lambda present: (st.just({"scheduleType": "manual"}) | CRON_SCHEDULES).filter(
        lambda value: value["scheduleType"] != present["scheduleType"]
    ),
}


@st.composite
def changed_streams(draw: st.DrawFn, live: list[Document]) -> list[Document]:
    """The streams with one of them changed, gone or new."""
    kept = [{key: value for key, value in stream.items() if value != []} for stream in live]
    absent = sorted(set(CATALOG) - {stream["name"] for stream in kept})
    if draw(st.booleans()) and absent:
        return [*kept, {"name": absent[0]}]
    if draw(st.booleans()) and len(kept) > 1:
        return kept[1:]
    victim = draw(st.sampled_from(kept))
    present = {entry["fieldPath"][0] for entry in victim.get("selectedFields", [])}
    missing = [column for column in CATALOG[victim["name"]] if column not in present]
    ways: dict[str, st.SearchStrategy[Any]] = {
        "syncMode": st.sampled_from([mode for mode in MODES if mode != victim["syncMode"]]),
        "selectedFields": st.just([{"fieldPath": [name]} for name in sorted({*NEEDED, *present, *missing[:1]})]),
        "destinationObjectName": st.just("c"),
    }
    if present >= set(CATALOG[victim["name"]]):
        del ways["selectedFields"]
    key = draw(st.sampled_from(sorted(ways)))
    victim[key] = draw(ways[key])
    return kept


@st.composite
def changes(draw: st.DrawFn, live: Document) -> Document:
    """One change that somebody makes to a connection by the public API."""
    key = draw(st.sampled_from(["streams", "streams", *PROPERTIES]))
    if key == "streams":
        return {"configurations": {"streams": draw(changed_streams(live["configurations"]["streams"]))}}
    return {key: draw(PROPERTIES[key](live.get(key)))}


@pytest.fixture
def faker(lake: Lake) -> str:
    """The id of a Faker source."""
    body = {"name": "Faker", "workspaceId": lake.twin.workspace_id, "configuration": {"sourceType": "faker"}}
    return str(lake.api("POST", "/sources", body)["sourceId"])


def connection(plugin: Plugin, lake: Lake, source_id: str, drawn: Document) -> Document:
    given = {"sourceId": source_id, "configurations": json.dumps(drawn["configurations"])}
    return lake.connection(**drawn | given | {"name": f"{plugin.name} {next(NUMBERS)} {drawn.get('name')}"})


@QUICK
@given(CONNECTIONS)
def test_any_valid_connection_is_clean_after_it_was_applied(
    plugin: Plugin, lake: Lake, faker: str, drawn: Document
) -> None:
    said = connection(plugin, lake, faker, drawn)
    made = plugin.made("connection", said)
    assert_clean(plugin, "connection", made)
    assert plugin.check("connection", said, made.inputs).inputs == made.inputs


@QUICK
@given(st.data())
def test_any_change_that_somebody_makes_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, faker: str, data: st.DataObject
) -> None:
    made = plugin.made("connection", connection(plugin, lake, faker, data.draw(CONNECTIONS)))
    lake.api("PATCH", f"/connections/{made.id}", data.draw(changes(lake.live("connections", made.id))))

    live = plugin.refreshed("connection", made)
    found = plugin.diff("connection", live.inputs, made.inputs, live.outputs)
    assert found != NOTHING
    assert_clean(plugin, "connection", plugin.update("connection", live, made.inputs))


@QUICK
@given(CONNECTIONS, CONNECTIONS)
def test_any_change_of_code_is_clean_after_it_was_applied(
    plugin: Plugin, lake: Lake, faker: str, before: Document, after: Document
) -> None:
    made = plugin.made("connection", connection(plugin, lake, faker, before))
    inputs = plugin.check("connection", connection(plugin, lake, faker, after), made.inputs).inputs
    assert_clean(plugin, "connection", plugin.update("connection", made, inputs))
