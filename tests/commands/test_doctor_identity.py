"""`lotus doctor` on AWS as moto has it: who calls, and what it may do with the state, by the recipes' policies."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from lotus_infra.commands.doctor.context import Purpose, StackContext
from lotus_infra.commands.doctor.identity import identity, state_rights
from lotus_infra.commands.doctor.results import CheckResult
from tests.engine.harness import REPOSITORY
from tests.support.aws import correct_moto

REGION = "us-west-1"
STATE = "lotus-lake-state"
ZONE = {"server": "aws", "region": REGION, "landing": "example-lake-landing", "backup": "example-lake-backup"}
ACCOUNT = "123456789012"
As = Callable[[str], None]


@pytest.fixture
def as_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[As]:
    """Use the keys of a user with a recipe's policy, from then on; AWS checks it."""
    correct_moto(monkeypatch)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    httpx.post(f"{url}/moto-api/reset-auth", content="inf").raise_for_status()
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    home = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
    settings = {name: str(tmp_path / file) for name, file in home.items()}
    settings |= {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    session = boto3.session.Session("an", "administrator", region_name=REGION)
    iam = session.client("iam", endpoint_url=url)
    where: Any = {"LocationConstraint": REGION}
    session.client("s3", endpoint_url=url).create_bucket(Bucket=STATE, CreateBucketConfiguration=where)

    def use(name: str) -> None:
        httpx.post(f"{url}/moto-api/reset-auth", content="inf").raise_for_status()
        # A process keeps the credentials that it has found first.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        iam.create_user(UserName=name)
        if (REPOSITORY / "docs" / "recipes" / "aws" / f"{name}.json").exists():
            policy = (REPOSITORY / "docs" / "recipes" / "aws" / f"{name}.json").read_text(encoding="utf-8")
            iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        httpx.post(f"{url}/moto-api/reset-auth", content="0").raise_for_status()

    try:
        yield use
    finally:
        httpx.post(f"{url}/moto-api/reset-auth", content="inf").raise_for_status()
        server.stop()


def stack(folder: Path, purpose: Purpose = "deploy", account: str = ACCOUNT) -> StackContext:
    project = {"name": "lotus", "backend": {"url": f"s3://{STATE}?region={REGION}"}}
    (folder / "Pulumi.yaml").write_text(json.dumps(project), encoding="utf-8")
    config = {"lotus:landingZone": {**ZONE, "state": STATE, "account": account}}
    (folder / "Pulumi.prod.yaml").write_text(json.dumps({"config": config}), encoding="utf-8")
    return StackContext.of(folder, "prod", {"HOME": str(folder)}, purpose)


def one(found: Iterator[CheckResult]) -> tuple[str, str]:
    [result] = found
    assert result.area == "identity"
    assert bool(result.remedy) == (result.state != "ok")
    return result.state, result.what


def test_the_identity_is_named_and_held_against_the_stacks_account(as_role: As, tmp_path: Path) -> None:
    state, what = one(identity(stack(tmp_path)))
    assert state == "broken"
    assert what.startswith("this shell has no AWS identity: ")

    as_role("production")
    arn = f"arn:aws:iam::{ACCOUNT}:user/production"
    assert one(identity(stack(tmp_path))) == ("ok", f"this shell is {arn} on AWS")
    other = stack(tmp_path, account="210987654321")
    assert one(identity(other)) == ("broken", f"this shell is {arn}, and the stack's account is 210987654321")


@pytest.mark.parametrize(
    ("role", "purpose", "expected"),
    [
        ("production", "deploy", ("ok", "may write the state, as a deploy does")),
        ("preview", "preview", ("ok", "may write locks, as a preview does")),
        ("preview", "deploy", ("broken", "may not write the state")),
        ("nobody", "preview", ("broken", "may not write the locks of the state")),
        ("production", "preview", ("warning", "may write the state, which a preview does not need")),
    ],
)
def test_what_it_may_do_with_the_state_is_compared_with_its_purpose(
    as_role: As, tmp_path: Path, role: str, purpose: Purpose, expected: tuple[str, str]
) -> None:
    as_role(role)
    state, what = one(state_rights(stack(tmp_path, purpose)))
    assert (state, what) == (expected[0], f"this shell's identity {expected[1]}")
