"""Random and hostile requests: nothing but what Airbyte itself answers with 500 may be a 500."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_connectors import LAB_DESTINATION_ID, LAB_SOURCE_ID
from twin_contract import shared_data
from twin_support import CONFIG, HOURLY, MASK, PUBLIC, Api, fields, serving, shopify, stream

SHOPIFY = "9da77001-af33-4bcd-be46-6252bf9342b9"
REAL_FAILURES = {("POST", PUBLIC + "/applications"), ("DELETE", PUBLIC + "/applications/{id}")}
"""The server's own uncaught exceptions on a community edition; a change of a state's type is another."""
RELAXED = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
}

NASTY = st.sampled_from([
    "", MASK, "\x00", "secret_coordinate::", "${SOURCE_NAMESPACE}", "0 0 * * * ?", "UTC", "..", "🦆" * 50, "x" * 5000,
    LAB_SOURCE_ID, LAB_DESTINATION_ID, -1, 0, 2**31, 2**63, 10**30, 1e308, -0.0, [], {}, [[]], {"_secret": "x"},
    {"$ref": "#"},
])  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
ANYTHING = NASTY | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Call:
    """A request that is valid before it is spoilt."""

    method: str
    path: str
    body: Any


def calls_of(api: Api) -> list[Call]:
    """A valid request of each kind that has a body."""
    workspace = api.twin.workspace_id
    tag = api.post("/tags", {"name": "t", "color": "000000", "workspaceId": workspace})
    key = {
        "algorithm": "AES",
        "targetField": "id",
        "mode": "CBC",
        "padding": "NoPadding",
        "fieldNameSuffix": "_",
        "key": "a",
    }
    mapped = stream(
        selectedFields=fields("id", "updated_at"), mappers=[{"type": "encryption", "mapperConfiguration": key}]
    )
    connection = api.connection(mapped, tags=[tag], schedule=HOURLY)
    ends = {key: connection[key] for key in ("sourceId", "destinationId")}
    read = api.config("/connections/get", {"connectionId": connection["connectionId"]})
    source = shopify(workspace)
    put = {"name": "x", "configuration": source["configuration"], "resourceAllocation": {"default": {"cpu_limit": "1"}}}
    state = {"stateType": "stream", "connectionId": read["connectionId"]}
    states = [{"streamDescriptor": {"name": "orders"}, "streamState": {"a": 1}}]
    cron = {"cron": {"cronExpression": "0 0 * * * ?", "cronTimeZone": "Europe/Paris"}}
    known = {"connectionId": read["connectionId"]}
    definitions = f"{PUBLIC}/workspaces/{workspace}/definitions"
    patch = {"name": "x", "configurations": {"streams": [mapped]}, "schedule": HOURLY, "tags": [tag], "prefix": "p"}
    core = {"workspaceId": workspace, "sourceDefinitionId": SHOPIFY, "connectionConfiguration": source["configuration"]}
    update = {"sourceId": ends["sourceId"], "name": "x", "connectionConfiguration": source["configuration"]}
    return [
        Call("POST", PUBLIC + "/sources", {**source, "definitionId": SHOPIFY}),
        Call("PUT", f"{PUBLIC}/sources/{ends['sourceId']}", put),
        Call("PATCH", f"{PUBLIC}/sources/{ends['sourceId']}", put),
        Call("POST", PUBLIC + "/connections", {**ends, **patch, "namespaceDefinition": "custom_format"}),
        Call("PATCH", f"{PUBLIC}/connections/{read['connectionId']}", {**patch, "status": "inactive"}),
        Call("POST", PUBLIC + "/jobs", {**known, "jobType": "clear"}),
        Call(
            "POST", PUBLIC + "/workspaces", {"name": "w", "notifications": {"failure": {"email": {"enabled": False}}}}
        ),
        Call("PATCH", f"{PUBLIC}/tags/{tag['tagId']}", {"name": "t", "color": "00ff00"}),
        Call("POST", f"{definitions}/sources", {"name": "d", "dockerRepository": "a/b", "dockerImageTag": "1"}),
        Call("POST", f"{definitions}/declarative_sources", {"name": "m", "manifest": {"version": "1", "spec": {}}}),
        Call("POST", CONFIG + "/connections/update", {**read, "scheduleType": "cron", "scheduleData": cron}),
        Call("POST", CONFIG + "/connections/reset/stream", {**known, "streams": [{"streamName": "orders"}]}),
        Call("POST", CONFIG + "/connections/refresh", {**known, "refreshMode": "Merge", "streams": []}),
        Call(
            "POST", CONFIG + "/state/create_or_update", {**known, "connectionState": {**state, "streamState": states}}
        ),
        Call("POST", CONFIG + "/sources/list", {"workspaceId": workspace, "pageSize": 3, "cursor": ends["sourceId"]}),
        Call("POST", CONFIG + "/sources/check_connection_for_update", update),
        Call("POST", CONFIG + "/scheduler/sources/check_connection", core),
        Call("POST", CONFIG + "/sources/discover_schema", {"sourceId": ends["sourceId"], "disable_cache": True}),
        Call("POST", CONFIG + "/web_backend/connections/get", {**known, "withRefreshedCatalog": True}),
    ]


@pytest.fixture(scope="module")
def populated() -> Iterator[tuple[Api, list[Call]]]:
    """One twin for all tries, and valid requests to it."""
    with serving() as api:
        yield api, calls_of(api)


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a document; the schemas in it are one place each."""
    found = [at]
    if at and at[-1] == "jsonSchema":
        return found
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in members:
        found += places(value, (*at, key))
    return found


def spoilt(document: Any, place: tuple[Any, ...], value: Any, *, remove: bool) -> Any:
    """A copy with another value at a place, or without it."""
    if not place:
        return value
    result = copy.deepcopy(document)
    parent = result
    for step in place[:-1]:
        parent = parent[step]
    if remove:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return result


def check_status(method: str, path: str, status: int, text: str) -> None:
    if (method, path) in REAL_FAILURES or path.endswith("oauthCredentials") or "initiateOAuth" in path:
        return
    if path.endswith("/state/create_or_update") and status == 500:
        return
    assert status < 500, f"{method} {path}: {status} {text[:500]}"


@settings(max_examples=1000, **RELAXED)
@given(data=st.data())
def test_a_valid_body_spoilt_anywhere_is_never_a_failure_of_the_server(
    populated: tuple[Api, list[Call]], data: st.DataObject
) -> None:
    api, calls = populated
    call = data.draw(st.sampled_from(calls))
    body = call.body
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(body)))
        body = spoilt(body, place, data.draw(ANYTHING), remove=data.draw(st.booleans()))
    response = api.http.request(call.method, call.path, json=body)
    check_status(call.method, call.path, response.status_code, response.text)


@settings(max_examples=300, **RELAXED)
@given(
    path=st.sampled_from(["sources", "connections", "jobs", "workspaces", "tags", "streams", "connector_definitions"]),
    below=st.sampled_from(["", "/"]) | st.text(max_size=20).map(lambda text: "/" + text),
    query=st.dictionaries(
        st.sampled_from(
            ["limit", "offset", "workspaceIds", "tagIds", "includeDeleted", "sourceId", "orderBy", "status", "type"]
        ),
        st.text(max_size=12) | st.integers().map(str),
    ),
)
def test_no_path_or_query_is_a_failure_of_the_server(
    populated: tuple[Api, list[Call]], path: str, below: str, query: dict[str, str]
) -> None:
    api, _ = populated
    response = api.http.get(f"{PUBLIC}/{path}{below.replace('?', '').replace('#', '')}", params=query)
    check_status("GET", path, response.status_code, response.text)


@pytest.fixture(scope="module")
def operations() -> Any:
    """All operations of the public API's document."""
    text = (shared_data() / "airbyte" / "airbyte-public-api.yaml").read_text(encoding="utf-8")
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]


@settings(max_examples=300, **RELAXED)
@given(data=st.data())
def test_requests_made_of_the_public_document_are_never_a_failure_of_the_server(
    populated: tuple[Api, list[Call]], operations: Any, data: st.DataObject
) -> None:
    api, _ = populated
    operation = data.draw(st.sampled_from(operations))
    case = data.draw(operation.as_strategy())
    response = case.call(base_url=api.twin.public_url)
    check_status(case.method, PUBLIC + operation.path, response.status_code, response.text)
