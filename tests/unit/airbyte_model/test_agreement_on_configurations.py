"""The validator, secret leaves and the rules of streams say what the twin says, which has its own of each."""

from typing import Any, get_args

import pytest
from airbyte_model.json_values import UNKNOWN, leaves
from airbyte_model.modes import PAIRS as CORE_PAIRS
from airbyte_model.modes import SYNC_MODES
from airbyte_model.offers import Offer, cursor_flaw, destination_mode_flaw, key_flaws, source_mode_flaw
from airbyte_model.specifications import Specification
from airbyte_twin.bodies import StreamBody
from airbyte_twin.catalogs import field_paths
from airbyte_twin.errors import ProblemError
from airbyte_twin.records import Catalog, DestinationSyncMode, DiscoveredStream
from airbyte_twin.secrets import SecretTree, secret_values
from airbyte_twin.specs import SpecValidator
from airbyte_twin.stream_rules import StreamRules
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recorded import Reason, facts, writes
from tests.unit.airbyte_model.configurations import configurations, places, replaced, specifications

NAMES = st.deferred(lambda: st.sampled_from(sorted(specifications())))


@settings(max_examples=settings().max_examples * 4, deadline=None)
@given(st.data())
def test_a_configuration_is_accepted_by_both_or_by_neither(data: st.DataObject) -> None:
    schema = specifications()[data.draw(NAMES)]
    configuration = data.draw(configurations(schema))
    accepted = SpecValidator(schema).violation(configuration) is None
    assert (Specification(schema).misfits(configuration) == []) == accepted


@settings(max_examples=settings().max_examples * 2, deadline=None)
@given(st.data())
def test_what_is_not_known_yet_refuses_no_configuration_that_may_turn_out_valid(data: st.DataObject) -> None:
    schema = specifications()[data.draw(NAMES)]
    configuration = data.draw(configurations(schema))
    specification = Specification(schema)
    if configuration and not specification.misfits(configuration):
        unknown = replaced(configuration, data.draw(st.sampled_from(places(configuration))), UNKNOWN)
        assert specification.misfits(unknown) == []


@settings(max_examples=settings().max_examples * 2, deadline=None)
@given(st.data())
def test_both_find_the_same_secrets(data: st.DataObject) -> None:
    schema = specifications()[data.draw(NAMES)]
    configuration = data.draw(configurations(schema))
    specification = Specification(schema)
    # What lies inside an object that is secret as a whole is secret here; the twin puts the whole away.
    found = [
        value
        for path, value in leaves(configuration)
        if isinstance(value, str) and value and specification.is_secret(path) and not specification.is_secret(path[:-1])
    ]
    assert sorted(found) == sorted(secret_values(configuration, SecretTree(schema)))


def test_every_recorded_configuration_is_judged_as_the_server_did() -> None:
    judged = 0
    for write in writes():
        schema = facts().get(write.definitions[0])
        configuration = write.declared.get("configuration")
        if write.kind == "connection" or schema is None or not isinstance(configuration, dict):
            continue
        if write.reason in {Reason.ACCEPTED, Reason.SPECIFICATION}:
            told = {key: value for key, value in configuration.items() if key != f"{write.kind}Type"}
            fits = not Specification(schema["spec"]).misfits(told)
            if not has_null(told):
                assert fits == (write.reason is Reason.ACCEPTED), str(write)
                judged += 1
    assert judged > 30


def has_null(value: Any) -> bool:
    """Whether a null is in it, which the server drops."""
    return any(item is None for _, item in leaves(value))


SCHEMA: dict[str, Any] = {
    "properties": {"id": {}, "at": {}, "name": {}, "meta": {"type": "object", "properties": {"seen": {}}}}
}
FIELDS = [("id",), ("at",), ("meta", "seen"), ("gone",)]
PATHS = st.sampled_from(FIELDS)
DESTINATION_MODES: tuple[DestinationSyncMode, ...] = get_args(DestinationSyncMode)


def test_the_fields_are_those_that_the_twin_sees() -> None:
    assert {*field_paths(SCHEMA)} == {("id",), ("at",), ("name",), ("meta",), ("meta", "seen")}


@st.composite
def offers(draw: st.DrawFn) -> DiscoveredStream:
    """A stream as a source offers it."""
    own = draw(st.booleans())
    return DiscoveredStream(
        name="orders",
        json_schema=SCHEMA,
        supported_sync_modes=draw(st.sampled_from([("full_refresh",), ("full_refresh", "incremental")])),
        source_defined_cursor=own,
        default_cursor_field=("at",) if own else draw(st.sampled_from([(), ("at",)])),
        source_defined_primary_key=draw(st.sampled_from([(), (("id",),), (("id",), ("at",))])),
    )


@st.composite
def bodies(draw: st.DrawFn) -> StreamBody:
    """A stream as it is asked for."""
    names = st.lists(st.sampled_from(["id", "at", "name", "meta"]), min_size=1, unique=True)
    selected = draw(st.none() | names)
    return StreamBody.model_validate(
        {
            "name": "orders",
            "syncMode": draw(st.sampled_from(SYNC_MODES)),
            "cursorField": draw(st.none() | PATHS.map(list)),
            "primaryKey": draw(st.none() | st.lists(PATHS.map(list), min_size=1, max_size=2, unique_by=tuple)),
            "selectedFields": None if selected is None else [{"fieldPath": [name]} for name in selected],
        }
    )


@settings(max_examples=settings().max_examples * 10, deadline=None)
@given(
    offer=offers(),
    body=bodies(),
    written=st.lists(st.sampled_from(DESTINATION_MODES), min_size=1, unique=True).map(tuple),
)
def test_a_stream_is_accepted_by_both_or_by_neither(
    offer: DiscoveredStream, body: StreamBody, written: tuple[DestinationSyncMode, ...]
) -> None:
    rules = StreamRules(Catalog(id="c", streams=(offer,)), written, files=False, store_mappers=lambda *_: ())
    assert (flaws(offer, body, written) == []) == takes(rules, body)


def takes(rules: StreamRules, body: StreamBody) -> bool:
    try:
        rules.configured([body])
    except ProblemError:
        return False
    return True


def flaws(offer: DiscoveredStream, body: StreamBody, written: tuple[DestinationSyncMode, ...]) -> list[Any]:
    known = {*field_paths(SCHEMA)}
    found = Offer(
        offer.supported_sync_modes,
        offer.default_cursor_field,
        offer.source_defined_cursor,
        offer.source_defined_primary_key,
        SCHEMA["properties"],
        known.__contains__,
    )
    mode, selected = str(body.sync_mode), [each.field_path[0] for each in body.selected_fields or () if each.field_path]
    single = [
        source_mode_flaw(mode, found),
        destination_mode_flaw(mode, "the destination", written),
        cursor_flaw(mode, body.cursor_field or (), selected, found),
    ]
    return [*filter(None, single), *key_flaws(mode, body.primary_key or (), selected, found)]


@pytest.mark.parametrize("mode", SYNC_MODES)
def test_every_mode_has_two_halves(mode: str) -> None:
    assert len(CORE_PAIRS[mode]) == 2
