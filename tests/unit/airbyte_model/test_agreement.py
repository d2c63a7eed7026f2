"""The rules and the twin's, which were written apart from the same sources, say the same."""

from typing import get_args

import pytest
from airbyte_model.choices import ConnectionStatus, NamespaceDefinition, NonBreakingChanges
from airbyte_model.modes import (
    KEY_SELECTING_MODES,
    KEYED_MODES,
    KEYLESS_MODES,
    MODES,
    SYNC_MODES,
    DestinationMode,
    SourceMode,
)
from airbyte_model.schedules import cron_flaw, zone_flaw
from airbyte_model.texts import LONGEST_NAME, LONGEST_TAG, name_flaw, nul_places, tag_flaw
from airbyte_twin import records
from airbyte_twin.app import build_twin
from airbyte_twin.cron import CronError, check_public_cron
from airbyte_twin.database import holds_nul
from airbyte_twin.database import name_flaw as twins_name_flaw
from airbyte_twin.errors import ProblemError
from airbyte_twin.public.tags import check_tag
from airbyte_twin.records import Tag
from airbyte_twin.schedules import config_cron
from airbyte_twin.settings import Edition, TwinSettings
from airbyte_twin.stream_rules import KEEPS_USER_KEY, NEEDS_KEY, SELECTS_KEY
from airbyte_twin.sync_modes import PAIRS
from airbyte_twin.twin import Twin
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recorded import Reason, writes

NUMBERS = st.integers(0, 62).map(str) | st.sampled_from(["00", "05", "1970", "2027", "2099", "2100", "131", "130"])
NAMES = st.sampled_from(["MON", "sun", "JAN", "dec", "MOO", "L", "LW", "W", "?", "*", ""])
VALUES = NUMBERS | NAMES
ITEMS = st.one_of(
    VALUES,
    st.builds("{}-{}".format, VALUES, VALUES),
    st.builds("{}/{}".format, VALUES, NUMBERS),
    st.builds("{}-{}/{}".format, NUMBERS, NUMBERS, NUMBERS),
    st.builds("{}#{}".format, VALUES, NUMBERS),
    st.builds("{}L".format, VALUES),
    st.builds("{}W".format, NUMBERS),
    st.builds("L-{}".format, NUMBERS),
)
FIELDS = st.lists(ITEMS, min_size=1, max_size=3).map(",".join)
SOUND = ("0", "0", "0", "1", "1", "?", "2027")


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """A sound expression with some of its fields changed."""
    fields = list(SOUND[: draw(st.sampled_from([6, 6, 7]))])
    if draw(st.booleans()):
        fields[3], fields[5] = "?", draw(FIELDS)
    for _ in range(draw(st.integers(0, 2))):
        fields[draw(st.integers(0, len(fields) - 1))] = draw(FIELDS)
    return " ".join(fields)


def twin_takes(expression: str) -> bool:
    try:
        check_public_cron(expression)
    except CronError:
        return False
    return True


@settings(max_examples=settings().max_examples * 10, deadline=None)
@given(expressions())
def test_a_cron_expression_is_taken_by_both_or_by_neither(expression: str) -> None:
    assert (cron_flaw(expression) is None) == twin_takes(expression)


@given(st.text(alphabet="0129*?/-,#LWMONFRIUTC ", max_size=25))
def test_any_text_is_taken_by_both_or_by_neither(expression: str) -> None:
    assert (cron_flaw(expression) is None) == twin_takes(expression)


def test_both_say_of_every_recorded_expression_what_the_server_said() -> None:
    asked = [write for write in writes() if write.key[1].startswith("cron '")]
    taken = {write.sent["schedule"]["cronExpression"]: write.reason is Reason.ACCEPTED for write in asked}
    plain = {expression: was for expression, was in taken.items() if not expression.endswith("UTC")}
    assert len(plain) > 30
    assert {expression: cron_flaw(expression) is None for expression in plain} == plain
    assert {expression: twin_takes(expression) for expression in plain} == plain


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "etc/GMT+1", "Europe/Berlin", "europe/berlin", "GMT", "Mars/Base"])
def test_a_zone_is_taken_by_both_or_by_neither(zone: str) -> None:
    def is_taken() -> bool:
        try:
            config_cron("c", "0 0 * * * ?", zone, Edition.COMMUNITY)
        except ProblemError:
            return False
        return True

    assert (zone_flaw(zone) is None) == is_taken()


def test_modes_and_what_they_make_of_keys_are_the_same() -> None:
    assert {mode: pair for pair, mode in MODES.items()} == PAIRS
    assert (KEYED_MODES, KEY_SELECTING_MODES) == (NEEDS_KEY, SELECTS_KEY)
    assert set(SYNC_MODES) - KEYLESS_MODES == KEEPS_USER_KEY


def test_stream_files_have_both_halves_of_every_mode() -> None:
    assert {pair[0] for pair in MODES} == set(get_args(SourceMode))
    assert {pair[1] for pair in MODES} == set(get_args(DestinationMode))


@given(st.text(max_size=4) | st.integers(LONGEST_NAME - 1, LONGEST_NAME + 1).map("→".__mul__))
def test_a_name_is_taken_by_both_or_by_neither(name: str) -> None:
    assert (name_flaw(name) is None) == (twins_name_flaw(name) is None)


@pytest.mark.parametrize("letter", ["a", "é", "表", "🦊"])
@pytest.mark.parametrize("length", [1, LONGEST_TAG // 2, LONGEST_TAG // 2 + 1, LONGEST_TAG, LONGEST_TAG + 1])
def test_a_tag_is_taken_by_both_or_by_neither(letter: str, length: int) -> None:
    def is_taken(twin: Twin) -> bool:
        try:
            check_tag(twin, Tag(id="", workspace_id="", name=letter * length, color="CAC7FF"))
        except ProblemError:
            return False
        return True

    assert (tag_flaw(letter * length) is None) == is_taken(build_twin(TwinSettings())[0])


def test_settings_have_the_same_choices() -> None:
    choices = (NamespaceDefinition, NonBreakingChanges)
    assert [{*get_args(each)} for each in choices] == [
        {*get_args(each)} for each in (records.NamespaceDefinition, records.NonBreakingPolicy)
    ]
    assert {*get_args(ConnectionStatus)} <= {*get_args(records.ConnectionStatus)}


TEXTS = st.sampled_from(["", "a", "\0", "a\0b"])
DOCUMENTS = st.recursive(
    TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=6
)


@given(DOCUMENTS)
def test_both_find_a_nul_in_a_document(document: object) -> None:
    assert bool([*nul_places(document)]) == holds_nul(document)  # type: ignore[arg-type]
