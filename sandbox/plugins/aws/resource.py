"""The stand-in's resource types, and the two spellings of their properties: the engine's and the API's."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from botocore.exceptions import ClientError
from pulumi_airbyte.provider.properties import Properties

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client

Document: TypeAlias = Any
"""What boto3 takes and gives: a document of the API's own shape, typed there for each call and not in general."""

API_NAMES = {"id": "ID", "sseAlgorithm": "SSEAlgorithm"}
"""Names that differ by more than the case of their first letter."""
_ENGINE_NAMES = {api: engine for engine, api in API_NAMES.items()}


TRIES: Final = 3


@dataclass(frozen=True)
class Clients:
    """The server's two APIs, each made for its first call: boto3 is slow to import, and reads large files for a client.

    Attributes:
        region: To make things in.
        endpoint: Of S3; empty for Amazon's.
        addressing: Where S3's addresses have the bucket's name.
    """

    region: str
    endpoint: str = ""
    addressing: Literal["path", "auto"] = "auto"
    _made: dict[str, Any] = field(default_factory=dict)
    _making: Any = field(default_factory=Lock)

    @property
    def s3(self) -> "S3Client":
        """S3."""
        client: S3Client = self._client("s3", self.endpoint, s3={"addressing_style": self.addressing})
        return client

    @property
    def iam(self) -> "IAMClient":
        """IAM."""
        client: IAMClient = self._client("iam")
        return client

    def _client(self, service: str, endpoint: str = "", **options: Any) -> Any:
        with self._making:
            if service not in self._made:
                import boto3  # noqa: PLC0415
                from botocore.config import Config  # noqa: PLC0415

                config = Config(retries={"max_attempts": TRIES}, **options)
                session: Any = boto3.session.Session(region_name=self.region)
                self._made[service] = session.client(service, endpoint_url=endpoint or None, config=config)
            return self._made[service]


@dataclass(frozen=True)
class Live:
    """A resource as it exists on the server."""

    id: str
    inputs: Properties
    outputs: Properties


class ResourceType(ABC):
    """One resource type.

    Attributes:
        token: its type.
        allowed: the inputs that it serves.
        replacing: the inputs whose change needs a new thing.
        computed: the outputs that only the server knows.
    """

    token: ClassVar[str]
    allowed: ClassVar[frozenset[str]]
    replacing: ClassVar[frozenset[str]]
    computed: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    @abstractmethod
    def create(self, inputs: Properties) -> Live:
        """Make it."""

    @abstractmethod
    def read(self, identity: str, inputs: Properties, outputs: Properties) -> Live | None:
        """It as it is, or None when it is gone; inputs are empty for an import."""

    def update(self, identity: str, inputs: Properties, outputs: Properties) -> Properties:
        """Change it, and return its outputs."""
        raise ValueError(f"the stand-in changes nothing of {self.token} in place")

    @abstractmethod
    def delete(self, identity: str, inputs: Properties) -> None:
        """Remove it; one that is gone already is no error."""


def to_api(value: Document) -> Document:
    """A property as the API spells it."""
    if isinstance(value, dict):
        return {API_NAMES.get(key, key[:1].upper() + key[1:]): to_api(item) for key, item in value.items()}
    return [to_api(item) for item in value] if isinstance(value, list) else value


def from_api(value: Document) -> Document:
    """A property as the engine spells it."""
    if isinstance(value, dict):
        return {_ENGINE_NAMES.get(key, key[:1].lower() + key[1:]): from_api(item) for key, item in value.items()}
    return [from_api(item) for item in value] if isinstance(value, list) else value


def without_defaults(value: Document) -> Document:
    """A value without what is not set: servers add `false` and empty texts, programs leave them out."""
    if isinstance(value, dict):
        kept = {key: without_defaults(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item not in (False, "", [], {})}
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    return value


def same_policy(left: str, right: str) -> bool:
    """Whether two policy documents are equal as JSON."""
    return bool(json.loads(left) == json.loads(right))


def is_missing(error: ClientError) -> bool:
    """Whether an error means that the object does not exist."""
    code = error.response.get("Error", {}).get("Code", "")
    return code in {"404", "NoSuchEntity", "NotFound"} or (code.startswith("NoSuch")) or code.endswith("NotFoundError")
