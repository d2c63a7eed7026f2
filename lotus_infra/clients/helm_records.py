"""Helm's records of a release: which of them a killed run has left behind, and their removal.

Helm keeps a secret for each revision of a release (`sh.helm.release.v1.<release>.v<revision>`), whose labels have the
revision, its status and the times of its changes (seen on Helm 3.18). A run that is killed leaves its record pending,
and Helm then refuses every further install and upgrade. The objects of the release have annotations that name it, by
which a later install or upgrade adopts them, so that a record can be removed without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psutil

from lotus_infra.clients.kubernetes import Cluster, ClusterObject, Kind, Metadata
from lotus_infra.clients.locks import UnlockPlan

_SECRETS: Final = Kind("secrets")
_PENDING: Final = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
_PLUGIN: Final = "pulumi-resource-kubernetes"
"""The process in which Helm runs."""
_ENGINE: Final = "pulumi"


@dataclass(frozen=True, slots=True)
class HelmRecord:
    """A revision of a release.

    Attributes:
        metadata: Of its secret.
        revision: Its number.
        status: Helm's word: `deployed`, `failed`, `superseded`, `pending-install`, …
        changed: When Helm wrote it last.
    """

    metadata: Metadata
    revision: int
    status: str
    changed: datetime

    @property
    def is_pending(self) -> bool:
        """Whether Helm refuses further runs because of it."""
        return self.status in _PENDING

    @property
    def shown(self) -> str:
        """The record as messages show it."""
        return f"revision {self.revision} ({self.status})"


def helm_records(cluster: Cluster, namespace: str, release: str) -> tuple[HelmRecord, ...]:
    """The records of a release, the oldest revision first.

    Raises:
        ClusterError: The cluster can't be read.
    """
    found = cluster.objects(_SECRETS, ClusterObject, namespace, f"owner=helm,name={release}") or ()
    return tuple(sorted((_record(each.metadata) for each in found), key=lambda record: record.revision))


def remove_record(cluster: Cluster, record: HelmRecord) -> None:
    """Delete a record that has not changed since it was read.

    Raises:
        ClusterError: The record has changed, or the cluster refuses.
    """
    cluster.delete(_SECRETS, record.metadata)


def at_work(record: HelmRecord, limit: timedelta, unlocking: UnlockPlan | None, folder: Path, now: datetime) -> str:
    """Why a pending record may still belong to a run; empty if no run is at work on it.

    A run holds the stack's lock. But the lock's owner is the engine, and Helm runs in the engine's plugin, which may
    outlive it; and a lock that was removed says nothing about the time before. So the record must be
    older than Helm's own time limit, or its run must be known as dead.

    Args:
        record: The record.
        limit: The time limit of the release.
        unlocking: Which of the stack's locks remain; None if the backend's locks can't be listed.
        folder: The project's folder.
        now: The current time.
    """
    for lock, state in unlocking.remaining if unlocking is not None else ():
        return f"{lock.owner} holds the stack's lock, and {_RUNS[state]}"
    left = limit - (now - record.changed)
    if left <= timedelta():
        # Helm itself would have ended by now, even in a plugin that is still there.
        return ""
    orphans = orphaned_plugins(folder)
    if orphans:
        shown = ", ".join(map(str, orphans))
        return f"a plugin of a killed run still runs on this machine (pid {shown}): end it by `kill`"
    if unlocking is not None and unlocking.removable:
        return ""
    seconds = int(left.total_seconds()) + 1
    return f"its run may still be at work, because its time limit ends in {seconds} s: run this again then"


_RUNS: Final = {
    "alive": "runs",
    "dead": "is gone",
    "elsewhere": "is on another machine",
    "unknown": "can't be identified",
}


def orphaned_plugins(folder: Path) -> Sequence[int]:
    """The process ids of Kubernetes plugins on this machine whose engine has ended.

    Args:
        folder: The project's folder, in which the engine has started them.
    """
    found = []
    for process in psutil.process_iter(["name", "ppid", "status", "cwd"]):
        name, status = str(process.info["name"] or ""), process.info["status"]
        # The kernel cuts names at 15 characters where the command line can't be read.
        if len(name) < 15 or not _PLUGIN.startswith(name[:15]) or status == psutil.STATUS_ZOMBIE:
            continue
        # A folder that can't be read may be the project's.
        is_of_project = process.info["cwd"] in (None, str(folder.resolve()))
        if is_of_project and _name_of(int(process.info["ppid"] or 0)) != _ENGINE:
            found.append(process.pid)
    return found


def _name_of(pid: int) -> str:
    try:
        return psutil.Process(pid).name() if pid else ""
    except psutil.Error:
        return ""


def _record(metadata: Metadata) -> HelmRecord:
    labels = metadata.labels
    revision, status = labels.get("version", ""), labels.get("status", "unknown")
    times = [int(labels[key]) for key in ("createdAt", "modifiedAt") if labels.get(key, "").isdigit()]
    created = datetime.fromisoformat(metadata.creation_timestamp) if metadata.creation_timestamp else datetime.now(UTC)
    changed = datetime.fromtimestamp(max(times), UTC) if times else created
    return HelmRecord(metadata, int(revision) if revision.isdigit() else 0, status, changed)
