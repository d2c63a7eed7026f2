"""Access keys of those who come to the buckets, whoever made them."""

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
    """The identities of a server that knows no IAM: whoever runs it made them.

    Attributes:
        writer: Airbyte's.
        reader: Dagster's.
        backup: that of the databases' backups.
    """

    writer: Credentials
    reader: Credentials
    backup: Credentials


@dataclass(frozen=True)
class BackupPlace:
    """Where backups go.

    Attributes:
        bucket: the landing zone's backup bucket.
        region: where it is.
        endpoint: the server's address; empty on AWS.
        credentials: the identity that writes there.
    """

    bucket: pulumi.Input[str]
    region: str
    endpoint: str
    credentials: Credentials
