"""A lake whose ERP dlt reads, by a module of the lake's own, from an API that the test serves."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

import boto3
import duckdb
from lotus_dagster.ingestion.land import Landed, land
from lotus_dagster.lake import Stream, streams_of

from lotus_infra import naming
from tests.support.lakes import Document, clean_files, stream, write
from tests.support.rest_api import RestApi

MODULE = '''"""The ERP: orders since the cursor of the stream's file, and all customers."""

from typing import Any, Iterator, Optional

import dlt
from dlt.sources.helpers import requests


@dlt.source
def erp(url: str, api_key: str, page_size: int = 3) -> Any:
    def pages(table: str, since: Optional[str] = None) -> Iterator[Any]:
        page, more = 1, True
        while more:
            given = {"updated_since": since} if since else {}
            answer = requests.get(
                f"{url}/{table}",
                params={"page": page, "limit": page_size, **given},
                headers={"Authorization": f"Bearer {api_key}"},
            ).json()
            yield answer["rows"]
            page, more = page + 1, answer["more"]

    @dlt.resource(name="Orders", primary_key="id")
    def orders(updated: Optional[dlt.sources.incremental[str]] = None) -> Any:
        since = updated.last_value if updated is not None else None
        yield from pages("orders", since)

    @dlt.resource(name="Customers", primary_key="id")
    def customers() -> Any:
        yield from pages("customers")

    return orders, customers
'''
TIME = {"type": "string", "format": "date-time"}
ORDERS = stream(
    stream="Orders",
    cursor_field=["updated_at"],
    fields={
        "id": {"type": "integer"},
        "updated_at": TIME,
        "total": {"type": "number"},
        "lines": {"type": "array", "items": {"sku": {"type": "string"}}},
    },
)
CUSTOMERS = stream(
    stream="Customers",
    sync_mode="full_refresh",
    destination_sync_mode="overwrite",
    primary_key=[],
    cursor_field=[],
    fields={"id": {"type": "integer"}, "updated_at": TIME, "name": {"type": "string"}},
)
SOURCE: Document = {
    "engine": "dlt",
    "configuration": {"url": {"$config": "erp_url"}, "api_key": {"$secret": "erp_api_key"}},
    "destination": "s3",
}
SMALL_FILES = {"NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "2", "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "1"}
"""dlt's settings by which a few rows become several files."""
Row = dict[str, Any]


@dataclass
class Erp:
    """The lake.

    Attributes:
        root: Its folder.
        api: The ERP.
        landing: Where files land.
        files: The lake's files below `streams/`.
    """

    root: Path
    api: RestApi
    landing: str
    files: dict[str, Document] = field(
        default_factory=lambda: {
            "erp/_source.json": SOURCE,
            "erp/orders.json": ORDERS,
            "erp/customers.json": CUSTOMERS,
        }
    )

    def __post_init__(self) -> None:
        self.write(MODULE)
        kept = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
        write(self.root / "streams", {**kept, **self.files})

    def write(self, module: str, name: str = "erp") -> None:
        """Write a source's module."""
        file = self.root / naming.source_module_file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(module)

    def edit(self, name: str, **changes: object) -> None:
        """Change a stream's file."""
        self.files[f"erp/{name}.json"] = self.files[f"erp/{name}.json"] | changes
        write(self.root / "streams", {f"erp/{name}.json": self.files[f"erp/{name}.json"]})

    @property
    def configuration(self) -> dict[str, Any]:
        """The source's configuration as a run has it."""
        return {"url": self.api.url, "api_key": self.api.token}

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a run of the source."""
        return {"LOTUS_LANDING": self.landing, naming.source_variable("erp"): json.dumps(self.configuration)}

    def stream(self, name: str = "orders") -> Stream:
        """A stream as its file has it now."""
        (found,) = (each for each in streams_of(self.root / "streams") if each.name == name)
        return found

    def land(self, name: str = "orders", **configuration: object) -> Landed:
        """A run of a stream."""
        given = self.configuration | configuration
        return land(self.stream(name), self.root, self.landing, given, getLogger("test"))

    def keys(self, name: str = "orders") -> dict[str, str]:
        """The stream's files with their ETags, or the times of a folder."""
        prefix = self.stream(name).prefix
        if not self.landing.startswith("s3://"):
            folder = Path(self.landing)
            files = (file for file in (folder / prefix).rglob("*.parquet"))
            return {file.relative_to(folder).as_posix(): str(file.stat().st_mtime_ns) for file in files}
        pages = boto3.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=self.below + prefix)
        return {one["Key"].removeprefix(self.below): one["ETag"] for page in found for one in page.get("Contents", [])}

    @property
    def bucket(self) -> str:
        """The landing bucket."""
        return self.landing.removeprefix("s3://").partition("/")[0]

    @property
    def below(self) -> str:
        """The prefix of the landing zone in its bucket."""
        prefix = self.landing.removeprefix("s3://").partition("/")[2]
        return f"{prefix}/" if prefix else ""

    def rows(self, name: str = "orders") -> list[Row]:
        """The rows of the stream's files, in the order of their extraction."""
        with local_copies(self, name) as files:
            if not files:
                return []
            found = duckdb.sql(
                f"select * exclude (_dlt_id, _dlt_load_id) from read_parquet({files}, hive_partitioning = false,"
                " union_by_name = true) order by _airbyte_extracted_at"
            )
            return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    def contents(self, name: str = "orders") -> list[tuple[Any, ...]]:
        """The rows as the ERP has them, sorted: what a second reading of one would double."""
        value = "total" if name == "orders" else "name"
        return sorted((row["id"], row["updated_at"].isoformat(), row[value]) for row in self.rows(name))

    def expected(self, name: str = "orders") -> list[tuple[Any, ...]]:
        """The rows that the ERP has now."""
        value = "total" if name == "orders" else "name"
        rows = self.api.rows(name)
        return sorted((row["id"], row["updated_at"].replace("Z", "+00:00"), row[value]) for row in rows)


@contextmanager
def local_copies(erp: Erp, name: str) -> Iterator[list[str]]:
    """The stream's files on this machine."""
    if not erp.landing.startswith("s3://"):
        yield [f"{erp.landing}/{key}" for key in erp.keys(name)]
        return
    folder = erp.root / "copies" / name
    files = []
    for number, key in enumerate(sorted(erp.keys(name))):
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number}.parquet"
        boto3.client("s3").download_file(erp.bucket, erp.below + key, str(file))
        files.append(str(file))
    yield files


@contextmanager
def variables(**given: str) -> Iterator[None]:
    """An environment with some more variables."""
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
