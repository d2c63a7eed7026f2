"""The landing zone as the sensors see it: pages of keys from S3, or from a folder of the same layout.

It depends on boto3 and the file system, not on the meaning of keys.
"""

from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lotus_dagster.arrivals.look import Page, Pages
from lotus_dagster.arrivals.partitions import StoredObject
from lotus_infra.errors import LotusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Protocol

    class ListsObjects(Protocol):
        """The one call of an S3 client that is needed."""

        def list_objects_v2(self, *, Bucket: str, Prefix: str, StartAfter: str) -> Mapping[str, object]:  # noqa: N803
            """ListObjectsV2 of the S3 API: up to 1,000 keys in UTF-8 order."""


class ListingError(LotusError):
    """The landing zone can't be listed; nothing may be concluded from that."""


class S3Pages:
    """A stream's objects in a bucket; the client takes region, endpoint and credentials from the AWS environment."""

    def __init__(self, client: "ListsObjects", bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix

    def page(self, after: str) -> Page:
        """One ListObjectsV2 request."""
        try:
            answer = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix, StartAfter=self._prefix + after
            )
        except (ClientError, BotoCoreError) as error:
            raise ListingError(
                f"s3://{self._bucket}/{self._prefix} can't be listed: {error}",
                "check LOTUS_LANDING, the AWS credentials of this code location and the server",
            ) from error
        contents = cast("Iterable[Mapping[str, str | int]]", answer.get("Contents", ()))
        cut = len(self._prefix)
        objects = [StoredObject(str(one["Key"])[cut:], str(one["ETag"]), int(one["Size"])) for one in contents]
        return Page(objects, bool(answer.get("IsTruncated")))


class FolderPages:
    """A stream's files in a folder of this machine, for tests and for lakes without S3; a page has them all."""

    def __init__(self, root: Path, prefix: str) -> None:
        self._root, self._folder = root, root / prefix

    def page(self, after: str) -> Page:
        """All the files that sort after a key; none when the stream has no folder yet."""
        if not self._root.is_dir():
            raise ListingError(f"{self._root} is no folder", "set LOTUS_LANDING to s3://<bucket> or to a folder")
        return Page([one for one in self._objects() if one.key > after], more=False)

    def _objects(self) -> "Sequence[StoredObject]":
        files = (path for path in self._folder.rglob("*") if path.is_file())
        described = ((path.relative_to(self._folder).as_posix(), path.stat()) for path in files)
        return sorted(StoredObject(key, str(stat.st_mtime_ns), stat.st_size) for key, stat in described)


def pages_of(landing: str, prefix: str) -> Pages:
    """Where to list a stream.

    Args:
        landing: `s3://<bucket>` or a folder.
        prefix: The stream's prefix below it, such as `raw/shopify/orders/`.
    """
    address = urlsplit(landing)
    if address.scheme != "s3":
        return FolderPages(Path(landing), prefix)
    client = boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 3}))
    below = address.path.strip("/")
    return S3Pages(client, address.netloc, f"{below}/{prefix}" if below else prefix)
