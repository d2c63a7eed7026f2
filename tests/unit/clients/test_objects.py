"""Where a state lies, and what lies in a folder; buckets are shown beside the commands that look into them."""

from pathlib import Path

import pytest

from lotus_infra.clients.storage import Bucket, Folder, open_store
from lotus_infra.errors import LotusError


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://state", Bucket("state")),
        ("s3://state/team/a?region=us-west-1", Bucket("state", "us-west-1", "", "team/a")),
        ("s3://state?endpoint=s3.example.com:8333", Bucket("state", "", "https://s3.example.com:8333")),
        ("s3://state?endpoint=127.0.0.1:1&disableSSL=true", Bucket("state", "", "http://127.0.0.1:1")),
        ("s3://state?endpoint=http://127.0.0.1:1&s3ForcePathStyle=true", Bucket("state", "", "http://127.0.0.1:1")),
        ("file:///var/lake%20state", Folder(Path("/var/lake state"))),
        ("file://~", Folder(Path.home())),
    ],
)
def test_a_backend_s_address_says_where_its_objects_are(url: str, place: Bucket | Folder) -> None:
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
