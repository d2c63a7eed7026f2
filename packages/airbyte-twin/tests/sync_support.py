"""What tests of syncs share: connectors that are scripts, streams, and a lake that a twin syncs to."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from airbyte_twin.records import DiscoveredStream, Epoch, Outside, SelectedStream
from airbyte_twin.sync.streams import SyncStream
from landing_support import Lake, configuration
from twin_support import Api, stream

NEW_YEAR = 1767225600
SCRIPT = """#!{python}
import json, os, pathlib, signal, subprocess, sys
plan = json.loads(pathlib.Path({plan!r}).read_text())
verb = sys.argv[1]
files = {{name[2:]: json.loads(pathlib.Path(path).read_text()) for name, path in zip(sys.argv[2::2], sys.argv[3::2])}}
modes = {{name[2:]: oct(os.stat(path).st_mode & 0o777) for name, path in zip(sys.argv[2::2], sys.argv[3::2])}}
pathlib.Path({seen!r}).write_text(json.dumps({{"verb": verb, "folder": os.getcwd(), "modes": modes, **files}}))
said = plan[verb]
for line in said["lines"]:
    print(line if isinstance(line, str) else json.dumps(line), flush=True)
sys.stderr.write(said.get("stderr", ""))
if said.get("hangs"):
    child = subprocess.Popen(["sleep", "1000"])
    pathlib.Path({pids!r}).write_text(json.dumps([os.getpid(), child.pid]))
    signal.pause()
sys.exit(said.get("code", 0))
"""
DEV_NULL = "a7bcc9d8-13b3-4e49-b80d-d020b90045e3"
"""Not every connector has a type name: this one is only known by its definition."""


class Script:
    """A connector that says what it is told to, and notes what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.path, self._plan, self._seen = folder / "connector", folder / "plan.json", folder / "seen.json"
        self._pids = folder / "pids.json"
        self._said: dict[str, Any] = {}
        files = {"plan": str(self._plan), "seen": str(self._seen), "pids": str(self._pids)}
        self.path.write_text(SCRIPT.format(python=sys.executable, **files))
        self.path.chmod(0o755)
        self.says("discover", {"type": "CATALOG", "catalog": {"streams": [offered("orders"), offered("customers")]}})

    def says(self, verb: str, *lines: Any, **ending: Any) -> None:
        """Lines of its output to a verb, as JSON or as text; `code`, `stderr` and `hangs` tell how it ends."""
        self._said[verb] = {"lines": lines, **ending}
        self._plan.write_text(json.dumps(self._said))

    def seen(self) -> Any:
        """What it was asked last: its verb, folder, documents and their modes."""
        return json.loads(self._seen.read_text())

    def pids(self) -> list[int]:
        """Itself and its child, once it hangs."""
        # The file is there before its text is.
        until(lambda: self._pids.exists() and self._pids.read_text().endswith("]"))
        found: list[int] = json.loads(self._pids.read_text())
        return found


def until(holds: Callable[[], object]) -> None:
    """Wait for what another process or thread does."""
    for _ in range(3000):
        if holds():
            return
        Event().wait(0.01)
    raise TimeoutError("it did not come to be")


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def offered(name: str) -> dict[str, Any]:
    """A stream as a script offers it."""
    return {
        "name": name,
        "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}, "at": {"type": "integer"}}},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "default_cursor_field": ["at"],
        "namespace": None,
    }


def record(name: str, **data: Any) -> dict[str, Any]:
    return {"type": "RECORD", "record": {"stream": name, "data": data, "emitted_at": 1}}


def state(name: str, **blob: Any) -> dict[str, Any]:
    stream = {"stream_descriptor": {"name": name}, "stream_state": blob}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": stream}}


def status(name: str, status: str) -> dict[str, Any]:
    told = {"stream_descriptor": {"name": name}, "status": status}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": told}}


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {"message": message, **more}}}


def sync_stream(discovered: DiscoveredStream, **selected: Any) -> SyncStream:
    """A stream as a sync reads it, incrementally if it can be."""
    mode = "incremental" if "incremental" in discovered.supported_sync_modes else "full_refresh"
    base: dict[str, Any] = {"name": discovered.name, "sync_mode": mode, "destination_sync_mode": "append"}
    return SyncStream(
        discovered, SelectedStream(**{**base, "cursor_field": discovered.default_cursor_field, **selected})
    )


def outside(*rows: int, hours: int = 1) -> Outside:
    """A synthesized system with so many rows in each epoch, the first of which ends with the year 2025."""
    epochs = (Epoch(ends_at=(NEW_YEAR + 3600 * hours * number) * 1000, rows=each) for number, each in enumerate(rows))
    return Outside(id="x", since=(NEW_YEAR - 30 * 86400) * 1000, epochs=tuple(epochs))


def lake_connection(api: Api, lake: Lake, *streams: Any, **changes: Any) -> Any:
    """A connection from Shopify to a bucket."""
    destination = api.destination(**configuration(lake.url, lake.bucket))["destinationId"]
    named = {"namespaceDefinition": "custom_format", "namespaceFormat": "shopify"}
    return api.connection(*streams or [stream()], destinationId=destination, **named, **changes)


def nowhere(api: Api) -> str:
    """A destination that keeps nothing."""
    logging = {"logging_type": "FirstN", "max_entry_count": 1}
    test = {"test_destination_type": "LOGGING", "logging_config": logging}
    ids = {"workspaceId": api.twin.workspace_id, "definitionId": DEV_NULL}
    sent = {"name": "Nowhere", **ids, "configuration": {"test_destination": test}}
    created: str = api.post("/destinations", sent)["destinationId"]
    return created


def run(api: Api, connection: Any, kind: str = "sync") -> Any:
    """A job once it has ended."""
    created = api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": kind})["jobId"]
    return ended(api, created)


def ended(api: Api, job_id: int) -> Any:
    """A job once it has ended, with its failure and log."""
    api.twin.settle()
    return api.control("GET", f"/jobs/{job_id}", None, 200)


def cursors(api: Api, connection: Any) -> dict[str, Any]:
    """The saved state by stream."""
    found = api.config("/state/get", {"connectionId": connection["connectionId"]})
    return {each["streamDescriptor"]["name"]: each["streamState"] for each in found.get("streamState", [])}


def landed(lake: Lake, name: str = "orders") -> list[Any]:
    """All rows of a stream in the lake, with their generations."""
    keys = [key for key in lake.written() if f"/{name}/" in key]
    return [row for key in keys for row in lake.parquet(key).read().to_pylist()]


def scripted_connection(api: Api, lake: Lake, *names: str, mode: str = "incremental_append", **changes: Any) -> Any:
    streams = [stream(name, syncMode=mode) for name in names or ("orders",)]
    return lake_connection(api, lake, *streams, **changes)


def orders_until(number: int) -> list[Any]:
    """Messages of orders up to a number, each with its state."""
    return [
        message for each in range(1, number + 1) for message in (record("orders", id=each), state("orders", at=each))
    ]
