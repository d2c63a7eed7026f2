"""The policies of CI's roles, enforced by moto, while the real engine previews and deploys with its state on S3."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import boto3
import httpx
import pytest
from airbyte_twin.testing import RunningTwin
from botocore.exceptions import ClientError
from mypy_boto3_iam import IAMClient

from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.lake import Lake
from tests.support.aws import correct_moto, running_aws

RECIPES: Final = REPOSITORY / "docs" / "recipes" / "aws"
REGION: Final = "us-west-1"
STATE: Final = "lotus-lake-state"
ZONE: Final = {"server": "aws", "region": REGION, "landing": "example-lake-landing", "backup": "example-lake-backup"}
EVERYTHING: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
MOTO_CALLS_IT: Final = {
    "s3:ListBucket": "s3:HeadBucket",
    "s3:PutBucketPublicAccessBlock": "s3:CreateBucket",
    "s3:GetBucket*": "s3:ListBucket",
}
AREAS: Final = ("identity", "locks", "state", "landing")
Environment = Literal["administrator", "preview", "production"]


@dataclass(frozen=True)
class Account:
    """An AWS account on loopback, with a user for each of CI's roles.

    Attributes:
        url: Its address.
        keys: The access key and its secret, by the role.
    """

    url: str
    keys: dict[str, tuple[str, str]]

    def credentials(self, name: Environment) -> dict[str, str]:
        return dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), self.keys[name], strict=True))


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    correct_moto(monkeypatch)
    with running_aws() as url:
        session = boto3.session.Session("an", "administrator", region_name=REGION)
        s3 = session.client("s3", endpoint_url=url)
        s3.create_bucket(Bucket=STATE, CreateBucketConfiguration={"LocationConstraint": "us-west-1"})
        iam = session.client("iam", endpoint_url=url)
        policies = {name: as_moto_reads(RECIPES / f"{name}.json") for name in ("preview", "production")}
        policies["administrator"] = EVERYTHING
        yield Account(url, {name: user(iam, name, policy) for name, policy in policies.items()})


def as_moto_reads(policy: Path) -> str:
    """A policy in moto's terms: it calls some actions by other names, and checks no resource of IAM."""
    document = json.loads(policy.read_text(encoding="utf-8"))
    for statement in document["Statement"]:
        statement["Action"] += [MOTO_CALLS_IT[name] for name in statement["Action"] if name in MOTO_CALLS_IT]
        if all(action.startswith("iam:") for action in statement["Action"]):
            statement["Resource"] = "*"
    return json.dumps(document)


def user(iam: IAMClient, name: str, policy: str) -> tuple[str, str]:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


@contextmanager
def enforced(account: Account) -> Iterator[None]:
    """Let the account check policies; outside, everything is allowed."""
    reset = f"{account.url}/moto-api/reset-auth"
    httpx.post(reset, content="0").raise_for_status()
    try:
        yield
    finally:
        httpx.post(reset, content="inf").raise_for_status()


@pytest.fixture
def lake(pulumi_with: Callable[[dict[str, Path]], Pulumi], twin: RunningTwin, account: Account) -> Lake:
    """The lake with its state and its landing zone on AWS, not applied yet."""
    pulumi = pulumi_with({"airbyte": Path(sys.executable).parent, "aws": REPOSITORY / "sandbox" / "plugins"})
    lake = Lake.with_references(pulumi, twin)
    pulumi.config_set("lotus:landingZone", json.dumps(ZONE | {"state": STATE}))
    address = account.url.removeprefix("http://")
    pulumi.environment |= account.credentials("administrator") | {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_REGION": REGION,
        "PULUMI_BACKEND_URL": f"s3://{STATE}?region={REGION}&endpoint={address}&disableSSL=true&s3ForcePathStyle=true",
    }
    pulumi.run("stack", "init", pulumi.stack).ok()
    return lake


def test_the_role_of_production_deploys_and_that_of_preview_reviews_and_writes_locks_alone(
    lake: Lake, account: Account
) -> None:
    with enforced(account):
        lake.pulumi.environment |= account.credentials("production")
        lake.pulumi.up().ok()
        lake.pulumi.environment |= account.credentials("preview")
        lake.pulumi.preview("--refresh", "--expect-no-changes").ok()
        examined = doctor(lake)
        wrong = [each for each in examined if each["area"] in AREAS and each["state"] != "ok"]
        assert wrong == []
        assert {each["area"] for each in examined} >= set(AREAS)
        for key, code in (
            (".pulumi/locks/a.json", "written"),
            (".pulumi/stacks/test-project/test.json", "AccessDenied"),
            (".pulumi/history/a.json", "AccessDenied"),
        ):
            assert written(account, "preview", STATE, key) == code
        assert written(account, "production", str(ZONE["landing"]), "raw/a.parquet") == "AccessDenied"
        lake.pulumi.environment |= account.credentials("production")
        lake.pulumi.config_set("lotus:landingZone", json.dumps(ZONE | {"state": STATE, "keys": ["1", "2"]}))
        lake.pulumi.up("--refresh").ok()
        lake.pulumi.config_set("lotus:landingZone", json.dumps(ZONE | {"state": STATE, "keys": ["2"]}))
        lake.pulumi.up("--refresh").ok()


def doctor(lake: Lake) -> list[dict[str, str]]:
    """What the doctor says of the identity of a preview."""
    command = [str(Path(sys.executable).parent / "lotus"), "doctor", "--json", "--for", "preview"]
    ran = subprocess.run(
        command, cwd=lake.pulumi.project, env=lake.pulumi.environment, capture_output=True, text=True, check=False
    )
    found: list[dict[str, str]] = json.loads(ran.stdout)["findings"]
    return found


def written(account: Account, name: Environment, bucket: str, key: str) -> str:
    """Write an object as one of the roles: `written`, or the code of the refusal."""
    session = boto3.session.Session(*account.keys[name], region_name=REGION)
    try:
        session.client("s3", endpoint_url=account.url).put_object(Bucket=bucket, Key=key, Body=b"{}")
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "written"
