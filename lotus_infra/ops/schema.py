"""`lotus schema`: the formats of the lake's files, for people and editors."""

import json
from pathlib import Path

from lotus_infra.errors import LakeError, LotusError
from lotus_infra.streams.lake import SCHEMA_FOLDER
from lotus_infra.streams.problems import suggestion
from lotus_infra.streams.schema import KINDS, json_schema


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
