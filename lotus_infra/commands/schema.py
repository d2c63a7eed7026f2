"""`lotus schema`: the formats of the lake's files, for people and editors."""

import json
from pathlib import Path

import click
from airbyte_model.suggestions import suggestion

from lotus_infra.commands.options import JSON, STREAMS
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.json_schema import KINDS, json_schema
from lotus_infra.lake.lake import SCHEMA_FOLDER


@click.command()
@click.argument("kind", required=False)
@click.option("--write", is_flag=True, help="Write all schemas into the lake's folder, where editors look for them.")
@STREAMS
@JSON
def schema(kind: str | None, directory: Path, *, write: bool, as_json: bool) -> None:
    """Print the JSON Schema of a KIND of file (stream, source or destination), or write them all.

    Example: lotus schema stream
    """
    if write:
        files = write_schemas(directory)
        document: dict[str, object] = {"ok": True, "files": [str(file) for file in files]}
        told = "\n".join(map(str, files))
    else:
        told = print_schema(kind or "stream")
        document = {"ok": True, "kind": kind or "stream", "schema": json.loads(told)}
    click.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else told)


def print_schema(kind: str) -> str:
    """The JSON Schema of a kind of file, as text.

    Raises:
        LotusError: There is no such kind.
    """
    if kind not in KINDS:
        raise LotusError(f"there is no kind of file called {kind}", suggestion(kind, KINDS, f"try {', '.join(KINDS)}"))
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False)


def write_schemas(directory: Path) -> tuple[Path, ...]:
    """Write the JSON Schema of every kind of file to `.schema/` in a lake's folder.

    Returns:
        The files.

    Raises:
        LakeError: The folder is missing or can't be written to.
    """
    if not directory.is_dir():
        raise LakeError(f"{directory} is not a folder", "name the lake's folder with --streams")
    written: list[Path] = []
    try:
        (directory / SCHEMA_FOLDER).mkdir(exist_ok=True)
        for kind in KINDS:
            file = directory / SCHEMA_FOLDER / f"{kind}.json"
            file.write_text(print_schema(kind) + "\n", encoding="utf-8")
            written.append(file)
    except OSError as error:
        raise LakeError(f"{directory} can't be written to ({error.strerror or error})", "make it writable") from None
    return tuple(written)
