"""Discoveries are written, compared and judged."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.records import Temper
from pulumi_airbyte.client import Airbyte, ClientSettings
from pulumi_airbyte.client.models import DiscoveredStream

from lotus_infra.clients.airbyte import ConnectedLake
from lotus_infra.commands.discover import LeftOut, discover_source, render, to_lake_format, try_discover
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.report import check_lake
from tests.commands.lab import Lab, with_fields
from tests.support.commands import Lotus, stand_in_engine
from tests.support.lakes import OWN_STREAMS, Document, write


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_source_that_was_never_discovered_gets_a_file_for_each_stream(lab: Lab) -> None:
    found = discover_source(lab.live, "shop")

    assert [(change.file, change.change) for change in found.changes] == [
        ("products", "added"),
        ("purchases", "added"),
        ("users", "added"),
    ]
    assert (found.streams, found.written, found.ok, found.left_out) == (3, True, True, ())
    report = check_lake(lab.folder)
    assert report.problems == ()
    assert [notice.file for notice in report.notices if "shop" in notice.file] == []


def test_a_discovery_from_scratch_makes_the_committed_files(lab: Lab) -> None:
    discover_source(lab.live, "shop")

    assert contents(lab.folder / "shop" / "_discovered") == contents(OWN_STREAMS / "faker" / "_discovered")


OWN: dict[str, Document] = {
    "Faker": {"sourceType": "faker", "count": 10},
    "Klaviyo": {"sourceType": "klaviyo", "api_key": "any"},
    "Shopify": {
        "sourceType": "shopify",
        "shop": "any",
        "credentials": {"auth_method": "api_password", "api_password": "any"},
    },
}


def test_the_own_lake_has_what_its_connectors_offer_byte_for_byte(bare: Lab) -> None:
    shutil.rmtree(bare.folder)
    shutil.copytree(OWN_STREAMS, bare.folder, ignore=shutil.ignore_patterns(".schema"))
    for label, configuration in OWN.items():
        bare.airbyte.create_actor("source", bare.body(label, configuration))
    before = contents(bare.folder)

    found = [discover_source(bare.live, source.name) for source in bare.live.lake.sources]

    assert [(each.source, each.streams, each.changes, each.left_out, each.problems) for each in found] == [
        ("faker", 3, (), (), ()),
        ("klaviyo", 11, (), (), ()),
        ("shopify", 45, (), (), ()),
    ]
    assert contents(bare.folder) == before


def test_a_second_discovery_changes_no_byte_and_no_file(lab: Lab) -> None:
    discover_source(lab.live, "shop")
    before = {file: file.stat().st_mtime_ns for file in lab.folder.rglob("*")}

    found = discover_source(lab.live, "shop")

    assert (found.changes, found.written) == ((), False)
    assert {file: file.stat().st_mtime_ns for file in lab.folder.rglob("*")} == before


def test_the_cache_of_the_server_is_passed_over(lab: Lab) -> None:
    discover_source(lab.live, "shop")
    lab.outside(lambda streams: streams.update(users=with_fields(streams["users"], score={"type": "number"})))

    [change] = discover_source(lab.live, "shop").changes

    assert [str(difference) for difference in change.differences] == ["+ fields.score: number"]
    assert json.loads((lab.folder / "shop/_discovered/users.json").read_text())["fields"]["score"] == {"type": "number"}


def break_it(streams: dict[str, Any]) -> None:
    users = with_fields(streams.pop("users"), email={"type": ["null", "integer"]}, updated_at=None, score={})
    changed = {"default_cursor_field": ("created_at",), "source_defined_primary_key": (("uuid",),)}
    streams["users"] = users.model_copy(update=changed)
    del streams["products"]
    streams["Order/Lines"] = streams["purchases"].model_copy(update={"name": "Order/Lines"})


BROKEN = """\
shop: 3 streams, 1 added, 1 removed, 1 changed
  + order_lines (Order/Lines)
  - products
  ~ users
      ~ defaults.cursor_field: updated_at → created_at
      ~ defaults.primary_key: id → uuid
      ~ source_defined_primary_key: id → uuid
      - fields.updated_at: string (date-time, timestamp_with_timezone)
      ~ fields.email: string → integer
      + fields.score: unknown
shop/products.json:3: stream: "products" is no stream of the source "shop": \
delete the file, or run `lotus discover shop` if the source has it
shop/users.json:10: cursor_field: differs from the source's own cursor, created_at: write ["created_at"]
shop/users.json:18: fields.email.type: is string where the source has integer: write "type": "integer"
shop/users.json:20: fields.updated_at: is not a field that the source has: did you mean "created_at"?
2 stream files of shop to fix; the discovered schema is written anyway
""".splitlines()


def test_what_a_change_breaks_is_told_by_file_and_line_and_written_all_the_same(lab: Lab) -> None:
    write(lab.folder, {"shop/products.json": (OWN_STREAMS / "faker/products.json").read_bytes()})
    discover_source(lab.live, "shop")
    lab.outside(break_it)

    found = discover_source(lab.live, "shop")

    assert render(found).replace(f"{lab.folder.as_posix()}/", "").splitlines() == BROKEN
    assert not found.ok
    assert found.written
    assert sorted(contents(lab.folder / "shop" / "_discovered")) == ["order_lines.json", "purchases.json", "users.json"]
    assert {(problem.file, problem.line, problem.field) for problem in check_lake(lab.folder).problems} == {
        (problem.file, problem.line, problem.field) for problem in found.problems
    }


def test_a_dry_run_says_the_same_and_writes_nothing(lab: Lab) -> None:
    discover_source(lab.live, "shop")
    before = contents(lab.folder)
    lab.outside(break_it)

    dry = discover_source(lab.live, "shop", dry_run=True)
    assert contents(lab.folder) == before
    wet = discover_source(lab.live, "shop")

    assert (dry.changes, dry.problems, dry.left_out) == (wet.changes, wet.problems, wet.left_out)
    assert (dry.written, wet.written) == (False, True)
    assert "  nothing written" in render(dry).splitlines()


def test_other_sources_and_other_files_of_the_folder_are_left_alone(lab: Lab) -> None:
    discover_source(lab.live, "shop")
    note = lab.folder / "shop" / "_discovered" / "notes.txt"
    note.write_text("mine")
    write(lab.folder, {"shop/_discovered/gone.json": "{"})

    found = discover_source(lab.live, "shop")

    assert [(change.stream, change.change) for change in found.changes] == [("gone", "removed")]
    assert note.read_text() == "mine"
    assert not (lab.folder / "store" / "_discovered").exists()
    assert sorted(entry.name for entry in (lab.folder / "shop").iterdir()) == [
        "_discovered",
        "_source.json",
        "users.json",
    ]


def test_a_folder_that_is_a_link_stays_one(lab: Lab, tmp_path: Path) -> None:
    discover_source(lab.live, "shop")
    folder, elsewhere = lab.folder / "shop" / "_discovered", tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    (elsewhere / "users.json").unlink()

    discover_source(lab.live, "shop")

    assert folder.is_symlink()
    assert (elsewhere / "users.json").is_file()
    assert sorted(entry.name for entry in (lab.folder / "shop").iterdir()) == [
        "_discovered",
        "_source.json",
        "users.json",
    ]


def test_a_file_with_the_same_facts_in_other_words_is_written_anew(lab: Lab) -> None:
    discover_source(lab.live, "shop")
    file = lab.folder / "shop/_discovered/users.json"
    document = json.loads(file.read_text())
    write(lab.folder, {"shop/_discovered/users.json": json.dumps(document), "shop/_discovered/products.json": "{"})

    found = discover_source(lab.live, "shop")

    assert [(change.stream, change.change) for change in found.changes] == [
        ("products", "rewritten"),
        ("users", "rewritten"),
    ]
    assert json.loads(file.read_text()) == document


@pytest.mark.parametrize("step", [1, 2])
def test_a_folder_that_can_not_be_replaced_stays_as_it_was(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    discover_source(lab.live, "shop")
    before = contents(lab.folder)
    lab.outside(break_it)
    renamed, real = [], Path.rename

    def rename(path: Path, target: Path) -> Path:
        renamed.append(path)
        if len(renamed) == step:
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)

    with pytest.raises(LakeError, match=r"_discovered can't be written \(Permission denied\): make it writable"):
        discover_source(lab.live, "shop")
    assert contents(lab.folder) == before
    assert sorted(entry.name for entry in (lab.folder / "shop").iterdir()) == [
        "_discovered",
        "_source.json",
        "users.json",
    ]


def test_a_source_that_has_nothing_keeps_its_files(lab: Lab) -> None:
    discover_source(lab.live, "shop")
    before = contents(lab.folder)
    lab.outside(lambda streams: streams.clear())

    with pytest.raises(LotusError, match="the source shop has no streams: check its configuration"):
        discover_source(lab.live, "shop")
    assert contents(lab.folder) == before


def test_a_connector_that_fails_is_told_in_its_words(lab: Lab) -> None:
    shop = lab.live.source_id(lab.live.folders(["shop"])[0])
    lab.twin.store.tempers.put(Temper(id=shop, discover_failure="Access denied for user"))

    with pytest.raises(LotusError, match=f"could not discover the streams of source {shop}: Access denied for user"):
        discover_source(lab.live, "shop")

    among_others = try_discover(lab.live, "shop")
    assert not among_others.ok
    assert render(among_others).startswith("shop: Airbyte could not discover the streams")
    assert try_discover(lab.live, "store").ok


def test_a_server_without_a_config_api_is_told_which_setting_is_missing(lab: Lab) -> None:
    with (
        closing(Airbyte(ClientSettings("http://127.0.0.1:9/v1"))) as airbyte,
        pytest.raises(LotusError, match=r"Discovery needs Airbyte's Config API.*Set configUrl"),
    ):
        discover_source(ConnectedLake(airbyte, lab.twin.workspace_id, lab.live.lake), "shop", "any-id")


def test_a_source_of_several_with_one_label_must_be_chosen(lab: Lab) -> None:
    [first] = [actor.actor_id for actor in lab.airbyte.list_actors("source") if actor.name == "Shop"]
    second = lab.airbyte.create_actor("source", lab.body("Shop", {"sourceType": "faker", "count": 1})).actor_id
    both = ", ".join(sorted([first, second]))

    with pytest.raises(LotusError, match=rf'several sources "Shop": choose one with --source-id: {both}'):
        discover_source(lab.live, "shop")
    assert discover_source(lab.live, "shop", second).written


def test_a_deleted_source_does_not_count(lab: Lab) -> None:
    second = lab.airbyte.create_actor("source", lab.body("Shop", {"sourceType": "faker", "count": 1})).actor_id
    lab.airbyte.delete_actor("source", second)

    assert discover_source(lab.live, "shop").written


def test_a_leftover_of_a_run_that_was_killed_is_in_nobodys_way(lab: Lab) -> None:
    write(lab.folder, {"shop/._discovered.partial/junk.json": "{", "shop/._discovered.old/junk.json": "{"})

    assert discover_source(lab.live, "shop").written
    assert check_lake(lab.folder).problems == ()


def rename(*identities: tuple[str | None, str]) -> Callable[[dict[str, Any]], None]:
    """Let the source have the stream `users` in these namespaces and by these names, and nothing else."""

    def change(streams: dict[str, Any]) -> None:
        users = streams["users"]
        streams.clear()
        for namespace, name in identities:
            streams[f"{namespace}.{name}"] = users.model_copy(update={"namespace": namespace, "name": name})

    return change


def test_streams_of_any_name_and_namespace_have_files_that_stay(lab: Lab) -> None:
    lab.outside(rename(("public", "users"), (None, "Account"), (None, "表"), (None, 'Sheet "1" 🎉')))

    found = discover_source(lab.live, "shop")

    assert render(found).splitlines()[:5] == [
        "shop: 4 streams, 4 added",
        "  + account (Account)",
        '  + sheet_1 (Sheet "1" 🎉)',
        "  + stream (表)",
        "  + users",
    ]
    assert (found.left_out, found.problems) == ((), ())
    before = contents(lab.folder / "shop" / "_discovered")
    assert before.keys() == {"account.json", "sheet_1.json", "stream.json", "users.json"}

    lab.outside(rename(("sales", "users"), ("public", "users"), (None, "account"), (None, "表")))
    found = discover_source(lab.live, "shop")

    assert render(found).splitlines()[1:5] == [
        "  ~ account",
        "      ~ stream: Account → account",
        "  + sales_users (users of sales)",
        '  - sheet_1 (Sheet "1" 🎉)',
    ]
    after = contents(lab.folder / "shop" / "_discovered")
    assert after.keys() == {"account.json", "sales_users.json", "stream.json", "users.json"}
    assert {file: after[file] for file in ("stream.json", "users.json")} == {
        file: before[file] for file in ("stream.json", "users.json")
    }


def test_two_schemas_with_one_table_name_have_two_files(lab: Lab) -> None:
    lab.outside(rename(("public", "users"), ("sales", "users")))

    found = discover_source(lab.live, "shop")

    assert render(found).splitlines()[:3] == [
        "shop: 2 streams, 2 added",
        "  + public_users (users of public)",
        "  + sales_users (users of sales)",
    ]
    assert [(problem.field, problem.what) for problem in found.problems] == [
        ("stream", '"users" is in several namespaces of the source "shop": "public", "sales"')
    ]
    users = lab.folder / "shop" / "users.json"
    write(lab.folder, {"shop/users.json": json.dumps({"namespace": "sales", **json.loads(users.read_text())})})
    assert check_lake(lab.folder).problems == ()
    again = discover_source(lab.live, "shop")
    assert (again.changes, again.problems) == ((), ())


def test_a_schema_that_nests_without_end_leaves_out_its_stream_alone() -> None:
    schema: dict[str, object] = {"type": "string"}
    for _ in range(2_000):
        schema = {"type": "object", "properties": {"a": schema}}
    deep = DiscoveredStream.model_validate({"name": "deep", "jsonSchema": schema})
    fine = DiscoveredStream.model_validate({"name": "fine", "jsonSchema": {"type": "object", "properties": {"a": {}}}})
    kept, left_out = to_lake_format([deep, fine])
    assert list(kept) == ["fine"]
    assert left_out == (LeftOut("deep", "its schema nests too deeply"),)


def test_a_failure_that_repeats_a_setting_is_shown_without_it(
    lab: Lab, lotus: Lotus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    marker, decrypted = "Zq7mK0wX4vB9", "bucket key"
    stand_in_engine(tmp_path, monkeypatch, f"""echo '{{"lotus:s3_secret_access_key": {{"value": "{decrypted}"}}}}'""")
    [shop] = [each for each in lab.twin.store.actors if each.name == "Shop"]
    body = lab.body("Shop", {"sourceType": "faker", "count": 10, "headers": [f"Bearer {marker}"]})
    lab.airbyte.put_actor("source", shop.id, body)
    lab.twin.store.tempers.put(Temper(id=shop.id, discover_failure=f"401 for Bearer {marker}, {decrypted}"))

    assert lotus("discover", "shop") == 1

    printed = capsys.readouterr()
    assert "401 for [secret], [secret]" in printed.err
    assert marker not in printed.out + printed.err
