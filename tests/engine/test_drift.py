"""`lotus drift`, as a user runs it: what somebody edits in Airbyte is told three ways, and taken over by a patch."""

import json
import subprocess
from typing import Any

from tests.engine.lake import Document, Lake
from tests.engine.test_changes_behind_the_program import configure

EDITED = {
    "prefix": "tmp_",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "schedule": {"scheduleType": "cron", "cronExpression": "0 30 6 * * ?"},
}

FIELDS = [{"fieldPath": [name]} for name in ("id", "title", "updated_at")]


def lotus_drift(lake: Lake, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command beside the lake."""
    return subprocess.run(
        ["lotus", "drift", *arguments],
        cwd=lake.pulumi.project,
        env=lake.pulumi.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def edited_streams(streams: list[Document]) -> Document:
    """Other fields of orders, another mode of refunds, a stream more, and no customers any more."""
    kept: list[Any] = [stream for stream in streams if stream["name"] != "customers"]
    for stream in kept:
        stream.pop("mappers", None)
        if stream["name"] == "orders":
            names = [field for field in stream["selectedFields"] if field["fieldPath"] != ["total_tax"]]
            stream["selectedFields"] = [*names, {"fieldPath": ["tags"]}]
        if stream["name"] == "order_refunds":
            stream |= {"syncMode": "full_refresh_append"}
    new = {"name": "products", "syncMode": "incremental_append", "selectedFields": FIELDS}
    return {"configurations": {"streams": [*kept, new]}}


def edit_in_airbyte(lake: Lake) -> None:
    """Several edits, as Airbyte's pages make them."""
    configure(lake, lake.one("sources", "Shopify"), start_date="2020-02-02", bulk_window_in_days=7)
    connection = lake.one("connections", "Shopify → S3")
    changes = EDITED | edited_streams(connection["configurations"]["streams"])
    lake.api("PATCH", f"/connections/{connection['connectionId']}", changes)
    lake.api("DELETE", f"/sources/{lake.one('sources', 'Faker')['sourceId']}")


def test_code_state_and_live_are_told_apart_and_a_patch_takes_over_what_was_edited(applied: Lake) -> None:
    edit_in_airbyte(applied)
    applied.edit("klaviyo/_source.json", lambda source: source.update(prefix="new_"))

    told = lotus_drift(applied)
    assert told.returncode == 1, told.stderr
    lines = {line.strip() for line in told.stdout.splitlines()}
    assert lines >= {
        "connection shopify: orders.fields.total_tax: code has it, state has it, live has not",
        "connection shopify: stream customers: code has it, state has it, live has not",
        "source shopify: configuration.bulk_window_in_days: code 30, state 30, live 7",
        'connection klaviyo: prefix: code "new_", state "", live ""',
        "source faker: code has it, state has it, live has not",
        "connection faker: code has it, state has it, live has not",
    }

    applied.edit("klaviyo/_source.json", lambda source: source.update(prefix=""))
    patch = lotus_drift(applied, "--patch")
    assert [line.partition(": it was deleted")[0] for line in patch.stderr.splitlines()] == [
        "source faker",
        "connection faker",
    ]
    git = ["git", "apply", "-"]
    done = subprocess.run(
        git, cwd=applied.pulumi.project, input=patch.stdout, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""

    made = [("create", "Connection", "faker"), ("create", "Source", "faker")]
    assert applied.changes("--refresh") == made
    applied.pulumi.refresh().ok()
    assert applied.changes() == made


def test_a_secret_that_was_changed_in_airbyte_is_told_as_such(applied: Lake) -> None:
    shopify = applied.one("sources", "Shopify")
    credentials = shopify["configuration"]["credentials"] | {"api_password": "somebody-elses-password"}
    configure(applied, shopify, credentials=credentials)

    told = lotus_drift(applied)
    assert told.returncode == 1, told.stderr
    assert "Not applied yet" not in told.stdout
    lines = told.stdout.splitlines()
    place = "source shopify: configuration.credentials.api_password"
    assert f"  {place}: code a secret, state a secret, live another secret" in lines
    assert lines[0] == "Changed outside of the program, in Airbyte's UI or by Airbyte itself (1)"
    assert any(f"{place}: changed outside the program" in line for line in lines)
    assert "somebody-elses-password" not in told.stdout


SETTINGS = ("destination", "namespace", "prefix", "schedule", "non_breaking_changes")


def two_connections(document: Document) -> None:
    """Orders in a connection of their own."""
    own: Document = {key: document.pop(key) for key in SETTINGS}
    daily = own | {"namespace": "shopify_daily", "streams": ["orders"], "tags": ["daily"]}
    document["connections"] = {"shopify": own | {"streams": ["customers", "order_refunds"]}, "daily": daily}


def edit_the_second_connection(lake: Lake) -> None:
    """A prefix, a pause, a mapper, every field and a further stream, as Airbyte's pages make them."""
    connection = lake.one("connections", "Shopify Daily → S3")
    [orders] = connection["configurations"]["streams"]
    orders |= {"mappers": [{"type": "field-filtering", "mapperConfiguration": {"targetField": "note"}}]}
    orders["selectedFields"] = None
    more = {"name": "products", "syncMode": "incremental_append", "selectedFields": FIELDS}
    changes = {"prefix": "tmp_", "status": "inactive", "configurations": {"streams": [orders, more]}}
    lake.api("PATCH", f"/connections/{connection['connectionId']}", changes)


def test_a_patch_takes_over_what_was_edited_in_one_of_several_connections(applied: Lake) -> None:
    applied.edit("shopify/_source.json", two_connections)
    applied.pulumi.run("config", "set", "--path", "lotus:acknowledge[0]", "stream shopify/orders").ok()
    applied.pulumi.up().ok()
    assert applied.changes("--refresh") == []
    edit_the_second_connection(applied)

    told = lotus_drift(applied)
    assert 'connection shopify/daily: status: code "active", state "active", live "inactive"' in told.stdout
    patch = lotus_drift(applied, "--patch")
    assert patch.stderr == ""
    git = ["git", "apply", "-"]
    subprocess.run(git, cwd=applied.pulumi.project, input=patch.stdout, check=True, text=True)

    assert applied.changes("--refresh") == []
    document = json.loads((applied.pulumi.project / "streams/shopify/_source.json").read_text())
    daily = document["connections"]["daily"]
    assert (daily["prefix"], daily["status"], daily["streams"]) == ("tmp_", "inactive", ["orders", "products"])
    orders = json.loads((applied.pulumi.project / "streams/shopify/orders.json").read_text())
    assert (orders["fields"], orders["mappers"][0]["type"]) == ("all", "field-filtering")
