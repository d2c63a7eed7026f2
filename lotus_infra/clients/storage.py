"""The objects of an S3 bucket, or the files of a folder: where state is kept and where data lands.

Lists, reads and deletes objects. Their meaning is in other modules: locks, partitions, sensors.
Dagster's image has this file too, so that it imports no other module than the errors' and loads boto3 when it is used.
Credentials are those of the environment (`AWS_ACCESS_KEY_ID` or a profile), the same with which the engine reaches the
state.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from lotus_infra.errors import DOCS, LotusError, one_line

Presence = Literal["free", "readable", "foreign"]
"""`foreign` exists and may not be read: another account has it, or the identity lacks a permission."""
ATTRIBUTES: Final = ".attrs"
"""The suffix of the file with the attributes of an object, which the engine keeps beside it in a folder."""
SCHEMES: Final = ("s3", "file")
"""Schemes of the backend addresses that `open_store` understands."""

_NO_UPLOAD: Final = "NoSuchUpload"
_DENIED: Final = "AccessDenied"


class Cause(NamedTuple):
    """Why a call failed, as a sentence without a full stop, and the remedy."""

    what: str
    remedy: str


_CREDENTIALS: Final = "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with AWS_PROFILE"
_POLICIES: Final = f"{DOCS}/how-to/set-up-ci.md#the-roles-on-aws"
_CODES: Final = (
    (
        r"ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired",
        Cause("the AWS credentials have expired", "get new ones, with `aws sso login` for example, and run it again"),
    ),
    (
        r"InvalidAccessKeyId|InvalidClientTokenId|UnrecognizedClientException|InvalidToken",
        Cause(
            "the server does not have the access key",
            "correct AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the endpoint that they are for",
        ),
    ),
    (
        r"SignatureDoesNotMatch|InvalidSignatureException",
        Cause("the secret key does not belong to the access key", "correct AWS_SECRET_ACCESS_KEY"),
    ),
    (
        r"RequestTimeTooSkewed|RequestInTheFuture",
        Cause("this machine's clock differs from the server's", "set the clock, and run it again"),
    ),
    (
        r"PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException",
        Cause("the bucket is in another region", "correct the region in its address or in AWS_REGION"),
    ),
    (r"NoSuchBucket", Cause("the bucket does not exist", "correct its name, or create it")),
    (
        r"AccessDenied|AccessDeniedException|AllAccessDisabled",
        Cause(
            "the server refuses these credentials",
            f"grant them access to it, or use others with AWS_PROFILE; {_POLICIES} has the policies",
        ),
    ),
)
"""By the error codes of AWS, which S3 servers of others use too."""
_TEXTS: Final = (
    (
        r"SSO (session|token)|sso-session|UnauthorizedSSOToken|Token has expired and refresh failed|cached SSO token",
        Cause("the AWS session has expired", "sign in again with `aws sso login`"),
    ),
    (
        r"shared config profile|config profile \(.*\) could not be found",
        Cause("the AWS profile does not exist on this machine", "correct AWS_PROFILE, or the profile in its address"),
    ),
    (
        r"no EC2 IMDS role found|get credentials:|Unable to locate credentials|No valid credential sources found",
        Cause("the environment has no AWS credentials", _CREDENTIALS),
    ),
    (
        r"Partial credentials found",
        Cause("the environment has only a part of the AWS credentials", _CREDENTIALS),
    ),
    (
        r"\(403\) when calling|StatusCode: 403",
        Cause(
            "the server refuses these credentials",
            f"grant them access to it, or use others with AWS_PROFILE; {_POLICIES} has the policies",
        ),
    ),
    (r"\(404\) when calling the HeadBucket", Cause("the bucket does not exist", "correct its name, or create it")),
    (
        r"\bx509:|\btls:|SSL validation failed|server gave HTTP response to HTTPS client",
        Cause(
            "TLS with the server fails",
            "correct the endpoint's scheme (http or https), or let AWS_CA_BUNDLE name its certificate authority",
        ),
    ),
    (
        r"no such host|Name or service not known|dial tcp: lookup",
        Cause("the server's name has no address", "correct the endpoint and the region"),
    ),
    (
        r"connection (refused|reset)|(?i:connection was closed)|Could not connect|time(out|d out)|deadline|unreachable",
        Cause("the server does not answer", "correct the endpoint, or check the network between: proxy, VPN, firewall"),
    ),
    (
        r"StatusCode: 5\d\d|\(5\d\d\) when calling|InternalError|ServiceUnavailable|SlowDown|BadGateway",
        Cause("the server fails", "run it again later; if it fails again, correct the endpoint"),
    ),
    (
        r"must specify a region|Missing Region|region is required",
        Cause("the bucket's region is not known", "add ?region=… to its address, or export AWS_REGION"),
    ),
    (
        r"corrupt store: unmarshal|Unable to parse response|\(404\) when calling",
        Cause("its answer is not one of S3", "correct the endpoint: a proxy or a web page may answer there"),
    ),
)


def s3_code_of(text: str) -> Cause | None:
    """The cause by the error code in a message of any AWS SDK; None if there is none that is known."""
    return next((cause for codes, cause in _CODES if re.search(rf"\b({codes})\b", text)), None)


def cause_of(text: str) -> Cause | None:
    """The cause in a message of an AWS SDK about S3; None if it is not known."""
    return s3_code_of(text) or next((cause for words, cause in _TEXTS if re.search(words, text)), None)


@dataclass(frozen=True, slots=True)
class Object:
    """An object.

    Attributes:
        key: Its key below the store's root.
        size: In bytes.
        modified: When it was written, by the server's clock.
        etag: The server's version of its content, as S3 writes it, with quotes; of a file, its modification time.
    """

    key: str
    size: int
    modified: datetime
    etag: str


class Page(NamedTuple):
    """The answer to one listing request: objects in the order of their keys, and whether more follow."""

    objects: Sequence[Object]
    more: bool


class StorageError(LotusError):
    """A bucket can't be used.

    Attributes:
        reason: The cause, or the message of the S3 client if the cause is not known.
    """

    def __init__(self, where: str, reason: str) -> None:
        cause = cause_of(reason)
        hint = "check its name, its endpoint, and the environment's credentials (AWS_ACCESS_KEY_ID or a profile)"
        self.reason = cause.what if cause is not None else one_line(reason)
        super().__init__(f"the {where} can't be used: {self.reason}", cause.remedy if cause is not None else hint)


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity on AWS.

    Attributes:
        account: The id of its account.
        arn: Its name.
    """

    account: str
    arn: str


def caller(region: str = "") -> Caller:
    """The identity of the environment's credentials, for which no permission is needed.

    Args:
        region: The region to ask in; empty for the environment's.

    Raises:
        StorageError: There are no credentials, or AWS rejects them.
    """
    import boto3  # noqa: PLC0415, see `Bucket.client`
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 3})
    try:
        answer = boto3.client("sts", region_name=region or None, config=config).get_caller_identity()
    except (BotoCoreError, ClientError, ValueError) as error:
        raise StorageError("AWS account", one_line(error)) from None
    return Caller(answer["Account"], answer["Arn"])


class ObjectStore(Protocol):
    """Objects below one root; keys are relative to it and separated by slashes."""

    def page(self, prefix: str = "", after: str = "") -> Page:
        """The first objects whose keys start with a prefix and sort after another key; a bucket's page has 1,000."""

    def list_objects(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """All objects of `page` and of the pages that follow it, each requested when it is needed."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The next parts of keys below a prefix that ends with a slash, each with its own slash at the end."""

    def read(self, key: str) -> bytes:
        """The content of an object."""

    def delete(self, key: str) -> None:
        """Delete an object; a missing one is no error."""


def open_store(url: str) -> ObjectStore:
    """The objects at a backend's address, read as the engine reads it (gocloud.dev's `blob.OpenBucket`).

    Args:
        url: `s3://bucket[/prefix][?region=…&endpoint=…&profile=…]` or `file://path`; `~` is the home folder.

    Raises:
        LotusError: The address has another scheme.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise LotusError(f"the objects of {url} can't be listed", "only s3:// and file:// are supported")
    if parts.scheme == "file":
        return Folder(Path(unquote(url.removeprefix("file://").partition("?")[0])).expanduser())
    options = {key: values[0] for key, values in parse_qs(parts.query).items()}
    endpoint = options.get("endpoint", "")
    if endpoint and "://" not in endpoint:
        plain = options.get("disableSSL", options.get("disable_https", "")).lower() == "true"
        endpoint = f"{'http' if plain else 'https'}://{endpoint}"
    prefix, profile = unquote(parts.path).strip("/"), options.get("profile", "")
    bucket = parts.netloc.rpartition("@")[2]  # As gocloud.dev: credentials before the name are ignored.
    return Bucket(bucket, options.get("region", ""), endpoint, prefix, profile)


@dataclass(frozen=True)
class Bucket:
    """A bucket on an S3 server, or its objects below a prefix.

    Attributes:
        name: The bucket's name.
        region: Its region; empty for the environment's.
        endpoint: The server's address; empty for the environment's, or AWS.
        prefix: Without a slash at its end; empty for the whole bucket.
        profile: The AWS profile with the credentials; empty for the environment's.
    """

    name: str
    region: str = ""
    endpoint: str = ""
    prefix: str = ""
    profile: str = ""

    def page(self, prefix: str = "", after: str = "") -> Page:
        """One ListObjectsV2 request; see `ObjectStore.page`.

        Raises:
            StorageError: The server refuses, or can't be reached.
        """
        later = {"StartAfter": self._key(after)} if after else {}
        with self._s3_errors():
            answer: Mapping[str, Any] = self.client.list_objects_v2(Bucket=self.name, Prefix=self._key(prefix), **later)
            if "IsTruncated" not in answer:
                # The SDK reads a web page as an empty list.
                raise ValueError("Unable to parse response")
        root = len(self._key(""))
        found = [
            Object(str(one["Key"])[root:], int(one["Size"]), one["LastModified"], str(one["ETag"]))
            for one in answer.get("Contents", ())
        ]
        return Page(found, bool(answer.get("IsTruncated")))

    def list_objects(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """See `ObjectStore.list_objects`; raises as `page`."""
        while True:
            page = self.page(prefix, after)
            yield from page.objects
            if not page.more or not page.objects:
                return
            after = page.objects[-1].key

    def folders(self, prefix: str) -> Iterator[str]:
        """See `ObjectStore.folders`; raises as `page`."""
        with self._s3_errors():
            # Pages of folders have no key to continue after, so that the paginator's token is used.
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=self._key(prefix), Delimiter="/"
            )
            for page in pages:
                for one in page.get("CommonPrefixes", []):
                    yield one["Prefix"].removeprefix(self._key(prefix))

    def read(self, key: str) -> bytes:
        """See `ObjectStore.read`; raises as `page`."""
        with self._s3_errors():
            body: bytes = self.client.get_object(Bucket=self.name, Key=self._key(key))["Body"].read()
        return body

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`; raises as `page`."""
        with self._s3_errors():
            self.client.delete_object(Bucket=self.name, Key=self._key(key))

    def server_time(self) -> str:
        """The time of the server's clock, as HTTP writes it (`Date`); empty if it sends none. Raises as `page`."""
        with self._s3_errors():
            answer = self.client.head_bucket(Bucket=self.name)
        return str(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))

    def presence(self) -> "Presence":
        """Whether the bucket exists, and whether this identity may read it. Raises as `page` for any other answer."""
        from botocore.exceptions import ClientError  # noqa: PLC0415, see `client`

        with self._s3_errors():
            try:
                self.client.head_bucket(Bucket=self.name)
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                # A bucket in another region answers 301.
                known: Mapping[Any, Presence] = {404: "free", 403: "foreign", 301: "foreign"}
                if status not in known:
                    raise
                return known[status]
        return "readable"

    def may_write(self, key: str) -> bool:
        """Whether this identity may write an object. Nothing is written, whatever the answer. Raises as `page`.

        The request is a part of an upload that does not exist. A server checks the permission before it looks for it.
        """
        from botocore.exceptions import ClientError  # noqa: PLC0415, see `client`

        upload = {"Bucket": self.name, "Key": self._key(key), "UploadId": "none", "PartNumber": 1}
        with self._s3_errors():
            try:
                self.client.upload_part(**upload, Body=b"")
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code == _NO_UPLOAD:
                    return True
                if code == _DENIED:
                    return False
                raise
        return True

    def is_versioned(self) -> bool:
        """Whether the bucket keeps replaced and deleted objects. Raises as `page`."""
        with self._s3_errors():
            answer: Mapping[str, Any] = self.client.get_bucket_versioning(Bucket=self.name)
        return answer.get("Status") == "Enabled"

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    @cached_property
    def client(self) -> Any:
        """The S3 client of boto3."""
        import boto3  # noqa: PLC0415, loading takes half a second, which only commands that use a bucket should pay
        from botocore.config import Config  # noqa: PLC0415

        # Self-hosted servers have the bucket in the path: a bucket's name as a host name needs a DNS entry for each.
        style: Literal["path", "auto"] = "path" if self.endpoint else "auto"
        config = Config(
            s3={"addressing_style": style},
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 3},
        )
        session = boto3.Session(profile_name=self.profile) if self.profile else boto3
        return session.client("s3", region_name=self.region or None, endpoint_url=self.endpoint or None, config=config)

    @contextmanager
    def _s3_errors(self) -> Iterator[None]:
        """Turn errors of the S3 client into `StorageError`."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415, see `client`

        try:
            yield
        except (BotoCoreError, ClientError, ValueError) as error:
            where = f"bucket {self.name}" + (f" on {self.endpoint}" if self.endpoint else "")
            raise StorageError(where, str(error)) from None


@dataclass(frozen=True)
class Folder:
    """A folder on this machine.

    Attributes:
        path: Its path; a missing folder has no objects.
    """

    path: Path

    def page(self, prefix: str = "", after: str = "") -> Page:
        """See `ObjectStore.page`; a folder's page has all objects."""
        return Page(list(self.list_objects(prefix, after)), more=False)

    def list_objects(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """See `ObjectStore.list_objects`."""
        files = (file for file in self.path.rglob("*") if file.is_file() and file.suffix != ATTRIBUTES)
        for key, file in sorted((file.relative_to(self.path).as_posix(), file) for file in files):
            if key.startswith(prefix) and key > after:
                stat = file.stat()
                modified = datetime.fromtimestamp(stat.st_mtime, UTC)
                yield Object(key, stat.st_size, modified, str(stat.st_mtime_ns))

    def folders(self, prefix: str) -> Iterator[str]:
        """See `ObjectStore.folders`."""
        below = self.path / prefix
        yield from sorted(f"{one.name}/" for one in (below.iterdir() if below.is_dir() else ()) if one.is_dir())

    def read(self, key: str) -> bytes:
        """See `ObjectStore.read`.

        Raises:
            OSError: The file can't be read.
        """
        return (self.path / key).read_bytes()

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`.

        Raises:
            OSError: The file can't be deleted.
        """
        (self.path / key).unlink(missing_ok=True)
        (self.path / f"{key}{ATTRIBUTES}").unlink(missing_ok=True)
