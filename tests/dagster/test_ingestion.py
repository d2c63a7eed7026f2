"""A stream that dlt reads from a real API into files, one run after the other."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lotus_dagster.ingestion.failures import RunError
from lotus_dagster.ingestion.journal import BusyError
from lotus_dagster.ingestion.module import ModuleError
from lotus_dagster.ingestion.rows import RecordError

from tests.dagster.airbyte import s3_in_process, s3_on_disk
from tests.dagster.erp import MODULE, Erp
from tests.soak.servers import BUCKET
from tests.support.rest_api import RestApi, serving


@pytest.fixture(params=["folder", "bucket", pytest.param("versitygw", marks=pytest.mark.nightly)])
def erp(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Erp]:
    with serving(RestApi()) as api:
        for number in range(1, 6):
            api.put("orders", number, total=number * 10, lines=[{"sku": "a"}])
            api.put("customers", number, name=f"Ada {number}")
        if request.param != "folder":
            with s3_in_process() if request.param == "bucket" else s3_on_disk(tmp_path / "s3"):
                yield Erp(tmp_path, api, f"s3://{BUCKET}")
        else:
            (tmp_path / "landing").mkdir()
            yield Erp(tmp_path, api, str(tmp_path / "landing"))


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Erp]:
    (tmp_path / "landing").mkdir()
    with serving(RestApi()) as api:
        api.put("orders", 1, total=10)
        api.put("customers", 1, name="Ada")
        yield Erp(tmp_path, api, str(tmp_path / "landing"))


def test_a_run_sends_nothing_to_dlts_makers(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME__DLTHUB_TELEMETRY")
    erp.land()
    from dlt.common.runtime import anon_tracker  # noqa: PLC0415, as runs import it

    assert not vars(anon_tracker)["_ANON_TRACKER_ENDPOINT"]


def test_a_run_lands_each_page_and_the_next_one_only_what_has_changed(erp: Erp) -> None:
    assert erp.land().rows == 5
    assert erp.contents() == erp.expected()
    first = erp.keys()

    assert erp.land().rows == 0
    assert erp.keys() == first

    before = erp.contents()
    erp.api.put("orders", 2, total=99)
    erp.api.put("orders", 6, total=60)
    assert erp.land().rows == 2
    changed = [row for row in erp.expected() if row[0] in {2, 6}]
    assert erp.contents() == sorted([*before, *changed])
    assert {name: erp.keys()[name] for name in first} == first


def test_files_have_the_layout_and_the_columns_of_the_lake(erp: Erp) -> None:
    erp.land()
    today = datetime.now(UTC)
    (key,) = erp.keys()
    assert key.startswith(f"raw/erp/Orders/{today:year=%Y/month=%m/day=%d}/")
    row = erp.rows()[0]
    assert set(row) == {
        *("id", "updated_at", "total", "lines"),
        *("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id", "_airbyte_meta"),
    }
    assert (row["id"], row["total"], json.loads(row["lines"])) == (1, 10.0, [{"sku": "a"}])
    assert (row["_airbyte_generation_id"], json.loads(row["_airbyte_meta"])) == (0, {"changes": []})
    assert len({row["_airbyte_raw_id"] for row in erp.rows()}) == 5


def test_a_rate_limit_is_waited_for(on_disk: Erp) -> None:
    for number in range(2, 12):
        on_disk.api.put("orders", number, total=number)
    on_disk.api.refuses_each = 2
    assert on_disk.land().rows == 11
    assert on_disk.api.answered(429)


def test_rows_of_the_very_time_of_the_cursor_are_neither_lost_nor_twice(on_disk: Erp) -> None:
    api = on_disk.api
    api.put_at_once("orders", {2: {"total": 20}, 3: {"total": 30}})
    assert on_disk.land().rows == 3
    # Another order of the same time, and one that has changed within it, appear only now.
    same = api.rows("orders")[-1]["updated_at"]
    api._tables["orders"][4] = {**api.rows("orders")[-1], "id": 4, "total": 40}
    api._tables["orders"][3] = {**api._tables["orders"][3], "total": 31}

    assert on_disk.land().rows == 2

    at = same.replace("Z", "+00:00")
    landed = [(row[0], row[2]) for row in on_disk.contents() if row[1] == at]
    assert landed == [(2, 20.0), (3, 30.0), (3, 31.0), (4, 40.0)]
    assert on_disk.land().rows == 0


def test_the_cursor_of_the_file_decides_and_a_new_one_begins_at_the_start(on_disk: Erp) -> None:
    on_disk.land()
    on_disk.edit("orders", cursor_field=["id"], fields={**on_disk.files["erp/orders.json"]["fields"]})  # type: ignore[dict-item]
    on_disk.write(MODULE.replace('pages("orders", since)', 'pages("orders")').replace("[str]", "[int]"))
    assert on_disk.land().rows == 1
    on_disk.api.put("orders", 1, total=11)
    on_disk.api.put("orders", 2, total=20)
    on_disk.land()
    assert [(row["id"], row["total"]) for row in on_disk.rows()] == [(1, 10.0), (1, 10.0), (1, 11.0), (2, 20.0)]


REST_API = """
import dlt
from dlt.sources.rest_api import rest_api_resources


@dlt.source
def erp(url, api_key=dlt.secrets.value):
    return rest_api_resources(
        {
            "client": {
                "base_url": url,
                "auth": {"type": "bearer", "token": api_key},
                "paginator": {"type": "page_number", "base_page": 1, "total_path": None},
            },
            "resources": [
                {
                    "name": "Orders",
                    "endpoint": {
                        "path": "orders",
                        "data_selector": "rows",
                        "params": {"limit": 2, "updated_since": "{incremental.start_value}"},
                        "incremental": {"cursor_path": "updated_at", "initial_value": "2020-01-01T00:00:00Z"},
                    },
                }
            ],
        }
    )
"""
"""A module in the form that `lotus add source --engine dlt` writes: its cursor is an argument of dlt's own resource."""


def test_a_module_by_dlts_own_source_of_rest_apis_begins_where_it_says(on_disk: Erp) -> None:
    on_disk.write(REST_API)
    for number in range(2, 6):
        on_disk.api.put("orders", number, total=number)

    assert on_disk.land().rows == 5
    on_disk.api.put("orders", 3, total=33)
    assert on_disk.land().rows == 1

    since = [each.parameters["updated_since"] for each in on_disk.api.answered()]
    assert since[0] == "2020-01-01T00:00:00Z"
    assert since[-1] > "2020-01-01T00:00:00Z"


def test_a_module_s_own_cursor_wins_over_the_file_s(on_disk: Erp) -> None:
    own = 'updated: Any = dlt.sources.incremental("updated_at", initial_value="2026-03-01T08:03:00Z")'
    on_disk.write(MODULE.replace("updated: Optional[dlt.sources.incremental[str]] = None", own))
    on_disk.edit("orders", cursor_field=["id"])
    on_disk.api.put("orders", 2, total=20)
    assert on_disk.land().rows == 1
    assert on_disk.land().rows == 0


def test_a_full_refresh_that_appends_reads_everything_each_time(on_disk: Erp) -> None:
    on_disk.edit("orders", sync_mode="full_refresh")
    on_disk.land()
    on_disk.land()
    assert on_disk.contents() == on_disk.expected() * 2


def test_an_overwrite_replaces_the_files_of_the_run_before_and_no_other(erp: Erp) -> None:
    erp.land("customers")
    first = erp.keys("customers")
    erp.api.delete("customers", 1)
    erp.api.put("customers", 2, name="Grace")

    assert erp.land("customers").generation == 1

    assert erp.contents("customers") == erp.expected("customers")
    assert not first.keys() & erp.keys("customers").keys()
    for number in range(2, 6):
        erp.api.delete("customers", number)
    assert erp.land("customers").rows == 0
    assert erp.keys("customers") == {}


def test_an_overwrite_leaves_files_that_airbyte_has_landed(on_disk: Erp) -> None:
    theirs = Path(on_disk.landing) / "raw/erp/Customers/year=2026/month=01/day=05/2026_01_05_1767571200000_0.parquet"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    on_disk.land("customers")
    on_disk.land("customers")
    assert theirs.exists()
    assert len(on_disk.keys("customers")) == 2


@pytest.mark.parametrize(
    ("tokens", "reads"),
    [
        ((False, "a", "a", "b"), (1, 1, 0, 1)),
        (("a", "a"), (1, 0)),
        (("a", False, True, True), (1, 0, 1, 0)),
        ((True, True, False, True), (1, 0, 0, 1)),
        (("a", False, "b"), (1, 0, 1)),
    ],
)
def test_a_new_token_reads_the_stream_again_once(on_disk: Erp, tokens: tuple[Any, ...], reads: tuple[int, ...]) -> None:
    landed = []
    for token in tokens:
        on_disk.edit("orders", backfill=token)
        landed.append(on_disk.land())
    assert tuple(one.rows for one in landed) == reads
    generations = [row["_airbyte_generation_id"] for row in on_disk.rows()]
    assert generations == list(range(sum(reads)))


def test_a_backfill_that_fails_is_asked_for_again(on_disk: Erp) -> None:
    on_disk.land()
    on_disk.edit("orders", backfill="again")
    with pytest.raises(Exception, match="401"):
        on_disk.land(api_key="wrong")
    assert on_disk.land().is_backfill
    assert not on_disk.land().is_backfill


def test_only_selected_fields_land_and_an_edited_type_is_no_conflict(on_disk: Erp) -> None:
    on_disk.land()
    time = {"type": "string", "format": "date-time"}
    on_disk.edit("orders", fields={"id": {"type": "string"}, "updated_at": time, "odd name": {"type": "string"}})
    on_disk.api.put("orders", 2, total=20, **{"odd name": "x"})
    on_disk.land()
    row = on_disk.rows()[-1]
    assert (row["id"], row["odd_name"], row["total"]) == ("2", "x", None)


def test_all_fields_land_when_the_file_selects_all_each_as_json(on_disk: Erp) -> None:
    on_disk.edit("orders", fields="all")
    on_disk.api.put("orders", 2, total=20, extra={"a": [1]})
    on_disk.land()
    row = on_disk.rows()[-1]
    assert json.loads(row["extra"]) == {"a": [1]}
    assert (json.loads(row["id"]), json.loads(row["total"])) == (2, 20)


def test_a_value_that_its_type_can_t_hold_is_null_and_the_row_says_so(on_disk: Erp) -> None:
    on_disk.api.put("orders", 2, total="twelve", lines="none")
    on_disk.land()
    row = on_disk.rows()[-1]
    assert (row["id"], row["total"], row["lines"]) == (2, None, None)
    changes = json.loads(row["_airbyte_meta"])["changes"]
    assert [(one["field"], one["change"]) for one in changes] == [("total", "NULLED"), ("lines", "NULLED")]


def test_a_key_that_its_type_can_t_hold_fails_the_run_before_anything_lands(on_disk: Erp) -> None:
    on_disk.api._tables["orders"][1] |= {"id": ["one"]}
    with pytest.raises(RecordError) as error:
        on_disk.land()
    assert str(error.value) == (
        'erp/orders: "id" is a list that is no integer: correct its type in the stream\'s file, or the module'
    )
    assert on_disk.keys() == {}


def test_of_two_runs_at_once_one_lands_and_the_other_fails_with_nothing_landed(erp: Erp) -> None:
    erp.land()
    erp.api.put("orders", 6, total=60)

    def other_run(table: str, page: int) -> None:
        erp.api.before_page = None
        erp.land()

    erp.api.before_page = other_run
    with pytest.raises(BusyError, match="another run of erp/orders has landed rows"):
        erp.land()
    assert [row[0] for row in erp.contents()] == [1, 2, 3, 4, 5, 6]
    assert erp.land().rows == 0


def test_a_source_that_fails_between_pages_lands_nothing_and_moves_no_cursor(on_disk: Erp) -> None:
    for number in range(2, 9):
        on_disk.api.put("orders", number, total=number)

    def refuse(table: str, page: int) -> None:
        if page == 2:
            on_disk.api.token = "another"

    on_disk.api.before_page = refuse
    with pytest.raises(Exception, match="401"):
        on_disk.land()
    assert on_disk.keys() == {}
    on_disk.api.before_page = None
    assert on_disk.land().rows == 8


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (None, "dagster/sources/erp.py is missing: write it"),
        ("import no_such_package", "can't be imported: No module named 'no_such_package': add the package"),
        ("def erp(", "can't be imported: SyntaxError"),
        ("x = 1", "has no function erp"),
        ("def erp(url, api_key): return 1", "erp returns no source of dlt: decorate erp with @dlt.source"),
        (MODULE.replace("api_key", "token"), "does not take the source's configuration: missing a required argument"),
        (MODULE.replace('"Orders"', '"orders"'), 'has no resource "Orders": it has Customers, orders'),
    ],
)
def test_a_module_that_can_t_be_used_is_one_clear_error(on_disk: Erp, module: str | None, message: str) -> None:
    if module is None:
        (on_disk.root / "dagster/sources/erp.py").unlink()
    else:
        on_disk.write(module)
    with pytest.raises(ModuleError) as error:
        on_disk.land()
    assert message in str(error.value)


def test_rows_for_another_table_are_refused_before_anything_lands(on_disk: Erp) -> None:
    on_disk.write(
        MODULE.replace(
            'yield answer["rows"]', 'yield dlt.mark.with_hints(answer["rows"], dlt.mark.make_hints(table_name="other"))'
        )
    )
    with pytest.raises(Exception, match="the module sends rows to other tables: other"):
        on_disk.land()
    assert on_disk.keys() == {}


def test_an_api_s_refusal_is_one_line_with_its_place_and_without_the_token_of_its_address(on_disk: Erp) -> None:
    on_disk.write(MODULE.replace("**given}", '**given, "access_token": api_key}'))
    with pytest.raises(RunError) as error:
        on_disk.land()
    assert "erp/orders can't be read: 400 Client Error" in str(error.value)
    assert "(dagster/sources/erp.py:" in str(error.value)
    assert str(error.value).endswith("the run's log has the traceback")
    assert on_disk.api.token not in str(error.value)
    assert "\n" not in str(error.value)


def test_an_error_of_a_module_shows_no_secret_of_its_configuration(
    on_disk: Erp, caplog: pytest.LogCaptureFixture
) -> None:
    on_disk.write(MODULE.replace("page, more = 1, True", 'raise PermissionError(f"401 for Bearer {api_key}")'))
    with (
        caplog.at_level("INFO"),
        pytest.raises(RunError, match=r"401 for Bearer \*\*\* \(dagster/sources/erp.py:") as error,
    ):
        on_disk.land()
    assert "401 for Bearer ***" in caplog.text
    assert on_disk.api.token not in str(error.value) + caplog.text


def test_rows_that_could_not_land_are_landed_by_the_next_run_without_asking_the_source(on_disk: Erp) -> None:
    (Path(on_disk.landing) / "raw").write_text("a file where the folder should be")
    with pytest.raises(RunError, match=r"erp/orders can't be landed: .*: run it again: it lands the rows"):
        on_disk.land()
    (Path(on_disk.landing) / "raw").unlink()
    on_disk.api.delete("orders", 1)
    on_disk.api.put("orders", 2, total=20)

    landed = on_disk.land()

    assert (landed.resumed_rows, landed.rows) == (1, 1)
    assert [row[0] for row in on_disk.contents()] == [1, 2]
