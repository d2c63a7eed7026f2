"""A stack's landing zone, `lotus:landingZone`, as a model.

Does not import Pulumi: a stack without a landing zone must not load AWS's SDK, which takes longer than all the rest.
"""

from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import BeforeValidator, Field, model_validator

from lotus_infra.config.section import Flag, Name, Section, Whole, matching
from lotus_infra.errors import has_credentials

Feature: TypeAlias = Literal[
    "encryption", "lifecycle", "ownership_controls", "public_access_block", "tls_only_policy", "versioning"
]
ALL_FEATURES: frozenset[Feature] = frozenset(get_args(Feature))
# Not S3's rule for new buckets: the bucket of the state may be older than that, and other servers have their own.
BucketName: TypeAlias = Annotated[
    Name,
    matching(
        r"[A-Za-z0-9._-]{3,255}", "is not a bucket name: use 3 or more letters, digits, hyphens, dots and underscores"
    ),
]
KeyName: TypeAlias = Annotated[
    Name, matching(r"[a-z0-9]+", "is not a name of a key: use lower-case letters and digits only")
]
Endpoint: TypeAlias = Annotated[
    str, matching(r"https?://[^\s/]\S*", "is not an address: write one such as https://s3.example.com")
]


_NO_ACCOUNT = "is not the id of an account: write its 12 digits"


def _account(id_: object) -> object:
    """Undo `pulumi config set --path`, which writes an id as a number, without zeros at its start."""
    return str(id_).zfill(12) if isinstance(id_, int) and not isinstance(id_, bool) else id_


class LandingZoneSettings(Section):
    """The landing zone, with camelCase keys.

    Attributes:
        server: AWS, or an S3-compatible server.
        region: of the buckets; a server without regions takes any.
        landing: the bucket that Airbyte writes to.
        backup: the bucket for the backups of databases.
        state: the bucket of the engine's state, which exists before the stack; None if another stack manages it.
        endpoint: the server's address; empty on AWS, and where the environment has it.
        account: the id of the AWS account; the provider refuses credentials of another one. None allows any.
        features: of the server; AWS has all.
        expire_raw_days: days after which raw data is deleted; None keeps it.
        keys: names of the access keys of each identity, on AWS; consumers use the last one, and removing a name
            deletes its key.
        protect: whether a bucket must be unprotected before it can be deleted.
    """

    server: Literal["aws", "s3"]
    region: Name
    landing: BucketName
    backup: BucketName
    state: BucketName | None = None
    endpoint: Endpoint = ""
    account: Annotated[str, BeforeValidator(_account), matching(r"[0-9]{12}", _NO_ACCOUNT)] | None = None
    features: frozenset[Feature] | None = None
    expire_raw_days: Annotated[Whole, Field(ge=1)] | None = None
    keys: tuple[KeyName, ...] | None = Field(default=None, min_length=1, max_length=2)
    protect: Flag = True

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
        if self.expire_raw_days is not None and "lifecycle" not in self.available:
            raise ValueError("expireRawDays needs a server with the feature lifecycle")
        if len({self.landing, self.backup, self.state}) < 3:
            raise ValueError("landing, backup and state are three buckets: give each a name of its own")
        return self

    @property
    def available(self) -> frozenset[Feature]:
        """The features of its server."""
        return ALL_FEATURES if self.server == "aws" else self.features or frozenset()
