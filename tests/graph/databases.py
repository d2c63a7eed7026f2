"""One database of a stack, declared alone on the recording engine."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pulumi
from pydantic import TypeAdapter

from lotus_infra.components.database import DagsterDatabase, DatabaseArgs
from lotus_infra.config.credentials import BackupBucket, Credentials
from lotus_infra.config.database import Database
from tests.graph.recorder import Declared, Graph, drained

NAME: Final = "dagster-db"
AWS_BUCKET: Final = BackupBucket("lake-backup", "eu-west-1", "", Credentials("an-id", "a-key"))
OTHER_BUCKET: Final = BackupBucket("lake-backup", "fr-par", "https://s3.example.com", Credentials("an-id", "a-key"))
EXTERNAL: Final = {"kind": "external", "host": "pg.example.com", "port": 6543, "database": "d", "user": "u"}


def settings(**values: Any) -> Database:
    """Settings of a database, as a stack's file has them."""
    database: Database = TypeAdapter(Database).validate_python(values)
    return database


def declared(
    values: dict[str, Any] | None = None,
    bucket: BackupBucket | None = AWS_BUCKET,
    *,
    protect: bool = True,
    acknowledged: Sequence[str] = (),
    explain: Callable[[str], Sequence[str]] = lambda _: (),
) -> Graph:
    """The resources of a database.

    Args:
        values: Its settings, as a stack's file has them.
        bucket: Of its backups.
        protect: Whether it is protected.
        acknowledged: Objects whose loss is acknowledged.
        explain: The reasons why a cluster does not run.
    """
    database = settings(**(values or {}))

    async def program() -> None:
        password = pulumi.Output.secret("a-password")
        args = DatabaseArgs(database, "lake", password, bucket, protect, frozenset(acknowledged), explain)
        DagsterDatabase(NAME, args)

    return drained(program, {}, [])


def one(graph: Graph, kind: str) -> Declared:
    """The only resource of a kind."""
    [found] = [item for item in graph.resources if item.type.endswith(f":{kind}")]
    return found
