"""Small lakes for tests: one clean file of each kind, to be broken one way at a time."""

import json
from collections.abc import Mapping
from pathlib import Path

from lotus_infra.lake.diagnostics import LocatedDiagnostic
from lotus_infra.lake.references import StackValues
from lotus_infra.lake.report import Report, check_lake
from lotus_infra.naming import PATH_FORMAT

OWN_STREAMS = Path(__file__).parents[2] / "streams"

Document = dict[str, object]
Files = Mapping[str, Document | str | bytes | None]
"""Files by their path in the lake: a document to dump, a text or bytes to write as they are, None to leave out."""


def stream(**overrides: object) -> Document:
    """A clean stream that has `id`, `email` and `updated_at`."""
    clean: Document = {
        "stream": "orders",
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "primary_key": [["id"]],
        "cursor_field": ["updated_at"],
        "fields": {
            "id": {"type": "integer"},
            "email": {"type": "string"},
            "updated_at": {"type": "string", "format": "date-time"},
        },
    }
    return clean | overrides


def discovered(**overrides: object) -> Document:
    """What the source says of the clean stream: three more fields, and a cursor that anyone may choose."""
    fields = {
        "id": {"type": ["null", "integer"]},
        "email": {"type": "string"},
        "updated_at": {"type": "string", "format": "date-time"},
        "created_at": {"type": "string", "format": "date-time"},
        "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}},
        "lines": {"type": "array", "items": {"sku": {"type": "string"}, "count": {"type": "integer"}}},
    }
    clean: Document = {
        "stream": "orders",
        "options": {"sync_modes": ["full_refresh", "incremental"]},
        "defaults": {"primary_key": [["id"]], "cursor_field": ["updated_at"]},
        "fields": fields,
    }
    return clean | overrides


def source(**overrides: object) -> Document:
    """A clean source that needs no account."""
    clean: Document = {"connector": "source-faker", "name": "Shop", "configuration": {"count": 10}, "destination": "s3"}
    return clean | overrides


def destination(**overrides: object) -> Document:
    """A clean destination on S3."""
    clean: Document = {
        "connector": "destination-s3",
        "configuration": {
            "s3_bucket_name": {"$config": "landing_bucket"},
            "s3_bucket_path": "raw",
            "s3_bucket_region": "us-west-1",
            "secret_access_key": {"$secret": "s3_secret_access_key"},
            "format": {"format_type": "Parquet"},
            "s3_path_format": PATH_FORMAT,
        },
    }
    return clean | overrides


def clean_files() -> dict[str, Document | str | bytes | None]:
    """The files of the smallest whole lake; the connectors are those that the project pins."""
    pinned = {f"_connectors/{file.name}": file.read_bytes() for file in (OWN_STREAMS / "_connectors").iterdir()}
    return pinned | {
        "_destinations/s3.json": destination(),
        "shop/_source.json": source(),
        "shop/orders.json": stream(),
        "shop/_discovered/orders.json": discovered(),
    }


def write(directory: Path, files: Files) -> Path:
    """Write files below a folder, and return the folder."""
    for name, content in files.items():
        if content is not None:
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(content, indent=2) if isinstance(content, dict) else content
            file.write_bytes(text.encode() if isinstance(text, str) else text)
    return directory


def report_on(directory: Path, changes: Files, *stacks: StackValues) -> Report:
    """Check the clean lake with some of its files changed."""
    return check_lake(write(directory, clean_files() | dict(changes)), stacks)


def problems_of(directory: Path, changes: Files, *stacks: StackValues) -> list[str]:
    """What is wrong with the clean lake once some of its files are changed."""
    return [told(problem, directory) for problem in report_on(directory, changes, *stacks).problems]


def told(problem: LocatedDiagnostic, directory: Path) -> str:
    """A problem as the user reads it, without the lake's folder before the file."""
    return str(problem).removeprefix(f"{directory.as_posix()}/")
