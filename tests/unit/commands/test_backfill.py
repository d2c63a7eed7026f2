"""Streams get tokens, and nothing else of their files changes."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from lotus_infra.commands.backfill import BackfillPlan, JobHistory, next_step, plan_backfill, render, write
from lotus_infra.errors import LotusError
from tests.support.lakes import OWN_STREAMS, Document, clean_files, stream
from tests.support.lakes import write as write_files

TODAY = date(2026, 2, 1)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """The clean lake, with three more streams."""
    others: dict[str, Document | str | bytes | None] = {
        "shop/dated.json": stream(stream="dated", backfill="2026-02-01"),
        "shop/off.json": stream(stream="off", selected=False),
        "shop/seed.json": (OWN_STREAMS / "shopify" / "orders.json")
        .read_text(encoding="utf-8")
        .replace('"orders"', '"seed"')
        .replace("\n", "\r\n"),
    }
    return write_files(tmp_path / "streams", clean_files() | others)


def planned(lake: Path, *streams: str, token: str | None = None) -> BackfillPlan:
    return plan_backfill(lake, "shop", streams, token, TODAY)


def test_only_the_value_changes_in_a_file_whatever_its_layout(lake: Path) -> None:
    before = {file: file.read_bytes() for file in lake.rglob("*.json")}
    write(planned(lake, "seed", "orders"))
    changed = {file.name: file.read_bytes() for file, was in before.items() if file.read_bytes() != was}
    seed, orders = lake / "shop" / "seed.json", lake / "shop" / "orders.json"
    assert changed == {
        "seed.json": before[seed].replace(b'"backfill": true', b'"backfill": "2026-02-01"'),
        "orders.json": before[orders].replace(b'"append",\n', b'"append",\n  "backfill": "2026-02-01",\n'),
    }
    assert [edit.before for edit in planned(lake, "seed", "dated").edits] == ["2026-02-01", "2026-02-01"]


def test_a_second_backfill_of_the_day_has_a_token_of_its_own_for_all_its_streams(lake: Path) -> None:
    assert {edit.token for edit in planned(lake, "orders", "orders").edits} == {"2026-02-01"}
    assert [edit.token for edit in planned(lake, "orders", "dated").edits] == ["2026-02-01-2", "2026-02-01-2"]


@pytest.mark.parametrize(
    ("streams", "token", "said"),
    [
        (["ordrs"], None, 'has no stream "ordrs": did you mean "orders"'),
        (["orders", "off"], None, 'shop/off is not selected, so Airbyte does not sync it: set "selected" to true'),
        (["orders", "dated"], "2026-02-01", "shop/dated already has the token 2026-02-01, which has no further effect"),
        (["orders"], "true", 'invalid token "true": a token has 1 to 100 letters'),
        (["orders"], "a b", 'invalid token "a b"'),
    ],
)
def test_what_can_not_be_is_refused_with_what_to_do(
    lake: Path, streams: Sequence[str], token: str | None, said: str
) -> None:
    with pytest.raises(LotusError) as refused:
        planned(lake, *streams, token=token)
    assert said in str(refused.value)


def test_a_file_that_can_not_be_written_leaves_all_as_they_are(lake: Path) -> None:
    both = planned(lake, "orders", "seed")
    before = (lake / "shop" / "orders.json").read_bytes()
    (lake / "shop" / ".seed.json.new").mkdir()
    with pytest.raises(LotusError, match="can't be written to"):
        write(both)
    assert (lake / "shop" / "orders.json").read_bytes() == before


def test_what_is_not_known_of_the_rows_is_said_to_be_so(lake: Path) -> None:
    shown = planned(lake, "orders")
    assert "unknown: no Airbyte" in render(shown, "no Airbyte")
    assert "unknown: no job of shop has succeeded yet" in render(shown, JobHistory(0, 0, None, None, complete=True))


def test_a_source_that_dlt_reads_is_read_by_its_next_run_and_not_by_airbyte(lake: Path) -> None:
    config: Document = {"engine": "dlt", "configuration": {}}
    write_files(lake, {"erp/_source.json": config, "erp/orders.json": stream(), "erp/off.json": stream(selected=False)})

    found = plan_backfill(lake, "erp", ["orders"], None, TODAY)

    shown = render(found)
    assert "The first run of erp_dlt after the next `pulumi up` re-reads orders of erp in full, once." in shown
    assert "Airbyte" not in shown + next_step(found)
    assert next_step(found).endswith(
        "its comment shows a full re-read of orders (token 2026-02-01), and the first run of erp_dlt after the merge's "
        "`pulumi up` does it"
    )
    with pytest.raises(LotusError, match="erp/off is not selected, so dlt does not sync it"):
        plan_backfill(lake, "erp", ["off"], None, TODAY)
