"""Who comes to the buckets: identities that the stack makes on AWS, or is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


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


FIRST_KEY = "1"


def made(
    name: str, user: str, policy: str, opts: pulumi.ResourceOptions, keys: Sequence[str] = (FIRST_KEY,)
) -> Credentials:
    """Make a user that may do what the policy says and no more, with its access keys; the last of them is used.

    A new key comes beside the old one, which works until it is no longer among the keys.

    Args:
        name: the resources' name.
        user: the user's name on AWS.
        policy: an IAM policy document.
        opts: options of all its resources.
        keys: names of keys; AWS lets a user have two.
    """
    owner = aws.iam.User(name, name=user, opts=opts)
    allowed = aws.iam.UserPolicy(name, name=name, user=owner.name, policy=policy, opts=opts)
    # Whoever gets the key finds it working: it is made once the user may do something.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[allowed]))
    named = [name if key == FIRST_KEY else f"{name}-{key}" for key in keys]
    *_, key = [aws.iam.AccessKey(each, user=owner.name, opts=after) for each in named]
    return Credentials(pulumi.Output.secret(key.id), pulumi.Output.secret(key.secret))
