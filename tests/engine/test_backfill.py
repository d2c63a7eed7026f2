"""A stream's token in the lake's files: one backfill of that stream, once."""

from typing import Any

from airbyte_twin.faults import Fault

from lotus_infra.commands.backfill import plan_backfill, write
from tests.engine.lake import Lake
from tests.support.jobs import Ending, ending

REPRICE = "2026-02-01-reprice"
ORDERS = [("refresh", "merge", ["orders"])]


def say(lake: Lake, token: Any) -> None:
    lake.edit("shopify/orders.json", lambda stream: stream.update(backfill=token))


def applied_again(lake: Lake, jobs: Ending) -> list[tuple[str, str | None, list[str]]]:
    """The jobs of one more `up`."""
    jobs.asked.clear()
    lake.pulumi.up().ok()
    return list(jobs.asked)


def test_a_new_token_is_one_refresh_of_its_stream_and_a_refused_one_is_tried_again(applied: Lake) -> None:
    with ending(applied.twin) as jobs:
        write(plan_backfill(applied.pulumi.project / "streams", "shopify", ["orders"], REPRICE))
        assert f"will refresh orders (token {REPRICE})" in applied.pulumi.preview().ok().stdout
        applied.twin.twin.faults.add(Fault(method="POST", path="connections/refresh", status=423))
        assert "423" in applied.pulumi.up().failed().output
        assert jobs.asked == []

        assert applied_again(applied, jobs) == ORDERS
        assert applied_again(applied, jobs) == []
    assert applied.changes("--refresh") == []


def test_true_keeps_its_meaning_and_fires_where_it_was_false(applied: Lake) -> None:
    with ending(applied.twin) as jobs:
        for token, fired in ((False, []), (True, ORDERS), (True, []), (False, [])):
            say(applied, token)
            assert applied_again(applied, jobs) == fired
    assert applied.changes("--refresh") == []
