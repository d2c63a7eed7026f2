"""The recipes' IAM policies: valid documents, known actions, and exactly what the landing zone's resources take."""

import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from lotus_infra import naming
from sandbox.plugins.aws.servicer import RESOURCE_TYPES
from tests.engine.harness import REPOSITORY

FOLDER: Final = REPOSITORY / "docs" / "recipes" / "aws"
FILES: Final = sorted(FOLDER.glob("*.json"))
READ_BUCKET: Final = (
    *("s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration"),
    *("s3:GetBucketPolicy", "s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning"),
    *("s3:GetBucketWebsite", "s3:GetAccelerateConfiguration", "s3:GetEncryptionConfiguration"),
    *("s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ListTagsForResource"),
)
"""What the provider reads of every bucket, whatever the program sets."""
READS: Final[dict[str, tuple[str, ...]]] = {
    "aws:iam/accessKey:AccessKey": ("iam:ListAccessKeys",),
    "aws:iam/user:User": ("iam:GetUser",),
    "aws:iam/userPolicy:UserPolicy": ("iam:GetUserPolicy",),
    "aws:s3/bucket:Bucket": READ_BUCKET,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("s3:GetBucketOwnershipControls",),
    "aws:s3/bucketPolicy:BucketPolicy": ("s3:GetBucketPolicy",),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:GetEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("s3:GetBucketVersioning",),
}
"""The actions of a refresh, by the type of the resource."""
WRITES: Final[dict[str, tuple[str, ...]]] = {
    "aws:iam/accessKey:AccessKey": ("iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateAccessKey"),
    "aws:iam/user:User": ("iam:CreateUser", "iam:DeleteUser", "iam:ListGroupsForUser"),
    "aws:iam/userPolicy:UserPolicy": ("iam:PutUserPolicy", "iam:DeleteUserPolicy"),
    # A run of CI deletes no bucket.
    "aws:s3/bucket:Bucket": ("s3:CreateBucket",),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "aws:s3/bucketPolicy:BucketPolicy": ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:PutEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("s3:PutBucketVersioning",),
}
"""The further actions of an update, by the type of the resource."""
STATE: Final = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"}
EXPECTED: Final = {
    # A key's policy is about that key alone, which is what `*` means there; the account's administrators manage it.
    "key": {"RESOURCE_STAR"},
    # A trust policy has no resource, and the linter does not know GitHub's provider.
    "preview-trust": {"MALFORMED", "UNKNOWN_FEDERATION_SOURCE"},
    "production-trust": {"MALFORMED", "UNKNOWN_FEDERATION_SOURCE"},
    "preview": set(),
    # Whoever writes a bucket's policy can grant itself its objects: docs/how-to/set-up-ci.md names it.
    "production": {"RESOURCE_POLICY_PRIVILEGE_ESCALATION"},
}
"""What the linter finds in each policy, with the reason why it stays."""
# The linter finds its data by a module that setuptools has removed.
LINT: Final = """
import importlib.resources, json, sys, types, warnings
warnings.simplefilter("ignore")
found = types.ModuleType("pkg_resources")
found.resource_filename = lambda package, name: str(importlib.resources.files(package) / name)
sys.modules["pkg_resources"] = found
from parliament import analyze_policy_string
files = sys.argv[1:]
print(json.dumps({f: [each.issue for each in analyze_policy_string(open(f).read(), f).findings] for f in files}))
"""


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document


def granted(name: str) -> set[str]:
    return {action for statement in read(name)["Statement"] for action in statement["Action"]}


def resources(name: str) -> set[str]:
    found = set[str]()
    for statement in read(name)["Statement"]:
        given = statement["Resource"]
        found |= {given} if isinstance(given, str) else set(given)
    return found


def test_the_linter_of_iam_policies_finds_only_what_has_a_reason() -> None:
    ran = subprocess.run([sys.executable, "-c", LINT, *map(str, FILES)], capture_output=True, text=True, check=True)
    found = {Path(file).stem: set(issues) for file, issues in json.loads(ran.stdout).items()}
    assert found == EXPECTED


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_is_a_document_of_named_statements(file: Path) -> None:
    document = read(file.stem)
    assert document["Version"] == "2012-10-17"
    names = [statement["Sid"] for statement in document["Statement"]]
    assert len(names) == len(set(names))
    assert all(statement["Effect"] == "Allow" for statement in document["Statement"])


def test_the_role_of_preview_grants_the_reads_of_every_resource_and_the_locks() -> None:
    wanted = STATE | {action for actions in READS.values() for action in actions}
    assert_exactly("preview", wanted)
    writes = [
        each for each in read("preview")["Statement"] if {"s3:PutObject", "s3:DeleteObject"} & set(each["Action"])
    ]
    assert [each["Resource"] for each in writes] == ["arn:aws:s3:::lotus-lake-state/.pulumi/locks/*"]


def test_the_role_of_production_grants_the_reads_and_writes_of_every_resource_and_the_state() -> None:
    wanted = STATE | {action for table in (READS, WRITES) for actions in table.values() for action in actions}
    assert_exactly("production", wanted)


def assert_exactly(name: str, wanted: set[str]) -> None:
    """Every wanted action is granted, and every granted one, a pattern too, is wanted."""
    patterns = granted(name)
    assert [action for action in sorted(wanted) if not any(fnmatch.fnmatch(action, each) for each in patterns)] == []
    assert [each for each in sorted(patterns) if not fnmatch.filter(sorted(wanted), each)] == []


def test_the_tables_have_every_type_that_the_landing_zone_declares() -> None:
    source = (REPOSITORY / "lotus_infra" / "components" / "landing_zone.py").read_text(encoding="utf-8")
    short = {token.rpartition(":")[2] for token in READS}
    assert {name for name in short if not re.search(rf"aws\.\w+\.{name}\b", source)} == set()
    assert READS.keys() == WRITES.keys() == {each.token for each in RESOURCE_TYPES}


def test_a_policy_names_the_buckets_and_users_of_the_template() -> None:
    values = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"][
        "lotus:landingZone"
    ]
    landing, backup, state = (values[name] for name in ("landing", "backup", "state"))
    users = [naming.writer(landing), naming.reader(landing), naming.writer(backup)]
    wanted = {f"arn:aws:s3:::{name}" for name in (landing, backup, state)}
    wanted |= {f"arn:aws:iam::123456789012:user/{user}" for user in users}
    assert resources("production") == wanted | {f"arn:aws:s3:::{state}/.pulumi/*"}
    assert resources("preview") == resources("production") | {f"arn:aws:s3:::{state}/.pulumi/locks/*"}


def test_a_role_trusts_one_environment_of_one_repository() -> None:
    for name in ("preview", "production"):
        [statement] = read(f"{name}-trust")["Statement"]
        assert statement["Condition"]["StringEquals"] == {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:example/lake:environment:{name}",
        }


def test_the_key_lets_both_roles_decrypt_and_nothing_else() -> None:
    account, runs = read("key")["Statement"]
    assert account["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert runs["Action"] == "kms:Decrypt"
    assert runs["Principal"]["AWS"] == [
        f"arn:aws:iam::123456789012:role/lotus-{name}" for name in ("preview", "production")
    ]
