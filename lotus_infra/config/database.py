"""A database of a stack's Dagster: its cluster with volumes and backups, or the address of an external one."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self, TypeAlias

from airbyte_model.schedules import cron_flaw
from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from lotus_infra import naming
from lotus_infra.config.pods import Count, Days, DnsLabel, PodSettings, Port, Seconds
from lotus_infra.config.section import Name, Section, Text, Whole, matching
from lotus_infra.errors import DOCS

POSTGRES_PORT: Final = 5432
CNPG: Final = "postgresql.cnpg.io"
"""The API group of CloudNativePG."""
BARMAN: Final = "barmancloud.cnpg.io"
"""The API group of its Barman Cloud plugin."""
BARMAN_PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
"""The plugin's name in a cluster's specification."""
RUNBOOK: Final = f"{DOCS}/runbooks/restore-a-database.md"


def _check_backup_schedule(text: str) -> str:
    """Check the cron of CloudNativePG, which begins with seconds and has no `?` (ScheduledBackupSpec)."""
    fields = text.split()
    if len(fields) != 6:
        raise ValueError(f"has {len(fields)} fields instead of 6: write seconds first, such as 0 0 3 * * * for 3:00")
    if "?" in text:
        raise ValueError("has a ?, which only Airbyte's schedules have: write * for a day that is free")
    # Airbyte's cron (Quartz) requires a `?` in one of its two day fields.
    open_day = 5 if fields[5] == "*" else 3
    flaw = cron_flaw(" ".join("?" if index == open_day else field for index, field in enumerate(fields)))
    if flaw is not None:
        raise ValueError(str(flaw))
    return text


def _check_target_time(text: str) -> str:
    """Check a time of RFC 3339 that has passed."""
    is_complete = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", text)
    try:
        time = datetime.fromisoformat(text) if is_complete else None
    except ValueError:
        time = None
    if time is None:
        raise ValueError("is not a time: write date, time and zone, such as 2026-02-01T03:00:00Z")
    if time > datetime.now(UTC):
        raise ValueError("lies in the future: no archive can have it: write the time just before the mistake")
    return text


Generation: TypeAlias = Annotated[Whole, Field(ge=1, le=999)]
TargetTime: TypeAlias = Annotated[str, AfterValidator(_check_target_time)]
VolumeSize: TypeAlias = Annotated[
    str, matching(r"[1-9][0-9]*(\.[0-9]+)?(M|G|T|P|Mi|Gi|Ti|Pi)", "is not a volume size: write one such as 20Gi")
]
DatabaseHost: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9.:-]+", "is not a host: write a name or an address, without scheme and port")
]
# DuckLake's and Dagster's connection strings contain these names unquoted.
PostgresName: TypeAlias = Annotated[
    Text,
    matching(r"[A-Za-z0-9_-]+", "is not a plain name: use letters, digits, underscores and hyphens only"),
]
PostgresImage: TypeAlias = Annotated[
    str,
    matching(
        # Postgres' full versions have two numbers, so the rule of `Image` would refuse them.
        r"[a-z0-9._:/-]+(:[0-9]+\.[0-9]+[A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})",
        "is not a pinned Postgres image: use a tag such as name:16.2, or a digest",
    ),
]


class Storage(Section):
    """The volume of each database instance.

    Attributes:
        size: A volume can grow later, but not shrink.
        storage_class: None for the cluster's default storage class.
    """

    size: VolumeSize = "5Gi"
    storage_class: Name | None = None


class Backup(Section):
    """Backups to the landing zone's backup bucket.

    Attributes:
        method: `plugin` for the Barman Cloud plugin, which must be installed; `barmanObjectStore` for the form that
            CloudNativePG itself has until 1.30.
        schedule: Of the base backups, in CloudNativePG's cron; the write-ahead log is archived continuously.
        keep_days: The database can be restored to any time of the last so many days.
    """

    method: Literal["plugin", "barmanObjectStore"] = "plugin"
    schedule: Annotated[str, AfterValidator(_check_backup_schedule)] = "0 0 3 * * *"
    keep_days: Days = 7


class Recovery(Section):
    """The backup that a new generation of a database starts from. Without effect on a cluster that exists.

    Attributes:
        generation: The earlier generation whose backups are restored.
        target_time: The time to restore to; None for the end of the archive.
    """

    generation: Generation
    target_time: TargetTime | None = None

    @property
    def postgres_time(self) -> str | None:
        """The time to restore to as Postgres writes it, with a numeric offset.

        CloudNativePG rewrites a time of RFC 3339 in UTC to one that ends in Z, which Postgres 18 refuses in its
        configuration. It passes on a time in Postgres' own form.
        """
        if self.target_time is None:
            return None
        return datetime.fromisoformat(self.target_time).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")


class ClusterDatabase(PodSettings):
    """A CloudNativePG cluster; the operator must be installed.

    Attributes:
        kind: The discriminator.
        generation: Raising it replaces the cluster by a new one, with an archive of its own.
        recovery: The backup that this generation starts from; None for an empty database.
        timeout_seconds: The time limit for the cluster to become ready and to archive; None for ten minutes, or for
            four hours with a recovery.
        instances: One primary, and standbys.
        image: Of Postgres; None for the operator's default.
        storage: The volume of each instance.
        backup: None for no backups.
        database: The name of the database; None for the cluster's name without `-db`.
        user: The owner of the database; None for the database's name.
    """

    kind: Literal["cluster"] = "cluster"
    generation: Generation = 1
    recovery: Recovery | None = None
    timeout_seconds: Seconds | None = None
    instances: Count = 1
    image: PostgresImage | None = None
    storage: Storage = Storage()
    backup: Backup | None = Backup()
    database: DnsLabel | None = None
    user: DnsLabel | None = None

    @model_validator(mode="after")
    def _check_recovery(self) -> Self:
        if self.recovery is None:
            return self
        if self.recovery.generation >= self.generation:
            raise ValueError(
                f"generation {self.generation} can't be restored from generation {self.recovery.generation}: "
                "set generation to the next number, and recovery.generation to the one whose backups are restored"
            )
        if self.backup is None or self.backup.method != "plugin":
            raise ValueError(
                "recovery reads the backups of the Barman Cloud plugin: add backup with method: plugin, "
                "with which the archive of barmanObjectStore continues"
            )
        return self


class ExternalDatabase(Section):
    """A Postgres database that is run and backed up outside of the stack.

    Attributes:
        kind: The discriminator.
        host: A name or an address, without scheme and port.
        port: Of the server.
        database: The name of the database, which must exist.
        user: The owner of the database.
    """

    kind: Literal["external"]
    host: DatabaseHost
    port: Port = POSTGRES_PORT
    database: PostgresName
    user: PostgresName


def _database_kind(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "cluster"))
    return str(getattr(value, "kind", None))


Database: TypeAlias = Annotated[
    Annotated[ClusterDatabase, Tag("cluster")] | Annotated[ExternalDatabase, Tag("external")],
    Discriminator(_database_kind),
]


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A database's server, and the database and user there; the password is elsewhere."""

    host: str
    port: int
    database: str
    user: str


def cluster_name(database: Database, name: str) -> str:
    """The name of a database's cluster on Kubernetes, and the base of the names of its secrets and services."""
    return naming.database_cluster(name, database.generation) if isinstance(database, ClusterDatabase) else name


def database_address(database: Database, name: str, namespace: str) -> DatabaseAddress:
    """The address of a database.

    Args:
        database: Its settings.
        name: The database's name.
        namespace: The cluster's namespace.
    """
    if isinstance(database, ExternalDatabase):
        return DatabaseAddress(database.host, database.port, database.database, database.user)
    database_name = database.database or name.removesuffix("-db")
    # CloudNativePG's read-write service follows the primary through a failover.
    host = f"{cluster_name(database, name)}-rw.{namespace}.svc.cluster.local"
    return DatabaseAddress(host, POSTGRES_PORT, database_name, database.user or database_name)
