"""Connectors of one's own, tags, and every setting of a connection, on the real engine: set, changed and un-set."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import Pulumi
from tests.engine.lake import call, config_call
from tests.provider.lab import with_lab
from tests.provider.plain import manifest
from tests.provider.rewrites import ENCRYPTION, HASHING, RENAMING

Document = dict[str, Any]
PROGRAM: Final = """
import json
from pathlib import Path

import pulumi
import pulumi_airbyte as airbyte

wanted = json.loads(Path("wanted.json").read_text())
within = {"workspace_id": wanted["workspace"]}
config = pulumi.Config()


def mapper(given):
    settings = {**given["mapperConfiguration"]}
    if "key" in settings:
        settings["key"] = config.require_secret("key")
    return airbyte.ConnectionConfigurationsStreamMapperArgs(given["type"], settings)


tags = [airbyte.Tag(name, **within, **given) for name, given in wanted["tags"].items()]
desk = airbyte.DeclarativeSourceDefinition("desk", **within, manifest=Path("desk.yaml").read_text())
files = airbyte.SourceDefinition("files", **within, docker_repository="example/source-files", **wanted["image"])
store = airbyte.DestinationDefinition("store", **within, docker_repository="example/destination-lab", **wanted["image"])
configuration = {"api_key": config.require_secret("api_key"), "region": wanted["region"]}
tickets = airbyte.Source("desk", **within, definition_id=desk.id, configuration=configuration, **wanted["actor"])
shelf = airbyte.Source(
    "files", **within, definition_id=files.definition_id, configuration={"host": "h"}, **wanted["actor"]
)
end = airbyte.Destination(
    "store", **within, definition_id=store.definition_id, configuration={"path": "raw"}, **wanted["actor"]
)
streams = [
    airbyte.ConnectionConfigurationsStreamArgs(name, **{**given, "mappers": [*map(mapper, given["mappers"])] or None})
    for name, given in wanted["streams"].items()
]
airbyte.Connection(
    "files",
    source_id=shelf.source_id,
    destination_id=end.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(streams),
    tags=tags or None,
    **wanted["connection"],
)
airbyte.Connection(
    "desk",
    source_id=tickets.source_id,
    destination_id=end.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [airbyte.ConnectionConfigurationsStreamArgs("tickets", selected_fields=["id"])]
    ),
    tags=[
        airbyte.TagArgs(tag_id=tag.tag_id, name=tag.name, color=tag.color, workspace_id=wanted["workspace"])
        for tag in tags
    ],
)
"""
JOBS: Final = [{"jobType": "sync", "resourceRequirements": {"memory_limit": "2Gi"}}]
SET: Final[Document] = {
    "tags": {"pii": {"name": "PII", "color": "FF0000"}, "eu": {}},
    "image": {"docker_image_tag": "1.0.0", "documentation_url": "https://lab.example.com"},
    "region": "eu",
    "actor": {"resource_allocation": {"default": {"cpu_limit": "1"}, "jobSpecific": JOBS}},
    "streams": {
        "bare": {"mappers": [HASHING], "destination_object_name": "o"},
        "files": {"mappers": [], "include_files": True, "sync_mode": "full_refresh_append"},
    },
    "connection": {
        "status": "inactive",
        "resource_requirements": {"cpu_limit": "1", "memory_limit": "1Gi"},
        "namespace_definition": "custom_format",
        "namespace_format": "Lake-${SOURCE_NAMESPACE}",
        "prefix": "Raw-",
    },
}
CHANGED: Final[Document] = {
    "tags": {"pii": {"name": "Personal data", "color": "00FF00"}},
    "image": {"docker_image_tag": "1.1.0", "name": "Another name"},
    "region": "us",
    "actor": {"resource_allocation": {"default": {"cpu_limit": "2"}}},
    "streams": {
        "bare": {"mappers": [RENAMING], "destination_object_name": "p"},
        "files": {"mappers": [ENCRYPTION], "include_files": False, "sync_mode": "full_refresh_append"},
    },
    "connection": {
        "status": "active",
        "resource_requirements": {"cpu_limit": "2"},
        "namespace_definition": "source",
        "prefix": "raw_",
    },
}
UNSET: Final[Document] = {
    "tags": {},
    "image": {"docker_image_tag": "1.1.0"},
    "region": None,
    "actor": {},
    "streams": {"bare": {"mappers": []}, "files": {"mappers": [], "sync_mode": "full_refresh_append"}},
    "connection": {},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningTwin]:
    folder = tmp_path / "data"
    folder.mkdir()
    with running_twin(data_dir=with_lab(folder)) as twin:
        yield twin


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], server: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.environment["AIRBYTE_SERVER_URL"] = server.public_url
    pulumi.program(PROGRAM)
    pulumi.config_set("key", "000102030405060708090a0b0c0d0e0f", secret=True)
    pulumi.config_set("api_key", "an-api-key-value", secret=True)
    return pulumi


def declare(pulumi: Pulumi, twin: RunningTwin, wanted: Document, **changes: Any) -> None:
    given = wanted | {"workspace": twin.workspace_id}
    (pulumi.project / "wanted.json").write_text(json.dumps(given), encoding="utf-8")
    (pulumi.project / "desk.yaml").write_text(yaml.safe_dump(manifest(**changes)), encoding="utf-8")


def assert_clean(pulumi: Pulumi) -> None:
    """Neither a preview nor a refresh shows anything, in either order."""
    assert pulumi.preview("--json").ok().changes() == ()
    assert pulumi.run("refresh", "--yes", "--skip-preview", "--json").ok().changes() == ()
    assert pulumi.preview("--json").ok().changes() == ()


def live(twin: RunningTwin, name: str) -> Document:
    """A connection as the public API shows it, with what only the Config API has."""
    listed: list[Document] = call(twin, "GET", "/connections")["data"]
    [found] = [each for each in listed if each["name"] == name]
    more = config_call(twin, "/connections/get", {"connectionId": found["connectionId"]})
    return found | {"resourceRequirements": more.get("resourceRequirements")}


def tag_names(twin: RunningTwin, name: str) -> set[tuple[str, str]]:
    return {(tag["name"], tag["color"]) for tag in live(twin, name)["tags"]}


def streams_of(found: Document) -> tuple[Document, Document]:
    """The streams `bare` and `files` of a connection."""
    bare, files = sorted(found["configurations"]["streams"], key=lambda each: str(each["name"]))
    return bare, files


def assert_set(server: RunningTwin) -> None:
    found = live(server, "files")
    assert tag_names(server, "files") == tag_names(server, "desk") == {("PII", "FF0000"), ("eu", "CAC7FF")}
    shown = (found["status"], found["prefix"], found["namespaceFormat"])
    assert shown == ("inactive", "Raw-", "Lake-${SOURCE_NAMESPACE}")
    assert found["resourceRequirements"] == {"cpu_limit": "1", "memory_limit": "1Gi"}
    bare, files = streams_of(found)
    assert (files["includeFiles"], bare["destinationObjectName"]) == (True, "o")
    assert [mapper["type"] for mapper in bare["mappers"]] == ["hashing"]
    [source] = [each for each in call(server, "GET", "/sources")["data"] if each["name"] == "desk"]
    assert source["resourceAllocation"] == {"default": {"cpu_limit": "1"}, "jobSpecific": JOBS}
    assert source["configuration"] == {"api_key": "*" * 10, "region": "eu"}


def assert_changed(server: RunningTwin) -> None:
    assert tag_names(server, "files") == {("Personal data", "00FF00")}
    bare, files = streams_of(live(server, "files"))
    assert (files["includeFiles"], files["mappers"][0]["type"]) == (False, "encryption")
    assert bare["destinationObjectName"] == "p"


def assert_unset(server: RunningTwin) -> None:
    found = live(server, "files")
    assert (found["tags"], found["status"], found["prefix"]) == ([], "active", "")
    assert (found["namespaceDefinition"], found["resourceRequirements"] or {}) == ("destination", {})
    assert all(not each["mappers"] and "destinationObjectName" not in each for each in streams_of(found))
    assert call(server, "GET", "/tags")["data"] == []


def test_everything_is_set_changed_and_un_set_and_clean_each_time(project: Pulumi, server: RunningTwin) -> None:
    declare(project, server, SET)
    project.up().ok()
    assert_clean(project)
    assert_set(server)

    # The definitions and tags of the first run, changed in place: nothing is replaced.
    declare(project, server, CHANGED, version="6.45.0")
    assert {step.op for step in project.up("--json").ok().changes()} == {"update", "delete"}
    assert_clean(project)
    assert_changed(server)

    declare(project, server, UNSET, version="6.45.0")
    project.up().ok()
    assert_clean(project)
    assert_unset(server)

    project.destroy().ok()
    assert call(server, "GET", "/sources")["data"] == call(server, "GET", "/connections")["data"] == []
    root = f"/workspaces/{server.workspace_id}/definitions"
    assert call(server, "GET", f"{root}/declarative_sources")["data"] == []


def test_what_someone_changed_or_deleted_is_seen_and_put_back(project: Pulumi, server: RunningTwin) -> None:
    declare(project, server, SET)
    project.up().ok()
    pii, _ = sorted(call(server, "GET", "/tags")["data"], key=lambda tag: str(tag["name"]))
    call(server, "DELETE", f"/tags/{pii['tagId']}")
    connection = live(server, "desk")["connectionId"]
    call(server, "PATCH", f"/connections/{connection}", {"tags": []})
    root = f"/workspaces/{server.workspace_id}/definitions"
    [desk] = call(server, "GET", f"{root}/declarative_sources")["data"]
    call(server, "PUT", f"{root}/declarative_sources/{desk['id']}", {"manifest": manifest(version="1.0.0")})

    project.refresh().ok()
    planned = project.preview("--json").ok().changes()
    assert {(step.op, step.urn.split("::")[2].rpartition(":")[2], step.name) for step in planned} == {
        ("create", "Tag", "pii"),
        ("update", "DeclarativeSourceDefinition", "desk"),
        ("update", "Connection", "desk"),
        ("update", "Connection", "files"),
    }
    project.up().ok()
    assert tag_names(server, "files") == tag_names(server, "desk") == {("PII", "FF0000"), ("eu", "CAC7FF")}
    assert_clean(project)


def test_an_import_leaves_nothing_to_do(project: Pulumi, server: RunningTwin) -> None:
    declare(project, server, SET)
    project.up().ok()
    stack = project.run("stack", "export").ok().json()["deployment"]["resources"]
    kinds = ("Definition", "Tag")
    found = {each["urn"]: each for each in stack if each["type"].endswith(kinds)}
    assert len(found) == 5
    taken = [{"type": each["type"], "name": urn.split("::")[-1], "id": each["id"]} for urn, each in found.items()]
    for urn in found:
        project.run("state", "unprotect", urn, "--yes")
        project.run("state", "delete", urn, "--yes", "--target-dependents", "--force").ok()
    file = project.project / "import.json"
    file.write_text(json.dumps({"resources": taken}), encoding="utf-8")
    project.run(
        "import", "--file", str(file), "--yes", "--skip-preview", "--protect=false", "--generate-code=false"
    ).ok()
    project.environment["AIRBYTE_ADOPT_EXISTING"] = "identical"
    planned = project.preview("--json").ok().changes()
    assert {step.op for step in planned if step.urn in found} == set()
    project.up().ok()
    assert_clean(project)
    assert len(call(server, "GET", "/sources")["data"]) == 2


def test_a_definition_that_others_use_is_not_deleted(project: Pulumi, server: RunningTwin) -> None:
    declare(project, server, SET)
    project.up().ok()
    root = f"/workspaces/{server.workspace_id}/definitions"
    [desk] = call(server, "GET", f"{root}/declarative_sources")["data"]
    body = {"name": "Theirs", "workspaceId": server.workspace_id, "definitionId": desk["id"]}
    theirs = call(server, "POST", "/sources", body | {"configuration": {"api_key": "k"}})["sourceId"]
    refused = project.destroy().failed().output
    assert f'1 source that the program has not deleted, and all their connections: "Theirs" ({theirs})' in refused
    assert call(server, "GET", f"/sources/{theirs}")["configuration"]
    call(server, "DELETE", f"/sources/{theirs}")
    project.destroy().ok()


def test_a_new_stream_of_a_new_manifest_is_taken_in_the_same_run(project: Pulumi, server: RunningTwin) -> None:
    declare(project, server, SET)
    project.up().ok()
    second = manifest()
    copied = second["definitions"]["streams"]["tickets"] | {"name": "agents"}
    second["definitions"]["streams"]["agents"] = copied
    second["streams"].append({"$ref": "#/definitions/streams/agents"})
    second["spec"]["connection_specification"]["properties"]["region"] = {"type": "string"}
    declare(project, server, SET | {"region": "anywhere"}, **second)
    project.program(PROGRAM.replace(
        'StreamArgs("tickets", selected_fields=["id"])]',
        'StreamArgs("tickets", selected_fields=["id"]), airbyte.ConnectionConfigurationsStreamArgs("agents")]',
    ))  # fmt: skip
    project.preview().ok()
    project.up().ok()
    assert_clean(project)
    names = {each["name"] for each in live(server, "desk")["configurations"]["streams"]}
    assert names == {"tickets", "agents"}
