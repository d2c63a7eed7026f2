"""Who comes to the landing bucket: identities that the stack makes on AWS, or is given."""

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
    """

    writer: Credentials
    reader: Credentials


def made(name: str, user: str, policy: str, opts: pulumi.ResourceOptions) -> Credentials:
    """Make a user that may do what the policy says and no more, with one access key.

    Args:
        name: the resources' name.
        user: the user's name on AWS.
        policy: an IAM policy document.
        opts: options of all three resources.
    """
    owner = aws.iam.User(name, name=user, opts=opts)
    allowed = aws.iam.UserPolicy(name, name=name, user=owner.name, policy=policy, opts=opts)
    # Whoever gets the key finds it working: it is made once the user may do something.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[allowed]))
    key = aws.iam.AccessKey(name, user=owner.name, opts=after)
    return Credentials(pulumi.Output.secret(key.id), pulumi.Output.secret(key.secret))
