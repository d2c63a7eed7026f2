"""`lotus add` of a source that dlt reads: its files, and that the module which it writes reads a real API."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import dlt
import pytest

from lotus_infra.lake.report import check_lake
from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.http_server import http_server
from tests.support.lakes import clean_files, write

ERP = ("add", "source", "erp", "--engine", "dlt")


@pytest.fixture
def lotus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs `lotus` beside a lake, without an engine and without an Airbyte."""
    write(tmp_path / "streams", clean_files())
    values = {"lotus:landing_bucket": "landing", "lotus:s3_secret_access_key": {"secure": "v1:abc"}}
    write_stack(tmp_path, "dev", values)
    monkeypatch.setenv("PATH", "")
    return lotus_in(tmp_path, monkeypatch)


def document(project: Path, name: str) -> Any:
    return json.loads((project / "streams" / name).read_text())


def test_a_plan_shows_both_files_and_each_next_step_and_writes_nothing(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(*ERP, "--schedule", "1 hours") == 0

    assert capsys.readouterr().out.splitlines() == [
        "+ streams/erp/_source.json",
        "+ dagster/sources/erp.py",
        "dagster/sources/erp.py is an example to start from: it reads the stream orders",
        "Nothing is written yet: --yes writes it.",
        "Then:",
        "  pulumi config set --secret lotus:erp_api_key",
        "  pulumi config set lotus:erp_url <value>",
        "  lotus add stream erp orders --key id --cursor updated_at",
        "  lotus check",
        "  pulumi preview",
    ]
    assert not (tmp_path / "streams" / "erp").exists()
    assert not (tmp_path / "dagster").exists()


def test_the_written_files_are_those_of_a_clean_lake(lotus: Lotus, tmp_path: Path) -> None:
    assert lotus(*ERP, "--schedule", "1 hours", "--yes") == 0
    types = "id:integer,total:number,updated_at:date-time,lines:array"
    stream = ("add", "stream", "erp", "orders", "--key", "id", "--cursor", "updated_at", "--fields", types)
    assert lotus(*stream, "--yes") == 0

    assert document(tmp_path, "erp/_source.json") == {
        "$schema": "../.schema/source.json",
        "engine": "dlt",
        "name": "Erp",
        "configuration": {"api_key": {"$secret": "erp_api_key"}, "url": {"$config": "erp_url"}},
        "destination": "s3",
        "schedule": {"type": "basic", "every": "1 hours"},
    }
    assert document(tmp_path, "erp/orders.json") == {
        "$schema": "../.schema/stream.json",
        "stream": "orders",
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "primary_key": [["id"]],
        "cursor_field": ["updated_at"],
        "fields": {
            "id": {"type": "integer"},
            "updated_at": {"type": "string", "format": "date-time"},
            "total": {"type": "number"},
            "lines": {"type": "array"},
        },
    }
    report = check_lake(tmp_path / "streams")
    assert (report.problems, report.notices) == ((), ())


def test_a_stream_without_fields_and_cursor_is_read_in_full_and_takes_all(lotus: Lotus, tmp_path: Path) -> None:
    assert lotus(*ERP, "--yes") == 0
    assert lotus("add", "stream", "erp", "orders", "--yes") == 0

    assert document(tmp_path, "erp/orders.json") == {
        "$schema": "../.schema/stream.json",
        "stream": "orders",
        "sync_mode": "full_refresh",
        "destination_sync_mode": "overwrite",
        "fields": "all",
    }
    assert check_lake(tmp_path / "streams").problems == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("id", 'the field "id" has no type: write id: and one of string, integer'),
        ("id:int", '"id:int" has no type that is known: write id: and one of string, integer'),
    ],
)
def test_a_field_without_a_known_type_is_refused(
    fields: str, message: str, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(*ERP, "--yes") == 0
    assert lotus("add", "stream", "erp", "orders", "--fields", fields, "--yes") == 1
    assert message in capsys.readouterr().err


def test_an_existing_module_says_what_the_configuration_needs(lotus: Lotus, tmp_path: Path) -> None:
    text = (
        "import dlt\n@dlt.source\ndef shared(region: str, token=dlt.secrets.value, limit: int = 5, pages: int = 1):\n"
        "    return dlt.resource([1], name='orders')\n"
    )
    write(tmp_path, {"dagster/sources/shared.py": text})

    options = ("--module", "shared", "--config", "limit=7", "--destination", "s3", "--label", "Our ERP")
    assert lotus(*ERP, *options, "--yes") == 0

    assert document(tmp_path, "erp/_source.json") == {
        "$schema": "../.schema/source.json",
        "engine": "dlt",
        "module": "shared",
        "name": "Our ERP",
        "configuration": {
            "limit": 7,
            "token": {"$secret": "erp_token"},
            "region": {"$config": "erp_region"},
        },
        "destination": "s3",
    }
    assert (tmp_path / "dagster/sources/shared.py").read_text() == text


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--module", "Erp"), 1, "can't name a module"),
        (("--config", "api_key=abc"), 1, "api_key is a secret, and the shell's history would show it"),
        (("--config", "page=5"), 1, 'configuration.page: is not a parameter of "erp"'),
        (("--destination", "s4"), 1, 'there is no destination "s4"'),
        (("--schedule", "7 hours"), 1, "so Dagster can't repeat it"),
        (("--connector", "source-stripe"), 2, "--connector is for a source with a connector"),
        (("--all-streams",), 2, "--all-streams is for a source with a connector"),
    ],
)
def test_what_can_not_be_is_an_error_and_writes_nothing(
    options: tuple[str, ...],
    code: int,
    message: str,
    lotus: Lotus,
    tmp_path: Path,
    *,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert lotus(*ERP, *options, "--yes") == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "streams" / "erp").exists()
    assert not (tmp_path / "dagster").exists()


@pytest.mark.parametrize(
    ("dependency", "wanted"),
    [
        ("lotus-dagster[kubernetes]==0.1.0", "lotus-dagster[dlt,kubernetes]"),
        ("lotus-dagster>=0.1", "lotus-dagster[dlt]"),
        ("lotus-dagster[kubernetes, warehouses]", "lotus-dagster[dlt,kubernetes,warehouses]"),
        ("lotus-dagster[dlt,kubernetes]", ""),
        ("lotus-dagster-extra", ""),
    ],
)
def test_a_lake_whose_image_lacks_dlt_is_shown_the_dependency(
    dependency: str, wanted: str, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"pyproject.toml": f'[project]\ndependencies = ["{dependency}"]\n'})

    assert lotus(*ERP) == 0

    told = capsys.readouterr().out
    assert ("Dagster's image lacks dlt" in told) is bool(wanted)
    assert f"in pyproject.toml, write {wanted} and run `uv lock`" in told or not wanted


def test_a_module_that_has_no_source_is_refused(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"dagster/sources/erp.py": "def erp(): ...\n"})

    assert lotus(*ERP, "--yes") == 1
    assert 'it has no function "erp" with @dlt.source' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "Missing option '--connector'"), (("--module", "erp", "--connector", "source-faker"), "--engine dlt")],
)
def test_a_source_with_a_connector_still_needs_one(
    arguments: tuple[str, ...], message: str, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("add", "source", "erp", *arguments) == 2
    assert message in capsys.readouterr().err


class Api(BaseHTTPRequestHandler):
    """Seven orders, in pages; only with the token, and every third request comes too early."""

    orders: ClassVar[list[dict[str, object]]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        Api.asked.append(self.path)
        if self.headers["Authorization"] != "Bearer of-the-test" or address.path != "/v1/orders":
            self._answer(401, [])
        elif len(Api.asked) % 3 == 0:
            self._answer(429, [])
        else:
            size, page = int(query["per_page"]), int(query["page"])
            fitting = [each for each in Api.orders if str(each["updated_at"]) >= query["updated_since"]]
            self._answer(200, fitting[size * (page - 1) : size * page])

    def _answer(self, status: int, rows: list[dict[str, object]]) -> None:
        body = json.dumps(rows).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Nothing: the test reads `asked`."""


@pytest.fixture
def api() -> Iterator[str]:
    Api.asked.clear()
    Api.orders[:] = [{"id": number, "updated_at": f"2026-01-0{number}T00:00:00Z"} for number in range(1, 8)]
    with http_server(Api) as address:
        yield f"{address}/v1/"


def test_the_written_module_reads_page_by_page_and_then_only_what_changed(
    lotus: Lotus, api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lotus(*ERP, "--yes") == 0
    file = tmp_path / "dagster/sources/erp.py"
    spec = importlib.util.spec_from_file_location("erp_as_written", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    pipeline = dlt.pipeline(
        "erp_of_a_test", pipelines_dir=str(tmp_path / "dlt"), destination="duckdb", dataset_name="raw"
    )

    def run() -> list[int]:
        pipeline.run(module.erp(url=api, api_key="of-the-test", page_size=3), write_disposition="append")
        with (
            pipeline.sql_client() as client,
            client.execute_query("SELECT id FROM orders ORDER BY _dlt_load_id, id") as rows,
        ):
            return [row[0] for row in rows.fetchall()]

    monkeypatch.chdir(tmp_path)
    assert run() == [1, 2, 3, 4, 5, 6, 7]
    Api.orders[0] = {"id": 1, "updated_at": "2026-02-01T00:00:00Z"}
    Api.asked.clear()
    assert run() == [1, 2, 3, 4, 5, 6, 7, 1]
    assert all("updated_since=2026-01-07" in each for each in Api.asked)
