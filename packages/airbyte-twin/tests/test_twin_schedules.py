"""Schedules of both APIs."""

from typing import Any

import pytest
from twin_support import HOURLY, Api, serving

VALID = [
    "0 0 * * * ?", "0 30 6 ? * MON-FRI", "0 0/15 * * * ?", "0 0 12 1,15 * ?", "0 0 12 L * ?", "0 0 12 LW * ?",
    "0 0 12 15W * ?", "0 0 12 ? * 6#3", "0 0 12 ? * FRIL", "0 15 10 ? JAN,DEC 2 2026-2030", "0 0 0 ? * SUN",
    "0 0 5-1 * * ?", "0 9-3 * * * ?",
]  # fmt: skip
INVALID = [
    "", "nonsense", "* * * * *", "0 0 * * * *", "0 0 ? * ? *", "60 0 * * * ?", "0 60 * * * ?", "0 0 24 * * ?",
    "0 0 0 32 * ?", "0 0 0 ? 13 MON", "0 0 0 ? * FUN", "* 0 * * * ?", "0 * 0 * * ? 2026", "0 0 0 * * ? 1900",
    "0 0/0 * * * ?", "0 30/60 * * * ?", "@daily", "0 0 * * * ? Europe/Paris", "0 0 * * * ? 2026 2027", "0 0 * * * ?;",
]  # fmt: skip


def cron(expression: str | None) -> dict[str, Any]:
    return {"scheduleType": "cron", **({} if expression is None else {"cronExpression": expression})}


def update(api: Api, connection: Any, status: int = 200, /, **members: Any) -> Any:
    return api.config("/connections/update", {"connectionId": connection["connectionId"], **members}, status)


def config_cron(expression: str = "0 0 * * * ?", zone: str = "Europe/Paris") -> dict[str, Any]:
    data = {"cron": {"cronExpression": expression, "cronTimeZone": zone}}
    return {"scheduleType": "cron", "scheduleData": data}


def test_without_a_schedule_a_connection_is_manual(api: Api) -> None:
    assert api.connection()["schedule"] == {"scheduleType": "manual"}


@pytest.mark.parametrize("sent", ["0 0 * * * ?", "0 0 * * * ? UTC"])
def test_a_cron_expression_reads_back_with_its_zone(api: Api, sent: str) -> None:
    assert api.connection(schedule=cron(sent))["schedule"] == cron("0 0 * * * ? UTC")


def test_valid_and_invalid_expressions_are_told_apart(api: Api) -> None:
    connection = api.connection()
    path = f"/connections/{connection['connectionId']}"
    for expression in VALID:
        assert api.patch(path, {"schedule": cron(expression)})["schedule"] == cron(f"{expression} UTC")
    for expression in INVALID:
        problem = api.patch(path, {"schedule": cron(expression)}, 400)
        assert problem["data"]["message"].startswith(f"The cron expression {expression} is not valid")


def test_a_cron_schedule_needs_an_expression(api: Api) -> None:
    body = {"sourceId": api.source()["sourceId"], "destinationId": api.destination()["destinationId"]}
    problem = api.post("/connections", {**body, "schedule": cron(None)}, 400)
    assert problem["data"]["message"] == "Missing cron expression in the schedule."


def test_the_public_api_cannot_write_a_basic_schedule(api: Api) -> None:
    connection = api.connection()
    path = f"/connections/{connection['connectionId']}"
    refusal = api.patch(path, {"schedule": {"scheduleType": "basic"}}, 400)
    assert "[cron, manual]" in refusal["_embedded"]["errors"][0]["message"]


def test_a_basic_schedule_of_the_config_api_reads_as_a_sentence(api: Api) -> None:
    connection = api.connection(schedule=HOURLY)
    data = {"basicSchedule": {"timeUnit": "hours", "units": 1}}
    read = update(api, connection, scheduleType="basic", scheduleData=data)
    assert read["scheduleData"] == data
    shown = api.get(f"/connections/{connection['connectionId']}")["schedule"]
    assert shown == {"scheduleType": "basic", "basicTiming": "Every 1 HOURS"}


def test_a_patch_without_schedule_leaves_a_basic_one_alone(api: Api) -> None:
    connection = api.connection()
    update(api, connection, scheduleType="basic", scheduleData={"basicSchedule": {"timeUnit": "days", "units": 2}})
    patched = api.patch(f"/connections/{connection['connectionId']}", {"name": "x"})
    assert patched["schedule"]["basicTiming"] == "Every 2 DAYS"


def test_a_public_patch_of_a_cron_schedule_resets_its_zone(api: Api) -> None:
    connection = api.connection()
    path = f"/connections/{connection['connectionId']}"
    update(api, connection, **config_cron())
    assert api.get(path)["schedule"] == cron("0 0 * * * ? Europe/Paris")
    assert api.patch(path, {"schedule": HOURLY})["schedule"] == cron("0 0 * * * ? UTC")


@pytest.mark.parametrize(
    ("members", "title"),
    [
        ({"scheduleType": "cron", "scheduleData": {}}, "missing-cron-data"),
        ({"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 * * * ?"}}}, "missing-component"),
        (config_cron(zone="Etc/GMT+1"), "invalid-timezone"),
        (config_cron(zone="etc/utc"), "invalid-timezone"),
        (config_cron(zone="Nowhere/City"), "invalid-timezone"),
        (config_cron(expression="nonsense"), "invalid-expression"),
        (config_cron(expression="nonsense", zone="Nowhere/City"), "invalid-expression"),
    ],
)
def test_the_config_api_names_what_is_wrong_with_a_cron(api: Api, members: Any, title: str) -> None:
    assert update(api, api.connection(), 400, **members)["type"] == f"error:cron-validation/{title}"


@pytest.mark.parametrize("members", [{}, {"scheduleData": {}}])
def test_a_basic_schedule_without_its_data_breaks_the_server(api: Api, members: Any) -> None:
    assert set(update(api, api.connection(), 500, scheduleType="basic", **members)) == {"errorId"}


def test_a_cron_schedule_without_any_data_breaks_the_server(api: Api) -> None:
    assert set(update(api, api.connection(), 500, scheduleType="cron")) == {"errorId"}


def test_the_config_api_can_go_back_to_manual(api: Api) -> None:
    connection = api.connection(schedule=HOURLY)
    assert update(api, connection, scheduleType="manual")["scheduleType"] == "manual"


def test_only_the_cloud_refuses_schedules_below_an_hour(api: Api) -> None:
    often = cron("0 0/15 * * * ?")
    api.connection(schedule=often)
    with serving(edition="cloud") as cloud:
        connection = cloud.connection()
        path = f"/connections/{connection['connectionId']}"
        problem = cloud.patch(path, {"schedule": often}, 400)
        assert problem["type"] == "error:cron-validation/under-one-hour-not-allowed"
        data = {"basicSchedule": {"timeUnit": "minutes", "units": 30}}
        problem = update(cloud, connection, 400, scheduleType="basic", scheduleData=data)
        assert problem["type"] == "error:basic-schedule-validation/under-one-hour-not-allowed"
