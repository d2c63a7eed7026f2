"""Objects of an S3 bucket, or files of a folder: where the state lies and where data lands. Knows only how to get them.

Credentials are those of the environment, the same that reach the state (`AWS_ACCESS_KEY_ID` or a profile).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from lotus_infra.errors import LotusError

KNOWN: Final = ("s3", "file")


@dataclass(frozen=True, slots=True)
class Object:
    """An object.

    Attributes:
        key: its key below the place.
        size: in bytes.
        modified: when it was written, by the server's clock.
    """

    key: str
    size: int
    modified: datetime


class Objects(Protocol):
    """Objects below one place; keys are relative to it and have slashes."""

    def listed(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """Objects whose key starts with a prefix and comes after another key, in order of the key, page by page."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The next parts of keys below a prefix that ends with a slash, each with its own slash at the end."""

    def read(self, key: str) -> bytes:
        """What an object holds."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""


@dataclass(frozen=True)
class Bucket:
    """A bucket on an S3 server, or what is in it below a prefix.

    Attributes:
        name: the bucket's.
        region: its region; empty for the environment's.
        endpoint: the server's address; empty for the environment's, or AWS.
        prefix: without a slash at its end; empty for the whole bucket.
    """

    name: str
    region: str = ""
    endpoint: str = ""
    prefix: str = ""

    def listed(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """As `Objects.listed`.

        Raises:
            LotusError: the server refuses, or can't be reached.
        """
        later = {"StartAfter": self._key(after)} if after else {}
        for page in self._pages(Prefix=self._key(prefix), **later):
            for one in page.get("Contents", []):
                yield Object(one["Key"].removeprefix(self._key("")), one["Size"], one["LastModified"])

    def folders(self, prefix: str) -> Iterator[str]:
        """As `Objects.folders`; raises as `listed`."""
        for page in self._pages(Prefix=self._key(prefix), Delimiter="/"):
            for one in page.get("CommonPrefixes", []):
                yield one["Prefix"].removeprefix(self._key(prefix))

    def read(self, key: str) -> bytes:
        """As `Objects.read`; raises as `listed`."""
        with self._told():
            body: bytes = self._client.get_object(Bucket=self.name, Key=self._key(key))["Body"].read()
        return body

    def delete(self, key: str) -> None:
        """As `Objects.delete`; raises as `listed`."""
        with self._told():
            self._client.delete_object(Bucket=self.name, Key=self._key(key))

    def server_time(self) -> str:
        """What the server's clock says, as HTTP writes it (`Date`); empty where it does not say. Raises as `listed`."""
        with self._told():
            answer = self._client.head_bucket(Bucket=self.name)
        return str(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _pages(self, **arguments: str) -> Iterator[Any]:
        with self._told():
            yield from self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, **arguments)

    @cached_property
    def _client(self) -> Any:
        import boto3  # noqa: PLC0415, half a second, which a command pays that looks into a bucket
        from botocore.config import Config  # noqa: PLC0415

        # A server of one's own has the bucket in the path: its name in the host would need a DNS entry for each.
        style: Literal["path", "auto"] = "path" if self.endpoint else "auto"
        config = Config(
            s3={"addressing_style": style},
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 3},
        )
        return boto3.client("s3", region_name=self.region or None, endpoint_url=self.endpoint or None, config=config)

    @contextmanager
    def _told(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            yield
        except (BotoCoreError, ClientError, ValueError) as error:
            where = f"bucket {self.name}" + (f" on {self.endpoint}" if self.endpoint else "")
            hint = "check its name, its endpoint, and the environment's credentials (AWS_ACCESS_KEY_ID or a profile)"
            raise LotusError(f"the {where} can't be used: {error}", hint) from None


@dataclass(frozen=True)
class Folder:
    """A folder of this machine.

    Attributes:
        path: where it is; what is not there has no objects.
    """

    path: Path

    def listed(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        """As `Objects.listed`."""
        files = (file for file in self.path.rglob("*") if file.is_file())
        for key, file in sorted((file.relative_to(self.path).as_posix(), file) for file in files):
            if key.startswith(prefix) and key > after:
                facts = file.stat()
                yield Object(key, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def folders(self, prefix: str) -> Iterator[str]:
        """As `Objects.folders`."""
        below = self.path / prefix
        yield from sorted(f"{one.name}/" for one in (below.iterdir() if below.is_dir() else ()) if one.is_dir())

    def read(self, key: str) -> bytes:
        """As `Objects.read`.

        Raises:
            OSError: it can't be read.
        """
        return (self.path / key).read_bytes()

    def delete(self, key: str) -> None:
        """As `Objects.delete`.

        Raises:
            OSError: it can't be removed.
        """
        (self.path / key).unlink(missing_ok=True)


def at(url: str) -> Objects:
    """The objects of a backend's address, as the engine reads it (gocloud.dev's `blob.OpenBucket`).

    Args:
        url: `s3://bucket[/prefix][?region=…&endpoint=…]` or `file://path`; `~` is the home folder.

    Raises:
        LotusError: it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme not in KNOWN:
        raise LotusError(f"what lies in {url} can't be looked into", "only s3:// and file:// can be")
    if parts.scheme == "file":
        return Folder(Path(unquote(url.removeprefix("file://").partition("?")[0])).expanduser())
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    endpoint = options.get("endpoint", "")
    if endpoint and "://" not in endpoint:
        plain = options.get("disableSSL", options.get("disable_https", "")).lower() == "true"
        endpoint = f"{'http' if plain else 'https'}://{endpoint}"
    return Bucket(parts.netloc, options.get("region", ""), endpoint, unquote(parts.path).strip("/"))
