"""A dbt build in a run of Dagster: built again if another writer was faster, and without the files that break it.

A build commits all of a model's new files or none. If it fails, parts of them are built to find the files that fail
alone: those are put in quarantine, the others are read, and the run succeeds with a check that shows them.
"""

import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dagster as dg
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context

from lotus_dagster import bookkeeping
from lotus_dagster.arrivals.reading import StoredFile
from lotus_dagster.dbt_command import FailedNode, LotusDbt, Outcome, attached_lake
from lotus_dagster.environment import FILES, PARTITIONS, Warehouse
from lotus_dagster.lake import Stream
from lotus_dagster.suspects import Verdict, search
from lotus_dagster.translator import LotusTranslator

_TRIES: Final = 8
_LONGEST_WAIT: Final = 20.0
"""Before a build is tried again, in seconds: it grows from below one second to this."""
_CONFLICT: Final = "Transaction conflict"
_NO_FILE_S_FAULT: Final = ("refused:", "can't be listed", _CONFLICT)
_AUDIT: Final = re.compile(r"audit of \S+ failed: ([^\n]+)")
_FAILED_TEST: Final = re.compile(r"(\S+) has (\d+) rows?")
_LONGEST_REASON: Final = 1_000


class _SearchInterruptedError(Exception):
    """A build failed in a search, by no file's fault."""


class Builder:
    """Builds what a run of Dagster has selected.

    Args:
        dbt: The project.
        context: The run's.
        units: The days and months to look at; everything if empty.
        full_refresh: Make the models from scratch.
    """

    def __init__(
        self,
        dbt: LotusDbt,
        context: dg.AssetExecutionContext,
        units: Sequence[str] = (),
        *,
        full_refresh: bool = False,
    ) -> None:
        self._dbt, self._context = dbt, context
        self._units = () if full_refresh else tuple(units)
        self._options = ("--full-refresh",) if full_refresh else ()
        # By dagster-dbt: the assets' manifest and translator, and dbt's options for the models and tests of this run.
        self._selected = get_updated_cli_invocation_params_for_context(
            context=context.op_execution_context, manifest={}, dagster_dbt_translator=LotusTranslator("")
        )

    def build(self) -> Outcome:
        """Build the selected models and run their tests."""
        # A test that compares a model with one further down runs with the latter: the former alone may be there first.
        tests = self._selected.indirect_selection or "buildable"
        return self._called("build", "--indirect-selection", tests, *self._selected.selection_args)

    def build_without_bad_files(self, stream: Stream, warehouse: Warehouse) -> Outcome:
        """Build; if models fail for single files, put these in quarantine and build again."""
        outcome = self.build()
        names = [self._model(failure) for failure in outcome.failures if _may_be_a_file_s_fault(failure)]
        verdicts = [self._put_aside(name, stream, warehouse) for name in names]
        if not verdicts or all(verdict.systemic for verdict in verdicts):
            return outcome
        return self.build()

    def events(self, outcome: Outcome) -> Iterator[Any]:
        """Dagster's events of a build.

        Raises:
            dagster.Failure: Something failed.
        """
        manifest, translator = self._selected.manifest, self._selected.dagster_dbt_translator
        for event in outcome.events:
            yield from event.to_default_asset_events(manifest, translator, context=self._context.op_execution_context)
        for failure in outcome.failures:
            yield from self._failed_audits(failure)
        if outcome.failures:
            raise dg.Failure("\n".join(failure.message for failure in outcome.failures))

    def _called(self, *arguments: str, batch: str = "", tries: int = _TRIES) -> Outcome:
        """Run a dbt command, again while another writer of the same model was faster: then it has seen old rows.

        The waits before it differ from run to run, so that of several runs one has time to commit.
        """
        variables = {PARTITIONS: " ".join(self._units), FILES: batch}
        command = [*arguments, *self._options]
        outcome = self._dbt.call(command, variables)
        for number in range(tries - 1):
            if not any(_CONFLICT in failure.message for failure in outcome.failures):
                break
            self._context.log.info("Another run has written the same model: building again.")
            time.sleep(random.uniform(0, min(2.0**number, _LONGEST_WAIT)))  # noqa: S311, no secret
            outcome = self._dbt.call(command, variables)
        return outcome

    def _model(self, failure: FailedNode) -> str:
        return str(self._selected.manifest["nodes"][failure.node]["name"])

    def _put_aside(self, model: str, stream: Stream, warehouse: Warehouse) -> Verdict[StoredFile]:
        """Put the files that the model can't be built with in quarantine."""
        with attached_lake(warehouse) as connection:
            if not bookkeeping.has_read(connection, model):
                self._units = ()  # Where the model looks now, and what the search reads of it does not change that.
            unread = bookkeeping.unread_files(connection, warehouse.landing, model, stream.prefix, self._units)
        self._context.log.warning(f"{model} can't be built: searching {len(unread)} new files for the reason.")
        with TemporaryDirectory(prefix="lotus-files-") as folder:
            try:
                verdict = search(unread, lambda part: self._error_with(part, model, Path(folder) / "files.json"))
            except _SearchInterruptedError as interruption:
                self._context.log.warning(f"The search has ended, since something else fails too: {interruption}")
                verdict = Verdict(systemic=True)
        with attached_lake(warehouse) as connection:
            for file, error in verdict.bad.items():
                self._context.log.error(f"{file.file} is put in quarantine: {error}")
                bookkeeping.quarantine(connection, model, file, error)
        return verdict

    def _error_with(self, files: Sequence[StoredFile], model: str, batch: Path) -> str | None:
        bookkeeping.write_batch(batch, files)
        # Two searches of one model would undo each other's builds for as long as they last: after a conflict, the other
        # writer alone goes on.
        outcome = self._called("run", "--quiet", "--select", model, batch=str(batch), tries=1)
        for failure in outcome.failures:
            if not _may_be_a_file_s_fault(failure):
                raise _SearchInterruptedError(failure.message)
        return "\n".join(failure.message for failure in outcome.failures)[:_LONGEST_REASON] or None

    def _failed_audits(self, failure: FailedNode) -> Iterator[dg.AssetCheckResult]:
        """The checks of the tests by which a model was not published; dbt does not run them when it fails."""
        found = _AUDIT.search(failure.message)
        rows = dict(_FAILED_TEST.findall(found[1])) if found is not None else {}
        for check in sorted(self._context.selected_asset_check_keys):
            if check.name in rows:
                yield dg.AssetCheckResult(
                    passed=False,
                    asset_key=check.asset_key,
                    check_name=check.name,
                    metadata={"dagster_dbt/failed_row_count": int(rows[check.name])},
                    description="Not published: the table keeps the rows that it had.",
                )


def _may_be_a_file_s_fault(failure: FailedNode) -> bool:
    return failure.node.startswith("model.") and not any(text in failure.message for text in _NO_FILE_S_FAULT)
