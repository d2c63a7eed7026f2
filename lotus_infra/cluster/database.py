"""What a stack says of a Postgres database: a CloudNativePG cluster beside Dagster, or one that is there already."""

from typing import Annotated, Literal, TypeAlias

from airbyte_model.schedules import cron_flaw
from pydantic import AfterValidator, Discriminator, Field, Tag

from lotus_infra.cluster.kinds import Count, Days, DnsLabel, Part, Placed, Port, Size, matching

POSTGRES_PORT = 5432


def _schedule(text: str) -> str:
    """A schedule of the operator, whose cron begins with seconds and knows no `?`.

    Source: cloudnative-pg, ScheduledBackupSpec.
    """
    fields = text.split()
    if len(fields) != 6:
        raise ValueError(f"has {len(fields)} parts instead of 6: write seconds first, such as 0 0 3 * * * for 3:00")
    # One of the two days must be left open in the other dialect, and here none may be.
    open_day = 5 if fields[5] == "*" else 3
    flaw = cron_flaw(" ".join("?" if index == open_day else field for index, field in enumerate(fields)))
    if flaw is not None:
        raise ValueError(str(flaw))
    return text


Host: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9.:-]+", "is no host: write a name or an address, without scheme and port")
]
Name: TypeAlias = Annotated[
    str,
    matching(r"[A-Za-z0-9_-]+", "has other characters than letters, digits, underscores and hyphens: rename it"),
]
"""A name that goes unquoted into Postgres' connection strings."""
PostgresImage: TypeAlias = Annotated[
    str,
    matching(
        # Postgres' full versions have two numbers.
        r"[a-z0-9._:/-]+(:[0-9]+\.[0-9]+[A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})",
        "is no fixed image of Postgres: give a tag such as name:16.2, or a digest",
    ),
]


class Storage(Part):
    """The volume of each instance.

    Attributes:
        size: It can grow later, and never shrink.
        storage_class: Of the cluster's storage classes; its default one where none is named.
    """

    size: Size = "5Gi"
    storage_class: str | None = Field(default=None, min_length=1)


class Backup(Part):
    """Backups into the landing zone's backup bucket.

    Attributes:
        schedule: When a base backup is made, in the operator's cron; the log is archived all the time.
        keep_days: For how many days back the database can be restored.
    """

    schedule: Annotated[str, AfterValidator(_schedule)] = "0 0 3 * * *"
    keep_days: Days = 7


class ClusterDatabase(Placed):
    """A CloudNativePG cluster; its operator must be there.

    Attributes:
        kind: Tells it apart.
        instances: One primary, the others standbys.
        image: Postgres; the operator's own where none is given.
        storage: Each instance's volume.
        backup: None for none.
        database: The database's name; that of the cluster where none is given, without its ending.
        user: Who owns it; called as the database where none is given.
    """

    kind: Literal["cluster"] = "cluster"
    instances: Count = 1
    image: PostgresImage | None = None
    storage: Storage = Storage()
    backup: Backup | None = Backup()
    database: DnsLabel | None = None
    user: DnsLabel | None = None


class ExternalDatabase(Part):
    """A Postgres that somebody else runs and backs up.

    Attributes:
        kind: Tells it apart.
        host: A host name or an address, without scheme and port.
        port: Of the server.
        database: The database's name; it must exist.
        user: Who owns it.
    """

    kind: Literal["external"]
    host: Host
    port: Port = POSTGRES_PORT
    database: Name
    user: Name


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", "cluster"))
    return str(getattr(value, "kind", None))


Database: TypeAlias = Annotated[
    Annotated[ClusterDatabase, Tag("cluster")] | Annotated[ExternalDatabase, Tag("external")], Discriminator(_kind)
]


class Address(Part):
    """Where a database answers, and as whom: all but the password."""

    host: str
    port: int
    database: str
    user: str


def address(database: ClusterDatabase | ExternalDatabase, name: str, namespace: str) -> Address:
    """Where a database answers.

    Args:
        database: What the stack says of it.
        name: The cluster's name, after which the operator calls its services.
        namespace: Where the cluster is.
    """
    if isinstance(database, ExternalDatabase):
        return Address(host=database.host, port=database.port, database=database.database, user=database.user)
    called = database.database or name.removesuffix("-db")
    host = f"{name}-rw.{namespace}.svc.cluster.local"
    return Address(host=host, port=POSTGRES_PORT, database=called, user=database.user or called)
