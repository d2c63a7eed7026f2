"""Permissions, OAuth credentials, a source that a person signed in, and a region: on the real engine, killed or not."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from airbyte_twin.records import Region, Secret
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.crashes import kill_at
from tests.engine.harness import Pulumi
from tests.engine.lake import call
from tests.provider.lab import LAB_SOURCE, with_lab
from tests.provider.lake import GUEST, ORGANIZATION, with_people
from tests.provider.plain import live_ids

Document = dict[str, Any]
REGIONS: Final = {"eu": "5a1c0f1e-0000-4000-8000-000000000041", "us": "5a1c0f1e-0000-4000-8000-000000000042"}
HIDDEN: Final = ("consent-of-april", "consent-of-may", "the-secret-of-an-app", "another-secret-of-it", "a-token")
PROGRAM: Final = """
import json
from pathlib import Path

import pulumi
import pulumi_airbyte as airbyte

wanted = json.loads(Path("wanted.json").read_text())
config = pulumi.Config()
room = airbyte.Workspace("room", region_id=wanted["region"])
guest = airbyte.Permission(
    "guest", user_id=wanted["guest"], workspace_id=room.workspace_id, permission_type=wanted["role"]
)
member = airbyte.Permission(
    "member",
    user_id=wanted["guest"],
    organization_id=wanted["organization"],
    permission_type="organization_member",
    opts=pulumi.ResourceOptions(depends_on=[guest]),
)
credentials = airbyte.OauthCredentials(
    "faker",
    workspace_id=room.workspace_id,
    actor_type="source",
    name="faker",
    configuration={"credentials": {"client_id": "an-app", "client_secret": config.require_secret("app")}},
    opts=pulumi.ResourceOptions(depends_on=[member]),
)
tag = airbyte.Tag("pii", workspace_id=room.workspace_id, opts=pulumi.ResourceOptions(depends_on=[credentials]))
airbyte.Source(
    "signed",
    workspace_id=room.workspace_id,
    definition_id=wanted["lab"],
    configuration={"host": wanted["host"], "credentials": {"method": "token"}},
    secret_id=config.require_secret("consent"),
    opts=pulumi.ResourceOptions(depends_on=[tag]),
)
"""
FIRST: Final[Document] = {"region": REGIONS["eu"], "role": "workspace_editor", "host": "one.example.com"}
SECOND: Final[Document] = {"region": REGIONS["us"], "role": "workspace_admin", "host": "two.example.com"}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningTwin]:
    folder = tmp_path / "data"
    folder.mkdir()
    with running_twin(data_dir=with_lab(folder), edition="cloud") as twin:
        with_people(twin)
        for name, region_id in REGIONS.items():
            region = Region(id=region_id, name=name, organization_id=ORGANIZATION, created_at=0, updated_at=0)
            twin.store.regions.put(region)
        for consent in HIDDEN[:2]:
            twin.store.secrets.put(Secret(id=consent, value=json.dumps({"token": f"a-token of {consent}"})))
        yield twin


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], cloud: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    server = {"AIRBYTE_SERVER_URL": cloud.public_url, "AIRBYTE_RETRY_BASE_SECONDS": "0", "PULUMI_PARALLEL": "1"}
    pulumi.environment.update(server)
    pulumi.program(PROGRAM)
    declare(pulumi, FIRST, "consent-of-april", "the-secret-of-an-app")
    return pulumi


def declare(pulumi: Pulumi, wanted: Document, consent: str, app: str) -> None:
    """Let the program have these values and secrets."""
    given = wanted | {"guest": GUEST, "organization": ORGANIZATION, "lab": LAB_SOURCE}
    (pulumi.project / "wanted.json").write_text(json.dumps(given), encoding="utf-8")
    pulumi.config_set("consent", consent, secret=True)
    pulumi.config_set("app", app, secret=True)


def assert_clean(pulumi: Pulumi) -> None:
    """Neither a preview nor a refresh shows anything, in either order."""
    assert pulumi.preview("--json").ok().changes() == ()
    assert pulumi.run("refresh", "--yes", "--skip-preview", "--json").ok().changes() == ()
    assert pulumi.preview("--json").ok().changes() == ()


def token(twin: RunningTwin) -> str:
    """The token that the source has."""
    [source] = [each for each in twin.store.actors if not each.deleted]
    node: Any = (source.configuration or {})["credentials"]
    secret = twin.store.secrets.get(node["token"]["_secret"])
    return secret.value if secret else ""


def made(twin: RunningTwin) -> dict[str, int]:
    """How many objects there are of each kind of the program, the workspace that was there before not counted."""
    kinds = ("permission", "oauthCredentials", "tag", "source", "workspace")
    return {kind: len(live_ids(twin.store)[kind]) - (kind == "workspace") for kind in kinds}


ONE_OF_EACH: Final = {"permission": 2, "oauthCredentials": 1, "tag": 1, "source": 1, "workspace": 1}


def test_everything_is_made_changed_imported_and_deleted_and_clean_each_time(
    project: Pulumi, cloud: RunningTwin
) -> None:
    shown = project.up().ok().output
    assert_clean(project)
    assert (made(cloud), token(cloud)) == (ONE_OF_EACH, "a-token of consent-of-april")

    declare(project, SECOND, "consent-of-may", "another-secret-of-it")
    planned = project.preview("--json").ok().changes()
    assert {(step.op, step.name) for step in planned} == {
        ("update", name) for name in ("room", "guest", "faker", "signed")
    }
    shown += project.up("--diff").ok().output
    assert_clean(project)
    assert (made(cloud), token(cloud)) == (ONE_OF_EACH, "a-token of consent-of-may")
    state = (project.state / ".pulumi" / "stacks" / "test-project" / "test.json").read_text(encoding="utf-8")
    assert [text for text in HIDDEN if text in shown + state] == []

    stack = project.run("stack", "export").ok().json()["deployment"]["resources"]
    found = [each for each in stack if each["type"].endswith(("Permission", "OauthCredentials"))]
    taken = [{"type": each["type"], "name": each["urn"].split("::")[-1], "id": each["id"]} for each in found]
    # All but the workspace leaves the state; what is not imported is adopted.
    first = next(each["urn"] for each in found if each["urn"].endswith("guest"))
    project.run("state", "delete", first, "--yes", "--target-dependents", "--force").ok()
    file = project.project / "import.json"
    file.write_text(json.dumps({"resources": taken}), encoding="utf-8")
    project.run(
        "import", "--file", str(file), "--yes", "--skip-preview", "--protect=false", "--generate-code=false"
    ).ok()
    project.environment["AIRBYTE_ADOPT_EXISTING"] = "identical"
    # What Airbyte does not show is written once.
    assert {step.name for step in project.preview("--json").ok().changes() if step.op == "update"} == {"faker"}
    project.up().ok()
    assert_clean(project)
    assert made(cloud) == ONE_OF_EACH

    project.destroy().ok()
    assert made(cloud) == dict.fromkeys(ONE_OF_EACH, 0)


def test_what_someone_changed_or_deleted_is_seen_and_put_back(project: Pulumi, cloud: RunningTwin) -> None:
    project.up().ok()
    ids = {each["urn"].split("::")[-1]: str(each["id"]) for each in project.resources().values() if "id" in each}
    call(cloud, "PATCH", f"/permissions/{ids['guest']}", {"permissionType": "workspace_reader"})
    call(cloud, "PATCH", f"/workspaces/{ids['room']}", {"regionId": REGIONS["us"]})
    call(cloud, "DELETE", f"/tags/{ids['pii']}")
    project.refresh().ok()
    planned = project.preview("--json").ok().changes()
    assert {(step.op, step.name) for step in planned} == {("create", "pii"), ("update", "guest"), ("update", "room")}
    project.up().ok()
    assert_clean(project)


@pytest.mark.parametrize("number", range(1, 16))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_any_call_ends_with_one_of_each(
    project: Pulumi, cloud: RunningTwin, moment: str, number: int
) -> None:
    project.environment["AIRBYTE_ADOPT_EXISTING"] = "identical"
    if not kill_at(project, cloud, ("up", "--yes", "--skip-preview"), moment, number):
        pytest.skip("the run has fewer calls")
    project.run("cancel", "--yes").ok()
    project.up().ok()
    assert (made(cloud), token(cloud)) == (ONE_OF_EACH, "a-token of consent-of-april")
    assert_clean(project)
