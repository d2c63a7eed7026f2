"""The landing zone by the real engine, through the stand-in plugin, against AWS's own API as moto has it."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from airbyte_twin.testing import RunningTwin
from botocore.exceptions import ClientError
from mypy_boto3_iam import IAMClient
from mypy_boto3_s3 import S3Client

from lotus_infra.plan.analysis import impact_of
from lotus_infra.plan.preview import read_preview
from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.lake import Lake
from tests.support.aws import running_aws

KEY = "the-administrators-key"
BUCKETS = ("acme-backup", "acme-landing", "acme-state")
ZONE = {"server": "aws", "region": "eu-west-1", "landing": "acme-landing", "backup": "acme-backup"}

EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


@dataclass(frozen=True)
class Aws:
    """An AWS account of its own, empty at the start."""

    url: str

    @property
    def s3(self) -> S3Client:
        return boto3.session.Session(KEY, KEY, region_name="eu-west-1").client("s3", endpoint_url=self.url)

    @property
    def iam(self) -> IAMClient:
        return boto3.session.Session(KEY, KEY, region_name="eu-west-1").client("iam", endpoint_url=self.url)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with running_aws() as url:
        yield Aws(url)


@pytest.fixture
def pulumi(pulumi_with: Callable[[dict[str, Path]], Pulumi], aws: Aws) -> Pulumi:
    plugins = {"airbyte": Path(sys.executable).parent, "aws": REPOSITORY / "sandbox" / "plugins"}
    pulumi = pulumi_with(plugins)
    pulumi.environment |= {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY}
    return pulumi


@pytest.fixture
def zone(pulumi: Pulumi, twin: RunningTwin, aws: Aws) -> Lake:
    """The project's own lake with a landing zone on AWS, not applied yet; the bucket of the state is there."""
    aws.s3.create_bucket(Bucket="acme-state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    lake = Lake.with_references(pulumi, twin)
    configure(lake, ZONE | {"state": "acme-state"})
    return lake


def configure(lake: Lake, zone: dict[str, Any]) -> None:
    lake.pulumi.config_set("lotus:landingZone", json.dumps(zone))


def closed(aws: Aws, bucket: str) -> bool:
    return all(aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def test_buckets_are_as_safe_as_aws_makes_them_and_the_destination_takes_what_the_zone_has(
    zone: Lake, aws: Aws
) -> None:
    zone.pulumi.up().ok()

    s3 = aws.s3
    assert tuple(sorted(bucket.get("Name", "") for bucket in s3.list_buckets()["Buckets"])) == BUCKETS
    for bucket in BUCKETS:
        assert closed(aws, bucket)
        [statement] = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule.get("ApplyServerSideEncryptionByDefault") == {"SSEAlgorithm": "AES256"}
        uploads = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
        assert uploads.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 7}
    versioned = [s3.get_bucket_versioning(Bucket=bucket).get("Status") for bucket in BUCKETS]
    assert versioned == [None, "Enabled", "Enabled"]

    outputs = zone.pulumi.outputs(show_secrets=True)["landing"]
    configuration = zone.one("destinations", "S3")["configuration"]
    names = {"s3_bucket_name": "bucket", "s3_bucket_path": "prefix", "s3_bucket_region": "region"}
    assert {key: configuration[key] for key in names} == {key: outputs[name] for key, name in names.items()}
    [key] = aws.iam.list_access_keys(UserName="acme-landing-writer")["AccessKeyMetadata"]
    [declared] = [
        one for urn, one in zone.pulumi.resources(show_secrets=True).items() if urn.endswith("Destination::s3")
    ]
    assert str(key.get("AccessKeyId")) in json.dumps(declared["inputs"])
    assert outputs["readerAccessKeyId"] != key.get("AccessKeyId")


def test_a_second_up_and_a_refresh_change_nothing_and_show_no_secret(zone: Lake) -> None:
    first = zone.pulumi.up("--diff").ok().output
    again = zone.pulumi.up("--refresh").ok().output

    assert "39 unchanged" in again
    secrets = [
        one["outputs"]["secret"]["plaintext"].strip('"')
        for urn, one in zone.pulumi.resources(show_secrets=True).items()
        if "AccessKey" in urn
    ]
    assert len(secrets) == 2
    assert [secret for secret in secrets if secret in first + again + zone.written()] == []


def keys(aws: Aws, user: str) -> set[str]:
    return {str(key.get("AccessKeyId")) for key in aws.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}


def test_a_key_is_rotated_beside_the_old_one_which_ends_when_everything_else_is_done(zone: Lake, aws: Aws) -> None:
    zone.pulumi.up().ok()
    old = keys(aws, "acme-landing-writer")

    configure(zone, ZONE | {"state": "acme-state", "keys": [1, 2]})
    zone.pulumi.up().ok()
    both = keys(aws, "acme-landing-writer")
    assert len(both) == 2
    assert old < both

    configure(zone, ZONE | {"state": "acme-state", "keys": ["2"]})
    zone.pulumi.up().ok()
    assert keys(aws, "acme-landing-writer") == both - old

    configure(zone, ZONE | {"state": "acme-state", "keys": ["3"]})
    at_once = [step.op for step in zone.pulumi.up("--json").ok().changes()]
    assert at_once.count("delete") == 2
    assert "update" in at_once
    assert at_once[-2:] == ["delete", "delete"]


def test_a_bucket_that_somebody_opened_is_drift_and_closed_again(zone: Lake, aws: Aws) -> None:
    zone.pulumi.up().ok()
    aws.s3.delete_public_access_block(Bucket="acme-landing")
    aws.s3.put_bucket_versioning(Bucket="acme-landing", VersioningConfiguration={"Status": "Suspended"})
    aws.iam.put_user_policy(
        UserName="acme-landing-reader",
        PolicyName="reader",
        PolicyDocument=json.dumps(EVERYTHING),
    )

    assert [(op, kind) for op, kind, _ in zone.changes("--refresh")] == [
        ("create", "BucketPublicAccessBlock"),
        ("update", "BucketVersioning"),
        ("update", "UserPolicy"),
    ]
    zone.pulumi.up("--refresh").ok()

    assert closed(aws, "acme-landing")
    assert aws.s3.get_bucket_versioning(Bucket="acme-landing")["Status"] == "Enabled"


def reviewed(pulumi: Pulumi, *arguments: str) -> tuple[str, list[str]]:
    """The verdict on a real preview, and the objects and effects that close the gate."""
    impact = impact_of(read_preview(pulumi.preview("--json", *arguments).ok().stdout))
    return impact.verdict, sorted({f"{loss.object}: {loss.effect}" for loss in impact.losses})


def test_the_gate_lets_the_first_run_and_a_repair_pass_and_stops_what_loses_or_exposes(zone: Lake, aws: Aws) -> None:
    # The bucket of the state exists, and gets rules: its old versions would be deleted.
    assert reviewed(zone.pulumi) == ("destroys", ["bucket state: destroys"])
    zone.pulumi.up().ok()
    assert reviewed(zone.pulumi, "--refresh") == ("nothing changes", [])

    aws.s3.delete_public_access_block(Bucket="acme-landing")
    aws.s3.put_bucket_versioning(Bucket="acme-landing", VersioningConfiguration={"Status": "Suspended"})
    aws.iam.put_user_policy(UserName="acme-landing-reader", PolicyName="reader", PolicyDocument=json.dumps(EVERYTHING))
    assert reviewed(zone.pulumi, "--refresh") == ("look", [])

    configure(zone, ZONE | {"state": "acme-state", "expireRawDays": 30})
    assert reviewed(zone.pulumi) == ("destroys", ["bucket landing: destroys"])
    configure(zone, ZONE | {"state": "acme-state", "keys": ["1", "2"]})
    assert reviewed(zone.pulumi) == ("look", [])
    configure(zone, ZONE | {"state": "acme-state", "region": "us-east-1"})
    assert "aws provider landing-zone: exposes" in reviewed(zone.pulumi)[1]


SETTINGS = """\
import json
import pulumi_aws as aws
bucket = aws.s3.Bucket("lake", bucket="a-lake").bucket
aws.s3.BucketPublicAccessBlock("lake", bucket=bucket, block_public_acls=True, block_public_policy=True,
                               ignore_public_acls=True, restrict_public_buckets=True)
aws.s3.BucketVersioning("lake", bucket=bucket, versioning_configuration={"status": "Enabled"})
policy = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::a-lake"],
     "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
aws.s3.BucketPolicy("lake", bucket=bucket, policy=json.dumps(policy))
aws.s3.BucketLifecycleConfiguration("lake", bucket=bucket, rules=[
    {"id": "old", "status": "Enabled", "filter": {"prefix": "raw/"}, "expiration": {"days": 90}}])
"""


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("ignore_public_acls=True", "ignore_public_acls=False", "exposes"),
        ('"Enabled"})', '"Suspended"})', "destroys"),
        ('"Deny"', '"Allow"', "exposes"),
        ('"raw/"', '""', "destroys"),
        ('"days": 90', '"date": "2030-01-01T00:00:00Z"', "destroys"),
        ('aws.s3.BucketPolicy("lake"', 'str("lake"', "exposes"),
    ],
    ids=["public access", "versions", "policy", "prefix", "date", "no policy"],
)
def test_a_setting_of_a_bucket_that_opens_or_loses_closes_the_gate(
    pulumi: Pulumi, before: str, after: str, effect: str
) -> None:
    pulumi.program(SETTINGS)
    pulumi.up().ok()

    changed = SETTINGS.replace(before, after)
    if after.startswith("str("):
        changed = "\n".join(line for line in SETTINGS.splitlines() if before not in line)
    pulumi.program(changed)

    assert reviewed(pulumi) == (effect, [f"bucket lake: {effect}"])


def test_destroying_is_refused_while_buckets_are_protected_and_never_takes_the_state(zone: Lake, aws: Aws) -> None:
    zone.pulumi.up().ok()

    assert "protected" in zone.pulumi.destroy().failed().output
    assert all(closed(aws, bucket) for bucket in BUCKETS)
    assert aws.s3.get_bucket_versioning(Bucket="acme-landing")["Status"] == "Enabled"
    users = ["acme-landing-reader", "acme-landing-writer"]
    assert sorted(user["UserName"] for user in aws.iam.list_users()["Users"]) == users
    assert all(aws.iam.list_user_policies(UserName=user)["PolicyNames"] for user in users)

    zone.pulumi.up().ok()
    zone.pulumi.run("state", "unprotect", "--all", "--yes").ok()
    zone.pulumi.preview("--expect-no-changes").ok()
    configure(zone, ZONE | {"state": "acme-state", "protect": False})
    zone.pulumi.up().ok()
    zone.pulumi.destroy().ok()
    assert [bucket.get("Name") for bucket in aws.s3.list_buckets()["Buckets"]] == ["acme-state"]
    assert closed(aws, "acme-state")
    assert aws.iam.list_users()["Users"] == []


def test_a_bucket_with_data_is_not_deleted_by_accident_even_unprotected(pulumi: Pulumi, aws: Aws) -> None:
    pulumi.program('import pulumi_aws as aws\naws.s3.Bucket("kept", bucket="kept")\n')
    pulumi.up().ok()
    aws.s3.put_object(Bucket="kept", Key="a", Body=b"rows")

    assert "BucketNotEmpty" in pulumi.destroy().failed().output


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ('aws.sqs.Queue("a")', "does not serve aws:sqs/queue:Queue"),
        ('aws.s3.Bucket("a", bucket="a-bucket", tags={"a": "b"})', "tags"),
        ("aws.get_caller_identity()", "has no function"),
        ('aws.s3.Bucket("a", bucket="a-bucket", opts=o(provider=aws.Provider("p", profile="x")))', "profile"),
    ],
)
def test_the_stand_in_refuses_by_name_what_it_does_not_serve(pulumi: Pulumi, program: str, words: str) -> None:
    pulumi.program(f"from pulumi import ResourceOptions as o\nimport pulumi_aws as aws\n{program}\n")

    refused = pulumi.up().failed().output

    assert words in refused
    assert "stand-in" in refused


def test_a_state_bucket_that_is_not_there_is_told_before_anything_is_made(zone: Lake, aws: Aws) -> None:
    aws.s3.delete_bucket(Bucket="acme-state")

    assert "acme-state" in zone.pulumi.preview().failed().output
    with pytest.raises(ClientError):
        aws.s3.head_bucket(Bucket="acme-landing")
