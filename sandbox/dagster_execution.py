"""One run of Dagster in this process, recorded in the instance like any other, and what came of it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import dagster as dg

from sandbox.dagster_report import Run

OURS: Final = {"lotus/sandbox": "true"}
"""The tag of the runs that are executed here: what is left of them under way was killed."""
_UNDER_WAY: Final = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


class Execution:
    """Runs assets of the code location.

    Args:
        definitions: the code location's.
        instance: where runs and events are kept.
    """

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._job, self._instance = definitions.resolve_implicit_global_asset_job_def(), instance

    def run(
        self, name: str, assets: Sequence[dg.AssetKey], run_config: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Run:
        """Materialize assets, with their checks, and wait for it."""
        began = time.monotonic()
        done = self._job.execute_in_process(
            run_config={**run_config, **_QUIET},
            instance=self._instance,
            asset_selection=assets,
            tags={**tags, **OURS},
            raise_on_error=False,
        )
        checks = done.get_asset_check_evaluations()
        failed = [check for check in checks if not check.passed]
        made = [event.asset_key for event in done.get_asset_materialization_events()]
        return Run(
            name=name,
            run_id=done.run_id,
            assets=tuple(key.to_user_string() for key in made if key is not None),
            tests_passed=len(checks) - len(failed),
            tests_warned=tuple(one.check_name for one in failed if one.severity == dg.AssetCheckSeverity.WARN),
            tests_failed=tuple(one.check_name for one in failed if one.severity == dg.AssetCheckSeverity.ERROR),
            seconds=round(time.monotonic() - began, 1),
            failure=None if done.success else _failure(done),
        )

    def end_what_was_killed(self) -> int:
        """Mark runs that a killed process left under way as failed, since sensors wait for them; returns how many."""
        left = self._instance.get_runs(dg.RunsFilter(tags=OURS, statuses=_UNDER_WAY))
        for run in left:
            self._instance.report_run_failed(run, "the process that ran it was killed")
            self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return len(left)


def _failure(done: dg.ExecuteInProcessResult) -> str:
    """What the failed steps said, without tracebacks; of a run that failed before its first step, what that said."""
    errors = [event.step_failure_data.error for event in done.get_step_failure_events()]
    told = [error.message for error in errors if error is not None]
    return (
        "\n".join(told or [done.get_run_failure_event().message or "the run failed"])
        .partition("\nTraceback")[0]
        .strip()
    )
