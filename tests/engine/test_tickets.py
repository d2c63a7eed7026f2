"""Tickets of the lake that Lotus takes over, each by its name: what went wrong there can't here.

`docs/tickets.md` has them all, and where each of the others is shown to be gone.
"""

import shutil
import subprocess

from lotus_infra.commands.check import check_lake_files
from tests.engine.lake import SECRETS, Lake
from tests.engine.test_adoption import ids, posts
from tests.engine.test_import import made_by_hand


def public_writes(lake: Lake) -> list[str]:
    """The Config API's questions are POSTs too."""
    return [method for method, path in lake.writes() if "/public/" in path]


def gate(lake: Lake, preview: str) -> subprocess.CompletedProcess[str]:
    """`lotus gate` on what `pulumi preview --json` printed."""
    project = lake.pulumi.project
    (project / "preview.json").write_text(preview, encoding="utf-8")
    command = ["lotus", "gate", "--preview", "preview.json"]
    environment = lake.pulumi.environment
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_todo_001_a_source_is_added_by_a_folder_and_nothing_else_changes(applied: Lake) -> None:
    streams = applied.pulumi.project / "streams"
    (streams / "webshop").mkdir()
    shutil.copy(streams / "faker" / "users.json", streams / "webshop" / "users.json")
    [unknown] = check_lake_files(streams, ["test"]).problems
    assert str(unknown.file).endswith("webshop/_source.json")

    shutil.copy(streams / "faker" / "_source.json", streams / "webshop" / "_source.json")
    applied.edit("webshop/_source.json", lambda source: source.update(name="Webshop", namespace="webshop"))
    assert applied.changes() == [
        ("create", "Connection", "webshop"),
        ("create", "Pipeline", "webshop"),
        ("create", "Source", "webshop"),
    ]
    assert public_writes(applied) == []

    applied.pulumi.up().ok()

    assert public_writes(applied) == ["POST", "POST"]
    assert applied.changes() == []


def test_todo_003_a_source_whose_folder_is_deleted_leaves_nothing_behind_and_its_destination_stays(
    applied: Lake,
) -> None:
    applied.remove("klaviyo")

    shown = applied.pulumi.preview("--json").ok()

    assert [(step.op, step.type.split(":")[-1]) for step in shown.changes() if "airbyte:index" in step.type] == [
        ("delete", "Connection"),
        ("delete", "Source"),
    ]
    assert applied.writes() == []
    closed = gate(applied, shown.stdout)
    assert (closed.returncode, "source klaviyo is deleted" in closed.stdout) == (1, True), closed
    applied.pulumi.run("config", "set", "--path", "lotus:acknowledge[0]", "source klaviyo").ok()
    opened = gate(applied, shown.stdout)
    assert opened.returncode == 0, opened

    applied.pulumi.up().ok()

    deleted = [path.split("/")[-2] for method, path in applied.writes() if method == "DELETE"]
    assert deleted == ["connections", "sources"]
    left = {kind: [item["name"] for item in applied.live(kind)] for kind in ("connections", "sources", "destinations")}
    assert left == {
        "connections": ["Faker → S3", "Shopify → S3"],
        "sources": ["Faker", "Shopify"],
        "destinations": ["S3"],
    }


def test_ticket_002_what_somebody_made_before_is_adopted_and_nothing_is_made_twice(lake: Lake) -> None:
    made_by_hand(lake, SECRETS)
    before = ids(lake)
    shopify = lake.one("sources", "Shopify")
    edited = shopify["configuration"] | {"start_date": "2020-02-02"}
    where = f"/sources/{shopify['sourceId']}"
    lake.api("PUT", where, {"name": "Shopify", "configuration": edited})
    lake.twin.clear_calls()

    refused = lake.pulumi.preview().failed().output

    assert f'source "Shopify" ({shopify["sourceId"]}) already' in refused
    assert "see configuration.start_date." in refused
    assert f"pulumi import airbyte:index/source:Source shopify {shopify['sourceId']}" in refused

    lake.api("PUT", where, {"name": "Shopify", "configuration": shopify["configuration"]})
    shown = lake.pulumi.preview().ok().stdout
    assert {identity for identity in before if f"({identity}) exists already and is identical" in shown} == before

    lake.pulumi.up().ok()

    assert posts(lake.twin) == []
    assert ids(lake) == before
    assert lake.changes("--refresh") == []
