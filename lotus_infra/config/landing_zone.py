"""A stack's landing zone, `lotus:landingZone`, as a model.

Does not import Pulumi: a stack without a landing zone must not load AWS's SDK, which takes longer than all the rest.
"""

from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator
from pydantic.alias_generators import to_camel

from lotus_infra.errors import has_credentials

Feature: TypeAlias = Literal[
    "encryption", "lifecycle", "ownership_controls", "public_access_block", "tls_only_policy", "versioning"
]
ALL_FEATURES: frozenset[Feature] = frozenset(get_args(Feature))


def _text(name: object) -> object:
    """Undo `pulumi config set --path`, which writes a name of digits as a number."""
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else name


def _account(id_: object) -> object:
    """Undo `pulumi config set --path`, which writes an id as a number, without zeros at its start."""
    return str(id_).zfill(12) if isinstance(id_, int) and not isinstance(id_, bool) else id_


class LandingZoneSettings(BaseModel):
    """The landing zone, with camelCase keys.

    Attributes:
        server: AWS, or an S3-compatible server.
        region: of the buckets; a server without regions takes any.
        landing: the bucket that Airbyte writes to.
        backup: the bucket for the backups of databases.
        state: the bucket of the engine's state, which exists before the stack; None if another stack manages it.
        endpoint: the server's address; empty on AWS.
        account: the id of the AWS account; the provider refuses credentials of another one. None allows any.
        features: of the server; AWS has all.
        expire_raw_days: days after which raw data is deleted; None keeps it.
        keys: names of the access keys of each identity, on AWS; consumers use the last one, and removing a name
            deletes its key.
        protect: whether a bucket must be unprotected before it can be deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    server: Literal["aws", "s3"]
    region: str = Field(min_length=1)
    landing: str = Field(min_length=3)
    backup: str = Field(min_length=3)
    state: str | None = None
    endpoint: str = ""
    account: Annotated[str, BeforeValidator(_account), Field(pattern=r"^[0-9]{12}$")] | None = None
    features: frozenset[Feature] | None = None
    expire_raw_days: PositiveInt | None = None
    keys: tuple[Annotated[str, BeforeValidator(_text), Field(pattern=r"^[a-z0-9]+$")], ...] | None = Field(
        default=None, min_length=1, max_length=2
    )
    protect: bool = True

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.server == "aws" and (self.endpoint or self.features is not None):
            raise ValueError("AWS has its own endpoint and every feature: leave endpoint and features out")
        if has_credentials(self.endpoint):
            raise ValueError("endpoint has credentials in it: set s3_access_key_id and s3_secret_access_key instead")
        if self.server == "s3" and self.account is not None:
            raise ValueError("only AWS has accounts: leave account out")
        if self.server == "s3" and self.keys is not None:
            raise ValueError("keys are made on AWS alone: elsewhere they are values of the stack")
        if self.keys is not None and len(set(self.keys)) < len(self.keys):
            raise ValueError("keys: names must differ")
        if self.server == "s3" and not self.endpoint:
            raise ValueError("a server that is not AWS has an endpoint: give its address")
        if self.expire_raw_days is not None and "lifecycle" not in self.available:
            raise ValueError("expireRawDays needs a server with the feature lifecycle")
        if len({self.landing, self.backup, self.state}) < 3:
            raise ValueError("landing, backup and state are three buckets: give each a name of its own")
        return self

    @property
    def available(self) -> frozenset[Feature]:
        """The features of its server."""
        return ALL_FEATURES if self.server == "aws" else self.features or frozenset()
