"""The landing zone as a dlt run writes it: objects that are created once, and one that is replaced only as it was read.

A bucket, or a folder of the same layout for a lake on one machine.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from lotus_infra.clients.storage import Bucket
from lotus_infra.errors import LotusError

MOST_BYTES: Final = 5 << 30
"""The largest object that S3 takes in one request; only such a request replaces an object under a condition."""
_LOST: Final = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
_MISSING: Final = ("404", "NoSuchKey")
_WRITER: Final = "lotus-writer"
"""The metadata of an object that names the request which wrote it."""


class StaleError(Exception):
    """An object is not the one that was read: another run has replaced it."""


class Store(Protocol):
    """Objects of the landing zone; keys are relative to it."""

    def fetch(self, key: str, file: Path) -> str | None:
        """Copy an object into a file; returns its version, or None if there is no such object."""

    def replace(self, key: str, file: Path, version: str | None) -> str:
        """Write an object, and return its new version.

        Args:
            key: The object's.
            file: The content.
            version: The version to replace; None for an object that is not there yet.

        Raises:
            StaleError: The object has another version.
        """

    def create(self, key: str, file: Path) -> None:
        """Write an object whose key says what its content is; one that is there already stays as it is."""

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with a prefix, sorted."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are no error."""


def store_of(landing: str) -> Store:
    """The landing zone at an address: `s3://<bucket>` or a folder."""
    address = urlsplit(landing)
    if address.scheme != "s3":
        return FolderStore(Path(landing))
    return BucketStore(Bucket(address.netloc, prefix=address.path.strip("/")))


class BucketStore:
    """A bucket; a version is an ETag. The methods are those of `Store`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._root = f"{bucket.prefix}/" if bucket.prefix else ""

    def fetch(self, key: str, file: Path) -> str | None:
        """One GetObject request."""
        try:
            answer = self._bucket.client.get_object(**self._object(key))
        except self._client_error as error:
            if _code(error) in _MISSING:
                return None
            raise
        with file.open("wb") as target:
            shutil.copyfileobj(answer["Body"], target)
        return str(answer["ETag"])

    def replace(self, key: str, file: Path, version: str | None) -> str:
        """One PutObject request with `If-Match`, or `If-None-Match` for the first."""
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise LotusError(
                f"{size:,} bytes are more than one run can land ({MOST_BYTES:,})",
                "let the module read less in one run, such as by an end of its range",
            )
        condition = {"IfMatch": version} if version is not None else {"IfNoneMatch": "*"}
        writer = uuid4().hex
        try:
            with file.open("rb") as body:
                answer = self._bucket.client.put_object(
                    **self._object(key), Body=body, Metadata={_WRITER: writer}, **condition
                )
        except self._client_error as error:
            if _code(error) not in (*_LOST, *_MISSING):
                raise
            # boto3 repeats a request whose answer was lost. The second is refused because the first has succeeded.
            return self._own_version(key, writer)
        return str(answer["ETag"])

    def _own_version(self, key: str, writer: str) -> str:
        try:
            found = self._bucket.client.head_object(**self._object(key))
        except self._client_error as error:
            if _code(error) in _MISSING:
                raise StaleError(key) from None
            raise
        if found["Metadata"].get(_WRITER) != writer:
            raise StaleError(key)
        return str(found["ETag"])

    def create(self, key: str, file: Path) -> None:
        """Look, then write; a large file in parts. An object that stays keeps its ETag, by which models know it."""
        try:
            self._bucket.client.head_object(**self._object(key))
        except self._client_error as error:
            if _code(error) not in _MISSING:
                raise
            self._bucket.client.upload_file(str(file), self._bucket.name, self._root + key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Pages of ListObjectsV2."""
        return (one.key for one in self._bucket.list_objects(prefix))

    def delete(self, keys: Iterable[str]) -> None:
        """A DeleteObject request each."""
        for key in keys:
            self._bucket.delete(key)

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._root + key}

    @property
    def _client_error(self) -> type[Exception]:
        from botocore.exceptions import ClientError  # noqa: PLC0415, loading takes half a second

        return ClientError


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


class FolderStore:
    """A folder; a version is a file's number and time. The methods are those of `Store`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def fetch(self, key: str, file: Path) -> str | None:
        """A copy."""
        with self._locked(key) as path:
            if not path.is_file():
                return None
            shutil.copyfile(path, file)
            return _version(path)

    def replace(self, key: str, file: Path, version: str | None) -> str:
        """An atomic rename, under a lock of the object's own."""
        with self._locked(key) as path:
            if (_version(path) if path.is_file() else None) != version:
                raise StaleError(key)
            _put(file, path)
            return _version(path)

    def create(self, key: str, file: Path) -> None:
        """An atomic rename."""
        if not (self._root / key).exists():
            _put(file, self._root / key)

    def keys(self, prefix: str) -> Iterator[str]:
        """A walk over the folder."""
        folder = self._root / prefix
        return iter(sorted(one.relative_to(self._root).as_posix() for one in folder.rglob("*") if one.is_file()))

    def delete(self, keys: Iterable[str]) -> None:
        """Unlink each."""
        for key in keys:
            (self._root / key).unlink(missing_ok=True)

    @contextmanager
    def _locked(self, key: str) -> Iterator[Path]:
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path


def _put(file: Path, path: Path) -> None:
    """Copy beside the target, then rename: no reader sees half a file. Readers ignore names without `.parquet`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    shutil.copyfile(file, beside)
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    beside.replace(path)


def _version(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_ino}-{stat.st_mtime_ns}"
