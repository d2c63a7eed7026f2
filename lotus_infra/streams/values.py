"""The values that stream files are made of, each checked where it is read and refused with what to write instead.

Every refusal is a `PydanticCustomError` of the type `REFUSED` whose context has `what` and `remedy`; `explain` turns it
into a finding. This module knows no file and no model.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, StrictBool
from pydantic_core import PydanticCustomError

from lotus_infra.naming import is_identifier

REFUSED = "lotus_refused"

SyncMode = Literal["full_refresh", "incremental"]
DestinationSyncMode = Literal["overwrite", "append", "append_dedup", "overwrite_dedup", "update", "soft_delete"]
TypeName = Literal["string", "integer", "number", "boolean", "object", "array", "null", "unknown"]
NonBreakingChanges = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
ScheduleType = Literal["cron", "basic", "manual"]

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CONNECTOR = re.compile(r"(source|destination)-[a-z0-9]+(-[a-z0-9]+)*")
_PREFIX = re.compile(r"[a-z0-9_]*")


def refused(what: str, remedy: str) -> PydanticCustomError:
    """The error that a validator raises: what is wrong, and what to do about it."""
    return PydanticCustomError(REFUSED, "{what}: {remedy}", {"what": what, "remedy": remedy})


def is_definition_id(connector: str) -> bool:
    """Whether a connector is given by the id of its definition rather than by its name."""
    return _UUID.fullmatch(connector) is not None


def _backfill(value: object) -> object:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise refused("must be true, false or a token", 'write a token such as "2026-02-01-reprice"')
    if value.casefold() in {"true", "false"}:
        raise refused("is a token that looks like a boolean", f"write {value.casefold()} without quotes")
    if _TOKEN.fullmatch(value) is None:
        raise refused("can't be a token", "use 1 to 100 letters, digits, dots, colons, dashes and underscores")
    return value


def _key_paths(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        written = ", ".join(f'["{part}"]' for part in value)
        raise refused("is a list of names where a list of paths belongs", f"write [{written}]")
    return value


def _label(value: str) -> str:
    if not value.strip() or value != value.strip() or not value.isprintable():
        raise refused("can't be a label", "use printable text that neither starts nor ends with a blank")
    return value


def _namespace(value: str) -> str:
    if not is_identifier(value):
        raise refused("can't be a namespace", "use lower-case letters, digits and underscores, a letter first")
    return value


def _prefix(value: str) -> str:
    if _PREFIX.fullmatch(value) is None:
        raise refused("can't be a prefix", "use lower-case letters, digits and underscores")
    return value


def _connector(value: str) -> str:
    if _CONNECTOR.fullmatch(value) is None and not is_definition_id(value):
        raise refused(
            "is neither a connector's name nor a definition id",
            'write a name such as "source-shopify" or the UUID of a definition',
        )
    return value


def _definition_id(value: str) -> str:
    if not is_definition_id(value):
        raise refused("is not a definition id", "write the UUID that Airbyte knows it by")
    return value.lower()


Backfill = Annotated[StrictBool | str, BeforeValidator(_backfill)]
FieldPath = tuple[str, ...]
KeyPaths = Annotated[tuple[FieldPath, ...], BeforeValidator(_key_paths)]
Label = Annotated[str, AfterValidator(_label)]
Namespace = Annotated[str, AfterValidator(_namespace)]
Prefix = Annotated[str, AfterValidator(_prefix)]
ConnectorName = Annotated[str, AfterValidator(_connector)]
DefinitionId = Annotated[str, AfterValidator(_definition_id)]
