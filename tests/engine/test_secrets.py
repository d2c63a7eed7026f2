"""Secrets by the real engine: each change is seen where it is and nowhere else, is written, and shows no value."""

import sys
from pathlib import Path

from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi, Step
from tests.engine.lake import SECRETS, Lake, call

ROTATED = "second-value-of-the-shopify-password"
PATH = "configuration.credentials.api_password"


def planned(lake: Lake, *arguments: str) -> list[Step]:
    return list(lake.pulumi.preview("--json", *arguments).ok().changes())


def stored(twin: RunningTwin) -> list[str]:
    return [secret.value for secret in twin.store.secrets]


def test_a_rotated_secret_is_one_update_of_its_holder_that_shows_no_value(applied: Lake) -> None:
    unchanged = applied.pulumi.preview("--diff").ok().output
    applied.pulumi.config_set("lotus:shopify_api_password", ROTATED, secret=True)

    [step] = planned(applied)
    assert (step.op, step.name, list(step.detailed)) == ("update", "shopify", [PATH])
    preview = applied.pulumi.preview("--diff", "--show-secrets=false").ok()
    assert "~ api_password: [secret] => [secret]" in preview.stdout
    up = applied.pulumi.up("--diff", "--show-full-output", "--show-reads").ok()

    assert [method for method, path in applied.writes() if "specifications" not in path] == ["PUT"]
    assert ROTATED in stored(applied.twin)
    commands = [("stack", "export"), ("stack", "history", "--json"), ("stack", "--show-urns")]
    shown = "".join(applied.pulumi.run(*command).ok().output for command in commands)
    seen = unchanged + preview.output + up.output + shown + applied.written() + str(applied.live("sources"))
    for value in (*SECRETS.values(), ROTATED):
        assert value not in seen
    assert planned(applied, "--refresh") == []


def test_a_secret_that_is_missing_fails_before_any_write(lake: Lake) -> None:
    lake.pulumi.run("config", "rm", "lotus:klaviyo_api_key").ok()

    assert "klaviyo_api_key" in lake.pulumi.up().failed().output

    assert lake.writes() == []


def test_a_secret_that_somebody_rotated_is_shown_by_a_refresh_and_put_back_by_up(applied: Lake) -> None:
    source = applied.one("sources", "Shopify")
    theirs = {"auth_method": "api_password", "api_password": "a-value-of-somebody-else"}
    edited = source["configuration"] | {"credentials": theirs}
    applied.api("PUT", f"/sources/{source['sourceId']}", {"name": "Shopify", "configuration": edited})

    shown = applied.pulumi.refresh("--diff").ok().output
    assert f"{PATH}: changed outside the program" in shown
    [step] = planned(applied)
    assert (step.op, step.name, list(step.detailed)) == ("update", "shopify", [PATH])
    applied.pulumi.up().ok()

    assert stored(applied.twin)[-1] == SECRETS["shopify_api_password"]
    assert planned(applied, "--refresh") == []
    for value in (*SECRETS.values(), *theirs.values()):
        assert value == "api_password" or value not in shown + applied.written()


PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
airbyte.Source(
    "made-up",
    workspace_id=config.require("workspace"),
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": config.require_int("count")},
    check_connection=True,
)
"""


def test_a_source_whose_check_fails_is_kept_and_repaired_under_the_same_id(
    tmp_path: Path, engine: list[Path], twin: RunningTwin
) -> None:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
    pulumi.config_set("workspace", twin.workspace_id)
    pulumi.config_set("count", "10")
    twin.twin.faults.add(Fault(path="/check_connection", status=500))

    failed = pulumi.up().failed().output

    [made] = call(twin, "GET", "/sources")["data"]
    assert f"The source {made['sourceId']} was written, but its check failed" in failed
    assert [step.op for step in pulumi.preview("--json").ok().changes()] == ["update"]
    twin.clear_calls()
    pulumi.up().ok()
    assert [request.path for request in twin.calls() if request.method == "POST"] == [
        "/api/v1/sources/check_connection"
    ]
    pulumi.config_set("count", "20")
    pulumi.up().ok()
    [repaired] = call(twin, "GET", "/sources")["data"]
    assert repaired == made | {"configuration": {"count": 20}}
    assert [step.op for step in pulumi.preview("--json", "--refresh").ok().changes()] == []
