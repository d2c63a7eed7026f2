"""The cursors of sensors, where Dagster's daemon keeps them: what one has read, the other does not read again.

Dagster has no public way to set a cursor without a running webserver, so its own classes write the daemon's record.
"""

from typing import Final

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from sandbox.dagster_home import CODE_LOCATION

_REPOSITORY: Final = "__repository__"
"""Dagster's name for the definitions of a module."""


class Cursors:
    """Every sensor's cursor.

    Args:
        instance: where Dagster keeps them.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def read(self, sensor: str) -> str | None:
        """A sensor's cursor; None before its first tick."""
        state = self._state(_origin(sensor))
        return _data_of(state).cursor if state is not None else None

    def write(self, sensor: dg.SensorDefinition, cursor: str) -> None:
        """Keep a sensor's cursor."""
        origin = _origin(sensor.name)
        state = self._state(origin)
        if state is not None:
            self._instance.update_instigator_state(state.with_data(_data_of(state)._replace(cursor=cursor)))
            return
        data = SensorInstigatorData(
            cursor=cursor, min_interval=sensor.minimum_interval_seconds, sensor_type=sensor.sensor_type
        )
        state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE, data)
        self._instance.add_instigator_state(state)

    def _state(self, origin: RemoteInstigatorOrigin) -> InstigatorState | None:
        return self._instance.get_instigator_state(origin.get_id(), origin.get_selector().get_id())


def _data_of(state: InstigatorState) -> SensorInstigatorData:
    return state.instigator_data if isinstance(state.instigator_data, SensorInstigatorData) else SensorInstigatorData()


def _origin(sensor: str) -> RemoteInstigatorOrigin:
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        loadable_target_origin=LoadableTargetOrigin(module_name=CODE_LOCATION), location_name=CODE_LOCATION
    )
    return RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, _REPOSITORY), sensor)
