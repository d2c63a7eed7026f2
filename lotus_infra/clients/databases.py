"""A database on a cluster: whether it is ready, whether its log is archived, and when its last backup ended.

CloudNativePG's operator runs it (`postgresql.cnpg.io/v1`). Its backups go to a bucket by the plugin Barman Cloud
(`barmancloud.cnpg.io/v1`), or by the operator's own older way (`spec.backup.barmanObjectStore`). It only reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import Field, JsonValue

from lotus_infra.clients.kubernetes import Cluster, ClusterObject, ClusterPart, Condition, Kind, Metadata
from lotus_infra.clients.pod_problems import explain_failed_pods
from lotus_infra.config.database import BARMAN, BARMAN_PLUGIN, CNPG, RUNBOOK
from lotus_infra.errors import LotusError, one_line

CLUSTERS: Final = Kind("clusters", CNPG)
BACKUPS: Final = Kind("backups", CNPG)
SCHEDULED_BACKUPS: Final = Kind("scheduledbackups", CNPG)
OBJECT_STORES: Final = Kind("objectstores", BARMAN)
_EMPTY_ARCHIVE: Final = "Expected empty archive"
"""Barman's words for an archive that has the log of another database."""
_CONTAINER: Final = "plugin-barman-cloud"
"""The plugin's container in a database's pods."""
_COMPLETED: Final = "completed"
_FAILED: Final = ("failed", "walArchivingFailing")

Target = Literal["plugin", "operator", "none"]
"""The way of the backups: by the plugin, by the operator itself, or not at all."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A scheduled backup.

    Attributes:
        suspended: Whether it is paused.
        last: When the operator last started a backup; None before the first one.
        next: When the operator will start the next one; None if it has not looked at the schedule yet.
    """

    suspended: bool
    last: datetime | None
    next: datetime | None


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """A database as the cluster has it.

    Attributes:
        ready: Whether all instances are ready.
        phase: The operator's words about it; empty before the operator has looked at it.
        archiving: Whether the log is archived; None before the first attempt.
        archiving_reason: Why it is not archived.
        archive_is_taken: Whether the place of the archive has the log of another database.
        target: Where backups go.
        schedules: Its scheduled backups.
        last_backup: When the last successful base backup ended; None without one.
        failed_backup: When the last failed one ended, or was recorded; None without one.
        failure: Why it failed, if the cluster has the reason.
    """

    ready: bool
    phase: str
    archiving: bool | None
    archiving_reason: str
    archive_is_taken: bool
    target: Target
    schedules: tuple[Schedule, ...]
    last_backup: datetime | None
    failed_backup: datetime | None
    failure: str


def read_database(cluster: Cluster, namespace: str, name: str) -> LiveDatabase | None:
    """A database by the name of its `Cluster`; None if there is no such object, or no operator.

    Raises:
        ClusterError: The cluster can't be read.
    """
    found = cluster.find(CLUSTERS, _Cluster, name, namespace)
    if found is None:
        return None
    spec, status = found.spec, found.status
    conditions = {each.type: each for each in status.conditions}
    ready, archiving = conditions.get("Ready"), conditions.get("ContinuousArchiving")
    plugin = next((each for each in spec.plugins if each.name == BARMAN_PLUGIN and each.enabled), None)
    backups = _backups_of(cluster, namespace, name)
    window = _recovery_window(cluster, namespace, plugin, name) if plugin is not None else _Window()
    done = [each.stopped for each in backups if each.phase == _COMPLETED]
    failed = sorted((each for each in backups if each.phase in _FAILED), key=lambda each: each.ended)
    return LiveDatabase(
        ready=ready is not None and ready.holds,
        phase=": ".join(part for part in (status.phase, status.phase_reason) if part),
        archiving=None if archiving is None else archiving.holds,
        archiving_reason="" if archiving is None else archiving.message or archiving.reason,
        archive_is_taken=archiving is not None
        and not archiving.holds
        and _is_taken(cluster, namespace, name, archiving.message),
        target="plugin" if plugin is not None else "operator" if spec.backup.barman_object_store else "none",
        schedules=_schedules_of(cluster, namespace, name),
        last_backup=_latest(*done, window.last_successful_backup_time, status.last_successful_backup),
        failed_backup=_latest(
            *(each.stopped or each.started for each in failed),
            window.last_failed_backup_time,
            status.last_failed_backup,
        ),
        failure=next((each.error for each in reversed(failed) if each.error), ""),
    )


def explain_failed_database(
    namespace: str, name: str, *, kubeconfig: str | None = None, context: str | None = None
) -> list[str]:
    """A line for each reason why a database does not start or archive; none if none is found.

    Called after the wait for a cluster has failed, because Pulumi reports only that its time is up.

    Args:
        namespace: The database's namespace.
        name: The name of its `Cluster`.
        kubeconfig: A file; else the default one.
        context: A context of the file; else its current one.
    """
    try:
        live = read_database(Cluster.reached_by(kubeconfig, context), namespace, name)
    except LotusError as error:
        return [f"the reasons for {name} can't be read from the cluster: {error}"]
    pods = explain_failed_pods(namespace, _labels(name), kubeconfig=kubeconfig, context=context)
    return [*(_problems(name, live) if live is not None else ()), *pods]


def _problems(name: str, live: LiveDatabase) -> Iterator[str]:
    if not live.phase and live.archiving is None:
        deployments = "kubectl get deployments --all-namespaces --selector app.kubernetes.io/name=cloudnative-pg"
        yield f"no operator has worked on {name}: is CloudNativePG running? {deployments}"
    elif live.archive_is_taken:
        yield (
            f"the backup bucket already has an archive of {name}, from an earlier database of this name: raise "
            "generation of the database in the stack's settings, to restore that database or to start an empty one: "
            f"{RUNBOOK}"
        )
    elif live.archiving is False:
        yield f"{name} can't archive: {one_line(live.archiving_reason)}"


def _labels(name: str) -> str:
    """The selector of a database's pods and volumes."""
    return f"cnpg.io/cluster={name}"


def _is_taken(cluster: Cluster, namespace: str, name: str, message: str) -> bool:
    """Whether Barman refuses the archive because it is not empty; the condition or only the plugin's log has that."""
    if _EMPTY_ARCHIVE in message:
        return True
    pods = cluster.objects(Kind("pods"), ClusterObject, namespace, _labels(name)) or ()
    return any(_EMPTY_ARCHIVE in cluster.log(namespace, pod.metadata.name, _CONTAINER) for pod in pods)


def _backups_of(cluster: Cluster, namespace: str, name: str) -> "Sequence[_BackupStatus]":
    found = cluster.objects(BACKUPS, _Backup, namespace) or ()
    return [each.status for each in found if each.spec.cluster.name == name]


def _schedules_of(cluster: Cluster, namespace: str, name: str) -> tuple[Schedule, ...]:
    found = cluster.objects(SCHEDULED_BACKUPS, _ScheduledBackup, namespace) or ()
    return tuple(
        Schedule(each.spec.suspend, each.status.last_schedule_time, each.status.next_schedule_time)
        for each in found
        if each.spec.cluster.name == name
    )


def _recovery_window(cluster: Cluster, namespace: str, plugin: "_Plugin", name: str) -> "_Window":
    """What the plugin has recorded about a server's backups in their object store."""
    store = cluster.find(OBJECT_STORES, _ObjectStore, plugin.parameters.get("barmanObjectName", ""), namespace)
    server = plugin.parameters.get("serverName") or name
    return store.status.server_recovery_window.get(server, _Window()) if store is not None else _Window()


def _latest(*times: datetime | None) -> datetime | None:
    return max(_present(times), default=None)


def _present(times: Sequence[datetime | None]) -> Iterator[datetime]:
    return (each for each in times if each is not None)


# The parts of CloudNativePG's and the plugin's objects that are read.


class _Plugin(ClusterPart):
    name: str
    enabled: bool = True
    parameters: Mapping[str, str] = {}


class _BackupSection(ClusterPart):
    barman_object_store: dict[str, JsonValue] | None = None


class _ClusterSpec(ClusterPart):
    plugins: tuple[_Plugin, ...] = ()
    backup: _BackupSection = _BackupSection()


class _ClusterStatus(ClusterPart):
    phase: str = ""
    phase_reason: str = ""
    conditions: tuple[Condition, ...] = ()
    last_successful_backup: datetime | None = None
    last_failed_backup: datetime | None = None


class _Cluster(ClusterPart):
    spec: _ClusterSpec
    status: _ClusterStatus = _ClusterStatus()


class _Reference(ClusterPart):
    name: str = ""


class _OfCluster(ClusterPart):
    cluster: _Reference = _Reference()


class _BackupStatus(ClusterPart):
    phase: str = ""
    started: datetime | None = Field(default=None, alias="startedAt")
    stopped: datetime | None = Field(default=None, alias="stoppedAt")
    error: str = ""

    @property
    def ended(self) -> float:
        """For sorting: the end or the start in seconds since 1970; 0 if it has neither."""
        time = self.stopped or self.started
        return time.timestamp() if time is not None else 0


class _Backup(ClusterPart):
    metadata: Metadata
    spec: _OfCluster
    status: _BackupStatus = _BackupStatus()


class _ScheduledBackupSpec(_OfCluster):
    suspend: bool = False


class _ScheduledBackupStatus(ClusterPart):
    last_schedule_time: datetime | None = None
    next_schedule_time: datetime | None = None


class _ScheduledBackup(ClusterPart):
    metadata: Metadata
    spec: _ScheduledBackupSpec
    status: _ScheduledBackupStatus = _ScheduledBackupStatus()


class _Window(ClusterPart):
    last_successful_backup_time: datetime | None = None
    last_failed_backup_time: datetime | None = None


class _ObjectStoreStatus(ClusterPart):
    server_recovery_window: Mapping[str, _Window] = {}


class _ObjectStore(ClusterPart):
    status: _ObjectStoreStatus = _ObjectStoreStatus()
