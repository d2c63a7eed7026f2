"""A command that the engine refuses for a protected resource deletes nothing before: plain `pulumi`, with every option.

tests/graph/test_protection.py applies the same rule to every kind of stack.
"""

import json
import shlex
from typing import Any

import pytest

from tests.engine.lake import Lake
from tests.engine.test_landing_zone import ZONE, Aws, aws, configure, pulumi, zone

__all__ = ["aws", "pulumi", "zone"]

NOW = "destroy --yes --skip-preview"
DESTROYS = (
    f"{NOW} --continue-on-error",
    f"{NOW} --remove",
    f"{NOW} --refresh",
    f"{NOW} --run-program",
    f"{NOW} --parallel=1",
    f"{NOW} --target '**Bucket::landing' --target-dependents",
    f"{NOW} --target '**Destination::s3' --target-dependents",
    f"{NOW} --target '**Destination::s3'",
    f"{NOW} --target '**AccessKey::reader'",
    f"{NOW} --target '**UserPolicy::reader'",
    f"{NOW} --exclude '**Connection::shopify'",
    "destroy --yes",
    "up --yes --skip-preview --target-replace '**Connection::shopify'",
    "up --yes --skip-preview --target-replace '**Source::shopify' --target-dependents",
)


def held(lake: Lake, aws: Aws) -> dict[str, Any]:
    """The URNs of the state, the access keys that AWS has, and the calls that changed something in Airbyte."""
    users = [user["UserName"] for user in aws.iam.list_users()["Users"]]
    keys = {
        key["AccessKeyId"]: user
        for user in users
        for key in aws.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    }
    writes = [(method, path) for method, path in lake.writes() if not path.endswith("/get")]
    return {"state": sorted(lake.pulumi.resources()), "keys": keys, "writes": writes}


@pytest.fixture
def deployed(zone: Lake) -> Lake:
    """A lake with a landing zone that says nothing of its protection."""
    zone.pulumi.up().ok()
    zone.twin.clear_calls()
    return zone


def test_a_refused_destroy_deletes_neither_connections_nor_keys(deployed: Lake, aws: Aws) -> None:
    before = held(deployed, aws)

    refused = deployed.pulumi.destroy().failed().output

    assert "Connection::shopify" in refused
    assert held(deployed, aws) == before
    deployed.pulumi.preview("--expect-no-changes").ok()


def test_no_option_makes_a_refused_command_delete_a_part(deployed: Lake, aws: Aws) -> None:
    before = held(deployed, aws)

    for command in DESTROYS:
        deployed.pulumi.run(*shlex.split(command)).failed()
        assert held(deployed, aws) == before, command

    # The one option that leaves out what is protected succeeds, and finds nothing to delete.
    deployed.pulumi.destroy("--exclude-protected").ok()
    assert held(deployed, aws) == before


def test_an_up_without_its_preview_deletes_nothing_of_a_source_that_it_may_not_delete(deployed: Lake, aws: Aws) -> None:
    before = held(deployed, aws)
    deployed.remove("klaviyo")

    assert "Connection::klaviyo" in deployed.pulumi.up().failed().output

    assert held(deployed, aws) == before


def test_a_key_is_replaced_in_one_step_although_its_policy_is_protected(deployed: Lake, aws: Aws) -> None:
    [writer] = aws.iam.list_access_keys(UserName="acme-landing-writer")["AccessKeyMetadata"]

    configure(deployed, ZONE | {"state": "acme-state", "keys": ["2"]})
    deployed.pulumi.up().ok()

    [now] = aws.iam.list_access_keys(UserName="acme-landing-writer")["AccessKeyMetadata"]
    assert now["AccessKeyId"] != writer["AccessKeyId"]
    [destination] = [one for urn, one in deployed.pulumi.resources(show_secrets=True).items() if "Destination" in urn]
    assert now["AccessKeyId"] in json.dumps(destination["inputs"])


def test_a_stack_is_destroyed_once_its_protection_is_off(deployed: Lake, aws: Aws) -> None:
    configure(deployed, ZONE | {"state": "acme-state", "protect": False})
    deployed.pulumi.up().ok()

    deployed.pulumi.destroy().ok()

    assert deployed.live("connections") == []
    assert [bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]] == ["acme-state"]
