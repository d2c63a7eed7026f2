"""From the provider's configuration to clients of the server. Credentials are those of the environment."""

import json
from typing import Final

import boto3
from botocore.config import Config
from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.provider.resource import Failure

from sandbox.plugins.aws.kinds import Clients

SKIPPED: Final = frozenset(
    {"skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"}
)
"""What the stand-in never does in the first place."""
TRIES: Final = 3
SERVED: Final = frozenset({"region", "endpoints", "s3UsePathStyle", "version"}) | SKIPPED


def configuration_failures(configuration: Properties) -> list[Failure]:
    """Configuration that would have to be ignored."""
    stray = sorted(configuration.keys() - SERVED)
    return [Failure(name, "is nothing that the stand-in for the aws provider serves") for name in stray]


def connected(configuration: Properties) -> Clients:
    """Clients for S3, at the endpoint that is given, and for IAM."""
    region = str(unwrap(configuration.get("region")) or "us-east-1")
    endpoints = _parsed(configuration.get("endpoints"))
    first = endpoints[0] if isinstance(endpoints, list) and endpoints else {}
    endpoint = first.get("s3") if isinstance(first, dict) else None
    by_path = _parsed(configuration.get("s3UsePathStyle")) is True
    config = Config(s3={"addressing_style": "path" if by_path else "auto"}, retries={"max_attempts": TRIES})
    session = boto3.session.Session(region_name=region)
    return Clients(
        session.client("s3", endpoint_url=str(endpoint) if endpoint else None, config=config),
        session.client("iam", config=Config(retries={"max_attempts": TRIES})),
        region,
    )


def _parsed(value: Property) -> Property:
    """A provider's configuration travels as texts; what is no text in the program is JSON here."""
    text = unwrap(value)
    return json.loads(text) if isinstance(text, str) else text
