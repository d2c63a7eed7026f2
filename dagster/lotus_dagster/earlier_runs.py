"""What a stream's earlier runs mean for the next one. Sensors of files and of jobs follow the same rule.

While a run of a stream is under way, its sensor waits. A run that failed is requested again, whether or not rows
arrive: after a minute, and after twice as long each time that it fails again, up to an hour. A model whose SQL has
changed is built again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

import dagster as dg

from lotus_dagster.retries import FAILED, retry_time

REMEMBERED: Final = 12
"""The last runs of a stream that decide; enough for the longest wait."""
SENSOR_TAG: Final = "dagster/sensor_name"
"""Dagster's tag of a run that a sensor has requested."""
STREAM_TAG: Final = "lotus/stream"
"""The tag of a run with the stream whose models it builds."""
_CODE_VERSION: Final = "dagster/code_version"
"""Dagster's tag of a materialization."""
_UNDER_WAY: Final = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """No run may be requested yet.

    Attributes:
        reason: Why, for people.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class FailedRun:
    """The stream's last run, which did not succeed.

    Attributes:
        run_id: Its id.
        again_at: When to ask for it again.
    """

    run_id: str
    again_at: datetime

    @property
    def key(self) -> str:
        """Names the request for the run after it."""
        return f"after-{self.run_id}"


@dataclass(frozen=True, slots=True)
class EditedModel:
    """A model whose SQL has changed since it was materialized: marts may need its new columns before rows arrive.

    Attributes:
        version: Of its SQL.
        run_id: The run that materialized it.
    """

    version: str
    run_id: str

    @property
    def key(self) -> str:
        """Names the request for a run, once for each change: the SQL of an earlier day may come back."""
        return f"edit-{self.version}-{self.run_id}"


def run_tags(source: str, stream: str) -> dict[str, str]:
    """The tags of a run that builds a stream's models."""
    return {"lotus/source": source, STREAM_TAG: stream, "dagster/max_retries": "2"}


def after(runs: Sequence[dg.RunRecord], now: datetime) -> Waiting | FailedRun | None:
    """What a stream's earlier runs demand: to wait, or to request the failed one again; None for neither.

    Args:
        runs: The stream's, the last one first.
        now: The time.
    """
    if runs and runs[0].dagster_run.status in _UNDER_WAY:
        return Waiting(f"run {runs[0].dagster_run.run_id} is still reading the batch before")
    failed = list(takewhile(lambda run: run.dagster_run.status in FAILED, runs))
    if not failed:
        return None
    failure = FailedRun(failed[0].dagster_run.run_id, retry_time(failed[0], len(failed)))
    if now < failure.again_at:
        return Waiting(
            f"run {failure.run_id} failed: it is requested again at {failure.again_at:%Y-%m-%d %H:%M:%S} UTC;"
            " re-execute it to run it now"
        )
    return failure


def edited_model(instance: dg.DagsterInstance, versions: Mapping[dg.AssetKey, str | None]) -> EditedModel | None:
    """The first model whose SQL is not that of its last materialization.

    Args:
        instance: Of Dagster.
        versions: The code version of each model.
    """
    for asset, version in sorted(versions.items()):
        event = instance.get_latest_materialization_event(asset)
        if event is None or event.asset_materialization is None or version is None:
            continue
        if (event.asset_materialization.tags or {}).get(_CODE_VERSION, version) != version:
            return EditedModel(version, event.run_id)
    return None
