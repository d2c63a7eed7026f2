"""The declared landing zone, on AWS and on an S3-compatible server."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from lotus_infra import program
from tests.graph.recorder import Declared, Graph, drained
from tests.graph.test_program import CONFIG, REPOSITORY, SECRETS

SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"
NAMES = {"region": "eu-west-1", "landing": "acme-landing", "backup": "acme-backup", "state": "acme-state"}
AWS = {"server": "aws", **NAMES}
OTHER = {"server": "s3", "endpoint": "https://s3.example.com", **NAMES}
Declare = Callable[..., Graph]


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    shutil.copytree(REPOSITORY / "streams", tmp_path / "streams")

    def run(zone: dict[str, Any], **changes: Any) -> Graph:
        written = {key: value for key, value in (zone | changes).items() if value is not None}
        return drained(program.run, CONFIG | {"lotus:landingZone": json.dumps(written)}, SECRETS)

    return run


def of_aws(graph: Graph) -> list[tuple[str, str]]:
    return sorted((item.type.split(":")[-1], item.name) for item in graph.resources if item.type.startswith("aws:"))


def policy(declared: Declared) -> Any:
    return json.loads(declared.inputs["policy"])["Statement"]


def test_on_aws_every_bucket_is_private_encrypted_and_has_lifecycle_rules(declare: Declare) -> None:
    graph = declare(AWS)

    everywhere = (
        *("Bucket", "BucketPublicAccessBlock", "BucketOwnershipControls", "BucketPolicy"),
        *("BucketServerSideEncryptionConfiguration", "BucketLifecycleConfiguration"),
    )
    expected = [(kind, bucket) for kind in everywhere for bucket in ("backup", "landing", "state")]
    expected += [("BucketVersioning", bucket) for bucket in ("landing", "state")]
    expected += [(kind, who) for kind in ("User", "UserPolicy", "AccessKey") for who in ("reader", "writer")]
    assert of_aws(graph) == sorted(expected)
    for name in ("backup", "landing", "state"):
        block = graph.named("BucketPublicAccessBlock", name).inputs
        flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        assert [block[flag] for flag in flags] == [True] * 4
        [statement] = policy(graph.named("BucketPolicy", name))
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert statement["Resource"] == [f"arn:aws:s3:::acme-{name}", f"arn:aws:s3:::acme-{name}/*"]


def test_on_another_server_buckets_get_only_its_declared_features(declare: Declare) -> None:
    bare = declare(OTHER)
    assert of_aws(bare) == [("Bucket", name) for name in ("backup", "landing", "state")]

    some = declare(OTHER, features=["versioning"])
    assert ("BucketVersioning", "landing") in of_aws(some)
    assert {kind for kind, _ in of_aws(some)} == {"Bucket", "BucketVersioning"}


@pytest.mark.parametrize(("protect", "protected"), [(None, True), (False, False)])
def test_buckets_users_and_policies_are_protected_by_default(
    declare: Declare,
    protect: bool | None,  # noqa: FBT001
    protected: bool,  # noqa: FBT001
) -> None:
    graph = declare(AWS, protect=protect)

    for name in ("landing", "backup", "state"):
        assert graph.request("Bucket", name).protect is protected
        assert graph.request("BucketPublicAccessBlock", name).protect is protected
    for name in ("writer", "reader"):
        assert graph.request("User", name).protect is protected
        assert graph.request("UserPolicy", name).protect is protected
        assert graph.request("AccessKey", name).protect is False
    assert graph.named("Bucket", "landing").inputs.get("forceDestroy") == (None if protected else True)


def test_the_state_bucket_is_imported_and_always_retained(declare: Declare) -> None:
    graph = declare(AWS, protect=False)

    state = graph.request("Bucket", "state")
    assert state.importId == "acme-state"
    assert state.retainOnDelete is True
    assert "forceDestroy" not in graph.named("Bucket", "state").inputs
    assert graph.request("BucketVersioning", "state").retainOnDelete is True
    assert graph.request("Bucket", "landing").importId == ""
    assert graph.request("Bucket", "landing").retainOnDelete is False


def test_a_stack_may_leave_the_state_to_another(declare: Declare) -> None:
    assert "state" not in {name for _, name in of_aws(declare(AWS, state=None))}


def test_raw_data_expires_only_if_configured(declare: Declare) -> None:
    def rules(graph: Graph, bucket: str) -> dict[str, Any]:
        return {rule["id"]: rule for rule in graph.named("BucketLifecycleConfiguration", bucket).inputs["rules"]}

    kept = rules(declare(AWS), "landing")
    assert sorted(kept) == ["aborted-uploads", "old-versions"]
    assert [rule for rule in kept.values() if "days" in rule.get("expiration", {})] == []
    assert kept["aborted-uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert kept["old-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert sorted(rules(declare(AWS), "backup")) == ["aborted-uploads"]

    asked = declare(AWS, expireRawDays=400)
    assert rules(asked, "landing")["expired-raw"]["expiration"] == {"days": 400}
    assert rules(asked, "landing")["expired-raw"]["filter"] == {"prefix": "raw/"}
    assert "expired-raw" not in rules(asked, "state")


def test_the_writer_may_write_raw_data_and_the_reader_only_tables_and_logs(declare: Declare) -> None:
    graph = declare(AWS)

    objects, listing = policy(graph.named("UserPolicy", "writer"))
    assert objects["Resource"] == "arn:aws:s3:::acme-landing/raw/*"
    assert {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"} <= set(objects["Action"])
    assert listing["Resource"] == "arn:aws:s3:::acme-landing"
    read, tables, logs, listing = policy(graph.named("UserPolicy", "reader"))
    assert (read["Action"], read["Resource"]) == (["s3:GetObject"], "arn:aws:s3:::acme-landing/raw/*")
    assert (tables["Action"], tables["Resource"]) == (objects["Action"], "arn:aws:s3:::acme-landing/lake/*")
    assert (logs["Action"], logs["Resource"]) == (objects["Action"], "arn:aws:s3:::acme-landing/logs/*")
    assert {"s3:ListBucket", "s3:GetBucketLocation"} <= set(listing["Action"])
    assert graph.named("User", "writer").inputs["name"] == "acme-landing-writer"


def test_the_destination_is_configured_by_the_zone(declare: Declare) -> None:
    on_aws = declare(AWS).named("Destination", "s3").inputs["configuration"]
    assert on_aws["s3_bucket_name"] == "acme-landing"
    assert (on_aws["s3_bucket_path"], on_aws["s3_bucket_region"], on_aws["s3_endpoint"]) == ("raw", "eu-west-1", "")
    assert "writer-id" in str(on_aws["access_key_id"])
    assert "secret-of-writer" in str(on_aws["secret_access_key"])

    elsewhere = declare(OTHER).named("Destination", "s3").inputs["configuration"]
    assert elsewhere["s3_endpoint"] == "https://s3.example.com"
    assert "the-secret" in str(elsewhere["secret_access_key"])


@pytest.mark.parametrize("zone", [AWS, OTHER])
def test_credentials_are_secret_in_every_resource(declare: Declare, zone: dict[str, Any]) -> None:
    graph = declare(zone)

    configuration = graph.request("Destination", "s3").object["configuration"]
    assert all(SECRET_MARK in str(configuration[key]) for key in ("access_key_id", "secret_access_key"))
    assert str(graph.request("Destination", "s3").object).count(SECRET_MARK) == 2
    assert "writerSecretAccessKey" not in graph.exports["landing"]


def test_the_provider_of_another_server_uses_path_style_and_no_service_of_aws(declare: Declare) -> None:
    inputs = declare(OTHER).named("aws", "landing-zone").inputs

    assert json.loads(inputs["endpoints"]) == [{"s3": "https://s3.example.com"}]
    assert inputs["s3UsePathStyle"] == "true"
    assert "endpoints" not in declare(AWS).named("aws", "landing-zone").inputs


def test_the_servers_address_may_come_from_the_environment(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1234")

    exports = declare(OTHER, endpoint=None).exports["landing"]

    assert exports["endpoint"] == "http://127.0.0.1:1234"


@pytest.mark.parametrize("account", ["012345678901", 12345678901])
def test_the_provider_accepts_only_the_account_that_the_stack_names(declare: Declare, account: object) -> None:
    inputs = declare(AWS, account=account).named("aws", "landing-zone").inputs

    assert json.loads(inputs["allowedAccountIds"]) == ["012345678901"]
    assert "allowedAccountIds" not in declare(AWS).named("aws", "landing-zone").inputs


@pytest.mark.parametrize(
    ("zone", "changes", "words"),
    [
        (OTHER, {"account": "012345678901"}, "only AWS has accounts"),
        (OTHER, {"endpoint": "https://user:word@s3.example.com"}, "endpoint has credentials in it"),
        (AWS, {"account": "lake"}, "lotus:landingZone.account"),
        (AWS, {"endpoint": "https://s3.example.com"}, "leave endpoint and features out"),
        (AWS, {"features": []}, "leave endpoint and features out"),
        (AWS, {"landing": "acme-state"}, "three buckets"),
        (AWS, {"region": None}, "lotus:landingZone.region: is missing: add it"),
        (AWS, {"bukkit": "x"}, "lotus:landingZone.bukkit"),
        (AWS, {"expireRawDays": 0}, "lotus:landingZone.expireRawDays"),
        (OTHER, {"endpoint": None}, "give its address"),
        (OTHER, {"expireRawDays": 3}, "needs a server with the feature lifecycle"),
        (OTHER, {"features": ["magic"]}, "lotus:landingZone.features"),
        (OTHER, {"server": "gcs"}, "lotus:landingZone.server"),
    ],
)
def test_an_invalid_zone_is_refused_with_a_message(
    declare: Declare, zone: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(pulumi.RunError, match=words):
        declare(zone, **changes)


def test_a_zone_that_is_not_an_object_is_refused(declare: Declare) -> None:
    with pytest.raises(pulumi.RunError, match="lotus:landingZone: is not an object"):
        drained(program.run, CONFIG | {"lotus:landingZone": "aws"}, SECRETS)


def test_access_keys_are_required_on_a_server_without_iam(declare: Declare) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "lotus:s3_access_key_id"}
    with pytest.raises(pulumi.RunError, match="lotus:s3_access_key_id: is missing, and the landing zone is not on AWS"):
        drained(program.run, config, SECRETS)


def test_the_reader_may_have_its_own_access_key(declare: Declare) -> None:
    own = {"lotus:s3_reader_access_key_id": "reading-id", "lotus:s3_reader_secret_access_key": "reading-secret"}

    exports = drained(program.run, CONFIG | own, [*SECRETS, *own]).exports["landing"]

    assert exports["readerAccessKeyId"] == "reading-id"
    assert declare(OTHER).exports["landing"]["readerAccessKeyId"] == "the-id"
