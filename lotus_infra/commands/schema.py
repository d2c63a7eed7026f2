"""`lotus schema`: the JSON Schemas of the lake's files, for people and for completion in editors."""

import json
from pathlib import Path

import click
from airbyte_model.suggestions import suggestion

from lotus_infra.commands.completion import names
from lotus_infra.commands.options import JSON, STREAMS
from lotus_infra.commands.output import write_together
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.json_schema import FILE_MODELS, json_schema
from lotus_infra.lake.lake import SCHEMA_FOLDER


@click.command()
@click.argument("kind", required=False, shell_complete=names(lambda *_: FILE_MODELS))
@click.option("--write", is_flag=True, help="Write all schemas into the lake's folder, where editors look for them.")
@STREAMS
@JSON
def schema(kind: str | None, directory: Path, *, write: bool, as_json: bool) -> None:
    """Print or write the JSON Schemas of the lake's files.

    KIND is stream, source or destination; without it, the schema of a stream is printed.

    Example: lotus schema stream
    """
    if write:
        files = [str(file) for file in write_schemas(directory)]
        document: dict[str, object] = {"ok": True, "files": files}
        text = "\n".join(files)
    else:
        text = schema_text(kind or "stream")
        document = {"ok": True, "kind": kind or "stream", "schema": json.loads(text)}
    click.echo(json.dumps(document, indent=2, ensure_ascii=False) if as_json else text)


def schema_text(kind: str) -> str:
    """Format the JSON Schema of a kind of file.

    Raises:
        LotusError: The kind is unknown.
    """
    if kind not in FILE_MODELS:
        raise LotusError(
            f'unknown kind of file "{kind}"', suggestion(kind, FILE_MODELS, f"try {', '.join(FILE_MODELS)}")
        )
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False)


def write_schemas(directory: Path) -> tuple[Path, ...]:
    """Write the JSON Schema of every kind of file into `.schema/` of a lake's folder; returns the files.

    Raises:
        LakeError: The folder is missing or can't be written to.
    """
    if not directory.is_dir():
        raise LakeError(f"{directory} is not a folder", "name the lake's folder with --streams")
    folder = directory / SCHEMA_FOLDER
    write_together(folder, {f"{kind}.json": schema_text(kind) + "\n" for kind in FILE_MODELS})
    return tuple(folder / f"{kind}.json" for kind in FILE_MODELS)
