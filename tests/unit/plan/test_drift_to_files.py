"""Changes in Airbyte as edits of a small lake's files, and the changes that no file can express."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.commands.drift import FilePatch, as_document, patch_of, render
from lotus_infra.lake.loader import load_lake
from lotus_infra.plan.drift import Drift, DriftedObject, DriftKind, PropertyDrift, hide_difference
from lotus_infra.plan.drift_to_files import without_hidden_values
from tests.support.lakes import clean_files, destination, discovered, source, stream, write

Document = dict[str, Any]
Change = tuple[tuple[str, ...], Any, Any]
"""A path, the value of code and state, and the live value."""
STREAM = {"name": "orders", "syncMode": "incremental_append", "cursorField": ["updated_at"], "primaryKey": [["id"]]}


def patched(folder: Path, kind: str, live: Document, changes: Iterable[Change], **files: Document) -> FilePatch:
    """The patch of one object's changes; more files of the lake are given with `__` for a slash."""
    more = {f"{name.replace('__', '/')}.json": content for name, content in files.items()}
    name = "s3" if kind == "destination" else "shop"
    differences = tuple(PropertyDrift(path, code, code, new) for path, code, new in changes)
    labels = {("connection", "shop"): "Shop → S3"}
    write(folder / "streams", clean_files() | more)
    return patch_of(Drift((DriftedObject(kind, name, differences, (), live),), labels), folder / "streams")


def changed_lines(patch: FilePatch) -> list[str]:
    """The lines that a patch takes out and puts in."""
    lines = patch.text.splitlines()
    return [line for line in lines if line[:1] in {"+", "-"} and not line.startswith(("+++", "---"))]


def unresolved(patch: FilePatch) -> list[str]:
    """The changes that no file expresses, without their remedies."""
    return [f"{each.where}: {each.what}" for each in patch.left]


def connection(**settings: Any) -> Document:
    fields = ["email", "id", "updated_at"]
    return {"configurations": {"streams": [{"selectedFields": fields, **STREAM}]}, **settings}


def streams(*several: Document) -> Document:
    return {"configurations": {"streams": list(several)}}


SETTINGS: list[tuple[Document, Change, list[str]]] = [
    (connection(prefix="x_"), (("prefix",), "", "x_"), ['+  "prefix": "x_"']),
    (
        connection(namespaceDefinition="custom_format", namespaceFormat="shops"),
        (("namespaceFormat",), "shop", "shops"),
        ['+  "namespace": "shops"'],
    ),
    (
        connection(),
        (("nonBreakingSchemaUpdatesBehavior",), "propagate_columns", "ignore"),
        ['+  "non_breaking_changes": "ignore"'],
    ),
    (
        connection(notifySchemaChanges=True),
        (("notifySchemaChanges",), False, True),
        ['+  "notify_schema_changes": true'],
    ),
    (
        connection(schedule={"scheduleType": "basic", "basicTiming": "Every 2 HOURS"}),
        (("schedule",), "manual", "every 2 hours"),
        ['+  "schedule": {', '+    "type": "basic",', '+    "every": "2 hours"', "+  }"],
    ),
]


@pytest.mark.parametrize(("live", "change", "added"), SETTINGS)
def test_a_setting_of_a_connection_is_a_line_of_its_sources_file(
    tmp_path: Path, live: Document, change: Change, added: list[str]
) -> None:
    patch = patched(tmp_path, "connection", live, [change])
    assert patch.ok
    # The line before a new last one gets its comma.
    assert [line for line in changed_lines(patch) if '"destination"' not in line] == added


def test_a_schedule_changes_key_by_key(tmp_path: Path) -> None:
    cron = {"type": "cron", "cron": "0 0 * * * ?", "time_zone": "Europe/Berlin"}
    live = connection(schedule={"scheduleType": "cron", "cronExpression": "0 5 * * * ?"})
    patch = patched(
        tmp_path, "connection", live, [(("schedule",), "cron", "cron 0 5 * * * ?")], shop___source=source(schedule=cron)
    )
    assert changed_lines(patch) == [
        '-    "cron": "0 0 * * * ?",',
        '-    "time_zone": "Europe/Berlin"',
        '+    "cron": "0 5 * * * ?"',
    ]


def test_fields_are_added_with_the_discovered_type_and_removed(tmp_path: Path) -> None:
    live = streams({**STREAM, "selectedFields": ["id", "updated_at", "lines", "unheard_of"]})
    changes: list[Change] = [
        (("streams", "orders", "fields", name), None if new else True, new)
        for name, new in (("email", None), ("lines", True), ("unheard_of", True))
    ]
    patch = patched(tmp_path, "connection", live, changes)
    assert '-    "email": {' in changed_lines(patch)
    assert '+    "lines": {' in changed_lines(patch)
    assert unresolved(patch) == ["connection shop: orders.fields.unheard_of: its type is unknown"]
    assert "lotus discover shop" in patch.left[0].remedy


def test_modes_cursor_and_key_are_lines_of_the_streams_file(tmp_path: Path) -> None:
    live = streams(
        {**STREAM, "syncMode": "incremental_deduped_history", "cursorField": ["id"], "primaryKey": [["email"]]}
        | {"selectedFields": ["email", "id", "updated_at"]}
    )
    changes: list[Change] = [
        (("streams", "orders", "sync_mode"), "incremental_append", "incremental_deduped_history"),
        (("streams", "orders", "cursor_field"), "updated_at", "id"),
        (("streams", "orders", "primary_key"), "id", "email"),
    ]
    lines = changed_lines(patched(tmp_path, "connection", live, changes))
    assert lines == [
        '-  "destination_sync_mode": "append",',
        '+  "destination_sync_mode": "append_dedup",',
        '-      "id"',
        '+      "email"',
        '-    "updated_at"',
        '+    "id"',
    ]


def test_a_stream_file_belongs_to_the_namespace_that_was_discovered(tmp_path: Path) -> None:
    live = streams(
        *({**STREAM, "namespace": space, "cursorField": ["id"], "selectedFields": ["id"]} for space in ("public", "hr"))
    )
    changes: list[Change] = [
        (("streams", '["public","orders"]', "cursor_field"), "updated_at", "id"),
        (("streams", '["hr","orders"]'), None, True),
    ]
    offered = discovered(namespace="public")
    patch = patched(tmp_path, "connection", live, changes, shop___discovered__orders=offered)
    assert changed_lines(patch) == ['-    "updated_at"', '+    "id"']
    assert unresolved(patch) == ["connection shop: stream orders (namespace hr): its type is unknown"]


def test_a_cursor_and_a_key_that_the_mode_leaves_out_stay_in_the_file(tmp_path: Path) -> None:
    live = streams({"name": "orders", "syncMode": "full_refresh_append", "selectedFields": ["email"]})
    changes: list[Change] = [
        (("streams", "orders", "sync_mode"), "incremental_append", "full_refresh_append"),
        (("streams", "orders", "cursor_field"), "updated_at", None),
        (("streams", "orders", "primary_key"), "id", None),
    ]
    patch = patched(tmp_path, "connection", live, changes)
    assert changed_lines(patch) == ['-  "sync_mode": "incremental",', '+  "sync_mode": "full_refresh",']


def test_a_removed_stream_keeps_its_file_and_is_selected_there_again(tmp_path: Path) -> None:
    gone: Change = (("streams", "orders"), True, None)
    other = stream(stream="users")
    patch = patched(tmp_path / "out", "connection", streams(), [gone], shop__users=other)
    assert '+  "selected": false,' in changed_lines(patch)

    again: Change = (("streams", "orders"), None, True)
    live = streams({**STREAM, "selectedFields": ["id", "updated_at"]})
    before = stream(selected=False, backfill="2026-01")
    patch = patched(tmp_path / "back", "connection", live, [again], shop__orders=before)
    assert changed_lines(patch) == [
        '-    "email": {',
        '-      "type": "string"',
        "-    },",
        '-  "selected": false,',
        '+  "selected": true,',
    ]
    assert unresolved(patch) == ["connection shop: orders.backfill: its token 2026-01 requests a full re-read"]


def test_a_stream_that_the_lake_never_had_is_a_new_file(tmp_path: Path) -> None:
    offered = {
        "stream": "refunds",
        "options": {"sync_modes": ["full_refresh", "incremental"]},
        "fields": {"id": {"type": ["null", "integer"]}, "at": {"type": "string"}, "more": {"type": "string"}},
    }
    live = streams(
        {"name": "refunds", "syncMode": "incremental_append", "cursorField": ["at"], "selectedFields": ["id", "at"]}
    )
    added: Change = (("streams", "refunds"), None, True)
    patch = patched(tmp_path, "connection", live, [added], shop___discovered__refunds=offered)
    assert patch.ok
    assert "new file mode 100644\n--- /dev/null\n+++ b/streams/shop/refunds.json\n" in patch.text
    assert '+  "cursor_field": [' in changed_lines(patch)
    assert '+      "type": "integer"' in changed_lines(patch)
    assert "more" not in patch.text

    unknown: Change = (("streams", "other"), None, True)
    patch = patched(tmp_path, "connection", streams({"name": "other"}), [unknown])
    assert (patch.text, unresolved(patch)) == ("", ["connection shop: stream other: its type is unknown"])


def test_a_configuration_changes_in_the_file_or_in_the_stack_that_has_the_value(tmp_path: Path) -> None:
    live: Document = {"configuration": {"s3_bucket_name": "it's mine", "format": {"format_type": "JSONL"}}}
    changes: list[Change] = [
        (("configuration", "format", "format_type"), "Parquet", "JSONL"),
        (("configuration", "s3_bucket_name"), "landing", "it's mine"),
        (("configuration", "secret_access_key"), "[secret]", "other"),
        (("configuration", "s3_bucket_region"), "us-west-1", None),
    ]
    patch = patched(tmp_path, "destination", live, changes)
    assert changed_lines(patch) == [
        '-    "s3_bucket_region": "us-west-1",',
        '-      "format_type": "Parquet"',
        '+      "format_type": "JSONL"',
    ]
    remedies = [each.remedy for each in patch.left]
    assert remedies[0].startswith("`pulumi config set lotus:landing_bucket -- 'it'\"'\"'s mine'`")
    assert remedies[1].startswith("`pulumi config set --secret lotus:s3_secret_access_key`")
    assert patch.problems  # The bucket's region is required.


def test_a_secret_that_airbyte_rotates_stays_in_its_file_byte_for_byte(tmp_path: Path) -> None:
    rotating = {"$secret": "refresh_token", "rotates": True}
    live: Document = {"configuration": {"count": 20, "token": "[secret]"}}
    changes: list[Change] = [(("configuration", "count"), 10, 20)]

    file = source(configuration={"count": 10, "token": rotating})
    patch = patched(tmp_path, "source", live, changes, shop___source=file)

    assert changed_lines(patch) == ['-    "count": 10,', '+    "count": 20,']
    assert patch.left == ()


def test_a_change_that_no_file_can_express_has_a_remedy(tmp_path: Path) -> None:
    changes: list[Change] = [
        (("status",), "active", "locked"),
        (("destinationId",), "1", "2"),
        (("name",), "Shop → S3", "Mine"),
        (("streams", "orders", "anything"), None, [{"type": "new"}]),
    ]
    patch = patched(tmp_path, "connection", connection(status="locked"), changes)
    assert patch.text == ""
    assert unresolved(patch) == [
        "connection shop: status: a file can't make a connection locked",
        "connection shop: destinationId: no file of the lake has a key for it",
        "connection shop: orders.anything: a stream file has no key for it",
        'connection shop: name: it is called "Mine", but the files produce "Shop → S3"',
    ]
    assert all(each.remedy for each in patch.left)


def test_a_label_that_the_files_do_not_produce_is_reported(tmp_path: Path) -> None:
    patch = patched(tmp_path, "source", {"name": "Store"}, [(("name",), "Shop", "Store")])
    assert changed_lines(patch) == ['-  "name": "Shop",', '+  "name": "Store",']
    assert unresolved(patch) == ['connection shop: name: it is called "Shop → S3", but the files produce "Store → S3"']


def test_a_property_that_the_code_changed_too_stays_as_the_code_has_it(tmp_path: Path) -> None:
    write(tmp_path / "streams", clean_files())
    both = PropertyDrift(("configuration", "count"), 1, 2, 3)
    late = PropertyDrift(("configuration", "seed"), 1, 2, 2)
    patch = patch_of(Drift((DriftedObject("source", "shop", (both, late), (), {}),), {}), tmp_path / "streams")
    assert (patch.text, unresolved(patch)) == ("", ["source shop: configuration.count: the code changed it too"])


def test_a_patch_that_the_checks_refuse_says_why(tmp_path: Path) -> None:
    live = streams({**STREAM, "selectedFields": ["id", "email"]})
    patch = patched(tmp_path, "connection", live, [(("streams", "orders", "fields", "updated_at"), True, None)])
    [problem] = patch.problems
    assert problem.file.endswith("streams/shop/orders.json")
    assert "is not among the selected fields" in problem.what
    assert not patch.ok


def test_a_secret_that_airbyte_does_not_show_is_reported(tmp_path: Path) -> None:
    files = destination(configuration={"s3_bucket_path": "raw"})
    change: Change = (("configuration", "role", "key"), None, "[secret]")
    patch = patched(tmp_path, "destination", {"configuration": {"role": {}}}, [change], _destinations__s3=files)
    assert unresolved(patch) == [
        "destination s3: configuration.role.key: it is a secret, so Airbyte does not show its value"
    ]


MARKER = "Zq7mK0wX4vB9"
UNDESCRIBED: list[tuple[str, Any]] = [
    ("headers", [f"Authorization: Bearer {MARKER}"]),
    ("pat", MARKER),
    ("webhook_url", f"https://hooks.example.com/{MARKER}"),
    ("extra", {"nested": [MARKER]}),
    ("s3_endpoint", f"https://user:{MARKER}@s3.example.com"),
]


@pytest.mark.parametrize(("key", "value"), UNDESCRIBED)
def test_a_live_value_that_may_be_a_secret_is_in_no_patch_and_is_not_shown(
    tmp_path: Path, key: str, value: Any
) -> None:
    change: Change = (("configuration", key), None, value)
    drifted = DriftedObject(
        "destination", "s3", (PropertyDrift(change[0], None, None, value),), (), {"configuration": {key: value}}
    )
    patch = patched(tmp_path, "destination", {"configuration": {key: value}}, [change])
    lake = load_lake(tmp_path / "streams").lake
    shown = without_hidden_values(Drift((drifted,), {}), lake)

    texts = [patch.text, *map(str, patch.left), *map(str, patch.problems), render(shown)]
    assert MARKER not in "".join(texts)
    assert MARKER not in str(as_document(shown, patch))
    assert unresolved(patch) == [f"destination s3: configuration.{key}: it may be a secret"]
    assert [each.kind for each in shown.objects[0].differences] == [DriftKind.CHANGED]


def test_a_hidden_value_that_the_file_refers_to_is_not_in_the_command_that_sets_it(tmp_path: Path) -> None:
    change: Change = (("configuration", "s3_bucket_name"), "landing", f"https://u:{MARKER}@s3.example.com")
    patch = patched(tmp_path, "destination", {"configuration": {"s3_bucket_name": change[2]}}, [change])
    assert MARKER not in str(patch)
    assert patch.left[0].remedy.startswith("`pulumi config set --secret lotus:landing_bucket`")


def test_a_label_that_holds_a_credential_is_not_written(tmp_path: Path) -> None:
    label = f"Shop redis://:{MARKER}@cache"
    patch = patched(tmp_path, "source", {"name": label}, [(("name",), "Shop", label)])
    assert MARKER not in str(patch)
    assert unresolved(patch)[0] == "source shop: name: it holds a credential, and the file would show it"


def test_hidden_values_that_differ_still_look_different() -> None:
    values = ("https://u:p@a", "https://u:p@b", "https://u:p@c")
    both = PropertyDrift(("configuration", "url"), *values)
    shown = hide_difference(both)
    assert (shown.kind, len({shown.code, shown.state, shown.live})) == (both.kind, 3)
