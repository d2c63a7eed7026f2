"""The page's commands for AWS, run by the AWS CLI against AWS's own API as moto has it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from tests.docs.pages import page
from tests.engine.harness import REPOSITORY
from tests.support.aws import running_aws

PAGE: Final = "docs/how-to/set-up-ci.md"
REGION: Final = "us-west-1"
ACCOUNT: Final = "210987654321"
"""The account that the page puts into its copy of the recipes."""


@dataclass(frozen=True)
class Shell:
    """A folder with the recipes in it, and an account."""

    folder: Path
    environment: dict[str, str]

    def follow(self, *parts: str) -> str:
        """Run the page's blocks that have these parts, one after the other in one shell; return their output."""
        shown = [block.text for block in page(PAGE).blocks if block.is_shell]
        blocks = [[text for text in shown if part in text] for part in parts]
        assert [len(each) for each in blocks] == [1] * len(parts)
        text = "\n".join(each[0] for each in blocks)
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def client(self, service: Any) -> Any:
        url = self.environment["AWS_ENDPOINT_URL"]
        return boto3.session.Session("an", "administrator", region_name=REGION).client(service, endpoint_url=url)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    if shutil.which("aws") is None:
        pytest.skip("the AWS CLI is not on PATH")
    shutil.copytree(REPOSITORY / "docs" / "recipes", tmp_path / "docs" / "recipes")
    programs = tmp_path / "bin"
    programs.mkdir()
    # The engine's part of a block: it is tested where a stack is.
    (programs / "pulumi").write_text('#!/bin/sh\necho "pulumi $*"\n', encoding="utf-8")
    (programs / "pulumi").chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    own |= {
        "AWS_ACCESS_KEY_ID": "an",
        "AWS_SECRET_ACCESS_KEY": "administrator",
        "AWS_DEFAULT_REGION": REGION,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    with running_aws() as url:
        yield Shell(tmp_path, own | {"AWS_ENDPOINT_URL": url})


def test_the_copy_of_the_recipes_has_the_teams_values_and_no_placeholder(shell: Shell) -> None:
    shell.follow("cp -R docs/recipes")
    files = sorted((shell.folder / ".review" / "recipes" / "aws").glob("*.json"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert len(files) == 5
    assert [each for each in ("123456789012", "example", "lotus-lake-state") if each in text] == []
    assert [each for each in (ACCOUNT, "acme/lake", "acme-lake-state") if each not in text] == []


def test_the_commands_make_the_provider_both_roles_and_the_key(shell: Shell) -> None:
    output = shell.follow("cp -R docs/recipes", "create-open-id-connect-provider", "aws kms create-key")

    iam, kms = shell.client("iam"), shell.client("kms")
    [provider] = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert provider["Arn"].endswith(":oidc-provider/token.actions.githubusercontent.com")
    for name in ("preview", "production"):
        trusted = iam.get_role(RoleName=f"lotus-{name}")["Role"]["AssumeRolePolicyDocument"]
        assert f"repo:acme/lake:environment:{name}" in json.dumps(trusted)
        granted = iam.get_role_policy(RoleName=f"lotus-{name}", PolicyName="lotus")["PolicyDocument"]
        assert "arn:aws:s3:::acme-lake-state/.pulumi/*" in json.dumps(granted)
    [alias] = [each for each in kms.list_aliases()["Aliases"] if each["AliasName"] == "alias/lotus"]
    policy = kms.get_key_policy(KeyId=alias["TargetKeyId"], PolicyName="default")["Policy"]
    assert f"arn:aws:iam::{ACCOUNT}:role/lotus-preview" in policy
    assert kms.get_key_rotation_status(KeyId=alias["TargetKeyId"])["KeyRotationEnabled"]
    assert "pulumi stack change-secrets-provider --stack prod awskms://alias/lotus?region=us-west-1" in output
