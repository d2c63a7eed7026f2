"""Access keys for the buckets, given or created by the stack."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Credentials:
    """An access key.

    Attributes:
        access_key_id: its public half, kept secret too: connectors treat it so.
        secret_access_key: its secret half.
    """

    access_key_id: pulumi.Input[str]
    secret_access_key: pulumi.Input[str]


@dataclass(frozen=True)
class GivenIdentities:
    """The identities on a server without IAM, created by its operator.

    Attributes:
        writer: Airbyte's.
        reader: Dagster's.
        backup: for the databases' backups.
    """

    writer: Credentials
    reader: Credentials
    backup: Credentials


@dataclass(frozen=True)
class BackupBucket:
    """The bucket of backups, with its access key.

    Attributes:
        bucket: the landing zone's backup bucket.
        region: the bucket's region.
        endpoint: the server's address; empty on AWS.
        credentials: the key to write there.
    """

    bucket: pulumi.Input[str]
    region: str
    endpoint: str
    credentials: Credentials
