"""The commands that look at Airbyte, in a lake whose source has several connections into several destinations."""

import json
from pathlib import Path

import pytest

from lotus_infra.commands import sync as syncs
from lotus_infra.commands.sync import start
from tests.commands.lab import Lab
from tests.commands.several import IMAGE, LABELS, deploy_several, write_several
from tests.support.commands import Lotus, lotus_in, stand_in_engine, write_stack

Shown = pytest.CaptureFixture[str]
PAUSED = 'the connection "Shop by night" is paused'


@pytest.fixture
def ids(bare: Lab) -> dict[str, str]:
    """The connections by the names of their resources."""
    write_several(bare.folder)
    return deploy_several(bare)


@pytest.fixture
def lotus(bare: Lab, ids: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs commands beside the lake; no bucket and no Dagster answers, and `pulumi` has an empty state."""
    write_stack(tmp_path, "dev", bare.values | {"lotus:landing_bucket": "landing"})
    monkeypatch.setattr(syncs, "Polling", bare.patience)
    for key, value in {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(key, value)
    stand_in_engine(tmp_path, monkeypatch, "echo '{\"deployment\": {}}'")
    return lotus_in(tmp_path, monkeypatch)


def ended(lab: Lab, selector: str, status: str = "succeeded") -> None:
    for run in start(lab.syncs(), [selector]):
        assert run.job_id is not None
        lab.drive(run.job_id, status, rows_synced=7)


def succeed(lab: Lab, *jobs: int) -> None:
    for job in jobs:
        lab.drive(job, "succeeded", rows_synced=job)


def test_the_status_of_a_source_is_that_of_each_connection(bare: Lab, lotus: Lotus, capsys: Shown) -> None:
    ended(bare, "shop/daily", "failed")

    assert lotus("status", "shop") == 1
    shown = capsys.readouterr().out
    assert lotus("status", "shop", "--json") == 1
    document = json.loads(capsys.readouterr().out)

    assert [(each["source"], each["connection"], each["label"]) for each in document["connections"]] == [
        ("shop", resource, label)
        for resource, label in zip(("shop", "shop/daily", "shop/nightly"), LABELS.values(), strict=True)
    ]
    assert [(each["state"], each["paused"]) for each in document["connections"]] == [
        ("active", False),
        ("active", False),
        ("inactive", True),
    ]
    assert document["problems"] == ["shop/daily: its last job, 1, failed: see its log in Airbyte"]
    lines = shown.splitlines()
    assert any("shop/nightly" in line and "paused" in line for line in lines)
    assert lines[-1] == "1 problem"


def test_a_stream_whose_files_have_no_reader_says_so_and_is_as_fresh_as_the_job_of_its_connection(
    bare: Lab, lotus: Lotus, capsys: Shown
) -> None:
    assert lotus("status", "shop", "--older-than", "1h", "--json") == 1
    document = json.loads(capsys.readouterr().out)

    unread = {each["stream"]: each for each in document["streams"] if each["files_unknown"].startswith("no files")}
    assert sorted(unread) == ["people", "products"]
    assert unread["products"]["files_unknown"] == "no files are read from Warehouse"
    assert unread["products"]["arrival"] == "job"
    assert {each.split(":")[0] for each in document["problems"]} == {"shop/users", "shop/orders", "shop/products"}
    assert "shop/products: no job of the connection shop/daily has succeeded" in document["problems"]

    assert lotus("status", "shop/daily") == 0
    shown = capsys.readouterr().out
    assert "newest rows" in shown
    assert "lotus scaffold" not in shown


def test_one_connection_is_selected_by_its_key(bare: Lab, lotus: Lotus, ids: dict[str, str], capsys: Shown) -> None:
    assert lotus("status", "shop/daily", "store", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["connection_id"] for each in document["connections"]] == [ids["shop/daily"], ids["store"]]
    assert [(each["source"], each["stream"]) for each in document["streams"]] == [
        ("shop", "products"),
        ("shop", "users"),
        ("store", "users"),
    ]
    assert lotus("status", "shop/dialy") == 1
    assert capsys.readouterr().err == ('lotus: the source "shop" has no connection "dialy": did you mean "daily"?\n')
    assert lotus("status", "store/daily") == 1
    assert capsys.readouterr().err == ('lotus: the source "store" has no connection "daily": name store\n')
    assert lotus("status", "shpo/daily") == 1
    assert 'has no source "shpo": did you mean "shop"?' in capsys.readouterr().err


def test_a_connection_that_airbyte_paused_by_itself_is_a_problem_and_one_that_it_still_runs_too(
    bare: Lab, lotus: Lotus, ids: dict[str, str], capsys: Shown
) -> None:
    bare.airbyte.patch_connection(ids["shop/daily"], {"status": "inactive"})
    bare.airbyte.patch_connection(ids["shop/nightly"], {"status": "active"})

    assert lotus("status", "shop", "--json") == 1
    assert json.loads(capsys.readouterr().out)["problems"] == [
        "shop/daily: its connection is inactive and does not sync: activate it",
        "shop/nightly: its file pauses its connection, and Airbyte runs it: `pulumi up` pauses it",
    ]


def test_a_source_syncs_by_all_its_active_connections(
    bare: Lab, lotus: Lotus, ids: dict[str, str], capsys: Shown
) -> None:
    bare.steps = [lambda: succeed(bare, 1, 2)]

    assert lotus("sync", "shop", "--json") == 0
    runs = json.loads(capsys.readouterr().out)["syncs"]
    assert [(run["source"], run["connection"], run["connection_id"]) for run in runs] == [
        ("shop", resource, ids[resource]) for resource in ("shop", "shop/daily", "shop/nightly")
    ]
    assert [(run["status"], run["rows"]) for run in runs] == [("succeeded", 1), ("succeeded", 2), ("paused", None)]
    assert len(list(bare.twin.store.jobs)) == 2

    bare.steps = [lambda: succeed(bare, 3, 4, 5)]
    assert lotus("sync", "--all") == 0
    printed = capsys.readouterr()
    assert "shop/daily" in printed.out
    assert printed.err.splitlines()[-1].startswith(f"shop/nightly: {PAUSED}")


def test_the_sync_of_a_paused_connection_is_one_error(bare: Lab, lotus: Lotus, capsys: Shown) -> None:
    for options in ((), ("--no-wait",)):
        assert lotus("sync", "shop/nightly", *options) == 1
        assert capsys.readouterr().err == (
            f'lotus: {PAUSED}: set connections.nightly.status to "active" in shop/_source.json, and `pulumi up`\n'
        )
    assert lotus("sync", "shop/nightly", "store") == 1
    assert capsys.readouterr().err.startswith(f"lotus: {PAUSED}")
    assert not list(bare.twin.store.jobs)
    assert lotus("sync", "shop/nightly", "--dry-run") == 0


def test_a_job_names_its_connection(bare: Lab, lotus: Lotus, capsys: Shown) -> None:
    assert lotus("sync", "shop/daily", "--timeout", "0") == 1
    assert "shop/daily: not finished after 0 s; the job continues" in capsys.readouterr().err
    assert lotus("sync", "shop/daily", "--cancel") == 0
    assert "cancelled" in capsys.readouterr().out


def test_an_id_is_of_one_connection(bare: Lab, lotus: Lotus, ids: dict[str, str], capsys: Shown) -> None:
    assert lotus("sync", "shop", "--connection-id", ids["shop/daily"]) == 1
    assert capsys.readouterr().err == (
        "lotus: one connection id is given for several connections: name the one that it belongs to: "
        "shop/shop, shop/daily, shop/nightly\n"
    )
    assert lotus("sync", "shop/daily", "--connection-id", ids["shop/daily"], "--no-wait") == 0
    assert lotus("sync", "shop/shop", "--no-wait") == 0
    assert [job.connection_id for job in bare.twin.store.jobs] == [ids["shop/daily"], ids["shop"]]


def test_a_connection_without_its_label_is_missing_although_the_source_has_others(
    bare: Lab, lotus: Lotus, ids: dict[str, str], capsys: Shown
) -> None:
    bare.airbyte.patch_connection(ids["shop/daily"], {"name": "Of somebody"})

    assert lotus("sync", "shop/daily", "--dry-run") == 1
    assert 'Airbyte has no connection "Shop Daily → Warehouse" in this workspace' in capsys.readouterr().err


def test_the_audit_knows_every_connection_destination_definition_and_tag(
    bare: Lab, lotus: Lotus, capsys: Shown
) -> None:
    workspace = bare.twin.workspace_id
    for name in ("core", "left"):
        bare.airbyte.create_tag({"name": name, "color": "FF0000", "workspaceId": workspace})
        label, repository = ("Mine", IMAGE) if name == "core" else ("Theirs", f"{IMAGE}-other")
        image = {"dockerRepository": repository, "dockerImageTag": "1.0.0"}
        bare.airbyte.create_definition("source", workspace, {"name": label, **image})

    assert lotus("audit", "--json") == 0

    objects = json.loads(capsys.readouterr().out)["objects"]
    assert [(each["standing"], each["kind"], each["name"]) for each in objects] == [
        *(("adoptable", "connection", label) for label in sorted((*LABELS.values(), "Store → S3"))),
        ("adoptable", "destination", "S3"),
        ("adoptable", "destination", "Warehouse"),
        ("adoptable", "source", "Shop"),
        ("adoptable", "source", "Store"),
        ("adoptable", "source_definition", "Mine"),
        ("adoptable", "tag", "core"),
        ("orphan", "source_definition", "Theirs"),
        ("orphan", "tag", "left"),
    ]
    commands = [each["remedy"].partition("else: ")[2] for each in objects if each["kind"] == "connection"]
    [mine] = [each["remedy"] for each in objects if each["name"] == "Mine"]
    assert "pulumi import airbyte:index/sourceDefinition:SourceDefinition source-mine " in mine
    assert [command.split()[3] for command in commands] == ["shop/daily", "shop/nightly", "shop", "store"]


def test_a_backfill_of_a_stream_of_two_connections_says_that_both_read_it_again(
    bare: Lab, lotus: Lotus, capsys: Shown
) -> None:
    assert lotus("backfill", "shop", "users", "--dry-run") == 0
    assert "users is taken by shop and shop/daily: both of them re-read it." in capsys.readouterr().out
    assert lotus("backfill", "shop", "products", "--dry-run") == 0
    assert "taken by" not in capsys.readouterr().out
    assert lotus("backfill", "shop/daily", "products", "--yes", "--json") == 0
    [told] = json.loads(capsys.readouterr().out)["streams"]
    assert (told["source"], told["stream"], told["connections"]) == ("shop", "products", ["shop/daily"])

    assert lotus("backfill", "shop/daily", "users", "--yes") == 1
    assert capsys.readouterr().err == (
        "lotus: shop/users is taken by shop too, and its token is one for all: "
        "name the source: `lotus backfill shop users`\n"
    )
    assert lotus("backfill", "shop/daily", "orders", "--yes") == 1
    assert "the connection shop/daily does not take orders: add it to" in capsys.readouterr().err


def test_a_backfill_by_a_paused_connection_is_refused(bare: Lab, lotus: Lotus, capsys: Shown) -> None:
    before = (bare.folder / "shop" / "people.json").read_bytes()
    assert lotus("backfill", "shop", "people", "--yes") == 1
    assert capsys.readouterr().err == (
        "lotus: shop/people is taken by the connection shop/nightly, which is paused: Airbyte runs no job for it: "
        'set connections.nightly.status to "active" in shop/_source.json first\n'
    )
    assert (bare.folder / "shop" / "people.json").read_bytes() == before


def test_the_estimate_counts_the_jobs_of_the_connections_that_take_the_stream(
    bare: Lab, lotus: Lotus, capsys: Shown
) -> None:
    ended(bare, "shop/shop")
    ended(bare, "shop/daily")
    assert lotus("backfill", "shop", "products", "--estimate", "--dry-run") == 0
    assert "So far 1 job of shop/daily read 7 rows, all streams together" in capsys.readouterr().out
    assert lotus("backfill", "shop", "users", "--estimate", "--dry-run") == 0
    assert "So far 2 jobs of shop and shop/daily read 14 rows" in capsys.readouterr().out


def test_the_graph_has_each_connection_with_its_destination(bare: Lab, lotus: Lotus, capsys: Shown) -> None:
    assert lotus("graph", "--source", "shop") == 0
    shown = capsys.readouterr().out
    for label in (
        '"shop"',
        '"shop/daily"',
        '"shop/nightly (paused)"',
        '"S3: raw/shop/users/"',
        '"Warehouse: shop.users"',
        '"Warehouse: shop.Our People"',
    ):
        assert label in shown


def test_a_discovery_names_the_source_and_not_a_connection(bare: Lab, lotus: Lotus, capsys: Shown) -> None:
    assert lotus("discover", "shop/daily") == 1
    assert capsys.readouterr().err == (
        "lotus: shop/daily is a connection, and connections of a source share its schema: `lotus discover shop`\n"
    )
