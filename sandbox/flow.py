"""From sources to marts: syncs, Dagster's runs, and tables that compare their row counts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from pulumi_airbyte.client import Airbyte
from rich.console import Console
from rich.table import Column, Table

from lotus_infra import naming
from lotus_infra.clients.airbyte import ConnectedLake, airbyte_workspace
from lotus_infra.clients.freshness import destination_bucket
from lotus_infra.commands.runners import AirbyteRunner, Run, Syncs
from lotus_infra.commands.sync import Polling, ProgressObserver, render, sync_sources
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import pluralize
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_stack_lake
from sandbox import lakehouse
from sandbox.dagster_report import Report
from sandbox.lakehouse import Contents, Lakehouse, Stream
from sandbox.layout import STACK, Layout
from sandbox.phases import Phases

POLL_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Flowed:
    """What came of a flow.

    Attributes:
        contents: what is in the lake then.
        report: Dagster's runs.
        confirmed: the sentence that compares rows.
    """

    contents: Contents
    report: Report
    confirmed: str


def flow(
    layout: Layout,
    house: Lakehouse,
    environment: Mapping[str, str],
    phases: Phases,
    variables: Mapping[str, str] | None = None,
) -> Flowed:
    """Sync every source, and materialize what has arrived.

    Args:
        layout: the sandbox.
        house: the lake's process.
        environment: of the engine.
        phases: the command's.
        variables: further ones of Dagster's runs.

    Raises:
        LotusError: a sync or a run failed, or Parquet has other rows than the syncs brought.
    """
    with phases.phase("syncs") as phase:
        before = house.contents()
        lake = load_stack_lake(layout.project / "streams", STACK)
        runs = _sync(layout, lake, environment, phase.console)
        phase.ends(f"{pluralize(len(runs), 'connection')}, {sum(run.rows or 0 for run in runs):,} new rows")
    with phases.phase("dagster") as phase:
        report = house.materialize(variables or {})
        phase.ends(_told(report), {name: seconds for name, seconds in report.seconds.items() if seconds})
        if report.failures:
            log = f"{layout.folder.name}/dagster/runs.log"
            raise LotusError("; ".join(report.failures), f"{log} has the output of Dagster and dbt")
    with phases.phase("counts") as phase:
        after = house.contents()
        sentence = confirmed(before, after, runs, _counted(layout, lake))
        phase.ends("the jobs' rows are in the Parquet files")
    return Flowed(after, report, sentence)


def show(flowed: Flowed, console: Console, *, rows: bool) -> None:
    """Print the streams and the marts.

    Args:
        flowed: what came of the flow.
        console: where.
        rows: whether to print the first rows of each mart.
    """
    console.print(streams_table(flowed.contents, flowed.report))
    for line in _remarks(flowed.report):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if rows:
        for mart in flowed.contents.marts:
            console.rule(mart.name)
            console.print(_mart(mart))
    else:
        console.print(_marts(flowed.contents, flowed.report))
    console.print(flowed.confirmed, highlight=False, markup=False, soft_wrap=True)


def _told(report: Report) -> str:
    """The runs in one line."""
    told = pluralize(report.materialized.total(), "materialization")
    warned = sum(len(run.tests_warned) for run in report.runs)
    told += f", {pluralize(warned, 'warning')}" if warned else ""
    return f"{told}, {len(report.skipped)} skipped" if report.skipped else told


def _remarks(report: Report) -> Iterator[str]:
    """What the tables do not say, a line each."""
    for name, why in report.skipped.items():
        yield f"skipped: {name}: {why}; `make sandbox` again reads the rest"
    for run in report.runs:
        for file, why in run.quarantined.items():
            yield f"quarantine: {file}: {' '.join(why.split())}"
        for test in run.tests_warned:
            if test != naming.QUARANTINE_CHECK:
                yield f"warning: {run.name}: the test {test} fails"


def _sync(layout: Layout, lake: Lake, environment: Mapping[str, str], console: Console) -> list[Run]:
    to = airbyte_workspace(lake.directory, STACK, environment)
    with closing(Airbyte(to.settings)) as airbyte, ProgressObserver(console) as watched:
        names = [source.name for source in lake.airbyte.sources]
        live = Syncs(lake, {"airbyte": AirbyteRunner(ConnectedLake(airbyte, to.workspace_id, lake))})
        runs = sync_sources(live, names, watched, patience=Polling(POLL_SECONDS))
    console.print(render(runs), markup=False, highlight=False)
    if not all(run.ok for run in runs):
        raise LotusError(
            "a sync failed for the reason above", f"{layout.folder.name}/{layout.twin_log.name} may have more details"
        )
    return runs


def _counted(layout: Layout, lake: Lake) -> frozenset[str]:
    """The connections all of whose files are read from the landing zone, by their names in Pulumi."""
    settings = Project.needed(layout.project).settings(STACK)
    zone = settings.lotus.landing_zone
    read: dict[tuple[str, str], str] = {}
    for source in lake.sources:
        for stream in source.selected_streams:
            connection = lake.read_of(source, stream)
            if connection is None or zone is None:
                continue
            try:
                bucket = destination_bucket(lake.destination_of(connection), settings, {})
            except LotusError:
                continue
            if bucket.name == zone.landing:
                read[source.name, stream.name] = connection.resource
    return frozenset(
        each.resource
        for each in lake.connections
        if all(read.get((stream.source, stream.name)) == each.resource for stream in each.streams)
    )


def confirmed(before: Contents, after: Contents, runs: Sequence[Run], read: Collection[str]) -> str:
    """Compare the rows that the jobs reported with those counted in the Parquet files.

    Args:
        before: the lake before the syncs.
        after: the lake after them.
        runs: the syncs.
        read: the connections all of whose files are counted.

    Raises:
        LotusError: they differ.
    """
    counted = [run for run in runs if run.connection in read]
    for run in counted:
        # A sync deletes the earlier files of a stream that it overwrites.
        kept = sum(each.landed for each in _streams_of(before, run.connection) if not each.overwritten)
        landed = sum(each.landed for each in _streams_of(after, run.connection)) - kept
        if landed != run.rows:
            raise LotusError(f"{run.connection}: its job reports {run.rows} rows, and its Parquet files have {landed}")
    total = sum(run.rows or 0 for run in counted)
    text = f"The syncs brought {total:,} rows, and the Parquet files contain exactly as many."
    others = [f"{run.connection} ({run.rows:,} rows)" for run in runs if run not in counted and run.rows is not None]
    return text if not others else f"{text} No files to count: {', '.join(others)}."


def _streams_of(contents: Contents, connection: str) -> list[Stream]:
    return [stream for stream in contents.streams if stream.connection == connection]


def streams_table(contents: Contents, report: Report) -> Table:
    """Each stream's way through the lake, counted at each station."""
    made = Table(Column("model", no_wrap=True))
    for heading in ("files", "rows landed", "rows kept", "runs"):
        made.add_column(heading, justify="right")
    for stream in contents.streams:
        asset = "/".join(naming.asset_key(stream.source, stream.name))
        latest = "" if stream.latest is None else f"{stream.latest:,}"
        made.add_row(
            naming.dbt_model(stream.source, stream.name),
            "table" if stream.is_table else f"{stream.files:,}",
            "" if stream.is_table else f"{stream.landed:,}",
            latest,
            str(report.materialized[asset]),
        )
    made.caption = f"{report.materialized.total()} materializations, marts included"
    return made


def _marts(contents: Contents, report: Report) -> Table:
    """All marts, a line each."""
    made = Table(Column("mart", no_wrap=True))
    for heading in ("rows", "columns", "runs"):
        made.add_column(heading, justify="right")
    for mart in contents.marts:
        runs = report.materialized["/".join((naming.MAIN_SCHEMA, mart.name))]
        made.add_row(mart.name, f"{mart.rows:,}", str(len(mart.columns)), str(runs))
    return made


def _mart(mart: lakehouse.Table) -> Table:
    """The first rows of a mart side by side, since it has more columns than a terminal."""
    columns = (Column(no_wrap=True), *(Column(overflow="fold") for _ in mart.first))
    made = Table(*columns, show_header=False, caption=f"the first {len(mart.first)} of {mart.rows:,} rows")
    for values in zip(mart.columns, *mart.first, strict=True):
        made.add_row(*("" if value is None else value for value in values))
    return made
