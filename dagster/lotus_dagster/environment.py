"""The environment of a run: its variables, and the error message for a missing one.

Read when a run or a sensor starts, never on import: a code location without them loads, and its runs name the variable.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from lotus_infra.clients.ducklake import CATALOG, LAKE_DATA, LANDING, LakeAddress
from lotus_infra.errors import LotusError
from lotus_infra.naming import AIRBYTE_VARIABLE, CONNECTIONS_VARIABLE

STACK = "LOTUS_STACK"
"""The stack whose lake is loaded: which sources it deploys; the lake as its files have it if it is not set. The only
variable that is read on import."""

PARTITIONS = "LOTUS_PARTITIONS"
"""Where a dbt run looks for files that have arrived; set for that run alone."""
FILES = "LOTUS_FILES"
"""A file with the identities of the new files that a dbt run may read; set for that run alone, all files if empty."""

EXPIRE_RAW_DAYS = "LOTUS_EXPIRE_RAW_DAYS"
"""Days after which the bucket deletes raw files (the stack's `landingZone.expireRawDays`); not set if it keeps them."""

RETRY_SECONDS = "LOTUS_RETRY_SECONDS"
"""How long a sensor waits after a failed run before it asks for another; it doubles with each further failure."""

THREADS = "LOTUS_THREADS"
"""Obsolete: dbt builds with one thread."""

_MOST_DIGITS = 9
_MEANING = {
    LANDING: "where Airbyte's files land: s3://<bucket> or a folder",
    CATALOG: "DuckLake's catalog: postgres:dbname=… host=… or a file",
    LAKE_DATA: "where DuckLake keeps the tables' files: s3://<bucket>/<path> or a folder",
    AIRBYTE_VARIABLE: "Airbyte's address and credentials, as JSON",
    CONNECTIONS_VARIABLE: "the ids of Airbyte's connections, as JSON",
}


class EnvironmentVariableError(LotusError):
    """A variable that a run needs is not set."""


@dataclass(frozen=True, slots=True)
class Warehouse(LakeAddress):
    """The settings of a dbt run: a lake's address with everything set."""

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read all at once, so that one error names everything that is missing.

        Raises:
            EnvironmentVariableError: At least one is not set, or more than one thread is asked for.
        """
        if environment.get(THREADS, "1").strip() not in {"", "1"}:
            raise EnvironmentVariableError(
                f"{THREADS} is {environment[THREADS]!r}: DuckLake crashes when two threads of a process commit at once",
                "unset it: dbt builds with one thread, and DuckDB reads with all cores",
            )
        landing, catalog, data = required(environment, LANDING, CATALOG, LAKE_DATA)
        return cls(landing, catalog, data)


def required(environment: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """The values of variables.

    Raises:
        EnvironmentVariableError: At least one is not set or empty.
    """
    missing = [name for name in names if not environment.get(name)]
    if missing:
        described = "; ".join(f"{name} ({_MEANING[name]})" for name in missing)
        raise EnvironmentVariableError(
            f"the environment lacks {described}", "set it for the code location and its runs"
        )
    return tuple(environment[name] for name in names)


def whole_number(environment: Mapping[str, str], name: str) -> int | None:
    """The value of a variable that is a whole number, 0 or more; None if it is not set or empty.

    Raises:
        EnvironmentVariableError: It is something else.
    """
    text = environment.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        hint = f"set it to a whole number of up to {_MOST_DIGITS} digits, or unset it"
        raise EnvironmentVariableError(f"{name} is {text!r}", hint)
    return int(text)
