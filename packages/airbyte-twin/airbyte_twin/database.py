"""Limits of the server's database, and the text of its errors, which the server passes on.

Source: the insert of an actor and that of a tag were recorded; other statements are of the same form.
"""

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from airbyte_twin.errors import ProblemError, unexpected

LONGEST_NAME = 256
NUL = "\0"
TOO_LONG = f"value too long for type character varying({LONGEST_NAME})"
BAD_TEXT = 'invalid byte sequence for encoding "UTF8": 0x00'
BAD_JSON = "unsupported Unicode escape sequence\n  Detail: \\u0000 cannot be converted to text."

MOMENT = "timestamp(6) with time zone"
ACTOR_COLUMNS = {
    "id": "uuid",
    "workspace_id": "uuid",
    "actor_definition_id": "uuid",
    "name": None,
    "configuration": "jsonb",
    "actor_type": '"public"."actor_type"',
    "tombstone": None,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "resource_requirements": "jsonb",
}
"""Columns of an actor and what their parameters are cast to."""


def insert_of_actor() -> str:
    """The statement that creates an actor."""
    names = ", ".join(f'"{column}"' for column in ACTOR_COLUMNS)
    values = ", ".join(_parameter(kind) for kind in ACTOR_COLUMNS.values())
    return f'insert into "public"."actor" ({names}) values ({values})'  # noqa: S608 - a text, never run


def update_of_actor() -> str:
    """The statement that changes one."""
    kept = {"id", "actor_type", "created_at"}
    changes = ", ".join(f'"{name}" = {_parameter(kind)}' for name, kind in ACTOR_COLUMNS.items() if name not in kept)
    return f'update "public"."actor" set {changes} where "public"."actor"."id" = cast(? as uuid)'  # noqa: S608


def page_of_actors(workspaces: int, *, deleted: bool) -> str:
    """The statement that reads a page of those of some workspaces."""
    actor = '"public"."actor"'
    conditions = [
        f'{actor}."actor_type" = {_parameter(ACTOR_COLUMNS["actor_type"])}',
        f'{actor}."workspace_id" in ({", ".join([_parameter("uuid")] * workspaces)})',
        *([] if deleted else [f'{actor}."tombstone" <> ?']),
    ]
    wanted = " and ".join(conditions)
    return f"select * from {actor} where ({wanted}) offset ? rows fetch next ? rows only"  # noqa: S608 - never run


def _parameter(kind: str | None) -> str:
    return f"cast(? as {kind})" if kind else "?"


def text_flaw(texts: Iterable[str | None]) -> str | None:
    """Why a text column does not take one of these; None if all is well."""
    return BAD_TEXT if any(NUL in text for text in texts if text) else None


def name_flaw(name: str) -> str | None:
    """Why a column of names does not take one."""
    return TOO_LONG if len(name) > LONGEST_NAME else text_flaw([name])


def holds_nul(document: JsonValue) -> bool:
    """Whether a text or key of a document holds a NUL, which jsonb cannot."""
    if isinstance(document, str):
        return NUL in document
    if isinstance(document, list):
        return any(holds_nul(item) for item in document)
    if isinstance(document, dict):
        return any(NUL in key or holds_nul(value) for key, value in document.items())
    return False


def check_actor(statement: str, name: str, configuration: JsonValue) -> None:
    """Refuse an actor that its table does not take.

    Raises:
        ProblemError: 500 `unexpected-problem` with the statement.
    """
    flaw = name_flaw(name) or (BAD_JSON if holds_nul(configuration) else None)
    if flaw:
        raise unexpected(f"SQL [{statement}]; ERROR: {flaw}")


def check_connection(name: str | None, *texts: str | None) -> None:
    """Refuse a connection that its table does not take.

    Raises:
        ProblemError: 500 `unexpected-problem` without details.
    """
    if name_flaw(name or "") or text_flaw(texts):
        raise unexpected(None)


def missing_workspace(table: str, workspace_id: str) -> ProblemError:
    """500 for a row whose workspace does not exist, where only the database checks that."""
    return missing_row(table, "workspace", workspace_id)


def missing_row(table: str, other: str, key: str) -> ProblemError:
    """500 for a row that refers to one of another table that does not exist."""
    column = f"{other}_id"
    return unexpected(
        f'Error executing PERSIST: ERROR: insert or update on table "{table}" violates foreign key constraint '
        f'"{table}_{column}_fkey"\n'
        f'  Detail: Key ({column})=({key}) is not present in table "{other}".'
    )


def duplicate_key(constraint: str, columns: Mapping[str, str | None]) -> ProblemError:
    """500 for a row whose key another one has."""
    names, values = ", ".join(columns), ", ".join(str(value) for value in columns.values())
    return unexpected(
        f'Error executing PERSIST: ERROR: duplicate key value violates unique constraint "{constraint}"\n'
        f"  Detail: Key ({names})=({values}) already exists."
    )


def violated_check(table: str, constraint: str) -> ProblemError:
    """500 for a row whose columns do not go together."""
    return unexpected(
        f'Error executing PERSIST: ERROR: new row for relation "{table}" violates check constraint "{constraint}"'
    )
