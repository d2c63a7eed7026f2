"""A dlt run of a stream: finish what a killed run has left, extract, keep the rows in the journal, land them.

dlt has the source, the cursor, the retries and Parquet; Lotus decides keys and columns, and when a run counts.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from pydantic import JsonValue

from lotus_dagster.arrivals.partitions import day_of
from lotus_dagster.ingestion.failures import plain_errors
from lotus_dagster.ingestion.journal import Journal, Record
from lotus_dagster.ingestion.module import resource_of
from lotus_dagster.ingestion.rows import Row, Rows
from lotus_dagster.ingestion.store import Store, store_of
from lotus_dagster.lake import Ingestion, Stream
from lotus_infra import naming
from lotus_infra.errors import LotusError, masked_urls
from lotus_infra.lake.diagnostics import JsonPath

if TYPE_CHECKING:
    from dlt import Pipeline
    from dlt.extract import DltResource, DltSource

_SETTINGS: Final = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "INFO",
    "NORMALIZE__DATA_WRITER__FILE_MAX_BYTES": str(200 << 20),
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "RESTORE_FROM_DESTINATION": "false",
}
"""dlt's settings of a run, unless the environment has others."""
_CORRECT_THE_MODULE: Final = "correct the module, its configuration or the source; the run's log has the traceback"
_NEXT_RUN: Final = "run it again: it lands the rows that are missing, and reads none of them again"
_Errors = Callable[[str, str], AbstractContextManager[None]]
_AFTER_THE_CURSOR: Final = 3
"""dlt compares a record with the cursor in a step of affinity 1, and a step of a higher one sees the rest."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What a run has landed.

    Attributes:
        rows: How many rows.
        generation: Their generation.
        resumed_rows: Rows of a run before that was killed, which this one has landed first.
        is_backfill: Whether a new token had the stream read from its start.
    """

    rows: int
    generation: int
    resumed_rows: int = 0
    is_backfill: bool = False


def land(
    stream: Stream, project: Path, landing: str, configuration: Mapping[str, JsonValue], log: logging.Logger
) -> Landed:
    """Land a stream.

    Args:
        stream: One that dlt reads.
        project: The folder of the lake.
        landing: `s3://<bucket>` or a folder.
        configuration: The arguments of the module's function.
        log: Where dlt's messages go too.

    Raises:
        BusyError: Another run of the stream was faster; this one has landed nothing that the other has not.
        LotusError: The module can't be used, or a record can't land.
    """
    if stream.ingestion is None:
        raise ValueError(f"{stream.source}/{stream.name} is not read by dlt")
    secrets = tuple(_values_at(configuration, stream.ingestion.secrets))
    errors = partial(plain_errors, f"{stream.source}/{stream.name}", log=log, secrets=secrets)
    with TemporaryDirectory(prefix="lotus-dlt-") as folder, _logged_to(log):
        return _Run(stream, stream.ingestion, store_of(landing), Path(folder), errors).land(project, configuration)


def _values_at(configuration: Mapping[str, JsonValue], paths: Iterable[JsonPath]) -> Iterator[str]:
    """The texts at some paths of a configuration."""
    for path in paths:
        found: Any = configuration
        for step in path:
            found = dict(enumerate(found)) if isinstance(found, list) else found
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, str):
            yield found


class _Run:
    def __init__(self, stream: Stream, ingestion: Ingestion, store: Store, folder: Path, errors: _Errors) -> None:
        self._stream, self._ingestion, self._store, self._errors = stream, ingestion, store, errors
        self._shown = f"{stream.source}/{stream.name}"
        self._pipelines = folder
        self._folder = folder / naming.dlt_pipeline(stream.source, stream.name)
        self._journal = Journal(store, naming.dlt_state(stream.source, stream.name), self._folder, self._shown)

    def land(self, project: Path, configuration: Mapping[str, JsonValue]) -> Landed:
        found = self._journal.read()
        past = found or Record(backfill=self._ingestion.backfill)
        resumed = past.rows if past.is_pending else 0
        if past.is_pending:
            past = self._finish(past)
        is_backfill = found is not None and past.asks_for_backfill(token=self._ingestion.backfill)
        if is_backfill or not self._ingestion.is_incremental:
            shutil.rmtree(self._folder, ignore_errors=True)
        is_new = is_backfill or (self._ingestion.overwrites and found is not None)
        generation = past.generation + is_new
        with self._errors("can't be read", _CORRECT_THE_MODULE):
            source, resource = resource_of(project, self._ingestion.module, self._ingestion.resource, configuration)
        rows, load_id = self._extract(source, resource, generation)
        record = Record(
            backfill=self._ingestion.backfill,
            generation=generation,
            replaced=tuple(self._own_files()) if self._ingestion.overwrites else (),
            rows=rows,
            load_id=load_id,
        )
        is_pending = bool(rows or record.replaced)
        if not rows:
            # Without a row dlt may have a package still, of its own tables, and would add one in each run.
            self._pipeline().load()
        self._journal.write(record.model_copy(update={"is_pending": is_pending}))
        if is_pending:
            self._finish(record)
        return Landed(rows, generation, resumed, is_backfill)

    def _extract(self, source: "DltSource", resource: "DltResource", generation: int) -> tuple[int, str]:
        """Read the source into dlt's folder; returns the number of rows and the id of dlt's package."""
        from dlt.extract.items_transform import ItemTransform  # noqa: PLC0415

        pipeline = self._pipeline()
        _forget_columns(pipeline)
        rows = Rows(self._ingestion, self._shown, generation)
        _set_cursor(resource, self._ingestion)
        resource.apply_hints(columns={}, merge_key="", schema_contract={})
        resource.apply_hints(
            table_name=self._stream.name,
            write_disposition="append",
            columns=rows.hints,  # type: ignore[arg-type]
            file_format="parquet",
        )
        _compare_whole_rows(resource)

        class Step(ItemTransform[Any, Any]):
            placement_affinity = _AFTER_THE_CURSOR

            def __call__(self, item: Any, meta: Any = None) -> list[Row] | None:
                items = item if isinstance(item, list) else [item]
                return [row for one in items for row in rows.of(one)] or None

        resource.add_step(Step(rows.of))
        with self._errors("can't be read", _CORRECT_THE_MODULE):
            pipeline.extract(source, loader_file_format="parquet")
            info = pipeline.normalize()
        if info is None or not info.loads_ids:
            return 0, ""
        counts = {name: count for name, count in info.row_counts.items() if not name.startswith("_dlt")}
        others = sorted(counts.keys() - {self._stream.name})
        if others:
            raise LotusError(
                f"{self._shown}: the module sends rows to other tables: {', '.join(others)}",
                "yield them in resources of their own",
            )
        return counts.get(self._stream.name, 0), info.loads_ids[-1]

    def _finish(self, record: Record) -> Record:
        """Land the rows of dlt's folder, then remove the files that they replace; again, if a run before was killed."""
        if record.rows:
            with self._errors("can't be landed", _NEXT_RUN):
                self._pipeline().load(raise_on_failed_jobs=True)
        self._store.delete(record.replaced)
        done = record.model_copy(update={"is_pending": False, "replaced": ()})
        self._journal.write(done)
        return done

    def _pipeline(self) -> "Pipeline":
        import dlt  # noqa: PLC0415
        from dlt.common.storages.load_package import load_package_state  # noqa: PLC0415

        @dlt.destination(name="landing", batch_size=0, loader_file_format="parquet", skip_dlt_columns_and_tables=True)
        def landing(file: Any, _: Any, /) -> None:
            package = load_package_state()
            made = package["state"]["created_at"]  # of the run that has extracted: a later day changes no key
            day = made if isinstance(made, datetime) else datetime.fromisoformat(str(made))
            _, file_id, *_ = Path(file).name.split(".")
            folder = f"{self._stream.prefix}{day.astimezone(UTC):year=%Y/month=%m/day=%d}"
            self._store.create(f"{folder}/{package['load_id']}_{file_id}.parquet", Path(file))

        name = naming.dlt_pipeline(self._stream.source, self._stream.name)
        return dlt.pipeline(name, pipelines_dir=str(self._pipelines), destination=landing())

    def _own_files(self) -> Iterator[str]:
        """The files that runs before have landed; files of Airbyte, whose source this was, stay."""
        prefix = self._stream.prefix
        for key in self._store.keys(prefix):
            if day_of(key.removeprefix(prefix)) is not None and _is_own(key):
                yield key


def _forget_columns(pipeline: "Pipeline") -> None:
    """Drop the columns of the runs before: the stream's file alone names them, and an edited type is no conflict."""
    if str(pipeline.default_schema_name) in pipeline.schemas:
        schema = pipeline.default_schema
        schema.drop_tables(list(schema.data_table_names(include_incomplete=True)))
        pipeline.schemas.save_schema(schema)


def _is_own(key: str) -> bool:
    """Whether a run of dlt has written a file: its name begins with a package's id, such as `1764547200.123456_`."""
    seconds, _, rest = key.rpartition("/")[2].partition(".")
    return seconds.isdigit() and rest.partition("_")[0].isdigit()


def _set_cursor(resource: "DltResource", ingestion: Ingestion) -> None:
    """Have dlt compare records with the file's cursor, unless the module has a cursor of its own."""
    if not ingestion.cursor or not ingestion.is_incremental or _has_own_cursor(resource):
        return
    import dlt  # noqa: PLC0415

    path = ".".join(step if step.isidentifier() else f"'{step}'" for step in ingestion.cursor)
    resource.apply_hints(
        incremental=dlt.sources.incremental(path, on_cursor_value_missing="include", range_start="closed")
    )


def _compare_whole_rows(resource: "DltResource") -> None:
    """Have dlt leave out a row that equals the last cursor, and is read again, by its whole content.

    By its key alone, a row would be lost that has changed within the same moment.
    """
    if resource._hints is not None:  # noqa: SLF001, an empty key means no comparison at all
        resource._hints.pop("primary_key", None)  # noqa: SLF001
    if resource.incremental is not None:
        resource.incremental.set_deduplication_key(None, from_hints=True)


def _has_own_cursor(resource: "DltResource") -> bool:
    import inspect  # noqa: PLC0415

    from dlt.extract.incremental import Incremental, IncrementalResourceWrapper  # noqa: PLC0415

    # `rest_api_resources` and other callers give a cursor as an argument, with its own start.
    given = resource.explicit_args if resource.args_bound else {}
    if any(isinstance(each, Incremental) for each in given.values()):
        return True
    found: object = resource.incremental
    if not isinstance(found, IncrementalResourceWrapper):
        return found is not None
    if found.incremental is not None:
        return True
    reader = resource._pipe.gen  # noqa: SLF001, dlt has no other way to see a default
    argument = IncrementalResourceWrapper.get_incremental_arg(inspect.signature(reader)) if callable(reader) else None
    return argument is not None and isinstance(argument.default, Incremental)


@contextmanager
def _logged_to(log: logging.Logger) -> Iterator[None]:
    """Set what dlt needs in a run, and show its messages in Dagster's log."""
    missing = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(missing)
    handler = _Handler(log)
    logging.getLogger("dlt").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("dlt").removeHandler(handler)
        for name in missing:
            os.environ.pop(name, None)


class _Handler(logging.Handler):
    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, "dlt: %s", masked_urls(record.getMessage()))
