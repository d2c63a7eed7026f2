"""Policy documents."""

import json

import pytest

from lotus_infra.components import landing_zone

ARN = "arn:aws:s3:::lake"


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("us-west-1", "arn:aws:s3:::lake"),
        ("cn-north-1", "arn:aws-cn:s3:::lake"),
        ("us-gov-east-1", "arn:aws-us-gov:s3:::lake"),
    ],
)
def test_a_bucket_has_the_arn_of_its_regions_partition(region: str, arn: str) -> None:
    assert landing_zone.bucket_arn("lake", region) == arn


def test_requests_without_tls_are_denied_on_the_bucket_and_its_objects() -> None:
    assert json.loads(landing_zone.tls_only_policy(ARN)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [ARN, f"{ARN}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


@pytest.mark.parametrize(
    ("document", "prefixes"),
    [
        (landing_zone.writer_policy(ARN, "raw"), ["raw"]),
        (landing_zone.reader_policy(ARN, "raw", "lake", "logs"), ["raw", "lake", "logs"]),
    ],
)
def test_a_user_has_access_below_its_prefixes_only_and_never_to_the_buckets_settings(
    document: str, prefixes: list[str]
) -> None:
    statements = json.loads(document)["Statement"]

    assert [statement["Resource"] for statement in statements] == [*(f"{ARN}/{one}/*" for one in prefixes), ARN]
    actions = {action for statement in statements for action in statement["Action"]}
    assert all("*" not in action for action in actions)
    assert {action for action in actions if "Policy" in action or action.startswith("s3:PutBucket")} == set()


def test_the_backup_user_may_write_its_whole_bucket_and_no_other() -> None:
    objects, listing = json.loads(landing_zone.backup_policy(ARN))["Statement"]

    assert (objects["Resource"], listing["Resource"]) == (f"{ARN}/*", ARN)
    assert {"s3:PutObject", "s3:DeleteObject"} <= set(objects["Action"])


def test_a_reader_changes_nothing_outside_its_tables_and_logs() -> None:
    read, tables, logs, listing = json.loads(landing_zone.reader_policy(ARN, "raw", "lake", "logs"))["Statement"]

    assert (tables["Resource"], logs["Resource"]) == (f"{ARN}/lake/*", f"{ARN}/logs/*")
    assert {action for action in read["Action"] + listing["Action"] if "Put" in action or "Delete" in action} == set()
