"""One sync of the twin from a made-up Shopify to Parquet on S3: records, bytes, objects, the twin's memory, and time.

Usage: `python benchmarks/sync.py --records 100000 [--json]`. The twin is a process of its own, so that the peak of
memory is its alone. Fields are those that the lake selects.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from airbyte_twin.settings import DEFAULT_WORKSPACE_ID
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ORDERS = Path(__file__).parents[1] / "streams" / "shopify" / "orders.json"
BUCKET = "landing"


@contextmanager
def running_twin(*options: str) -> Iterator[tuple[int, str]]:
    """A twin's process id and the root of its API, while it is needed."""
    program = [sys.executable, "-c", "from airbyte_twin.cli import main; main()", "--port", "0", "--run-syncs"]
    with subprocess.Popen([*program, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield process.pid, f"{line.split()[-1]}/api/public/v1"
        finally:
            process.terminate()


@contextmanager
def running_s3() -> Iterator[tuple[str, "S3Client"]]:
    """The address of an S3 server with an empty bucket, and a client of it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    client = boto3.session.Session("key", "secret", region_name="us-east-1").client("s3", endpoint_url=url)
    client.create_bucket(Bucket=BUCKET)
    try:
        yield url, client
    finally:
        server.stop()


def connect(api: httpx.Client, s3: str) -> str:
    """A connection of orders to the bucket."""

    def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = api.post(path, json=body)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    named = {"name": "benchmark", "workspaceId": DEFAULT_WORKSPACE_ID}
    credentials = {"auth_method": "api_password", "api_password": "none"}
    shopify = {"sourceType": "shopify", "shop": "example", "credentials": credentials}
    bucket = {
        "destinationType": "s3",
        "s3_bucket_name": BUCKET,
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-east-1",
        "s3_endpoint": s3,
        "access_key_id": "key",
        "secret_access_key": "secret",
        "format": {"format_type": "Parquet"},
    }
    source = made("/sources", {**named, "configuration": shopify})["sourceId"]
    destination = made("/destinations", {**named, "configuration": bucket})["destinationId"]
    fields = json.loads(ORDERS.read_text(encoding="utf-8"))["fields"]
    selected = [{"fieldPath": [name]} for name in fields]
    stream = {"name": "orders", "syncMode": "incremental_append", "selectedFields": selected}
    sent = {"sourceId": source, "destinationId": destination, "configurations": {"streams": [stream]}}
    connection: str = made("/connections", sent)["connectionId"]
    return connection


def synced(api: httpx.Client, connection: str) -> dict[str, Any]:
    """The job of one sync, once it has ended."""
    job: dict[str, Any] = api.post("/jobs", json={"connectionId": connection, "jobType": "sync"}).json()
    while job["status"] in {"pending", "running"}:
        time.sleep(0.1)
        job = api.get(f"/jobs/{job['jobId']}").json()
    return job


def peak(pid: int) -> float:
    """Megabytes that a process had in memory at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measured(records: int) -> dict[str, Any]:
    """One row of the result."""
    with running_s3() as (url, client), running_twin("--first-records", str(records)) as (process, root):
        with httpx.Client(base_url=root, trust_env=False, timeout=120) as api:
            connection, began = connect(api, url), time.perf_counter()
            job = synced(api, connection)
        seconds = round(time.perf_counter() - began, 1)
        return {
            "records": job.get("rowsSynced"),
            "status": job["status"],
            "bytes": job.get("bytesSynced"),
            "objects": client.list_objects_v2(Bucket=BUCKET)["KeyCount"],
            "peak_megabytes": round(peak(process)),
            "seconds": seconds,
        }


def main() -> int:
    """Prints a row for each number of records; exit code 1 if a sync did not succeed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, action="append", help="orders to sync; repeatable (default: 100000)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = [measured(records) for records in options.records or [100_000]]
    if options.json:
        print(json.dumps({"benchmark": "sync", "rows": rows}, indent=2))
    else:
        for row in rows:
            print("  ".join(f"{key} {value}" for key, value in row.items()))
    return 0 if all(row["status"] == "succeeded" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
