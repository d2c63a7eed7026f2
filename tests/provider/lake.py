"""A twin as the provider's tests see it: bodies to create from, and calls by somebody else than the provider."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from airbyte_twin.faults import Fault
from airbyte_twin.records import Organization, User
from airbyte_twin.testing import RunningTwin

from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE

TOKEN = "first-token-value"
ORGANIZATION = "00000000-0000-0000-0000-000000000000"
OTHER_ORGANIZATION = "5a1c0f1e-0000-4000-8000-000000000031"
GUEST = "5a1c0f1e-0000-4000-8000-000000000021"
"""A user who may do nothing yet."""
READING = ("/source_definition_specifications/get", "/destination_definition_specifications/get")
LOOKING = (
    "POST /permissions/list_by_user",
    "POST /workspaces/get",
    "POST /sources/list",
    "POST /destinations/list",
    "POST /connections/list",
)
"""Reads of the Config API, which reads by POST."""
Document = dict[str, Any]


@dataclass(frozen=True)
class Lake:
    """An Airbyte with the lab's connectors.

    Attributes:
        twin: its server.
        http: what everybody else than the provider calls it with.
        source_id: a Lab source that was made by hand.
        destination_id: a Lab destination that was made by hand.
    """

    twin: RunningTwin
    http: httpx.Client
    source_id: str = ""
    destination_id: str = ""

    def source(self, **configuration: Any) -> Document:
        """What a program says of a Lab source."""
        given = {"host": "lab.example.com", "credentials": {"method": "token", "token": TOKEN}}
        return {
            "workspaceId": self.twin.workspace_id,
            "definitionId": LAB_SOURCE,
            "configuration": given | configuration,
        }

    def destination(self, **configuration: Any) -> Document:
        """What a program says of a Lab destination."""
        return {
            "workspaceId": self.twin.workspace_id,
            "definitionId": LAB_DESTINATION,
            "configuration": {"path": "raw"} | configuration,
        }

    def connection(self, *streams: Document, **properties: Any) -> Document:
        """What a program says of a connection; `...` leaves a property out."""
        given = {
            "sourceId": self.source_id,
            "destinationId": self.destination_id,
            "configurations": json.dumps({"streams": list(streams or (stream(),))}),
        }
        return {key: value for key, value in (given | properties).items() if value is not ...}

    def api(self, method: str, path: str, body: Document | None = None) -> Document:
        """A call to the public API by somebody else, which must succeed."""
        return self._call(method, self.twin.public_url + path, body)

    def config_api(self, path: str, body: Document) -> Document:
        """A call to the Config API by somebody else, which must succeed."""
        return self._call("POST", self.twin.config_url + path, body)

    def drift(self, kind: str, **order: Any) -> None:
        """Let the server, or the world behind it, change something by itself."""
        self._call("POST", f"{self.twin.url}/_twin/drift", {"kind": kind} | order)

    def live(self, collection: str, object_id: str) -> Document:
        """An object as Airbyte shows it."""
        return self.api("GET", f"/{collection}/{object_id}")

    def patch_stream(self, connection_id: str, **changes: Any) -> None:
        """Change the only stream of a connection, as Airbyte's own page would; `...` takes a key out."""
        [live] = self.live("connections", connection_id)["configurations"]["streams"]
        kept = {key: value for key, value in (live | changes).items() if value not in (..., [])}
        self.api("PATCH", f"/connections/{connection_id}", {"configurations": {"streams": [kept]}})

    def tag(self, name: str, color: str) -> Document:
        """A new tag."""
        return self.api("POST", "/tags", {"name": name, "color": color, "workspaceId": self.twin.workspace_id})

    def fault(self, **fault: Any) -> None:
        """Order a failure."""
        self.twin.twin.faults.add(Fault.model_validate(fault))

    def asked(self) -> list[str]:
        """Calls since the last `clear_calls`, as `PATCH /connections/<id>`; reads of specifications as `SPEC`."""
        calls = [(call.method, call.path.rpartition("/v1")[2]) for call in self.twin.calls()]
        return ["SPEC" if path in READING else f"{method} {path}" for method, path in calls]

    def writes(self) -> list[str]:
        """Those of them that are not just reads."""
        return [call for call in self.asked() if not call.startswith(("GET", "SPEC", *LOOKING))]

    def _call(self, method: str, url: str, body: Document | None) -> Document:
        response = self.http.request(method, url, json=body)
        assert response.is_success, response.text
        return dict(response.json()) if response.content else {}


def stream(name: str = "bare", **changes: Any) -> Document:
    """A clean stream; `...` leaves a key out."""
    clean: Document = {"name": name, "syncMode": "full_refresh_append", "selectedFields": ["id", "name", "updated_at"]}
    return {key: value for key, value in (clean | changes).items() if value is not ...}


@contextmanager
def lake_of(twin: RunningTwin) -> Iterator[Lake]:
    """The lake of a twin, with a source and a destination for its connections."""
    with httpx.Client(timeout=60, trust_env=False, verify=False) as http:
        yield with_ends(Lake(twin, http))


def with_people(twin: RunningTwin) -> None:
    """Add a user who may do nothing yet, and an organization."""
    twin.store.users.put(User(id=GUEST, name="Guest", email="guest@example.com"))
    twin.store.organizations.put(Organization(id=OTHER_ORGANIZATION, name="Other", email="other@example.com"))


def with_ends(lake: Lake) -> Lake:
    """The lake with a source and a destination, another user and another organization."""
    with_people(lake.twin)
    source = lake.api("POST", "/sources", lake.source() | {"name": "Lab source"})
    destination = lake.api("POST", "/destinations", lake.destination() | {"name": "Lab destination"})
    return replace(lake, source_id=source["sourceId"], destination_id=destination["destinationId"])
