"""Which files belong to a lake."""

from pathlib import Path

import pytest

from lotus_infra.errors import LakeError
from lotus_infra.lake.loader import load_lake, load_usable_lake
from tests.support.lakes import clean_files, discovered, problems_of, report_on, source, stream, write

STRAYS = [
    ("notes.txt", "move it out of the lake's folder"),
    ("orders.json", "move it into the folder of its source"),
    ("_destination/s3.json", 'did you mean "_destinations"?'),
    (".git/config", "move it out of the lake's folder"),
    ("shop/orders.yaml", "a source's folder has <stream>.json files"),
    ("shop/orders.json.new", "a source's folder has <stream>.json files"),
    ("shop/orders.json.bak", "a source's folder has <stream>.json files"),
    ("shop/.orders.json.old", "a source's folder has <stream>.json files"),
    ("shop/.git/config", "a source's folder has no others"),
    ("shop/.orders.json", "a source's folder has <stream>.json files"),
    ("shop/_sources.json", 'did you mean "_source.json"?'),
    ("shop/deep/orders.json", "a source's folder has no others"),
    ("shop/_discoverd/orders.json", 'did you mean "_discovered"?'),
    ("shop/_discovered/notes.txt", "this folder has <name>.json files only"),
    ("_connectors/_draft.json", "this folder has <name>.json files only"),
    ("_destinations/old/s3.json", "this folder has <name>.json files only"),
]


@pytest.mark.parametrize(("name", "remedy"), STRAYS)
def test_a_file_that_belongs_to_no_lake_is_reported_with_where_it_goes(name: str, remedy: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {name: "{}"})

    assert len(problems) == 1
    assert name.startswith(problems[0].split(":")[0])
    assert problems[0].endswith(f":1: (file): is not a file that a lake has: {remedy}")


def test_a_folder_that_is_named_like_a_stream_is_a_stray(tmp_path: Path) -> None:
    (tmp_path / "shop" / "folder.json").mkdir(parents=True)

    assert problems_of(tmp_path, {})[0].startswith("shop/folder.json:1: (file): is not a file that a lake has")


def test_the_field_reference_and_the_editors_schemas_belong_to_a_lake(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"README.md": "# The lake", ".schema/stream.json": "{}"}) == []


@pytest.mark.parametrize("name", ["_catalog.json", "shop/_catalog.json"])
def test_an_obsolete_catalog_is_noticed_and_never_read(name: str, tmp_path: Path) -> None:
    report = report_on(tmp_path, {name: "not even JSON"})

    assert report.problems == ()
    assert [notice.what for notice in report.notices] == ["is obsolete and not read"]
    assert report.notices[0].remedy == "delete it"


def test_a_folder_without_a_source_file_is_reported(tmp_path: Path) -> None:
    changes = {"shoip/orders.json": stream(), "shoip/_discovered/orders.json": discovered()}

    assert problems_of(tmp_path, changes) == [
        (
            'shoip/_source.json:1: (file): the source "shoip" has no _source.json: '
            "write one, or move the stream files to their source"
        )
    ]


@pytest.mark.parametrize("name", ["Orders", "1orders", "orders-eu", "bestellungen_für", "_", "a b"])
def test_a_stream_is_named_like_an_identifier(name: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {f"shop/{name}.json": stream(stream=name)})

    assert problems[0].startswith(f"shop/{name}.json:1: (file): ")


def test_a_source_is_named_like_an_identifier(tmp_path: Path) -> None:
    changes = {
        "My-Shop/_source.json": source(name="Mine"),
        "My-Shop/orders.json": stream(),
        "My-Shop/_discovered/orders.json": discovered(),
    }

    problems = problems_of(tmp_path, changes)

    assert len(problems) == 1
    assert problems[0].startswith("My-Shop:1: (file): can't be a source's folder")


def test_a_pinned_connector_has_the_name_of_its_file_and_a_discovered_stream_that_of_its_content(
    tmp_path: Path,
) -> None:
    changes = {
        "shop/_discovered/orders.json": discovered(stream="refunds"),
        "_connectors/source-other.json": clean_files()["_connectors/source-faker.json"],
    }

    assert problems_of(tmp_path, changes) == [
        (
            '_connectors/source-other.json:2: connector: is "source-faker" in the file source-other.json: '
            'write "source-other" or rename the file to source-faker.json'
        ),
        (
            'shop/orders.json:2: stream: "orders" is no stream of the source "shop": '
            "delete the file, or run `lotus discover shop` if the source has it"
        ),
    ]


def test_a_discovered_stream_that_the_lake_does_not_have_is_not_read(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/_discovered/refunds.json": "not JSON"}) == []


@pytest.mark.parametrize(
    ("name", "message"), [("missing", "does not exist"), ("file", "is not a folder"), ("empty", "has no sources in it")]
)
def test_a_folder_that_is_no_lake_is_one_clear_error(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()

    with pytest.raises(LakeError, match=message) as error:
        load_lake(tmp_path / name)

    assert error.value.hint


def test_a_lake_to_use_has_only_files_that_can_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"shop/orders.json": "", "shop/refunds.json": "[]", "shop/_catalog.json": "?"})

    with pytest.raises(LakeError, match=r"shop/orders.json is empty; shop/refunds.json must hold one JSON object: run"):
        load_usable_lake(write(tmp_path, {"shop/_source.json": source()}))


def test_a_notice_does_not_make_a_lake_unusable(tmp_path: Path) -> None:
    lake = load_usable_lake(write(tmp_path, clean_files() | {"shop/_catalog.json": "?"}))

    assert [stream.name for stream in lake.streams] == ["orders"]
