"""Read the stack's configuration from Pulumi, typed and frozen: the program's only reader. Reads no file of the lake.

Keys, all under `lotus:`: `workspaceId`, `streams`, `production`, `protectSources`, `acknowledge`, `landingZone`,
`dagster`, and one for each name that the lake's files refer to. On an S3-compatible server, `s3_access_key_id` and
`s3_secret_access_key` are Airbyte's key; with the prefix `s3_reader_` Dagster's, and with `s3_backup_` the key of the
databases' backups, if they differ. `dagster_db_password` and `ducklake_db_password` are the
databases' passwords.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pulumi
from pulumi.runtime.config import CONFIG
from pydantic import ValidationError

from lotus_infra import naming
from lotus_infra.config import stack, workspaces
from lotus_infra.config.credentials import Credentials, GivenIdentities
from lotus_infra.config.dagster import MIN_PASSWORD_LENGTH, DagsterSettings, parse_dagster_settings
from lotus_infra.config.landing_zone import LandingZoneSettings
from lotus_infra.config.production import ENDPOINT_VARIABLE, Declared, Run, Values
from lotus_infra.errors import LotusError
from lotus_infra.lake.references import LANDING_ZONE, Reference, ReferenceType, StackValues

NAMESPACE: Final = "lotus"
DAGSTER: Final = "dagster"
"""The key of the Dagster settings."""
PLACEHOLDER: Final = "replace-me"
"""The value in a new stack's file until one is set."""
NO_WORKSPACE: Final = str(UUID(int=0))
_PYTHON: Final[dict[ReferenceType, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "json": (dict, list, str, int, float),
}


@dataclass(frozen=True)
class DagsterStack:
    """Dagster's settings and passwords.

    Attributes:
        settings: `lotus:dagster`.
        database_password: of Dagster's database.
        catalog_password: of DuckLake's catalog.
    """

    settings: DagsterSettings
    database_password: pulumi.Output[str]
    catalog_password: pulumi.Output[str]


@dataclass(frozen=True)
class Settings:
    """A stack's configuration.

    Attributes:
        workspace_id: the Airbyte workspace that holds the lake's objects.
        streams: the lake's folder.
        protect_sources: whether a source must be unprotected before it can be deleted.
        acknowledged: objects whose loss is acknowledged, such as `stream shopify/orders`.
        values: the names with a value.
        value: resolves a reference; a secret is a secret output.
        landing_zone: the landing zone; None without one.
        identities: the access keys of the buckets; None if the stack creates them.
        dagster: Dagster on a cluster; None without it.
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


def run_in(project: Path) -> Run:
    """The current run, as the guard compares it.

    Args:
        project: the folder of `Pulumi.yaml`.
    """
    stack = pulumi.get_stack()
    return Run(pulumi.get_project(), stack, Values.of(CONFIG.get()), Declared.at(project, stack))


def refuse_shared_workspace(project: Path) -> None:
    """Refuse a stack that shares its Airbyte workspace with another stack of the project.

    Args:
        project: the folder of `Pulumi.yaml`.

    Raises:
        LotusError: Another stack has the same workspace.
    """
    workspaces.check(project, pulumi.get_stack(), CONFIG.get())


def load(project: Path) -> Settings:
    """Read the stack's configuration.

    Args:
        project: the folder of `Pulumi.yaml`, which relative paths start from.

    Raises:
        LotusError: A value is missing or has another type.
    """
    config = pulumi.Config(NAMESPACE)
    zone = _landing_zone(config)
    return Settings(
        workspace_id=_workspace_id(config),
        streams=project / (config.get("streams") or "streams"),
        protect_sources=config.get_bool("protectSources") or False,
        acknowledged=stack.acknowledged(config.get(stack.ACKNOWLEDGE)),
        values=StackValues(pulumi.get_stack(), _names()),
        value=lambda reference: _value(config, reference),
        landing_zone=zone,
        identities=_identities(config) if zone is not None and zone.server == "s3" else None,
        dagster=_dagster(config, zone),
    )


def _workspace_id(config: pulumi.Config) -> str:
    given = (config.get("workspaceId") or "").replace(NO_WORKSPACE, "")
    try:
        return str(UUID(given))
    except ValueError:
        what = f"lotus:workspaceId is {given!r}, which is not an id" if given else "lotus:workspaceId is not set"
        raise LotusError(
            what, "pulumi config set lotus:workspaceId <id>, from the address of the workspace in Airbyte"
        ) from None


def _landing_zone(config: pulumi.Config) -> LandingZoneSettings | None:
    text = config.get(LANDING_ZONE)
    if text is None:
        return None
    key = f"{NAMESPACE}:{LANDING_ZONE}"
    document = _document(text)
    if not isinstance(document, dict):
        raise LotusError(f"{key} is not an object", f"pulumi config set --path {key}.server aws, and so on")
    if document.get("server") == "s3" and "endpoint" not in document and os.environ.get(ENDPOINT_VARIABLE):
        document = {**document, "endpoint": os.environ[ENDPOINT_VARIABLE]}
    try:
        return LandingZoneSettings.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(_problem_text(key, *found["loc"], what=found["msg"]) for found in error.errors())
        raise LotusError(wrong, f"pulumi config set --path {key}.<key> <value>, or edit the stack's file") from None


def _document(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _dagster(config: pulumi.Config, zone: LandingZoneSettings | None) -> DagsterStack | None:
    text = config.get(DAGSTER)
    settings = None if text is None else parse_dagster_settings(_document(text))
    if settings is None:
        return None
    if zone is None:
        what = f"{NAMESPACE}:{DAGSTER}: needs a landing zone, and the stack has none"
        raise LotusError(what, f"describe it by {NAMESPACE}:{LANDING_ZONE}, or set deploy: false")
    names = (naming.password(naming.DAGSTER_DATABASE), naming.password(naming.CATALOG_DATABASE))
    problems = [problem for name in names if (problem := _password_problem(config, name))]
    if problems:
        raise LotusError("\n".join(problems))
    return DagsterStack(settings, *(config.require_secret(name) for name in names))


def _password_problem(config: pulumi.Config, name: str) -> str:
    given = config.get(name)
    if given in {None, PLACEHOLDER}:
        what = "is missing"
    elif len(given or "") < MIN_PASSWORD_LENGTH:
        what = f"has fewer than {MIN_PASSWORD_LENGTH} characters, and could be guessed"
    else:
        return ""
    key = f"{NAMESPACE}:{name}"
    return f"{key}: {what}: openssl rand -hex 24 | pulumi config set --secret {key}"


def _problem_text(key: str, *path: object, what: str) -> str:
    return f"{'.'.join([key, *map(str, path)])}: {what.removeprefix('Value error, ')}"


def _identities(config: pulumi.Config) -> GivenIdentities:
    """The keys that the server's operator created; Dagster and backups use Airbyte's unless they have their own."""
    writer = _credentials(config, "s3_")
    reader, backup = (_own_credentials(config, start) or writer for start in ("s3_reader_", "s3_backup_"))
    return GivenIdentities(writer, reader, backup)


def _own_credentials(config: pulumi.Config, start: str) -> Credentials | None:
    return _credentials(config, start) if config.get(f"{start}access_key_id") is not None else None


def _credentials(config: pulumi.Config, start: str) -> Credentials:
    names = (f"{start}access_key_id", f"{start}secret_access_key")
    for name in names:
        if config.get(name) in {None, PLACEHOLDER}:
            what = f"the landing zone is not on AWS, and the stack has no {NAMESPACE}:{name}"
            raise LotusError(what, f"pulumi config set --secret {NAMESPACE}:{name}")
    return Credentials(*(config.require_secret(name) for name in names))


def _names() -> frozenset[str]:
    """The names with a value; a placeholder is none."""
    prefix = f"{NAMESPACE}:"
    given = {key for key, value in CONFIG.get().items() if value != PLACEHOLDER}
    return frozenset(key.removeprefix(prefix) for key in given if key.startswith(prefix))


def _value(config: pulumi.Config, reference: Reference) -> pulumi.Input[Any]:
    if reference.secret and reference.type == "string":
        return config.require_secret(reference.name)
    # Parsed at once, not in an output: a value of another type is refused before anything is declared.
    value = _typed(reference, config.require(reference.name))
    return pulumi.Output.secret(value) if reference.secret else value


def _typed(reference: Reference, text: str) -> object:
    """Parse a value as the reference's type.

    Raises:
        LotusError: It has another type.
    """
    try:
        value = text if reference.type == "string" else json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, _PYTHON[reference.type]) or (reference.type != "boolean" and isinstance(value, bool)):
        given, option = ("another value", "--secret ") if reference.secret else (repr(text), "")
        what = f"lotus:{reference.name} is {given}, and the lake asks for type {reference.type}"
        raise LotusError(what, f"pulumi config set {option}lotus:{reference.name} <{reference.type}>")
    return value
