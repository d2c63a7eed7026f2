"""What `lotus doctor` says of a state, of clocks, and of a folder that is no project."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pulumi_airbyte.values import JsonObject

from lotus_infra.commands.doctor.backend import credentials_in_urls, guard, open_places
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult
from lotus_infra.commands.doctor.servers import clock
from lotus_infra.commands.doctor.state import check_state
from lotus_infra.commands.doctor.versions import plugins
from lotus_infra.errors import LotusError
from tests.support.commands import stand_in_engine, write_stack

MASK = "**********"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SCHEMA: JsonObject = {
    "properties": {
        "key": {"airbyte_secret": True},
        "login": {"oneOf": [{"properties": {"pin": {"airbyte_secret": True}}}]},
    }
}
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def hidden(value: object) -> dict[str, Any]:
    return SECRET | {"plaintext": json.dumps(value)}


def source(
    configuration: object, urn: str = "urn:pulumi:prod::lotus::airbyte:index/source:Source::shop"
) -> dict[str, Any]:
    return {"urn": urn, "type": "airbyte:index/source:Source", "inputs": {"configuration": configuration}}


def told(*resources: dict[str, Any], pending: list[Any] | None = None) -> list[CheckResult]:
    exported = json.dumps({"version": 3, "deployment": {"resources": resources, "pending_operations": pending}})
    return list(check_state(exported, "lotus", "prod", lambda *_: SCHEMA))


def test_a_state_whose_secrets_are_hidden_is_well() -> None:
    [finding] = told(source({"key": hidden("a"), "login": {"pin": hidden("b"), "user": "c"}, "count": 1}))

    assert finding.state == "ok"


@pytest.mark.parametrize(
    ("configuration", "what"),
    [
        ({"key": hidden(MASK)}, "Source shop has Airbyte's mask instead of a value at configuration.key"),
        (
            hidden({"login": {"user": MASK}}),
            "Source shop has Airbyte's mask instead of a value at configuration.login.user",
        ),
        ({"key": "a"}, "Source shop has plain-text values that its connector calls secret: key"),
        ({"login": {"pin": "b"}}, "Source shop has plain-text values that its connector calls secret: login.pin"),
    ],
)
def test_masks_and_open_secrets_are_broken_and_no_value_is_told(configuration: object, what: str) -> None:
    [finding] = told(source(configuration))

    assert (finding.state, finding.what) == ("broken", what)
    assert finding.remedy


def test_what_is_of_another_project_is_broken_and_what_never_ended_a_warning() -> None:
    other = source({}, "urn:pulumi:prod::copy::airbyte:index/source:Source::shop")

    found = told(other, pending=[{"type": "creating", "resource": source({})}])

    assert [(each.state, each.what) for each in found] == [
        ("warning", "creating Source shop is a pending operation"),
        ("broken", "the state has resources of another project or stack: copy"),
    ]


def test_a_connector_that_nobody_describes_is_a_warning() -> None:
    exported = json.dumps({"deployment": {"resources": [source({"key": "a"})]}})

    [finding] = check_state(exported, "lotus", "prod", lambda *_: None)

    assert (finding.state, finding.what) == (
        "warning",
        "the secret fields of Source shop are unknown: no connector specification",
    )


def test_what_is_no_state_is_one_finding() -> None:
    [finding] = check_state("{}", "lotus", "prod", lambda *_: None)

    assert (finding.state, finding.what) == ("broken", "the state is not an export of pulumi")


@pytest.mark.parametrize(("apart", "state"), [(0, "ok"), (59, "ok"), (61, "broken"), (-7200, "broken")])
def test_a_clock_more_than_a_minute_off_is_broken(apart: int, state: str) -> None:
    served = format_datetime(NOW + timedelta(seconds=apart), usegmt=True)

    assert [finding.state for finding in clock("Airbyte", served, NOW)] == [state]


def test_a_server_that_does_not_tell_its_time_has_no_finding() -> None:
    assert list(clock("Airbyte", "", NOW)) == []


def test_a_stack_that_is_not_named_or_a_folder_without_a_project_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(LotusError, match=r"no Pulumi\.yaml at or above"):
        StackContext.of(tmp_path, None, {})
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    for stack in ("dev", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {}\n", encoding="utf-8")
    with pytest.raises(LotusError, match="no stack selected: pass --stack NAME, one of dev, prod"):
        StackContext.of(tmp_path, None, {})


def production_stack(folder: Path, **values: object) -> StackContext:
    """A production stack in a project whose state is in a bucket."""
    project = {"name": "lotus", "backend": {"url": "s3://lake-state?region=us-west-1"}}
    (folder / "Pulumi.yaml").write_text(json.dumps(project), encoding="utf-8")
    config = {"lotus:production": "true", "airbyte:serverUrl": "https://airbyte.example.com/api/public/v1"}
    given = {f"lotus:{key}": value for key, value in values.items()}
    (folder / "Pulumi.prod.yaml").write_text(json.dumps({"config": config | given}), encoding="utf-8")
    return StackContext.of(folder, "prod", {"HOME": str(folder)})


def test_a_run_that_is_refused_is_broken_by_the_same_words(tmp_path: Path) -> None:
    case = production_stack(tmp_path)
    redirected = replace(case, environment={**case.environment, "AWS_ENDPOINT_URL": "http://user:pa55word@elsewhere"})

    assert list(guard(case)) == []
    [finding] = guard(redirected)
    assert finding.what == (
        "$AWS_ENDPOINT_URL sends the backend s3://lake-state?region=us-west-1 to http://***@elsewhere"
    )
    assert finding.remedy == "unset AWS_ENDPOINT_URL, or give backend.url an endpoint of its own"


def test_credentials_in_the_urls_of_a_stack_are_warned_of_and_not_shown(tmp_path: Path) -> None:
    secret = {"secure": "v1:https://user:pa55word@host"}
    case = production_stack(tmp_path, hook="https://hooks.example.com/?token=pa55word", other=secret)

    found = list(credentials_in_urls(case))

    assert [each.what for each in found] == [
        "lotus:hook of the stack has credentials in its URL, https://hooks.example.com/?token=***",
    ]
    assert {each.state for each in found} == {"warning"}


def test_places_that_this_machine_decides_are_warned_of(tmp_path: Path) -> None:
    zone = {"server": "aws", "region": "us-west-1", "landing": "landing", "backup": "backup"}
    deployed = {"deploy": True, "image": "a/b:1.13.27", "chart": {"version": "1.13.27"}}
    dagster = {**deployed, "cluster": {"context": "lake"}}

    assert len(list(open_places(production_stack(tmp_path, landingZone=zone, dagster=dagster)))) == 2
    named = {**deployed, "cluster": {"context": "lake", "server": "https://lake.example.com"}}
    case = production_stack(tmp_path, landingZone={**zone, "account": "012345678901"}, dagster=named)
    assert list(open_places(case)) == []


S3_ZONE = {
    "server": "s3",
    "region": "us-west-1",
    **{name: f"example-{name}" for name in ("landing", "state", "backup")},
}
ENGINE = """case "$*" in
*plugin*) echo '[]' ;;
*export*) cat "$(dirname "$0")/../state.json" ;;
*) echo v3.259.0 ;;
esac"""


@pytest.mark.parametrize(
    ("values", "types", "needed"),
    [
        ({}, [], []),
        ({"lotus:dagster": {"deploy": False}}, [], []),
        ({"lotus:landingZone": S3_ZONE, "lotus:s3_access_key_id": "a", "lotus:s3_secret_access_key": "b"}, [], ["aws"]),
        ({}, ["kubernetes:core/v1:Namespace"], ["kubernetes"]),
    ],
    ids=["nothing", "Dagster elsewhere", "a landing zone", "a namespace that is left in the state"],
)
def test_only_plugins_that_a_stack_needs_are_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], types: list[str], needed: list[str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    (tmp_path / "streams").mkdir()
    write_stack(tmp_path, "dev", {"lotus:workspaceId": "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"} | values)
    stand_in_engine(tmp_path, monkeypatch, ENGINE)
    resources = [{"urn": f"urn:pulumi:dev::lotus::{each}::one", "type": each} for each in types]
    (tmp_path / "state.json").write_text(json.dumps({"deployment": {"resources": resources}}))

    found = list(plugins(StackContext.of(tmp_path / "streams", "dev")))

    assert [each.what.split()[1].rstrip(":") for each in found] == needed
    assert {each.state for each in found} <= {"warning"}
