"""Who comes to the buckets: identities that the stack makes on AWS."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from lotus_infra.components.credentials import Credentials

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
