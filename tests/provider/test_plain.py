"""Connectors of one's own and tags: the promises of all resources, for each kind and each property."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.provider.properties import Secret

from tests.provider.lab import with_lab
from tests.provider.lake import Document, Lake, lake_of
from tests.provider.plain import ALL, PERMISSION, TAG, Plain, manifest
from tests.provider.plugin import NOTHING, Object, Plugin, error, token
from tests.provider.refresh import assert_clean, drifted
from tests.provider.ways import IMAGES, MANIFEST

KINDS = [pytest.param(plain, id=kind) for kind, plain in ALL.items()]
UPDATES = [
    pytest.param(plain, {key: value}, id=f"{kind}.{key}")
    for kind, plain in ALL.items()
    for key, value in plain.updates.items()
]
REPLACES = [
    pytest.param(plain, {key: value}, id=f"{kind}.{key}")
    for kind, plain in ALL.items()
    for key, value in {**plain.replaces, "workspaceId": str(uuid4())}.items()
]


def made(plugin: Plugin, lake: Lake, plain: Plain, **changes: Any) -> Object:
    return plugin.made(plain.kind, plain.given(lake, **changes))


@pytest.mark.parametrize("plain", KINDS)
def test_what_was_made_is_as_the_program_says_and_clean(plugin: Plugin, lake: Lake, plain: Plain) -> None:
    lake.twin.clear_calls()
    found = made(plugin, lake, plain)
    assert lake.asked() == [plain.look(lake), f"POST {plain.path(lake)}"]
    live = plain.live(lake, found.id)
    assert {key: live.get(key) for key in plain.said} == plain.said
    assert found.id in found.outputs.values()
    assert_clean(plugin, plain.kind, found)


@pytest.mark.parametrize(("plain", "change"), UPDATES)
def test_a_change_in_place_is_one_writing_call_and_clean(
    plugin: Plugin, lake: Lake, plain: Plain, change: Document
) -> None:
    known = made(plugin, lake, plain)
    new = plugin.checked(plain.kind, plain.given(lake) | change)
    found = plugin.diff(plain.kind, known.inputs, new, known.outputs, object_id=known.id)
    assert (found.properties, found.replaces) == ([*change], [])
    lake.twin.clear_calls()
    updated = plugin.update(plain.kind, known, new)
    assert lake.writes() == [f"{plain.verb} {plain.path(lake, known.id)}"]
    assert {key: plain.live(lake, known.id)[key] for key in change} == change
    assert_clean(plugin, plain.kind, updated)


@pytest.mark.parametrize(("plain", "change"), REPLACES)
def test_what_the_server_can_not_change_needs_a_new_object(
    plugin: Plugin, lake: Lake, plain: Plain, change: Document
) -> None:
    known = made(plugin, lake, plain)
    new = plugin.checked(plain.kind, plain.given(lake) | change)
    found = plugin.diff(plain.kind, known.inputs, new, known.outputs, object_id=known.id)
    assert found.replaces == [*change]


@pytest.mark.parametrize(("plain", "change"), UPDATES)
def test_an_edit_on_the_server_is_seen_and_repaired(plugin: Plugin, lake: Lake, plain: Plain, change: Document) -> None:
    [key] = change
    known = made(plugin, lake, plain, **({"color": "111111"} if plain.kind == TAG else {}))
    plain.edit(lake, known.id, **change)
    assert {path.partition(".")[0] for path in drifted(plugin, plain.kind, known)} == {key}
    assert plain.live(lake, known.id)[key] == known.inputs[key]


@pytest.mark.parametrize("plain", KINDS)
def test_what_somebody_deleted_is_gone_and_its_delete_no_error(plugin: Plugin, lake: Lake, plain: Plain) -> None:
    known = made(plugin, lake, plain)
    lake.api("DELETE", plain.path(lake, known.id))
    assert plugin.read(plain.kind, known) is None
    if plain.updates:
        new = plugin.checked(plain.kind, plain.given(lake) | dict([next(iter(plain.updates.items()))]))
        assert "does not exist any more" in error(lambda: plugin.update(plain.kind, known, new))
    plugin.delete(plain.kind, known.id, known.inputs)


@pytest.mark.parametrize("plain", KINDS)
def test_a_delete_is_one_writing_call(plugin: Plugin, lake: Lake, plain: Plain) -> None:
    known = made(plugin, lake, plain)
    lake.twin.clear_calls()
    plugin.delete(plain.kind, known.id, known.inputs)
    assert lake.writes() == [f"DELETE {plain.path(lake, known.id)}"]
    assert plugin.read(plain.kind, known) is None


@pytest.mark.parametrize("plain", KINDS)
def test_an_import_by_id_is_clean_against_the_code_that_made_it(plugin: Plugin, lake: Lake, plain: Plain) -> None:
    # The API finds a definition under its workspace only, and an import has no more than an id.
    lake.api("POST", "/workspaces", {"name": "Another"})
    known = made(plugin, lake, plain)
    found = plugin.imported(plain.kind, known.id)
    assert plugin.checked(plain.kind, found.inputs) == found.inputs
    assert plugin.diff(plain.kind, found.inputs, known.inputs, found.outputs, object_id=known.id) == NOTHING
    assert_clean(plugin, plain.kind, found)
    assert plugin.read(plain.kind, Object(str(uuid4()), {}, {})) is None


@pytest.mark.parametrize("edition", ["community", "cloud"])
@pytest.mark.parametrize("kind", [MANIFEST, TAG, PERMISSION])
def test_an_id_that_the_server_does_not_know_is_gone_in_each_edition(
    unconfigured: Plugin, tmp_path: Path, edition: Any, kind: str
) -> None:
    with running_twin(saves=False, edition=edition, data_dir=with_lab(tmp_path)) as twin, lake_of(twin) as lake:
        unconfigured.configure(serverUrl=twin.public_url)
        known = made(unconfigured, lake, ALL[kind])
        gone = Object(str(uuid4()), known.inputs, known.outputs)
        assert unconfigured.read(kind, gone) is None
        assert unconfigured.imported(kind, known.id).id == known.id
        lake.fault(method="GET", path=known.id, status=403, times=None)
        assert "403" in error(lambda: unconfigured.read(kind, known))


@pytest.mark.parametrize("plain", KINDS)
@pytest.mark.parametrize("preview", [True, False])
def test_what_is_identical_is_adopted_only_where_that_is_asked_for(
    unconfigured: Plugin,
    lake: Lake,
    plain: Plain,
    preview: bool,  # noqa: FBT001
) -> None:
    plugin = unconfigured
    plugin.configure(serverUrl=lake.twin.public_url)
    known = made(plugin, lake, plain)
    plugin.next_run()
    lake.twin.clear_calls()
    message = error(lambda: plugin.create(plain.kind, known.inputs, preview=preview))
    assert f'"{plain.label(lake, plugin.name)}" ({known.id}) already, and it is identical.' in message
    assert f"pulumi import {token(plain.kind)} thing {known.id}" in message
    assert "adoptExisting" in message

    plugin.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
    adopted = plugin.create(plain.kind, known.inputs, preview=preview)
    assert lake.writes() == []
    assert adopted.outputs == known.outputs
    assert plain.named(lake, plugin.name) == [known.id]


@pytest.mark.parametrize(
    ("plain", "change", "place"),
    [
        *(pytest.param(ALL[kind], {"dockerImageTag": "2"}, "dockerImageTag", id=kind) for kind in IMAGES),
        pytest.param(ALL[MANIFEST], {"manifest": manifest(version="7.0.0")}, "manifest.version", id=MANIFEST),
        pytest.param(ALL[TAG], {"color": "123456"}, "color", id=TAG),
        pytest.param(ALL[PERMISSION], {"permissionType": "workspace_admin"}, "permissionType", id=PERMISSION),
    ],
)
def test_what_differs_is_refused_with_the_place_and_the_import_line(
    unconfigured: Plugin, lake: Lake, plain: Plain, change: Document, place: str
) -> None:
    plugin = unconfigured
    plugin.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
    known = made(plugin, lake, plain)
    plugin.next_run()
    inputs = plugin.checked(plain.kind, plain.given(lake) | change)
    message = error(lambda: plugin.create(plain.kind, inputs))
    assert f"and it differs from the program: see {place}." in message
    assert f"pulumi import {token(plain.kind)} thing {known.id}" in message


@pytest.mark.parametrize("plain", KINDS)
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 504, "commit": True}], ids=str)
def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(
    plugin: Plugin, lake: Lake, plain: Plain, fault: Document
) -> None:
    lake.fault(method="POST", path=f"{plain.path(lake)}$", **fault)
    found = made(plugin, lake, plain)
    assert plain.named(lake, plugin.name) == [found.id]
    assert_clean(plugin, plain.kind, found)


def test_a_connector_of_the_same_name_with_another_image_is_another_one(plugin: Plugin, lake: Lake) -> None:
    plain = ALL["sourceDefinition"]
    found = made(plugin, lake, plain, name="Lab", dockerRepository="registry.example.com/lab")
    assert len(plain.named(lake, "Lab")) == 2
    assert_clean(plugin, plain.kind, found)


def test_forty_tags_or_definitions_are_refreshed_by_a_few_calls(plugin: Plugin, lake: Lake) -> None:
    for plain in (ALL[TAG], ALL[MANIFEST]):
        each = [made(plugin, lake, plain, name=f"{plugin.name} {number}") for number in range(12)]
        plugin.next_run()
        lake.twin.clear_calls()
        for known in each:
            assert plugin.refreshed(plain.kind, known).inputs == known.inputs
        assert len(lake.asked()) <= 4


# What belongs to one kind


@pytest.mark.parametrize("kind", IMAGES)
def test_a_page_of_documentation_that_the_program_leaves_out_is_the_servers(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    plain = ALL[kind]
    known = made(plugin, lake, plain, documentationUrl="https://desk.example.com/docs")
    assert_clean(plugin, kind, known)
    without = plugin.checked(kind, plain.given(lake))
    assert plugin.diff(kind, known.inputs, without, known.outputs, object_id=known.id) == NOTHING
    # The engine's state has the program's inputs from then on.
    assert_clean(plugin, kind, Object(known.id, without, known.outputs))


@pytest.mark.parametrize("write", [json.dumps, lambda given: f"# A comment\n{json.dumps(given, indent=1)}\n"])
def test_a_manifest_may_be_text_and_is_compared_as_data(plugin: Plugin, lake: Lake, write: Any) -> None:
    plain = ALL[MANIFEST]
    known = made(plugin, lake, plain)
    reordered = dict(reversed(manifest().items()))
    new = plugin.checked(MANIFEST, plain.given(lake, manifest=write(reordered)))
    assert plugin.diff(MANIFEST, known.inputs, new, known.outputs, object_id=known.id) == NOTHING


def test_yaml_is_read_as_the_data_that_the_connector_reads(plugin: Plugin, lake: Lake) -> None:
    text = """
    version: 6.44.0
    type: DeclarativeSource
    definitions:
      auth: &auth {type: NoAuth}
      copy: {<<: *auth, on: 1}
    since: 2026-01-01
    responses: {429: RETRY, yes: true}
    streams: [~, {name: a}]
    """
    checked = plugin.checked(MANIFEST, ALL[MANIFEST].given(lake, manifest=text))
    assert checked["manifest"] == {
        "version": "6.44.0",
        "type": "DeclarativeSource",
        "definitions": {"auth": {"type": "NoAuth"}, "copy": {"type": "NoAuth", "on": 1}},
        "since": "2026-01-01",
        "responses": {"429": "RETRY", "yes": True},
        "streams": [None, {"name": "a"}],
    }
    assert_clean(plugin, MANIFEST, plugin.create(MANIFEST, checked))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", "is text that is neither YAML nor JSON (line 1)"),
        ("a: !!python/object:os.system 1", "is text that is neither YAML nor JSON (line 1)"),
        ("- a", "must be a mapping"),
        ("", "is required"),
        (1, "must be an object"),
    ],
)
def test_a_text_that_is_no_manifest_is_refused(plugin: Plugin, lake: Lake, text: Any, reason: str) -> None:
    failures = plugin.check(MANIFEST, ALL[MANIFEST].given(lake, manifest=text)).failures
    assert failures["manifest"].startswith(reason)


def test_a_secret_manifest_stays_secret(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake, ALL[MANIFEST], manifest=Secret(json.dumps(manifest())))
    assert isinstance(known.inputs["manifest"]["version"], Secret)
    assert_clean(plugin, MANIFEST, known)


@pytest.mark.parametrize(
    ("changes", "path"), [({"name": "x" * 31}, "name"), ({"color": "#FF00AA"}, "color"), ({"color": "red"}, "color")]
)
def test_a_tag_that_the_server_would_refuse_is_refused_in_the_preview(
    plugin: Plugin, lake: Lake, changes: Document, path: str
) -> None:
    assert [*plugin.check(TAG, ALL[TAG].given(lake, **changes)).failures] == [path]


def test_a_tag_without_a_color_keeps_the_color_that_it_has(unconfigured: Plugin, lake: Lake) -> None:
    plugin, plain = unconfigured, ALL[TAG]
    plugin.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
    tag = lake.tag(plugin.name, "ABCDEF")
    known = made(plugin, lake, plain)
    assert (known.id, known.outputs["color"]) == (tag["tagId"], "ABCDEF")
    lake.api("PATCH", f"/tags/{known.id}", tag | {"color": "FEDCBA"})
    assert plugin.diff(TAG, known.inputs, known.inputs, known.outputs, object_id=known.id) == NOTHING
    renamed = plugin.update(TAG, known, plugin.checked(TAG, plain.given(lake, name="renamed")))
    assert plain.live(lake, known.id)["color"] == "FEDCBA"
    assert_clean(plugin, TAG, renamed)


# What Airbyte deletes with a definition


def actor_of(lake: Lake, kind: str, definition_id: str, name: str = "by hand") -> str:
    """A source or destination of a definition, by somebody else."""
    side = "destination" if kind == "destinationDefinition" else "source"
    body = {"name": name, "workspaceId": lake.twin.workspace_id, "definitionId": definition_id}
    return str(lake.api("POST", f"/{side}s", body | {"configuration": {"api_key": "k"}})[f"{side}Id"])


@pytest.mark.parametrize("kind", [*IMAGES, MANIFEST])
def test_a_definition_in_use_is_not_deleted_unless_that_is_asked_for(plugin: Plugin, lake: Lake, kind: str) -> None:
    plain, side = ALL[kind], "destination" if kind == "destinationDefinition" else "source"
    known = made(plugin, lake, plain)
    actor_id = actor_of(lake, kind, known.id)
    lake.twin.clear_calls()
    message = error(lambda: plugin.delete(kind, known.id, known.inputs))
    assert f'1 {side} that the program has not deleted, and all their connections: "by hand" ({actor_id})' in message
    assert "forceDestroy" in message
    assert lake.writes() == []

    forced = plugin.update(kind, known, known.inputs | {"forceDestroy": True})
    assert lake.writes() == []
    assert lake.live(f"{side}s", actor_id)["configuration"]
    plugin.delete(kind, known.id, forced.inputs)
    assert lake.live(f"{side}s", actor_id)["configuration"] is None


def test_what_was_deleted_before_holds_no_definition_back(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake, ALL[MANIFEST])
    source = plugin.made("source", {"workspaceId": lake.twin.workspace_id, "definitionId": known.id,
                                    "configuration": {"api_key": "k"}})  # fmt: skip
    plugin.next_run()
    assert source.id in error(lambda: plugin.delete_now(MANIFEST, known.id, known.inputs))
    plugin.delete_now("source", source.id, source.inputs)
    plugin.delete_now(MANIFEST, known.id, known.inputs)
    assert plugin.read(MANIFEST, known) is None


def test_a_list_that_fails_deletes_no_definition(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake, ALL[MANIFEST])
    lake.fault(method="GET", path="/sources", status=500, times=None)
    assert "could not list sources: 500" in error(lambda: plugin.delete(MANIFEST, known.id, known.inputs))
    lake.twin.twin.faults.clear()
    assert plugin.refreshed(MANIFEST, known).inputs == known.inputs


# Sources of a definition


def test_a_source_is_checked_by_the_specification_that_its_definition_gets_in_the_same_run(
    plugin: Plugin, lake: Lake
) -> None:
    plain = ALL[MANIFEST]
    known = made(plugin, lake, plain)

    def said(**configuration: Any) -> Document:
        given = {"workspaceId": lake.twin.workspace_id, "definitionId": known.id}
        return given | {"configuration": {"api_key": "k"} | configuration}

    source = plugin.made("source", said(region="eu"))
    assert isinstance(source.inputs["configuration"]["api_key"], Secret)
    plugin.next_run()
    assert "region" in str(plugin.check("source", said(region="jp"), source.inputs).failures)

    # The preview of a run that changes the manifest too: the server has the old one.
    plugin.next_run()
    wider = manifest()
    wider["spec"]["connection_specification"] = {"type": "object", "properties": {
        "api_key": {"type": "string", "airbyte_secret": True},
        "region": {"type": "string"},
        "token": {"type": "string", "airbyte_secret": True},
    }}  # fmt: skip
    new = plugin.checked(MANIFEST, plain.given(lake, manifest=wider))
    plugin.diff(MANIFEST, known.inputs, new, known.outputs, object_id=known.id)
    previewed = plugin.check("source", said(region="jp", token="t"), source.inputs)
    assert previewed.failures == {}
    # Whether a new value is a secret is not known yet.
    assert isinstance(previewed.inputs["configuration"]["token"], Secret)

    plugin.update(MANIFEST, known, new)
    checked = plugin.check("source", said(region="jp", token="t"), source.inputs).inputs["configuration"]
    assert (checked["region"], checked["token"]) == ("jp", Secret("t"))
    assert "region" in str(plugin.check("source", said(region=1), source.inputs).failures)
