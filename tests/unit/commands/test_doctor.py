"""What `lotus doctor` says of a state, of clocks, and of a folder that is no project."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pulumi_airbyte.values import JsonObject

from lotus_infra.commands.doctor import CheckResult, StackContext, check_state, clock
from lotus_infra.errors import LotusError

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
