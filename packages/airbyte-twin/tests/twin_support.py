"""A client of a running twin whose every answer is checked against Airbyte's contract, and makers of clean bodies."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
from airbyte_twin.settings import TwinSettings
from airbyte_twin.testing import RunningTwin, running_twin
from twin_contract import check_answer

MASK = "**********"
PUBLIC = "/api/public/v1"
CONFIG = "/api/v1"
HOURLY = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}


COMMAND = [sys.executable, "-c", "from airbyte_twin.cli import main; main()"]


@dataclass(frozen=True)
class Api:
    """Both APIs of a twin."""

    twin: RunningTwin
    http: httpx.Client

    def get(self, path: str, status: int = 200, /, **params: Any) -> Any:
        return self.call("GET", PUBLIC + path, status, params=params)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("POST", PUBLIC + path, status, json=body)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("PUT", PUBLIC + path, status, json=body)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("PATCH", PUBLIC + path, status, json=body)

    def delete(self, path: str, status: int = 204) -> Any:
        return self.call("DELETE", PUBLIC + path, status)

    def config(self, path: str, body: Any, status: int = 200) -> Any:
        return self.call("POST", CONFIG + path, status, json=body)

    def control(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        return self.call(method, "/_twin" + path, status, **({} if body is None else {"json": body}))

    def call(self, method: str, path: str, status: int | None, **options: Any) -> Any:
        """The answer's document or text, if its status is the expected one."""
        response = self.http.request(method, path, **options)
        if status is not None:
            assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:500]}"
        return document_of(response)

    def source(self, **changes: Any) -> Any:
        """A Shopify source with an API password."""
        return self.post("/sources", shopify(self.twin.workspace_id, **changes))

    def destination(self, **changes: Any) -> Any:
        """An S3 destination that writes Parquet."""
        return self.post("/destinations", s3(self.twin.workspace_id, **changes))

    def connection(self, *streams: Any, **changes: Any) -> Any:
        """A connection between a new source and a new destination."""
        body = {
            "sourceId": changes.pop("sourceId", None) or self.source()["sourceId"],
            "destinationId": changes.pop("destinationId", None) or self.destination()["destinationId"],
            "configurations": {"streams": list(streams) or [stream()]},
        }
        return self.post("/connections", {**body, **changes})


def shopify(workspace_id: str, **configuration: Any) -> dict[str, Any]:
    base = {
        "sourceType": "shopify",
        "shop": "example",
        "credentials": {"auth_method": "api_password", "api_password": "first-password"},
    }
    return {"name": "Shopify", "workspaceId": workspace_id, "configuration": {**base, **configuration}}


def faker(workspace_id: str, **configuration: Any) -> dict[str, Any]:
    return {"name": "Faker", "workspaceId": workspace_id, "configuration": {"sourceType": "faker", **configuration}}


def s3(workspace_id: str, **configuration: Any) -> dict[str, Any]:
    base = {
        "destinationType": "s3",
        "s3_bucket_name": "landing",
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-west-1",
        "access_key_id": "first-key",
        "secret_access_key": "first-secret",
        "format": {"format_type": "Parquet"},
    }
    return {"name": "S3", "workspaceId": workspace_id, "configuration": {**base, **configuration}}


def stream(name: str = "orders", **changes: Any) -> dict[str, Any]:
    return {"name": name, "syncMode": "incremental_append", **changes}


def fields(*names: str) -> list[dict[str, list[str]]]:
    return [{"fieldPath": [name]} for name in names]


def check(response: httpx.Response) -> None:
    """An httpx hook: every answer is one that the API may give."""
    response.read()
    content_type = response.headers.get("content-type", "").partition(";")[0]
    request = response.request
    check_answer(request.method, request.url.path, response.status_code, content_type, document_of(response))


def document_of(response: httpx.Response) -> Any:
    """An answer's document, or its text: an unknown route is answered with text that is announced as JSON."""
    try:
        return response.json()
    except ValueError:
        return response.text


@contextmanager
def api_of(running: RunningTwin, **options: Any) -> Iterator[Api]:
    """A checked client of a twin."""
    # A real connector takes seconds to start, and more where tests share a machine.
    settings = {"event_hooks": {"response": [check]}, "trust_env": False, "verify": False, "timeout": 120, **options}
    with httpx.Client(base_url=running.url, **settings) as http:
        yield Api(running, http)


@contextmanager
def serving(**settings: Any) -> Iterator[Api]:
    """A twin with settings, and a checked client of it."""
    with running_twin(**settings) as running, api_of(running) as api:
        yield api


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command while it runs, and the address that it printed."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("airbyte-twin listening on http://127.0.0.1:")
            yield process, line.split()[-1]
        finally:
            process.kill()


@contextmanager
def api_at(url: str) -> Iterator[Api]:
    """A checked client of a twin in another process, which has no twin in reach."""
    there: Any = SimpleNamespace(url=url, workspace_id=TwinSettings().workspace_id)
    with api_of(there) as api:
        yield api
