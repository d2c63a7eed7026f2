"""The streams that an update rereads, by the preview."""

from typing import Any

import pytest

from lotus_infra.plan.analysis import reread_streams
from lotus_infra.plan.preview import read_preview
from tests.support.previews import CONNECTION, CUSTOMERS, ORDERS, Digest, connection

WIDER = ORDERS.but(fields=("email", "id", "tax", "updated_at"))


def reread(old: Any, new: Any, *places: str) -> dict[str, str]:
    [step] = read_preview(Digest().step("update", CONNECTION, "shop", old, new, *places).text()).steps[1:]
    return reread_streams(step)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"refreshOnSchemaChange": True}, {"orders": "it changes, and refreshOnSchemaChange is set"}),
        ({"refreshOnSchemaChange": False}, {}),
        ({}, {}),
    ],
)
def test_a_stream_that_changes_is_reread_only_where_the_program_asks_for_it(
    asked: dict[str, bool], found: dict[str, str]
) -> None:
    old, new = connection([CUSTOMERS, ORDERS]), connection([CUSTOMERS, WIDER], **asked)
    assert reread(old, new, "configurations") == found


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [(False, True, "token true"), (True, "again", "token again"), ("one", "two", "token two")],
)
def test_a_new_token_is_why_a_stream_is_reread(before: object, after: object, why: str) -> None:
    old, new = (connection([ORDERS], backfills={"orders": token}) for token in (before, after))
    assert reread(old, new, "backfills.orders") == {"orders": why}


def test_a_token_that_is_there_already_is_of_a_refresh_that_failed() -> None:
    same = connection([ORDERS], backfills={"orders": "one"})
    assert reread(same, same, "backfills.orders") == {"orders": "token one, whose last refresh failed"}


def test_what_is_made_or_deleted_is_not_reread() -> None:
    assert reread(None, connection([ORDERS]), "backfills.orders") == {}
    assert reread(connection([ORDERS]), None, "backfills.orders") == {}
