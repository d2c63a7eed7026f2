"""`lotus add` as a user runs it: the first files of sources, streams and destinations."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.records import Temper
from airbyte_twin.testing import running_twin
from pulumi_airbyte.client import Airbyte, ClientSettings, RetryPolicy

from lotus_infra.lake.report import check_lake
from sandbox.twin import give_connectors
from tests.commands.lab import Lab, write_lake
from tests.support.commands import Lotus, lotus_in, stand_in_engine, write_stack
from tests.support.lakes import write

TOKEN = "a-token-of-the-test"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lake, and a twin that has further connectors and none of the lake."""
    give_connectors(tmp_path / "airbyte")
    with running_twin(data_dir=tmp_path / "airbyte", saves=False) as twin:
        settings = ClientSettings(twin.public_url, retry=RetryPolicy(base_seconds=0))
        with closing(Airbyte(settings)) as airbyte:
            yield Lab(write_lake(tmp_path / "streams"), twin, airbyte)


@pytest.fixture
def lotus(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs `lotus` beside the lake without an engine."""
    write_stack(tmp_path, "dev", lab.values)
    monkeypatch.setenv("PATH", "")
    return lotus_in(tmp_path, monkeypatch)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one value that a source of Stripe needs."""
    monkeypatch.setenv("LOTUS_STRIPE_CLIENT_SECRET", TOKEN)


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def document(lab: Lab, name: str) -> Any:
    return json.loads((lab.folder / name).read_text())


def sources(lab: Lab) -> list[str]:
    """The sources that Airbyte has."""
    return [actor.name for actor in lab.airbyte.list_actors("source")]


STRIPE = ("add", "source", "stripe", "--connector", "source-stripe", "--config", "account_id=acct_1")


def test_a_plan_names_files_and_values_and_neither_writes_nor_creates_anything(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(lab.folder)

    assert lotus(*STRIPE, "--all-streams") == 0

    assert capsys.readouterr().out.splitlines() == [
        "+ streams/_connectors/source-stripe.json",
        "+ streams/stripe/_source.json",
        "source-stripe is pinned at 5.14.1",
        'A temporary source "Stripe" is created in Airbyte, discovered and deleted',
        "Nothing is written yet: --yes writes it.",
        "Then:",
        "  pulumi config set --secret lotus:stripe_client_secret",
        "  lotus check",
        "  pulumi preview",
    ]
    assert files(lab.folder) == before
    assert {call.method for call in lab.twin.calls() if "/api/public" in call.path} == {"GET"}


def test_a_source_is_discovered_by_a_temporary_one_and_written_with_its_streams(
    lab: Lab, lotus: Lotus, token: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(*STRIPE, "--stream", "customers", "--stream", "refunds", "--schedule", "1 hours", "--yes") == 0

    printed = capsys.readouterr()
    assert "Discovered 5 streams by a temporary source, which is deleted again" in printed.out
    assert "  lotus scaffold stripe --all" in printed.out.splitlines()
    assert sources(lab) == []
    assert TOKEN not in printed.out + printed.err
    assert all(TOKEN.encode() not in content for content in files(lab.folder).values())
    assert document(lab, "stripe/_source.json") == {
        "$schema": "../.schema/source.json",
        "connector": "source-stripe",
        "name": "Stripe",
        "configuration": {"account_id": "acct_1", "client_secret": {"$secret": "stripe_client_secret"}},
        "destination": "s3",
        "schedule": {"type": "basic", "every": "1 hours"},
    }
    assert document(lab, "stripe/customers.json") == {
        "$schema": "../.schema/stream.json",
        "stream": "customers",
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "primary_key": [["id"]],
        "cursor_field": ["updated"],
        "fields": "all",
    }
    assert sorted(name for name in files(lab.folder) if name.startswith("stripe/")) == [
        *(f"stripe/_discovered/{name}.json" for name in ("balance_transactions", "charges", "customers")),
        *(f"stripe/_discovered/{name}.json" for name in ("invoices", "refunds")),
        "stripe/_source.json",
        "stripe/customers.json",
        "stripe/refunds.json",
    ]
    assert check_lake(lab.folder).problems == ()
    # What is there already is not written again.
    assert lotus(*STRIPE, "--yes") == 1
    assert "already: add to it by `lotus add stream stripe STREAM`" in capsys.readouterr().err


def test_values_come_from_the_stack_even_before_a_file_refers_to_them(
    lab: Lab, lotus: Lotus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"lotus:stripe_client_secret": {"secure": "v1:abc"}, "lotus:stripe_account_id": "acct_2"}
    write_stack(tmp_path, "dev", lab.values | own)
    shown = {"lotus:stripe_client_secret": {"value": TOKEN}, "lotus:stripe_account_id": {"value": "acct_2"}}
    stand_in_engine(tmp_path, monkeypatch, f"echo '{json.dumps(shown)}'")

    assert lotus("add", "source", "stripe", "--connector", "source-stripe", "--by-stack", "account_id", "--yes") == 0

    assert "pulumi config set" not in capsys.readouterr().out
    assert document(lab, "stripe/_source.json")["configuration"] == {
        "account_id": {"$config": "stripe_account_id"},
        "client_secret": {"$secret": "stripe_client_secret"},
    }
    created = [call for call in lab.twin.calls() if call.method == "POST" and call.path.endswith("/public/v1/sources")]
    assert len(created) == 1


def test_without_its_values_a_source_is_not_discovered_and_each_is_told_with_its_command(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(lab.folder)

    assert lotus(*STRIPE, "--stack", "dev", "--yes") == 1

    assert (
        "the source can't be discovered without its values: "
        "`pulumi config set --secret --stack dev lotus:stripe_client_secret`; or export LOTUS_STRIPE_CLIENT_SECRET"
    ) in capsys.readouterr().err
    assert files(lab.folder) == before


@pytest.mark.parametrize("ends", ["check", "discovery", "interrupt", "SIGTERM", "lost answer"])
def test_a_temporary_source_is_deleted_however_the_discovery_ends(
    lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ends: str
) -> None:
    monkeypatch.setenv("LOTUS_STRIPE_CLIENT_SECRET", TOKEN)
    before = files(lab.folder)
    check = Airbyte.check_actor

    def fail(airbyte: Airbyte, kind: Any, actor_id: str) -> str:
        failing = Temper(id=actor_id, **{f"{'check' if ends == 'check' else 'discover'}_failure": f"no {TOKEN} here"})
        lab.twin.store.tempers.put(failing)
        if ends == "interrupt":
            raise KeyboardInterrupt
        if ends == "SIGTERM":
            os.kill(os.getpid(), signal.SIGTERM)
        return check(airbyte, kind, actor_id)

    if ends == "lost answer":
        lab.twin.twin.faults.add(Fault(method="POST", path="sources$", drop="after"))
    else:
        monkeypatch.setattr(Airbyte, "check_actor", fail)

    code = lotus(*STRIPE, "--yes")

    printed = capsys.readouterr()
    assert code == 1
    assert TOKEN not in printed.out + printed.err
    assert sources(lab) == []
    assert files(lab.folder) == before


def test_a_source_that_cannot_be_deleted_is_named(
    lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOTUS_STRIPE_CLIENT_SECRET", TOKEN)
    lab.twin.twin.faults.add(Fault(method="DELETE", path="sources/", status=403, times=None))

    assert lotus(*STRIPE, "--yes") == 0

    [left] = sources(lab)
    assert left.startswith("Stripe (temporary, ")
    assert f'Airbyte may still have the source "{left}": delete it' in capsys.readouterr().err
    assert (lab.folder / "stripe/_source.json").exists()


def test_a_source_that_airbyte_has_is_discovered_without_another_and_without_values(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    body = lab.body("Stripe", {"account_id": "acct_1", "client_secret": TOKEN})
    stripe = "e094cb9a-26de-4645-8761-65c0c425d1de"
    made = lab.airbyte.create_actor("source", body | {"definitionId": stripe})
    lab.twin.clear_calls()

    assert lotus(*STRIPE, "--all-streams", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["written"], len(found["streams"]), found["discovered"]) == (False, 5, 5)
    assert lotus(*STRIPE, "--all-streams", "--yes") == 0
    assert sources(lab) == ["Stripe"]
    assert [call.method for call in lab.twin.calls() if call.path.endswith("/public/v1/sources")].count("POST") == 0

    lab.airbyte.create_actor("source", body | {"definitionId": stripe})
    again = ("add", "source", "other", "--label", "Stripe", *STRIPE[3:])
    assert lotus(*again, "--yes") == 1
    assert 'Airbyte has several sources "Stripe": choose one with --source-id' in capsys.readouterr().err
    # Two folders with one label would be two sources that `pulumi up` can't tell apart.
    assert lotus(*again, "--source-id", made.actor_id, "--yes") == 1
    assert "other/_source.json" in capsys.readouterr().err


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("--config", f"client_secret={TOKEN}"), "client_secret is a secret, and the shell's history would show it"),
    (("--config", "account_id=https://a:b@example.com"), "account_id has a credential inside, and the file would show"),
    (("--config", "acount_id=acct_1"), "required settings are missing: account_id"),
    (("--config", "account_id"), "the setting account_id has no value"),
    (("--config", "account_id=a", "--config", "account_id.x=1"), "account_id.x leads through a value"),
    (("--config", "account_id=a", "--config", "num_workers=many"), "num_workers"),
    (("--config", "account_id=a", "--config", "start_dat=2026-01-01T00:00:00Z"), 'did you mean "start_date"?'),
    (("--config", "account_id=a", "--destination", "s4"), 'there is no destination "s4"'),
    (("--config", "account_id=a", "--schedule", "hourly"), "schedule.cron"),
    (("--config", "account_id=a", "--stream", "customer"), 'has no stream "customer": did you mean "customers"?'),
    (("--config", "account_id=a", "--namespace", "x", "--all-streams"), 'the source has no namespace "x"'),
    (("--config", "account_id=a", "--label", " x"), "name can't be a label"),
]


@pytest.mark.parametrize("refused", REFUSED, ids=[" ".join(options) for options, _ in REFUSED])
def test_what_can_not_be_is_one_error_and_nothing_is_written(
    lab: Lab, lotus: Lotus, token: None, capsys: pytest.CaptureFixture[str], refused: tuple[tuple[str, ...], str]
) -> None:
    options, told = refused
    before = files(lab.folder)

    assert lotus("add", "source", "stripe", "--connector", "source-stripe", *options, "--yes") == 1

    error = capsys.readouterr().err
    assert told in error
    assert error.startswith("lotus: ")
    assert TOKEN not in error
    assert files(lab.folder) == before
    assert sources(lab) == []


@pytest.mark.parametrize("name", ["Stripe", "1stripe", "a-b", "shop", "_x", "../x"])
def test_a_name_that_can_not_be_a_folders_is_refused(
    lotus: Lotus, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert lotus("add", "source", name, "--connector", "source-stripe", "--yes") == 1
    assert "already" in (error := capsys.readouterr().err) or "can't be the name" in error


GIVEN: Any = {
    "host": "db.example.com",
    "port": 5432,
    "database": "shop",
    "username": "lake",
    "password": TOKEN,
    "schemas": ["public", "app"],
    "tunnel_method": {
        "tunnel_method": "SSH_PASSWORD_AUTH",
        "tunnel_host": "bastion.example.com",
        "tunnel_port": 22,
        "tunnel_user": "lake",
        "tunnel_user_password": f"{TOKEN}-2",
    },
}


def test_secrets_of_a_file_become_references_and_their_values_discover_the_source(
    lab: Lab, lotus: Lotus, tmp_path: Path
) -> None:
    (tmp_path / "given.json").write_text(json.dumps(GIVEN))
    postgres = ("add", "source", "postgres", "--connector", "source-postgres", "--config-file", "given.json")

    assert lotus(*postgres, "--all-streams", "--yes") == 0

    written = document(lab, "postgres/_source.json")["configuration"]
    assert written == GIVEN | {
        "password": {"$secret": "postgres_password"},
        "tunnel_method": GIVEN["tunnel_method"]
        | {"tunnel_user_password": {"$secret": "postgres_tunnel_user_password"}},
    }
    assert all(TOKEN.encode() not in content for content in files(lab.folder).values())
    assert check_lake(lab.folder).problems == ()
    assert document(lab, "postgres/_source.json")["namespace"] == "postgres_${SOURCE_NAMESPACE}"
    identities = {
        (found["namespace"], found["stream"], found["destination_sync_mode"])
        for name in files(lab.folder)
        if name.count("/") == 1 and name.startswith("postgres/") and not name.endswith("_source.json")
        for found in [document(lab, name)]
    }
    assert identities == {
        ("public", "users", "append"),
        ("public", "orders", "append"),
        ("app", "users", "append"),
        ("app", "settings", "overwrite"),
    }


def test_a_choice_of_the_specification_is_asked_for_with_its_options(
    lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sheets = ("add", "source", "sheets", "--connector", "source-google-sheets", "--config", "spreadsheet_id=1abc")
    assert lotus(*sheets, "--yes") == 1
    assert "--config credentials.auth_type=Client (or Service)" in capsys.readouterr().err
    assert lotus("add", "source", "hubspot", "--connector", "source-hubspot", "--all-streams", "--yes") == 1
    # As it can be pasted.
    assert "--config 'credentials.credentials_title=OAuth Credentials' (or Private App" in capsys.readouterr().err
    monkeypatch.setenv("LOTUS_SHEETS_SERVICE_ACCOUNT_INFO", '{"type": "service_account"}')

    assert lotus(*sheets, "--config", "credentials.auth_type=Service", "--all-streams", "--yes") == 0

    assert document(lab, "sheets/_source.json")["configuration"] == {
        "spreadsheet_id": "1abc",
        "credentials": {
            "auth_type": "Service",
            "service_account_info": {"$secret": "sheets_service_account_info"},
        },
    }
    assert capsys.readouterr().out.count('.json is "') == 3
    assert {document(lab, f"sheets/{file.name}")["stream"] for file in (lab.folder / "sheets").glob("[a-z]*.json")} == {
        "Sheet 1",
        "Budget 2026",
        "Städte",
    }
    assert check_lake(lab.folder).problems == ()


def test_a_source_of_ones_own_connector_is_discovered_by_a_temporary_definition(
    lab: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"type": "object", "properties": {"count": {"type": "integer"}}}))
    image = ("connector", "add", "source-mine", "--from", "spec.json", "--yes", "--image")
    assert lotus(*image, "example/unknown:1") == 0
    known = {each.definition_id for each in lab.airbyte.every_definition("source", lab.twin.workspace_id)}
    mine = ("add", "source", "mine", "--connector", "source-mine", "--config", "count=3", "--all-streams", "--yes")
    # Airbyte can't run it.
    assert lotus(*mine) == 1
    assert lotus(*mine[:-2], "--no-discover") == 0
    assert lotus(*image, "airbyte/source-faker:7.2.1") == 0
    capsys.readouterr()

    assert lotus(*mine[:2], "other", *mine[3:]) == 0

    assert "Discovered 3 streams by a temporary source, which is deleted again" in capsys.readouterr().out
    assert {each.definition_id for each in lab.airbyte.every_definition("source", lab.twin.workspace_id)} == known
    assert sources(lab) == []
    assert document(lab, "other/_source.json")["configuration"] == {"count": 3}
    assert (lab.folder / "other/users.json").exists()
    assert check_lake(lab.folder).problems == ()


MANIFEST = """\
type: DeclarativeSource
version: 6.1.0
check: {type: CheckStream, stream_names: [days]}
streams:
  - type: DeclarativeStream
    name: Days & nights
    retriever: {type: SimpleRetriever, requester: {type: HttpRequester, url_base: "https://api.example.com"}}
    schema_loader: {type: InlineSchemaLoader, schema: {type: object, properties: {day: {type: string}}}}
spec:
  type: Spec
  connection_specification: {type: object, properties: {city: {type: string}}}
"""


def test_a_manifest_of_ones_own_is_given_to_airbyte_for_the_discovery(lab: Lab, lotus: Lotus, tmp_path: Path) -> None:
    (tmp_path / "weather.yaml").write_text(MANIFEST)
    assert lotus("connector", "add", "source-weather", "--manifest", "weather.yaml", "--yes") == 0
    weather = ("add", "source", "weather", "--connector", "source-weather", "--config", "city=Berlin")

    assert lotus(*weather, "--all-streams", "--yes") == 0

    assert document(lab, "weather/days_nights.json")["stream"] == "Days & nights"
    assert sources(lab) == []
    assert lab.airbyte.every_definition("declarative_source", lab.twin.workspace_id) == []


# Streams


def add_stripe(lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_STRIPE_CLIENT_SECRET", TOKEN)
    assert lotus(*STRIPE, "--stream", "customers", "--yes") == 0


def test_a_stream_is_added_from_the_discovered_schema_with_key_and_cursor_among_its_fields(
    lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_stripe(lab, lotus, monkeypatch)
    capsys.readouterr()
    lab.twin.clear_calls()

    assert lotus("add", "stream", "stripe", "charges", "--fields", "amount, currency", "--yes") == 0

    assert lab.twin.calls() == []
    assert capsys.readouterr().out.splitlines() == [
        "+ streams/stripe/charges.json",
        "Written.",
        "Then:",
        "  lotus scaffold stripe charges",
        "  lotus check",
        "  pulumi preview",
    ]
    assert list(document(lab, "stripe/charges.json")["fields"]) == ["id", "updated", "amount", "currency"]
    assert check_lake(lab.folder).problems == ()
    assert lotus("add", "stream", "stripe", "charges", "--yes") == 1
    assert '"charges" has a file already: edit stripe/charges.json' in capsys.readouterr().err
    assert lotus("add", "stream", "stripe", "refunds", "--fields", "amont", "--yes") == 1
    assert '"refunds" has no field "amont": did you mean "amount"?' in capsys.readouterr().err


def test_a_stream_of_a_source_without_a_discovered_schema_is_asked_for_in_airbyte(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.airbyte.create_actor("source", lab.body("Shop", {"sourceType": "faker", "count": 10}))

    assert (
        lotus("add", "stream", "shop", "products", "--sync-mode", "full_refresh_append", "--as", "goods", "--yes") == 0
    )

    found = document(lab, "shop/goods.json")
    assert (found["stream"], found["sync_mode"], found["destination_sync_mode"]) == (
        "products",
        "full_refresh",
        "append",
    )
    assert "cursor_field" not in found
    assert "`lotus discover shop` keeps the schema" in capsys.readouterr().out


def test_a_name_in_two_namespaces_needs_one(
    lab: Lab, lotus: Lotus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [f"--config={each}" for each in ("host=h.example.com", "database=d", "username=u")]
    postgres = ("add", "source", "pg", "--connector", "source-postgres", *settings, "--secret", "password")
    monkeypatch.setenv("LOTUS_PG_PASSWORD", TOKEN)
    assert lotus(*postgres, "--stream", "users", "--yes") == 1
    assert (
        'the source has "users" in several namespaces: app, public: choose with --namespace' in capsys.readouterr().err
    )
    assert lotus(*postgres, "--stream", "users", "--namespace", "app", "--yes") == 0
    assert lotus("add", "stream", "pg", "users", "--namespace", "public", "--yes") == 0

    streams = [document(lab, f"pg/{file.name}") for file in (lab.folder / "pg").glob("[a-z]*.json")]
    assert sorted((each["namespace"], each["stream"]) for each in streams) == [("app", "users"), ("public", "users")]
    assert check_lake(lab.folder).problems == ()


# Destinations


def test_a_destination_s3_writes_to_the_landing_zone_but_where_it_is_told(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = ("add", "destination", "archive", "--connector", "destination-s3", "--by-stack", "s3_bucket_name")

    assert lotus(*archive, "--config", "s3_bucket_path=old", "--yes") == 0

    assert "  pulumi config set lotus:archive_s3_bucket_name <value>" in capsys.readouterr().out.splitlines()
    found = document(lab, "_destinations/archive.json")
    assert found["name"] == "Archive"
    assert found["configuration"]["s3_bucket_name"] == {"$config": "archive_s3_bucket_name"}
    assert found["configuration"]["s3_bucket_path"] == "old"
    assert found["configuration"]["secret_access_key"] == {"$landing": "secret_access_key"}
    assert check_lake(lab.folder).problems == ()
    assert lotus(*archive, "--yes") == 1
    assert 'streams has a destination "archive" already' in capsys.readouterr().err


def test_a_destination_with_another_connector_is_pinned_with_it(lab: Lab, lotus: Lotus) -> None:
    nowhere = ("add", "destination", "nowhere", "--connector", "destination-dev-null")
    kind = "test_destination.test_destination_type=SILENT"

    assert lotus(*nowhere, "--config", kind, "--yes") == 0

    assert document(lab, "_destinations/nowhere.json")["configuration"] == {
        "test_destination": {"test_destination_type": "SILENT"}
    }
    assert document(lab, "_connectors/destination-dev-null.json")["destination_sync_modes"]


def test_a_database_is_added_with_its_password_as_a_secret_and_checked_against_its_specification(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"host": "db.example.com", "port": 5432, "database": "lake", "schema": "main", "username": "loader"}
    settings = [word for key, value in given.items() for word in ("--config", f"{key}={value}")]
    warehouse = ("add", "destination", "warehouse", "--connector", "destination-postgres", *settings)

    assert lotus(*warehouse, "--secret", "password", "--yes") == 0

    assert "  pulumi config set --secret lotus:warehouse_password" in capsys.readouterr().out.splitlines()
    found = document(lab, "_destinations/warehouse.json")
    assert found["configuration"] == {**given, "password": {"$secret": "warehouse_password"}}
    assert check_lake(lab.folder).problems == ()
    found["configuration"] |= {"port": 70000, "ssl_mode": {"mode": "sometimes"}, "password": "written-here"}
    write(lab.folder, {"_destinations/warehouse.json": found})
    said = sorted(str(each).partition("configuration.")[2] for each in check_lake(lab.folder).problems)
    assert [each.split(":")[0] for each in said] == ["password", "port", "ssl_mode.mode"]


def test_the_first_source_and_destination_of_an_empty_lake(
    lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOTUS_STRIPE_CLIENT_SECRET", TOKEN)
    here = ("--streams", "new", "--yes")

    assert lotus("add", "destination", "s3", "--connector", "destination-s3", *here) == 0
    assert lotus(*STRIPE, "--all-streams", *here) == 0

    folder = lab.folder.parent / "new"
    assert check_lake(folder).problems == ()
    assert write(folder, {}) == folder


ANSWERS = {
    "spreadsheet_id: ": "1abc",
    "credentials.auth_type (Client, Service): ": "Service",
    "go on? [y/N]: ": "y",
    "lotus:sheets_service_account_info: ": TOKEN,
    "Write it? [y/N]: ": "y",
}


def test_at_a_terminal_what_is_missing_is_asked_for_and_secrets_do_not_show(lab: Lab, lotus: Lotus) -> None:
    terminal, end = os.openpty()
    command = ["add", "source", "sheets", "--connector", "source-google-sheets", "--all-streams"]
    printed = ""
    with subprocess.Popen(
        [sys.executable, "-m", "lotus_infra.commands.cli", *command],
        stdin=end,
        stdout=end,
        stderr=end,
        cwd=lab.folder.parent,
        env={"HOME": str(lab.folder.parent), "AIRBYTE_RETRY_BASE_SECONDS": "0", "TERM": "xterm"},
        start_new_session=True,
    ) as running:
        os.close(end)
        waiting = dict(ANSWERS)
        # A terminal whose last writer has ended is an error to read.
        with suppress(OSError):
            while letter := os.read(terminal, 1).decode(errors="replace"):
                printed += letter
                # A prompt for a secret drops what was typed before it.
                for prompt in [prompt for prompt in waiting if printed.endswith(prompt)]:
                    os.write(terminal, f"{waiting.pop(prompt)}\n".encode())
    os.close(terminal)

    assert (running.returncode, waiting) == (0, {}), printed
    assert TOKEN not in printed
    # A spinner, which hides the cursor first, would draw over a prompt that still waits.
    assert printed.index("\x1b[?25l") > printed.index("lotus:sheets_service_account_info: ")
    assert document(lab, "sheets/_source.json")["configuration"] == {
        "spreadsheet_id": "1abc",
        "credentials": {"auth_type": "Service", "service_account_info": {"$secret": "sheets_service_account_info"}},
    }
    assert sources(lab) == []
