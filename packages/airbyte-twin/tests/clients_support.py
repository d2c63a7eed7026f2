"""Other people's clients of Airbyte, unchanged, each in an environment of its own; and the calls that each makes.

The calls are facts: `clients/<client>.json` has those of each test, in order, and a test fails if its client makes
others. `LOTUS_BLESS=1` writes them instead.
"""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest
from airbyte_twin.calls import Call
from sync_support import DEV_NULL
from twin_support import Api, faker, serving, stream

from toolchain.connectors import environment
from toolchain.engine import EngineError

HERE = Path(__file__).parent / "clients"
PATIENCE = 600
"""Seconds after which a step that does not end is a failure: the first one imports the client."""
QUIET = {
    "AIRBYTE_OFFLINE_MODE": "1",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "NO_PROXY": "127.0.0.1",
}


MARK = "answer "
"""Begins a worker's answers."""
SHARED = {"pyairbyte-mcp": "pyairbyte"}
"""Clients that are in another one's environment."""
SILENT = {"test_destination": {"test_destination_type": "SILENT"}}
"""Configuration of a destination that only counts."""

MANIFEST = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["items"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "items",
            "primary_key": ["id"],
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url_base": "https://example.com", "path": "/items"},
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []},
                },
            },
            "schema_loader": {
                "type": "InlineSchemaLoader",
                "schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
            },
        }
    ],
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
"""A connector of one's own, with the stream `items`."""


class ClientError(Exception):
    """A client raised an error; `kind` is the name of its class."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Worker:
    """A process in a client's environment that takes steps."""

    def __init__(self, client: str, home: Path) -> None:
        folder = environment(HERE / f"{SHARED.get(client, client)}.txt")
        script = HERE / f"steps_{client.replace('-', '_')}.py"
        variables = {"PATH": os.environ["PATH"], "HOME": str(home), "AIRFLOW_HOME": str(home), **QUIET}
        self._errors = (home / "stderr").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [folder / "bin" / "python", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=home,
            env=variables,
            text=True,
        )

    def take(self, order: dict[str, Any]) -> Any:
        """A step's result.

        Raises:
            ClientError: the client raised an error.
            RuntimeError: the process ended, or the step did not end in time.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # then it has ended, and answers nothing
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        timer = threading.Timer(PATIENCE, self._process.kill)
        timer.start()
        line = next((line for line in self._process.stdout if line.startswith(MARK)), "")
        timer.cancel()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"the client ended: {self._errors.read()[-2000:]}")
        answer = json.loads(line.removeprefix(MARK))
        if "error" in answer:
            raise ClientError(answer["error"], answer["text"])
        return answer["result"]

    def close(self) -> None:
        """End the process."""
        with suppress(BrokenPipeError):
            self._process.communicate()
        self._errors.close()


@contextmanager
def working(client: str, home: Path) -> Iterator[Worker]:
    """A worker of a client; skips the tests where the client cannot be installed."""
    try:
        worker = Worker(client, home)
    except EngineError as error:
        pytest.skip(f"{client} is NOT tested: {error}")
    try:
        yield worker
    finally:
        worker.close()


class Ledger:
    """The calls that a test's client made, step by step."""

    def __init__(self, client: str, test: str) -> None:
        self._file, self._test = HERE / f"{client}.json", test
        self._steps: list[dict[str, Any]] = []

    @contextmanager
    def step(self, api: Api, name: str) -> Iterator[None]:
        """Notes the calls that a twin gets within the context."""
        api.twin.clear_calls()
        try:
            yield
        finally:
            self._steps.append({"step": name, "calls": distinct(api.twin.calls())})

    def close(self) -> None:
        """Compare with the facts, or write them."""
        facts = facts_of(self._file)
        if os.environ.get("LOTUS_BLESS"):
            facts[self._test] = self._steps
            write_facts(self._file, facts)
        assert self._steps == facts.get(self._test), (
            f"other calls than {self._file.name} has; LOTUS_BLESS=1 writes them"
        )


class Client:
    """A client as one test uses it."""

    def __init__(self, worker: Worker, ledger: Ledger) -> None:
        self._worker, self._ledger = worker, ledger

    def do(self, api: Api, step: str, /, **arguments: Any) -> Any:
        """What a step of the client's script returns, as JSON.

        Raises:
            ClientError: the client raised an error.
        """
        twin = api.twin
        addresses = {
            "url": twin.url,
            "public_url": twin.public_url,
            "config_url": twin.config_url,
            "workspace_id": twin.workspace_id,
            "auth": twin.twin.settings.auth,
            "token": api.http.headers.get("Authorization", "Bearer unused").removeprefix("Bearer "),
            "client_id": twin.client_id,
            "client_secret": twin.client_secret,
            "username": twin.twin.settings.username,
            "password": twin.twin.settings.password,
        }
        with self._ledger.step(api, arguments.get("method", step)):
            return self._worker.take({"step": step, "twin": addresses, "with": arguments})


def null_connection(api: Api, *streams: Any) -> Any:
    """A connection whose syncs need no bucket: from a faker source, of users if no streams are given."""
    source = api.post("/sources", faker(api.twin.workspace_id, count=3))["sourceId"]
    body = {"name": "Null", "workspaceId": api.twin.workspace_id, "definitionId": DEV_NULL, "configuration": SILENT}
    destination = api.post("/destinations", body)["destinationId"]
    return api.connection(*(streams or [stream("users")]), sourceId=source, destinationId=destination)


def finished(api: Api) -> tuple[str, int]:
    """A connection's id and the number of its one sync, which has ended; the twin runs syncs."""
    connection: str = null_connection(api)["connectionId"]
    job: int = api.post("/jobs", {"connectionId": connection, "jobType": "sync"})["jobId"]
    api.twin.settle()
    return connection, job


@contextmanager
def guarded() -> Iterator[Api]:
    """A twin with bearer tokens; clients keep tokens by the application's id, so each has one of its own."""
    with serving(auth="client_credentials", client_id=str(uuid4())) as api:
        body = {"client_id": api.twin.client_id, "client_secret": api.twin.client_secret}
        token = api.post("/applications/token", {**body, "grant_type": "client_credentials"})["access_token"]
        api.http.headers["Authorization"] = f"Bearer {token}"
        yield api


def facts_of(file: Path) -> dict[str, Any]:
    """The calls by test."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def write_facts(file: Path, facts: dict[str, Any]) -> None:
    """Replace the calls by test."""
    file.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def stale_facts(client: str, module: dict[str, Any]) -> set[str]:
    """Facts of tests that the module does not have any more; blessing removes them."""
    tests = {name.removeprefix("test_") for name in module if name.startswith("test_")}
    facts = facts_of(HERE / f"{client}.json")
    stale = {name for name in facts if name.partition("[")[0] not in tests}
    if os.environ.get("LOTUS_BLESS"):
        write_facts(HERE / f"{client}.json", {name: steps for name, steps in facts.items() if name not in stale})
        return set()
    return stale


def steps_of(client: str) -> set[str]:
    """Names of all steps in a client's facts."""
    return {step["step"] for steps in facts_of(HERE / f"{client}.json").values() for step in steps}


def distinct(calls: list[Call]) -> list[str]:
    """Calls in order as `METHOD path?names status`, without ids; how often one is repeated depends on time."""
    lines: list[str] = []
    for call in calls:
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "{id}", call.path)
        path = re.sub(r"/\d+(?=/|$)", "/{number}", path)
        names = "&".join(sorted({name for name, _ in parse_qsl(call.query, keep_blank_values=True)}))
        line = f"{call.method} {path}{'?' * bool(names)}{names} {call.status}"
        if line not in lines[-1:]:
            lines.append(line)
    return lines
