"""Users, what they may do, and their keys."""

import json
from collections.abc import Callable

from botocore.exceptions import ClientError
from pulumi_airbyte.provider.properties import Properties, Secret

from sandbox.plugins.aws.resource import Live, ResourceType, is_missing, same_policy


class User(ResourceType):
    """`aws.iam.User`."""

    token = "aws:iam/user:User"
    allowed = frozenset({"name"})
    replacing = frozenset({"name"})
    computed = frozenset({"arn"})

    def create(self, inputs: Properties) -> Live:
        """CreateUser."""
        made = self.clients.iam.create_user(UserName=str(inputs["name"]))["User"]
        return Live(made["UserName"], inputs, {**inputs, "arn": made["Arn"]})

    def read(self, identity: str, inputs: Properties, outputs: Properties) -> Live | None:
        """GetUser."""
        try:
            found = self.clients.iam.get_user(UserName=identity)["User"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return Live(identity, {"name": identity}, {"name": identity, "arn": found["Arn"]})

    def delete(self, identity: str, inputs: Properties) -> None:
        """DeleteUser."""
        _without_missing(lambda: self.clients.iam.delete_user(UserName=identity))


class UserPolicy(ResourceType):
    """`aws.iam.UserPolicy`; its id is `<user>:<name>`."""

    token = "aws:iam/userPolicy:UserPolicy"
    allowed = frozenset({"name", "user", "policy"})
    replacing = frozenset({"name", "user"})

    def create(self, inputs: Properties) -> Live:
        """PutUserPolicy."""
        identity = f"{inputs['user']}:{inputs['name']}"
        return Live(identity, inputs, self.update(identity, inputs, inputs))

    def read(self, identity: str, inputs: Properties, outputs: Properties) -> Live | None:
        """GetUserPolicy."""
        user, _, name = identity.partition(":")
        try:
            found = self.clients.iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        policy = found if isinstance(found, str) else json.dumps(found)
        if inputs and same_policy(policy, str(inputs["policy"])):
            policy = str(inputs["policy"])
        live: Properties = {"name": name, "user": user, "policy": policy}
        return Live(identity, live, live)

    def update(self, identity: str, inputs: Properties, outputs: Properties) -> Properties:
        """PutUserPolicy."""
        user, _, name = identity.partition(":")
        self.clients.iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=str(inputs["policy"]))
        return inputs

    def delete(self, identity: str, inputs: Properties) -> None:
        """DeleteUserPolicy."""
        user, _, name = identity.partition(":")
        _without_missing(lambda: self.clients.iam.delete_user_policy(UserName=user, PolicyName=name))


class AccessKey(ResourceType):
    """`aws.iam.AccessKey`: its id is the key's, its secret is shown once."""

    token = "aws:iam/accessKey:AccessKey"
    allowed = frozenset({"user"})
    replacing = frozenset({"user"})
    computed = frozenset({"secret"})

    def create(self, inputs: Properties) -> Live:
        """CreateAccessKey."""
        made = self.clients.iam.create_access_key(UserName=str(inputs["user"]))["AccessKey"]
        return Live(made["AccessKeyId"], inputs, {**inputs, "secret": Secret(made["SecretAccessKey"])})

    def read(self, identity: str, inputs: Properties, outputs: Properties) -> Live | None:
        """ListAccessKeys; the secret comes from the state."""
        try:
            found = self.clients.iam.list_access_keys(UserName=str(outputs["user"]))["AccessKeyMetadata"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return Live(identity, inputs, outputs) if any(key.get("AccessKeyId") == identity for key in found) else None

    def delete(self, identity: str, inputs: Properties) -> None:
        """DeleteAccessKey."""
        user = str(inputs["user"])
        _without_missing(lambda: self.clients.iam.delete_access_key(UserName=user, AccessKeyId=identity))


def _without_missing(delete: Callable[[], object]) -> None:
    try:
        delete()
    except ClientError as error:
        if not is_missing(error):
            raise
