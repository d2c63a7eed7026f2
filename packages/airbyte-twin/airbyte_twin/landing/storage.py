"""Read, write and delete objects of a bucket; errors of S3 become messages with a remedy.

Source: airbytehq/airbyte, bulk CDK: ObjectStorageDestinationState (the metadata's key), S3ClientFactory, S3Checker.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import exceptions
from botocore.config import Config
from pydantic import SecretStr

from airbyte_twin.landing.configuration import Configuration
from airbyte_twin.landing.errors import LandingError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GENERATION = "ab-generation-id"
MULTIPART_BYTES = 16 << 20
MOST_DELETED_AT_ONCE = 1000
# No threads: objects of a sync are uploaded one after the other anyway, and one piece is in memory at a time.
_TRANSFER = TransferConfig(multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES, use_threads=False)
# The last is versitygw's word for an unknown key id.
_REFUSED = {"403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound"}
_ELSEWHERE = {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}


class Bucket:
    """The bucket of one destination.

    Every method raises LandingError when S3 fails.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._name = configuration.s3_bucket_name
        endpoint = configuration.s3_endpoint
        self._where = _without_user(endpoint) if endpoint else f"AWS in {configuration.s3_bucket_region}"
        with self._explained():
            self._client = _client(configuration)

    def put(self, key: str, body: IO[bytes], generation: int) -> None:
        """Write an object, in pieces if it is large.

        Args:
            key: of the object; an existing object is overwritten.
            body: a file, read from where it stands.
            generation: kept in the object's metadata.
        """
        extra = {"Metadata": {GENERATION: str(generation)}}
        with self._explained():
            self._client.upload_fileobj(body, self._name, key, ExtraArgs=extra, Config=_TRANSFER)

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with a prefix, in S3's order."""
        with self._explained():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
                yield from (each["Key"] for each in page.get("Contents", ()))

    def generation(self, key: str) -> int:
        """The generation of an object, 0 if its metadata has none."""
        with self._explained():
            found = self._client.head_object(Bucket=self._name, Key=key)["Metadata"].get(GENERATION, "")
        return int(found) if found.isdecimal() else 0

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        for start in range(0, len(keys), MOST_DELETED_AT_ONCE):
            some = keys[start : start + MOST_DELETED_AT_ONCE]
            with self._explained():
                answer = self._client.delete_objects(
                    Bucket=self._name, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
                )
            if failed := answer.get("Errors"):
                raise self._error(failed[0].get("Code", "unknown"))

    def probe(self, folder: str) -> None:
        """Write, list and delete an object, as a check of the connection does."""
        key = f"{folder}_airbyte_connection_test_{uuid4()}"
        with self._explained():
            self._client.put_object(Bucket=self._name, Key=key, Body=b"")
            self._client.list_objects_v2(Bucket=self._name, Prefix=key)
            self._client.delete_object(Bucket=self._name, Key=key)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn errors of boto3 into messages with a remedy; only codes are quoted, because texts can have key ids."""
        try:
            yield
        except exceptions.ClientError as error:
            raise self._error(error.response.get("Error", {}).get("Code", "unknown")) from None
        except exceptions.NoCredentialsError:
            raise self._refusal("has no credentials", "set access_key_id and secret_access_key") from None
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            cause = f"does not answer ({type(error).__name__})"
            raise self._refusal(cause, "start the server, or correct s3_endpoint") from None
        except (exceptions.BotoCoreError, ValueError) as error:
            raise self._refusal(f"can't be used ({type(error).__name__})", "correct the configuration") from None

    def _error(self, code: str) -> LandingError:
        if code == "NoSuchBucket":
            return self._refusal("does not exist", "create it, or correct s3_bucket_name")
        if code in _REFUSED:
            remedy = "correct access_key_id and secret_access_key, or let them list, read, write and delete there"
            return self._refusal(f"refuses the credentials ({code})", remedy)
        if code in _ELSEWHERE:
            return self._refusal(f"is in another region ({code})", "correct s3_bucket_region")
        return self._refusal(f"failed ({code})", "look up the code in the server's log, then start the sync again")

    def _refusal(self, cause: str, remedy: str) -> LandingError:
        return LandingError(f"The bucket {self._name!r} at {self._where} {cause}: {remedy}.")


def _client(configuration: Configuration) -> "S3Client":
    endpoint = configuration.s3_endpoint
    settings = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 2},
        s3={"addressing_style": "path" if endpoint else "auto"},
        # Servers that are like S3 lag behind AWS in the ways to send a checksum.
        request_checksum_calculation="when_required" if endpoint else "when_supported",
        proxies={} if _is_loopback(endpoint) else None,
    )
    session = boto3.session.Session(
        _plain(configuration.access_key_id),
        _plain(configuration.secret_access_key),
        region_name=configuration.s3_bucket_region,
    )
    return session.client("s3", endpoint_url=endpoint or None, config=settings)


def _plain(secret: SecretStr | None) -> str | None:
    return (secret.get_secret_value() or None) if secret else None


def _is_loopback(endpoint: str) -> bool:
    """Whether an endpoint is on this machine, where no proxy can reach it."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _without_user(endpoint: str) -> str:
    return urlsplit(endpoint)._replace(netloc=urlsplit(endpoint).netloc.rpartition("@")[2]).geturl()
