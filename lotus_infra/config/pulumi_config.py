"""Read the stack's configuration from Pulumi, typed and frozen: the program's only reader.

`settings` has the keys. On an S3-compatible server, `s3_access_key_id` and `s3_secret_access_key` are Airbyte's key;
with the prefix `s3_reader_` Dagster's, and with `s3_backup_` the key of the databases' backups, if they differ.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from lotus_infra.config import workspaces
from lotus_infra.config.credentials import Credentials, GivenIdentities
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.job_access import CREDENTIALS, AirbyteStack
from lotus_infra.config.landing_zone import LandingZoneSettings
from lotus_infra.config.production import ENDPOINT_VARIABLE, Declared, Run, Values
from lotus_infra.config.settings import (
    DATABASE_PASSWORDS,
    KEY_HALVES,
    KEY_PAIRS,
    NAMESPACE,
    PLACEHOLDER,
    REGISTRY_PASSWORD,
    StackSettings,
    parse,
)
from lotus_infra.errors import LotusError
from lotus_infra.lake.loader import load_value_names
from lotus_infra.lake.references import LANDING_ZONE, Reference, StackValues, parse_text


@dataclass(frozen=True)
class DagsterStack:
    """Dagster's settings and passwords.

    Attributes:
        settings: `lotus:dagster`.
        database_password: of Dagster's database.
        catalog_password: of DuckLake's catalog.
        registry_password: of the image's private registry; None without one.
    """

    settings: DagsterSettings
    database_password: pulumi.Output[str]
    catalog_password: pulumi.Output[str]
    registry_password: pulumi.Output[str] | None


@dataclass(frozen=True)
class Settings:
    """A stack's configuration.

    Attributes:
        workspace_id: the Airbyte workspace that holds the lake's objects.
        streams: the lake's folder.
        protect_sources: whether sources and connections must be unprotected before they can be deleted.
        acknowledged: objects whose loss is acknowledged, such as `stream shopify/orders`.
        values: the names with a value.
        value: resolves a reference; a secret is a secret output.
        landing_zone: the landing zone; None without one.
        identities: the access keys of the buckets; None if the stack creates them.
        dagster: Dagster on a cluster; None without it.
        airbyte: what the stack says of Airbyte.
        dagster_elsewhere: whether a Dagster outside of the stack runs the sources that dlt reads.
    """

    workspace_id: str
    streams: Path
    protect_sources: bool
    acknowledged: frozenset[str]
    values: StackValues
    value: Callable[[Reference], pulumi.Input[Any]]
    landing_zone: LandingZoneSettings | None
    identities: GivenIdentities | None
    dagster: DagsterStack | None
    airbyte: AirbyteStack
    dagster_elsewhere: bool


def settings(project: Path) -> StackSettings:
    """The stack's configuration, checked.

    Args:
        project: the folder of `Pulumi.yaml`, which relative paths start from.

    Raises:
        LotusError: with every mistake, one a line.
    """
    given = {key: str(value) for key, value in CONFIG.get().items()}
    names = load_value_names(project / given.get(f"{NAMESPACE}:streams", "streams"))
    found = parse(pulumi.get_stack(), given, names, [key for key in given if is_config_secret(key)])
    if found.settings is None or found.missing:
        raise LotusError("\n".join(map(str, (*found.mistakes, *found.missing))))
    return found.settings


def run_in(project: Path, stack: StackSettings) -> Run:
    """The current run, as the guard compares it.

    Args:
        project: the folder of `Pulumi.yaml`.
        stack: the stack's configuration.
    """
    return Run(pulumi.get_project(), stack.stack, Values.of(stack), Declared.at(project, stack.stack))


def refuse_shared_workspace(project: Path, stack: StackSettings) -> None:
    """Refuse a stack that shares its Airbyte workspace with another stack of the project.

    Args:
        project: the folder of `Pulumi.yaml`.
        stack: the stack's configuration.

    Raises:
        LotusError: Another stack has the same workspace.
    """
    workspaces.check(project, stack.stack, CONFIG.get(), os.environ)


def load(project: Path, stack: StackSettings) -> Settings:
    """The values that the program needs.

    Args:
        project: the folder of `Pulumi.yaml`, which relative paths start from.
        stack: the stack's configuration.

    Raises:
        LotusError: the workspace, or the S3 server's address, is not set.
    """
    config = pulumi.Config(NAMESPACE)
    zone = _landing_zone(stack)
    return Settings(
        workspace_id=_workspace_id(stack),
        streams=project / stack.lotus.streams,
        protect_sources=stack.lotus.protects_sources,
        acknowledged=frozenset(stack.lotus.acknowledge),
        values=stack.names,
        value=lambda reference: _value(config, reference),
        landing_zone=zone,
        identities=_identities(config) if zone is not None and zone.server == "s3" else None,
        dagster=_dagster(config, stack.lotus.dagster),
        airbyte=_airbyte(stack),
        dagster_elsewhere=stack.lotus.dagster_elsewhere,
    )


def _workspace_id(stack: StackSettings) -> str:
    given = workspaces.known_id(stack.lotus.workspace_id)
    if not given:
        hint = "pulumi config set lotus:workspaceId <id>, from the address of the workspace in Airbyte"
        raise LotusError("lotus:workspaceId is not set", hint)
    return given


def _landing_zone(stack: StackSettings) -> LandingZoneSettings | None:
    zone = stack.lotus.landing_zone
    if zone is None or zone.server == "aws" or zone.endpoint:
        return zone
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    if not endpoint:
        key = f"{NAMESPACE}:{LANDING_ZONE}"
        what = f"{key}: a server that is not AWS has an endpoint: give its address"
        raise LotusError(what, f"pulumi config set --path {key}.endpoint <url>, or export {ENDPOINT_VARIABLE}")
    return zone.model_copy(update={"endpoint": endpoint})


def _dagster(config: pulumi.Config, settings: DagsterSettings | None) -> DagsterStack | None:
    if settings is None:
        return None
    database, catalog = (config.require_secret(name) for name in DATABASE_PASSWORDS)
    registry = config.require_secret(REGISTRY_PASSWORD) if settings.registry is not None else None
    return DagsterStack(settings, database, catalog, registry)


def _airbyte(stack: StackSettings) -> AirbyteStack:
    config = pulumi.Config("airbyte")
    given = {key: config.get_secret(key) for key in CREDENTIALS if config.get(key)}
    return AirbyteStack(
        server_url=stack.airbyte.server_url,
        token_url=stack.airbyte.token_url,
        credentials={key: value for key, value in given.items() if value is not None},
    )


def _identities(config: pulumi.Config) -> GivenIdentities:
    """The keys that the server's operator created; Dagster and backups use Airbyte's unless they have their own."""
    own, *others = KEY_PAIRS
    writer = _credentials(config, own)
    reader, backup = (_own_credentials(config, start) or writer for start in others)
    return GivenIdentities(writer, reader, backup)


def _own_credentials(config: pulumi.Config, start: str) -> Credentials | None:
    given = config.get(f"{start}{KEY_HALVES[0]}")
    return _credentials(config, start) if given not in {None, PLACEHOLDER} else None


def _credentials(config: pulumi.Config, start: str) -> Credentials:
    return Credentials(*(config.require_secret(f"{start}{half}") for half in KEY_HALVES))


def _value(config: pulumi.Config, reference: Reference) -> pulumi.Input[Any]:
    """The value of a reference; one that is encrypted in the stack is secret, whatever the reference says."""
    if reference.secret and reference.type == "string":
        return config.require_secret(reference.name)
    # Parsed at once, not in an output: a value of another type is refused before anything is declared.
    key = f"{NAMESPACE}:{reference.name}"
    try:
        value = parse_text(reference.type, config.require(reference.name))
    except ValueError:
        option = "--secret " if reference.secret else ""
        what = f"{key} has another type, and the lake asks for type {reference.type}"
        raise LotusError(what, f"pulumi config set {option}{key} <{reference.type}>") from None
    return pulumi.Output.secret(value) if reference.secret or is_config_secret(key) else value
