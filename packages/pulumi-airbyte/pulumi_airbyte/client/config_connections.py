"""Connections in the Config API: properties that the public API lacks."""

from typing import Any, Final

from pydantic import Field

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.models import Connection, Schedule, Wire, parse
from pulumi_airbyte.values import JsonObject

NEEDED: Final = "Settings that the public API does not have need"


class BasicSchedule(Wire):
    """Every so many units."""

    time_unit: str = Field(alias="timeUnit")
    units: int


class Cron(Wire):
    """A cron expression and its zone."""

    cron_expression: str = Field(alias="cronExpression")
    cron_time_zone: str = Field(alias="cronTimeZone")


class ScheduleData(Wire):
    """The data of a schedule that is not manual (ConnectionScheduleData)."""

    basic_schedule: BasicSchedule | None = Field(default=None, alias="basicSchedule")
    cron: Cron | None = None


class ConfigConnection(Wire):
    """A connection's Config API properties that the public API lacks (ConnectionRead)."""

    connection_id: str = Field(alias="connectionId")
    workspace_id: str = Field(default="", alias="workspaceId")
    status: str = "active"
    schedule_data: ScheduleData = Field(default=ScheduleData(), alias="scheduleData")
    breaking_change: bool = Field(default=False, alias="breakingChange")
    status_reason: str | None = Field(default=None, alias="statusReason")
    notify_schema_changes: bool | None = Field(default=None, alias="notifySchemaChanges")
    notify_schema_changes_by_email: bool | None = Field(default=None, alias="notifySchemaChangesByEmail")
    backfill_preference: str | None = Field(default=None, alias="backfillPreference")
    resource_requirements: dict[str, Any] | None = Field(default=None, alias="resourceRequirements")

    @property
    def schedule(self) -> Schedule:
        """The schedule as the public API would show it (airbyte-platform, ConnectionReadMapper)."""
        basic, cron = self.schedule_data.basic_schedule, self.schedule_data.cron
        if cron is not None:
            return Schedule(schedule_type="cron", cron_expression=f"{cron.cron_expression} {cron.cron_time_zone}")
        if basic is not None:
            return Schedule(schedule_type="basic", basic_timing=f"Every {basic.units} {basic.time_unit.upper()}")
        return Schedule(schedule_type="manual")


class ConfigConnectionList(Wire):
    """A workspace's connections (ConnectionReadList)."""

    connections: list[ConfigConnection] = Field(default_factory=list)


class SettledConnection(Connection):
    """A connection with its Config API settings.

    Attributes:
        settings: the properties that the public API lacks, by name.
    """

    settings: dict[str, Any] = Field(default_factory=dict)


class ConfigConnections(Calls):
    """Connections by the Config API."""

    def get_config_connection(self, connection_id: str) -> ConfigConnection:
        """POST /connections/get."""
        what = f"read the settings of connection {connection_id}"
        answer = self._config("/connections/get", what, {"connectionId": connection_id}, needed_by=NEEDED)
        return parse(ConfigConnection, answer, what)

    def list_config_connections(self, workspace_id: str) -> list[ConfigConnection]:
        """POST /connections/list: the connections of a workspace in one answer, without deleted ones."""
        what = f"list the connections of workspace {workspace_id}"
        answer = self._config("/connections/list", what, {"workspaceId": workspace_id}, needed_by=NEEDED)
        return parse(ConfigConnectionList, answer, what).connections

    def update_config_connection(self, connection_id: str, changes: JsonObject) -> ConfigConnection:
        """POST /connections/update. Absent properties stay, so the call is safe to repeat."""
        what = f"update the settings of connection {connection_id}"
        body = {"connectionId": connection_id, **changes}
        answer = self._config("/connections/update", what, body, needed_by=NEEDED, effect="sets")
        return parse(ConfigConnection, answer, what)
