"""One lake in two stacks: what differs is in one file, and each command has the lake of its stack."""

import json
import subprocess
from typing import Any

import pytest

from tests.engine.lake import SECRETS, VALUES, Document, Lake

DAILY = {"type": "cron", "cron": "0 0 6 * * ?", "time_zone": "UTC"}
OVERLAY = {
    "sources": {
        "klaviyo": {"deployed": False},
        "faker": {"schedule": DAILY, "destination": "s3_staging"},
        "shopify": {"status": "inactive"},
    }
}
STAGING = ("--stack", "staging")


def lotus(lake: Lake, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command beside the lake."""
    return subprocess.run(
        ["lotus", *arguments],
        cwd=lake.pulumi.project,
        env=lake.pulumi.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def write(lake: Lake, file: str, document: Document) -> None:
    path = lake.pulumi.project / "streams" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def live(lake: Lake, collection: str, workspace: str) -> dict[str, Document]:
    """The objects of one workspace by name."""
    found = lake.api("GET", f"/{collection}?limit=100&workspaceIds={workspace}")["data"]
    return {str(each["name"]): each for each in found}


@pytest.fixture
def workspace(lake: Lake) -> str:
    """Another workspace of the same Airbyte, for a stack that has no value of the source that it leaves out."""
    made = str(lake.api("POST", "/workspaces", {"name": "Staging"})["workspaceId"])
    lake.pulumi.run("stack", "init", "staging").ok()
    plain = [f"--plaintext=lotus:{name}={value}" for name, value in {"workspaceId": made, **VALUES}.items()]
    secret = [f"--secret=lotus:{name}={value}" for name, value in SECRETS.items() if name != "klaviyo_api_key"]
    lake.pulumi.run("config", "set-all", *STAGING, *plain, *secret).ok()
    write(lake, "_stacks/staging.json", OVERLAY)
    s3 = json.loads((lake.pulumi.project / "streams" / "_destinations" / "s3.json").read_text(encoding="utf-8"))
    write(lake, "_destinations/s3_staging.json", s3 | {"name": "S3 of staging"})
    return made


def test_one_lake_in_two_stacks_is_clean_in_both_and_a_source_is_promoted_by_its_file(
    lake: Lake, workspace: str
) -> None:
    checked = lotus(lake, "check")
    assert (checked.returncode, checked.stdout.splitlines()[-1].rpartition(": ")[2]) == (0, "no problems")
    lake.pulumi.up().ok()
    lake.pulumi.up(*STAGING).ok()
    for stack in ((), STAGING):
        assert lake.changes(*stack) == []
        assert lake.changes("--refresh", *stack) == []

    prod, staging = (live(lake, "connections", each) for each in (lake.twin.workspace_id, workspace))
    assert sorted(prod) == ["Faker → S3", "Klaviyo → S3", "Shopify → S3"]
    assert sorted(staging) == ["Faker → S3 of staging", "Shopify → S3"]
    assert staging["Faker → S3 of staging"]["schedule"]["cronExpression"] == "0 0 6 * * ? UTC"
    assert [(each["Shopify → S3"]["status"]) for each in (prod, staging)] == ["active", "inactive"]
    assert sorted(live(lake, "sources", workspace)) == ["Faker", "Shopify"]
    commands_have_the_lake_of_their_stack(lake)

    # The promotion: the overlay loses the source, and the stack gets its secret.
    lake.edit("_stacks/staging.json", lambda overlay: overlay["sources"].pop("klaviyo"))
    refused = lotus(lake, "check").stdout
    assert 'the secret "klaviyo_api_key" is not set in the stack staging' in refused
    lake.pulumi.run("config", "set", "--secret", *STAGING, "lotus:klaviyo_api_key", "another-key").ok()
    assert lake.changes() == []
    assert {each[::2] for each in lake.changes(*STAGING) if each[1] != "Pipeline"} == {("create", "klaviyo")}
    lake.pulumi.up(*STAGING).ok()
    assert lake.changes(*STAGING) == []


def commands_have_the_lake_of_their_stack(lake: Lake) -> None:
    """Audit, status, sync, discovery and the comparison of the stacks."""
    audited: Any = json.loads(lotus(lake, "audit", *STAGING, "--json").stdout)
    assert set(audited["counts"]) == {"managed"}
    status: Any = json.loads(lotus(lake, "status", *STAGING, "--json").stdout)
    assert {each["source"] for each in status["connections"]} == {"faker", "shopify"}
    for command in (["sync", "klaviyo", "--no-wait"], ["discover", "klaviyo"], ["backfill", "klaviyo", "profiles"]):
        refused = lotus(lake, *command, *STAGING)
        assert refused.returncode == 1
        assert 'the source "klaviyo" is not deployed in the stack staging' in refused.stderr
    drift = lotus(lake, "drift", *STAGING)
    assert drift.stdout == "No drift: code, state and Airbyte match.\n", drift.stderr

    found: Any = json.loads(lotus(lake, "diff", "--stack", "test", *STAGING, "--json").stdout)
    assert [(each["name"], each["first"], each["second"]) for each in found["differences"]] == [
        ("klaviyo", "deployed", "not deployed"),
        ("faker destination", "s3", "s3_staging"),
        ("faker schedule", "manual", "cron 0 0 6 * * ? UTC"),
        ("shopify status", "active", "inactive"),
        ("klaviyo_api_key", "set", "not set"),
        ("lotus:workspaceId", lake.twin.workspace_id, found["differences"][-1]["second"]),
    ]
