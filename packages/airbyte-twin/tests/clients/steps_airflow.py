"""Steps of Airflow's provider of Airbyte: its hook, its operator, its sensor and its trigger."""

import asyncio
import json
import os
import time
from typing import Any

from airflow.providers.airbyte.hooks.airbyte import AirbyteHook
from airflow.providers.airbyte.operators.airbyte import AirbyteTriggerSyncOperator
from airflow.providers.airbyte.sensors.airbyte import AirbyteJobSensor
from airflow.providers.airbyte.triggers.airbyte import AirbyteSyncTrigger
from airflow.sdk.exceptions import TaskDeferred
from worker import serve

HELPERS = {"get_conn_params", "create_api_session", "get_ui_field_behaviour"}
"""What its methods use, and what needs no server."""


def connect(twin: dict[str, Any]) -> None:
    """Describe the twin as Airflow's connection `airbyte_default`."""
    connection = {"conn_type": "airbyte", "host": twin["public_url"]}
    if twin["auth"] == "client_credentials":
        connection.update(login=twin["client_id"], password=twin["client_secret"])
    os.environ["AIRFLOW_CONN_AIRBYTE_DEFAULT"] = json.dumps(connection)


def methods(twin: dict[str, Any]) -> Any:
    """Names of the hook's methods that call a server."""
    names = {name for name, member in vars(AirbyteHook).items() if callable(member) and not name.startswith("_")}
    return sorted(names - HELPERS)


def call(twin: dict[str, Any], method: str, **arguments: Any) -> Any:
    """What a method of the hook returns."""
    connect(twin)
    return getattr(AirbyteHook(), method)(**arguments)


def operator(twin: dict[str, Any], **arguments: Any) -> Any:
    """The number of the job whose end the operator waits for."""
    connect(twin)
    return AirbyteTriggerSyncOperator(task_id="sync", wait_seconds=0.01, **arguments).execute({})


def killed(twin: dict[str, Any], **arguments: Any) -> Any:
    """The number of a job that Airflow cancels, since the task is killed."""
    connect(twin)
    task = AirbyteTriggerSyncOperator(task_id="sync", asynchronous=True, **arguments)
    job = task.execute({})
    task.on_kill()
    return job


def deferred(twin: dict[str, Any], **arguments: Any) -> Any:
    """What the operator's trigger reports, after the operator gave its slot away."""
    connect(twin)
    task = AirbyteTriggerSyncOperator(task_id="sync", deferrable=True, **arguments)
    try:
        task.execute({})
    except TaskDeferred as left:
        left.trigger.poll_interval = 0.01
        event = asyncio.run(first(left.trigger)).payload
        task.execute_complete({}, event)
        return event
    raise AssertionError("it was not deferred")


def sensor(twin: dict[str, Any], **arguments: Any) -> Any:
    """Whether the sensor sees the end of a job."""
    connect(twin)
    return AirbyteJobSensor(task_id="sensor", **arguments).poke({})


def trigger(twin: dict[str, Any], **arguments: Any) -> Any:
    """What the trigger reports of a job."""
    connect(twin)
    made = AirbyteSyncTrigger(conn_id="airbyte_default", end_time=time.time() + 60, poll_interval=0.01, **arguments)
    return asyncio.run(first(made)).payload


async def first(made: Any) -> Any:
    """The event of a trigger."""
    async for event in made.run():
        return event
    raise AssertionError("it reports nothing")


if __name__ == "__main__":
    serve(
        {
            "methods": methods,
            "call": call,
            "operator": operator,
            "killed": killed,
            "deferred": deferred,
            "sensor": sensor,
            "trigger": trigger,
        }
    )
