"""What Dagster needs where streams arrive by Airbyte's jobs: an address of Airbyte, and those of databases.

It is what the stack says, and nothing of the machine that deploys it: pods don't have its environment, and two people
who deploy would change each other's secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pulumi

from lotus_infra import naming
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.workspaces import CLOUD, SERVER, SERVER_VARIABLE
from lotus_infra.errors import LotusError, masked_urls
from lotus_infra.lake.lake import Connection, Lake
from lotus_infra.lake.postgres_address import flaw

OWN_URL: Final = "lotus:dagster.airbyte.url"
CREDENTIALS: Final[Mapping[str, str]] = {
    "clientId": "AIRBYTE_CLIENT_ID",
    "clientSecret": "AIRBYTE_CLIENT_SECRET",
    "username": "AIRBYTE_USERNAME",
    "password": "AIRBYTE_PASSWORD",
    "bearerAuth": "AIRBYTE_BEARER_AUTH",
}
"""The keys of Airbyte's credentials in a stack, each with the variable that stands in for it where the stack is
deployed."""
_TOKENS: Final = "/applications/token"
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104, compared with


@dataclass(frozen=True)
class AirbyteStack:
    """What the stack says of Airbyte.

    Attributes:
        server_url: The public API; None if the stack does not say it.
        token_url: Where tokens are issued; None for the public API's own place.
        credentials: Their values, by their keys.
    """

    server_url: str | None
    token_url: str | None
    credentials: Mapping[str, pulumi.Output[str]]


@dataclass(frozen=True)
class JobAccess:
    """What Dagster needs.

    Attributes:
        url: Of Airbyte's public API, as the cluster reaches it.
        credentials: Of Airbyte, by their keys; none if it asks for none.
        connections: The Pulumi names of the connections whose jobs it lists.
        databases: The Postgres destinations whose addresses the stack hands out, by file name.
    """

    url: str
    credentials: Mapping[str, pulumi.Output[str]]
    connections: tuple[str, ...]
    databases: tuple[str, ...]


def job_access(
    lake: Lake, airbyte: AirbyteStack, settings: DagsterSettings, environment: Mapping[str, str]
) -> JobAccess | None:
    """What Dagster needs of a stack's lake; None if everything lands as files.

    Args:
        lake: The stack's.
        airbyte: What the stack says of it.
        settings: Of Dagster.
        environment: Of the machine that deploys, which may have what the stack should say.

    Raises:
        LotusError: The stack does not say all of it.
    """
    by_job = [each for each in lake.connections if lake.arrives_by_job(each)]
    postgres = sorted({each.config.destination for each in by_job if lake.place(each) == "postgres"})
    unknown = sorted(settings.warehouses.keys() - set(postgres))
    if unknown:
        raise LotusError(
            f"lotus:dagster.warehouses.{unknown[0]}: no connection of this stack writes a Postgres destination of that"
            " name",
            f"delete it, or name one of {', '.join(postgres)}" if postgres else "delete it",
        )
    if not by_job:
        return None
    databases = tuple(name for name in postgres if name not in settings.warehouses)
    for name in databases:
        _check_address(lake, name)
    _check_credentials(by_job[0], airbyte, environment)
    url = _url(by_job[0], airbyte, settings, environment)
    return JobAccess(url, airbyte.credentials, tuple(each.resource for each in by_job), databases)


def _check_address(lake: Lake, destination: str) -> None:
    config = lake.destinations[destination]
    wrong = flaw(config.configuration) if config is not None else None
    if wrong is not None:
        variable, key = naming.warehouse_variable(destination), f"lotus:dagster.warehouses.{destination}.secret"
        raise LotusError(
            f"Dagster can't read the tables of the destination {destination} with its address alone: {wrong}",
            f"make a Kubernetes secret whose key {variable} is a connection string, and name it in {key}",
        )


def _check_credentials(connection: Connection, airbyte: AirbyteStack, environment: Mapping[str, str]) -> None:
    """Refuse credentials that only the machine that deploys has, if the stack has none or only a part of them."""
    given = airbyte.credentials.keys()
    whole = {"clientId", "clientSecret"} <= given or {"username", "password"} <= given or "bearerAuth" in given
    missing = [key for key, variable in CREDENTIALS.items() if key not in given and environment.get(variable)]
    if not whole and missing:
        raise LotusError(
            f"Dagster asks Airbyte for jobs of the connection {connection.resource}, and of Airbyte's credentials the"
            f" stack lacks {', '.join(missing)}: {CREDENTIALS[missing[0]]} is set on this machine alone",
            f"pulumi config set --secret airbyte:{missing[0]}",
        )


def _url(
    connection: Connection, airbyte: AirbyteStack, settings: DagsterSettings, environment: Mapping[str, str]
) -> str:
    own, why = settings.airbyte.url, f"Dagster asks Airbyte for jobs of the connection {connection.resource}"
    remedy = f"pulumi config set --path {OWN_URL} <url>, the public API as pods reach it"
    if own is not None:
        return own
    if airbyte.server_url is None and environment.get(SERVER_VARIABLE):
        raise LotusError(f"{why}, and {SERVER_VARIABLE} is set on this machine alone", remedy)
    url = airbyte.server_url or CLOUD
    if urlsplit(url).hostname in _THIS_MACHINE:
        raise LotusError(f"{why}, and {SERVER}, {masked_urls(url)}, is an address of this machine alone", remedy)
    tokens = airbyte.token_url or url.rstrip("/") + _TOKENS
    if tokens != url.rstrip("/") + _TOKENS:
        raise LotusError(f"{why} with tokens of its public API, and airbyte:tokenUrl is another place", remedy)
    return url
