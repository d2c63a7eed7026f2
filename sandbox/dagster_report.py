"""What came of a round of Dagster's runs, for processes that do not import Dagster."""

from collections import Counter

from pydantic import BaseModel, ConfigDict


class Run(BaseModel):
    """One run of Dagster.

    Attributes:
        name: the sensor that asked for it, or `marts`.
        assets: what it materialized, such as `main/int_shopify__orders`.
        tests_passed: dbt's tests.
        tests_warned: those that failed without being errors, by name.
        tests_failed: the others that failed, by name.
        quarantined: the stream's files in quarantine, with why.
        seconds: from its request to its end.
        failure: the message of the step that failed; None when the run succeeded.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    run_id: str
    assets: tuple[str, ...]
    tests_passed: int
    tests_warned: tuple[str, ...]
    tests_failed: tuple[str, ...]
    quarantined: dict[str, str] = {}
    seconds: float
    failure: str | None


class Report(BaseModel):
    """All runs, in their order.

    Attributes:
        materialized: how often each asset was, by runs of Dagster's daemon too.
        refused: sensors whose look failed, with the reason; nothing was concluded from it.
        skipped: sensors whose files were left unread, with the reason.
        seconds: where the time went: `loading`, `looking`, `running`, and `waiting` for runs of Dagster's daemon.
    """

    model_config = ConfigDict(frozen=True)

    runs: tuple[Run, ...]
    materialized: Counter[str]
    refused: dict[str, str]
    skipped: dict[str, str] = {}
    seconds: dict[str, float]

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that went wrong, a line each."""
        ran = (f"{run.name}: {run.failure}" for run in self.runs if run.failure is not None)
        return (*(f"{name}: {why}" for name, why in self.refused.items()), *ran)
