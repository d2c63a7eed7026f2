"""Addresses of backends, and the listings of folders and buckets."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.stub import Stubber

from lotus_infra.clients.storage import Bucket, Folder, Page, StorageError, open_store
from lotus_infra.errors import LotusError


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://state", Bucket("state")),
        ("s3://state/team/a?region=us-west-1", Bucket("state", "us-west-1", "", "team/a")),
        ("s3://state?endpoint=s3.example.com:8333", Bucket("state", "", "https://s3.example.com:8333")),
        ("s3://state?endpoint=127.0.0.1:1&disableSSL=true", Bucket("state", "", "http://127.0.0.1:1")),
        ("s3://state?endpoint=http://127.0.0.1:1&s3ForcePathStyle=true", Bucket("state", "", "http://127.0.0.1:1")),
        ("s3://user:marker@state", Bucket("state")),
        ("s3://state?region=us-west-1&region=eu-west-1", Bucket("state", "us-west-1")),
        ("file:///var/lake%20state", Folder(Path("/var/lake state"))),
        ("file://~", Folder(Path.home())),
    ],
)
def test_a_backends_address_is_read_as_the_engine_reads_it(url: str, place: Bucket | Folder) -> None:
    assert open_store(url) == place


def test_other_backends_are_refused() -> None:
    with pytest.raises(LotusError, match="only s3:// and file://"):
        open_store("gs://state")


def test_a_folder_lists_reads_and_deletes_as_a_bucket_does(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/1", "a/b/2", "c"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    folder = Folder(tmp_path)
    assert [one.key for one in folder.list_objects()] == ["a/1", "a/b/2", "c"]
    assert [one.key for one in folder.list_objects("a/", after="a/1")] == ["a/b/2"]
    assert list(folder.folders("a/")) == ["b/"]
    assert folder.read("c") == b"c"
    folder.delete("c")
    folder.delete("c")
    assert [one.size for one in folder.list_objects("a/b")] == [5]
    assert list(Folder(tmp_path / "gone").list_objects()) == []
    [first, *_] = Folder(tmp_path).page("a/").objects
    assert first.etag == str((tmp_path / "a" / "1").stat().st_mtime_ns)


def answer(*keys: str, more: bool = False) -> dict[str, object]:
    """An answer of S3's ListObjectsV2 with objects of one byte."""
    written = datetime(2026, 3, 1, tzinfo=UTC)
    contents = [{"Key": key, "Size": 1, "LastModified": written, "ETag": f'"{key}"'} for key in keys]
    return {"IsTruncated": more, "Contents": contents}


def test_a_bucket_is_listed_page_by_page_each_after_the_last_key_of_the_one_before() -> None:
    bucket = Bucket("state", "us-west-1", "", "team")
    asked = {"Bucket": "state", "Prefix": "team/a/"}
    with Stubber(bucket.client) as s3:
        s3.add_response("list_objects_v2", answer("team/a/1", "team/a/2", more=True), asked)
        s3.add_response("list_objects_v2", answer("team/a/3"), asked | {"StartAfter": "team/a/2"})
        found = [(one.key, one.etag) for one in bucket.list_objects("a/")]
        s3.assert_no_pending_responses()
    assert found == [("a/1", '"team/a/1"'), ("a/2", '"team/a/2"'), ("a/3", '"team/a/3"')]


def test_an_empty_page_ends_a_listing() -> None:
    bucket = Bucket("state", "us-west-1")
    with Stubber(bucket.client) as s3:
        s3.add_response("list_objects_v2", {"IsTruncated": False})
        assert bucket.page("a/") == Page([], more=False)


def test_a_refusal_of_s3_is_an_error_with_its_reason() -> None:
    bucket = Bucket("state", "us-west-1")
    with Stubber(bucket.client) as s3:
        s3.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
        with pytest.raises(
            StorageError, match=r"the bucket state can't be used: the server refuses these credentials"
        ) as caught:
            list(bucket.list_objects())
    assert caught.value.reason == "the server refuses these credentials"
