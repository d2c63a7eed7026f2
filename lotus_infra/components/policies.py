"""Who may do what with a bucket, as IAM policy documents: pure text from names.

Actions that a writer needs: airbyte, destination-s3 (its documented policy, without the ACLs that our buckets refuse).
"""

import json
from typing import Final, TypeAlias

Statement: TypeAlias = dict[str, str | list[str] | dict[str, dict[str, str]]]

WRITES: Final = (
    "s3:PutObject",
    "s3:GetObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
READS: Final = ("s3:GetObject",)
LISTS: Final = ("s3:ListBucket", "s3:GetBucketLocation")
LISTS_UPLOADS: Final = (*LISTS, "s3:ListBucketMultipartUploads")


def bucket_arn(bucket: str, region: str) -> str:
    """A bucket's ARN; China and the government's regions are partitions of their own."""
    partitions = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
    found = [name for start, name in partitions.items() if region.startswith(f"{start}-")]
    return f"arn:{found[0] if found else 'aws'}:s3:::{bucket}"


def tls_only(arn: str) -> str:
    """Nobody reaches the bucket without TLS, whatever else they may do."""
    return _document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def writer(arn: str, prefix: str) -> str:
    """Write, replace and delete below a prefix, and list the bucket."""
    return _document(_allow("Write", WRITES, f"{arn}/{prefix}/*"), _allow("List", LISTS_UPLOADS, arn))


def reader(arn: str, prefix: str, tables: str, logs: str) -> str:
    """Read below a prefix, write and delete below those of the tables and of the logs, and list the bucket."""
    return _document(
        _allow("Read", READS, f"{arn}/{prefix}/*"),
        _allow("Tables", WRITES, f"{arn}/{tables}/*"),
        _allow("Logs", WRITES, f"{arn}/{logs}/*"),
        _allow("List", LISTS_UPLOADS, arn),
    )


def backup(arn: str) -> str:
    """Write, restore and delete in a bucket that has nothing but backups."""
    return _document(_allow("Backups", WRITES, f"{arn}/*"), _allow("List", LISTS_UPLOADS, arn))


def _allow(name: str, actions: tuple[str, ...], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
