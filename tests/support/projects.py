"""A small dbt project beside the small lake: clean, to be broken one way at a time.

Texts are of the source `shop`; `renamed` makes them those of another, so that many breaks fit into one project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.lakes import Document, clean_files, discovered, source, stream, write

Texts = dict[str, str]

MODEL = "models/core/shop/int_shop__orders.sql"
SOURCES = "models/core/shop/_shop__sources.yml"
DESCRIPTIONS = "models/core/shop/_shop__models.yml"
MART = "models/marts/fct_shop.sql"

CLEAN: Mapping[str, str] = {
    MODEL: """\
{{ config(unique_key='id', tags=['shop__orders']) }}

with

arrived as (
    select
        id::bigint as id,
        email,
        address,
        updated_at::timestamptz as updated_at,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id
    from {{ arrivals('shop', 'orders') }}
),

typed as (
    select
        *,
        json_extract_string(address, '$.city') as city
    from arrived
)

{{ latest('typed', key='id', cursor='updated_at') }}
""",
    SOURCES: """\
version: 2

sources:
  - name: shop
    tables:
      - name: orders
        config:
          meta:
            prefix: raw/shop/orders/
            external_location: read_parquet('{{ env_var('LOTUS_LANDING', '') }}/raw/shop/orders/*/*/*/*.parquet')
        columns:
          - name: id
          - name: email
          - name: address
          - name: updated_at
          - name: _airbyte_raw_id
          - name: _airbyte_extracted_at
          - name: _airbyte_generation_id
          - name: _airbyte_meta
""",
    DESCRIPTIONS: """\
version: 2

models:
  - name: int_shop__orders
    columns:
      - name: id
        data_tests: [unique, not_null]
""",
    MART: "select id, city from {{ ref('int_shop__orders') }}\n",
}

ADDRESS = {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}}
FIELDS = {
    "id": {"type": "integer"},
    "email": {"type": "string"},
    "address": ADDRESS,
    "updated_at": {"type": "string", "format": "date-time"},
}


@dataclass(frozen=True)
class Break:
    """One way in which a project differs from the clean one.

    Attributes:
        name: What is wrong; it could be a source's name.
        told: What the report says of it, whole; a line for each problem.
        edits: A file, a text in it, and what stands there instead.
        files: More files; None takes one away.
        stream: What the stream's file says differently.
    """

    name: str
    told: str = ""
    edits: tuple[tuple[str, str, str], ...] = ()
    files: tuple[tuple[str, str | None], ...] = ()
    stream: Document | None = None


def broken(change: Break) -> dict[str, str | None]:
    """The clean project's files after a change."""
    files: dict[str, str | None] = dict(CLEAN)
    for file, old, new in change.edits:
        text = files[file]
        assert text is not None
        assert text.count(old) == 1, f"{change.name}: {old} is in {file} {text.count(old)} times"
        files[file] = text.replace(old, new)
    return files | dict(change.files)


def lake_files(change: Break, name: str = "shop") -> dict[str, Document | str | bytes | None]:
    """The lake of one source, whose stream is that of the clean project after a change."""
    orders = stream(fields=FIELDS) | (change.stream or {})
    fields, offered = orders["fields"], discovered()["fields"]
    assert isinstance(fields, dict)
    assert isinstance(offered, dict)
    own = {
        f"{name}/_source.json": source(name=name),
        f"{name}/orders.json": orders,
        f"{name}/_discovered/orders.json": discovered(fields={**fields, **offered}),
    }
    return {file: content for file, content in clean_files().items() if not file.startswith("shop/")} | own


def write_project(directory: Path, files: Mapping[str, str | None]) -> Path:
    """Write a dbt project to `dagster/dbt` of a Pulumi project in a folder; returns the lake's folder in it."""
    (directory / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    write(directory / "dagster" / "dbt", {"dbt_project.yml": "name: lotus\n", **files})
    return directory / "streams"


def renamed(files: Mapping[str, str | None], name: str) -> dict[str, str | None]:
    """Files of the source `shop` as those of another."""
    return {
        file.replace("shop", name): text.replace("shop", name) if text is not None else None
        for file, text in files.items()
    }
