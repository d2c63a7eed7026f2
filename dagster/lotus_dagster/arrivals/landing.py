"""The landing zone as sensors and runs see it: pages of a stream's keys, from S3 or from a folder of the same layout.

It maps a stream's prefix to a bucket or a folder. Sensors and dbt list through it, so that both see the same files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from lotus_dagster.arrivals.look import Page, Pages
from lotus_dagster.arrivals.partitions import StoredObject, day_of, folder_of
from lotus_infra.clients import storage
from lotus_infra.errors import LotusError


class ListingError(LotusError):
    """The landing zone can't be listed; nothing may be concluded from that."""


class S3Pages:
    """A stream's objects in a bucket."""

    def __init__(self, bucket: storage.Bucket, prefix: str) -> None:
        self._bucket, self._prefix = bucket, prefix

    def page(self, after: str) -> Page:
        """One ListObjectsV2 request."""
        try:
            found = self._bucket.page(self._prefix, self._prefix + after)
        except storage.StorageError as error:
            raise ListingError(
                f"s3://{self._bucket.name}/{self._prefix} can't be listed: {error.reason}",
                "check LOTUS_LANDING, the AWS credentials of this code location and the server",
            ) from error
        return _below(found, self._prefix)


class FolderPages:
    """A stream's files in a folder of this machine, for tests and for lakes without S3; a page has them all."""

    def __init__(self, root: Path, prefix: str) -> None:
        self._root, self._folder = root, storage.Folder(root / prefix)

    def page(self, after: str) -> Page:
        """All the files that sort after a key; none when the stream has no folder yet."""
        if not self._root.is_dir():
            raise ListingError(f"{self._root} is no folder", "set LOTUS_LANDING to s3://<bucket> or to a folder")
        found = self._folder.page(after=after)
        # A name that is no UTF-8 can't be kept anywhere. By this one its file isn't found, and is put in quarantine.
        return _below(found._replace(objects=[replace(one, key=_utf8(one.key)) for one in found.objects]), "")


def pages_of(landing: str, prefix: str) -> Pages:
    """Where to list a stream.

    Args:
        landing: `s3://<bucket>` or a folder.
        prefix: The stream's prefix below it, such as `raw/shopify/orders/`.
    """
    address = urlsplit(landing)
    if address.scheme != "s3":
        return FolderPages(Path(landing), prefix)
    below = address.path.strip("/")
    # Region, endpoint and credentials come from the AWS environment of the code location.
    return S3Pages(storage.Bucket(address.netloc), f"{below}/{prefix}" if below else prefix)


def stored_files(landing: str, prefix: str, units: Sequence[str] = ()) -> Iterator[StoredObject]:
    """The files of a stream, by the lake's layout; keys outside of it are left out.

    Args:
        landing: `s3://<bucket>` or a folder.
        prefix: The stream's prefix below it, such as `raw/shopify/orders/`; keys are below this prefix.
        units: The days and months to list; everything if empty.

    Raises:
        ListingError: The landing zone can't be listed.
    """
    pages = pages_of(landing, prefix)
    folders = sorted({folder_of(unit) for unit in units}) or [""]
    seen: str | None = None
    for folder in folders:
        if seen is not None and folder.startswith(seen):
            continue  # a day of a month that was listed
        seen = folder
        yield from (one for one in _folder(pages, folder) if day_of(one.key) is not None)


def _folder(pages: Pages, folder: str) -> Iterator[StoredObject]:
    """The objects whose keys start with a folder's name."""
    after, more = folder, True
    while more:
        objects, more = pages.page(after)
        yield from (one for one in objects if one.key.startswith(folder))
        more = more and bool(objects) and objects[-1].key.startswith(folder)
        after = objects[-1].key if objects else after


def _utf8(key: str) -> str:
    return key.encode(errors="backslashreplace").decode()


def _below(page: storage.Page, prefix: str) -> Page:
    """A page with keys relative to a prefix."""
    cut = len(prefix)
    return Page([StoredObject(one.key[cut:], one.etag, one.size, one.modified) for one in page.objects], page.more)
