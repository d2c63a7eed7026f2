"""The databases of a stack compared with its settings: readiness, archiving, and the last backup."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from lotus_infra import naming
from lotus_infra.clients.databases import LiveDatabase, read_database
from lotus_infra.clients.kubernetes import Cluster, ClusterError
from lotus_infra.commands.findings import Finding, State
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.database import RUNBOOK, ClusterDatabase, cluster_name
from lotus_infra.errors import one_line

BACKUP_TIME: Final = timedelta(hours=6)
"""A base backup that has not ended after this time counts as missing."""
LATE: Final = timedelta(hours=1)
"""The operator starts a backup within seconds of its time."""
MISSING: Final = "none"
"""The state of a database that the cluster does not have."""
_LOST: Final = f"restore it: {RUNBOOK}; `pulumi up --refresh` creates an empty one"


@dataclass(frozen=True, slots=True)
class DeclaredDatabase:
    """A database that the stack runs on the cluster.

    Attributes:
        key: Its key below `lotus:dagster`.
        name: The name of its `Cluster`.
        settings: Its settings.
    """

    key: str
    name: str
    settings: ClusterDatabase


def declared_databases(settings: DagsterSettings) -> tuple[DeclaredDatabase, ...]:
    """The databases of a stack that run on its cluster."""
    declared = (
        ("database", naming.DAGSTER_DATABASE, settings.database),
        ("catalog", naming.CATALOG_DATABASE, settings.catalog),
    )
    return tuple(
        DeclaredDatabase(key, cluster_name(each, name), each)
        for key, name, each in declared
        if isinstance(each, ClusterDatabase)
    )


def compare_databases(cluster: Cluster, settings: DagsterSettings, now: datetime) -> Iterator[Finding]:
    """Compare each database of a stack with the cluster; one that can't be read is `unknown`."""
    for each in declared_databases(settings):
        try:
            live = read_database(cluster, settings.namespace.name, each.name)
        except ClusterError as error:
            yield Finding("database", each.name, "ready", f"unknown: {error.message}", "unknown", error.hint)
            continue
        if live is None:
            yield Finding("database", each.name, "ready", MISSING, "differs", _LOST)
            continue
        yield from compare_database(each, live, settings.namespace.name, now)


def compare_database(each: DeclaredDatabase, live: LiveDatabase, namespace: str, now: datetime) -> Iterator[Finding]:
    """Compare a database with the cluster.

    Args:
        each: The database as the stack declares it.
        live: The database as the cluster has it.
        namespace: Its namespace, for remedies.
        now: The current time.
    """
    described = f"`kubectl describe clusters.postgresql.cnpg.io {each.name} --namespace {namespace}` shows details"
    if live.ready:
        yield Finding("database", each.name, "ready", "ready", "same")
    else:
        running = f"not ready: {live.phase or 'no status yet'}"
        remedy = f"wait for it, or restore it if its volumes are lost ({RUNBOOK}); {described}"
        yield Finding("database", each.name, "ready", running, "differs", remedy)
    if each.settings.backup is None:
        return
    if live.target == "none":
        remedy = (
            "the operator's version drops the field: update CloudNativePG and its plugin "
            "(`lotus doctor` has the versions), then `pulumi up --refresh`"
        )
        yield Finding("backup target", each.name, "a bucket", "none", "differs", remedy)
        return
    yield _archiving(each, live, described)
    yield _last_backup(each, live, namespace, now)


def _archiving(each: DeclaredDatabase, live: LiveDatabase, described: str) -> Finding:
    what, declared = "archiving", "continuous"
    if live.archiving:
        return Finding(what, each.name, declared, declared, "same")
    if live.archiving is None:
        remedy = f"run this again in some minutes; {described}"
        return Finding(what, each.name, declared, "not reported yet", "unknown", remedy)
    remedy = f"until it is corrected, no backup can be restored to a time after the failure; {described}"
    if live.archive_is_taken:
        # The operator archives nothing over the log of another database.
        remedy = (
            "the bucket has the log of an earlier database here; to restore that one or to start an empty one, "
            f"raise lotus:dagster.{each.key}.generation: {RUNBOOK}"
        )
    return Finding(what, each.name, declared, f"fails: {one_line(live.archiving_reason)}", "differs", remedy)


def _last_backup(each: DeclaredDatabase, live: LiveDatabase, namespace: str, now: datetime) -> Finding:
    schedule = each.settings.backup.schedule if each.settings.backup is not None else ""
    what, declared = "last backup", f"by schedule {schedule}"
    running = f"ended {_shown(live.last_backup)}" if live.last_backup is not None else "none"
    listed = f"`kubectl get backups.postgresql.cnpg.io --namespace {namespace}` lists them"
    problem = _schedule_problem(live, now) or _result_problem(live, listed, now)
    if problem is None:
        return Finding(what, each.name, declared, running, "same")
    return Finding(what, each.name, declared, f"{running}; {problem.what}", problem.state, problem.remedy)


class _Problem(NamedTuple):
    what: str
    remedy: str
    state: State = "differs"


def _schedule_problem(live: LiveDatabase, now: datetime) -> _Problem | None:
    """Why no backup is started; None if one is started when it is due."""
    if not live.schedules:
        return _Problem("no scheduled backup", "`pulumi up --refresh` creates it")
    if all(each.suspended for each in live.schedules):
        return _Problem("the schedule is suspended", "set `suspend: false` in the ScheduledBackup")
    due = [each.next for each in live.schedules if each.next is not None]
    if due and max(due) < now - LATE:
        return _Problem(f"the one of {_shown(max(due))} has not started", "is the operator running? `lotus doctor`")
    return None


def _result_problem(live: LiveDatabase, listed: str, now: datetime) -> _Problem | None:
    """What is wrong with the backup that was started last; None if it has ended well or may still run."""
    last, failed = live.last_backup, live.failed_backup
    if failed is not None and (last is None or failed > last):
        reason = f": {one_line(live.failure)}" if live.failure else ""
        return _Problem(f"the one of {_shown(failed)} failed{reason}", listed)
    started = max((each.last for each in live.schedules if each.last is not None), default=None)
    if started is None:
        missing = None if last is not None else "the first one has not started"
    elif last is not None and last >= started:
        missing = None
    elif now - started >= BACKUP_TIME:
        return _Problem(f"the one of {_shown(started)} has not ended", listed)
    else:
        missing = None if last is not None else f"the first one started {_shown(started)}"
    return _Problem(missing, f"run this again when it has ended; {listed}", "unknown") if missing else None


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
