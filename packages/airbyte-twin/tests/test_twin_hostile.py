"""Random and hostile requests: a 500 is only one that Airbyte itself answers with, never a defect of the twin."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from twin_contract import shared_data
from twin_support import CONFIG, HOURLY, MASK, PUBLIC, Api, fields, serving, shopify, stream

SHOPIFY = "9da77001-af33-4bcd-be46-6252bf9342b9"
RELAXED = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)

NASTY_TEXT = [
    "", MASK, "\x00", "secret_coordinate::", "${SOURCE_NAMESPACE}", "0 0 * * * ?", "UTC", "..", "🦆" * 50, "x" * 5000,
    "id", "orders", "full_refresh_append", "basic", "_secret", "$ref", "*", SHOPIFY,
]  # fmt: skip
NASTY = st.sampled_from([*NASTY_TEXT, -1, 0, 2**31, 2**63, 10**30, 1e308, -0.0, [], {}, [[]], {"_secret": "x"}])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = NASTY | st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARAMETERS = [
    "limit", "offset", "workspaceIds", "tagIds", "includeDeleted", "sourceId", "connectionId", "orderBy", "status",
    "type", "createdAtStart", "organizationId", "userId", "regionIds",
]  # fmt: skip


LISTS = [
    "sources", "connections", "jobs", "workspaces", "tags", "streams", "connector_definitions", "permissions", "users",
    "groups", "regions", "dataplanes",
]  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A request that is valid before it is spoilt."""

    method: str
    path: str
    body: Any = field(repr=False)


class Rig:
    """One twin for all tries, and valid requests to it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.calls = calls_of(api)


def calls_of(api: Api) -> list[Call]:
    """A valid request of each kind that has a body."""
    workspace = api.twin.workspace_id
    tag = api.post("/tags", {"name": "t", "color": "000000", "workspaceId": workspace})
    key = {"algorithm": "AES", "targetField": "id", "fieldNameSuffix": "_", "key": "a", "mode": "CBC"}
    mapper = {"type": "encryption", "mapperConfiguration": {**key, "padding": "NoPadding"}}
    mapped = stream(selectedFields=fields("id", "updated_at"), mappers=[mapper])
    connection = api.connection(mapped, tags=[tag], schedule=HOURLY)
    read = api.config("/connections/get", {"connectionId": connection["connectionId"]})
    return [*public_calls(workspace, connection, tag, mapped), *config_calls(workspace, read)]


def public_calls(workspace: str, connection: Any, tag: Any, mapped: Any) -> list[Call]:
    source, ends = shopify(workspace), {key: connection[key] for key in ("sourceId", "destinationId")}
    put = {"name": "x", "configuration": source["configuration"], "resourceAllocation": {"default": {"cpu_limit": "1"}}}
    patch = {"name": "x", "configurations": {"streams": [mapped]}, "schedule": HOURLY, "tags": [tag], "prefix": "p"}
    mail = {"failure": {"email": {"enabled": False}}}
    definitions = f"{PUBLIC}/workspaces/{workspace}/definitions"
    return [
        Call("POST", PUBLIC + "/sources", {**source, "definitionId": SHOPIFY}),
        Call("PUT", f"{PUBLIC}/sources/{ends['sourceId']}", put),
        Call("PATCH", f"{PUBLIC}/sources/{ends['sourceId']}", put),
        Call("POST", PUBLIC + "/connections", {**ends, **patch, "namespaceDefinition": "custom_format"}),
        Call("PATCH", f"{PUBLIC}/connections/{connection['connectionId']}", {**patch, "status": "inactive"}),
        Call("POST", PUBLIC + "/jobs", {"connectionId": connection["connectionId"], "jobType": "clear"}),
        Call("POST", PUBLIC + "/workspaces", {"name": "w", "notifications": mail}),
        Call("PATCH", f"{PUBLIC}/tags/{tag['tagId']}", {"name": "t", "color": "00ff00"}),
        Call("POST", f"{definitions}/sources", {"name": "d", "dockerRepository": "a/b", "dockerImageTag": "1"}),
        *access_calls(workspace),
        Call("POST", f"{definitions}/declarative_sources", {"name": "m", "manifest": {"version": "1", "spec": {}}}),
    ]


def access_calls(workspace: str) -> list[Call]:
    """Requests about people and what they may do."""
    everything = "00000000-0000-0000-0000-000000000000"
    permission = {"permissionType": "workspace_admin", "userId": everything, "workspaceId": workspace}
    credentials = {"actorType": "source", "name": "shopify", "configuration": {"client_id": "x"}}
    return [
        Call("POST", PUBLIC + "/permissions", permission),
        Call("POST", PUBLIC + "/groups", {"name": "g", "description": "d", "organizationId": everything}),
        Call("POST", PUBLIC + "/regions", {"name": "r", "organizationId": everything, "enabled": True}),
        Call("PUT", f"{PUBLIC}/organizations/{everything}/oauthCredentials", credentials),
    ]


def config_calls(workspace: str, read: Any) -> list[Call]:
    known, source = {"connectionId": read["connectionId"]}, {"sourceId": read["sourceId"]}
    configuration = {"connectionConfiguration": shopify(workspace)["configuration"]}
    states = [{"streamDescriptor": {"name": "orders"}, "streamState": {"a": 1}}]
    written = {**known, "connectionState": {**known, "stateType": "stream", "streamState": states}}
    cron = {"cron": {"cronExpression": "0 0 * * * ?", "cronTimeZone": "Europe/Paris"}}
    core = {"workspaceId": workspace, "sourceDefinitionId": SHOPIFY, **configuration}
    return [
        Call("POST", CONFIG + "/connections/update", {**read, "scheduleType": "cron", "scheduleData": cron}),
        Call("POST", CONFIG + "/connections/reset/stream", {**known, "streams": [{"streamName": "orders"}]}),
        Call("POST", CONFIG + "/connections/refresh", {**known, "refreshMode": "Merge", "streams": []}),
        Call("POST", CONFIG + "/state/create_or_update", written),
        Call("POST", CONFIG + "/sources/list", {"workspaceId": workspace, "pageSize": 3, "cursor": read["sourceId"]}),
        Call("POST", CONFIG + "/sources/check_connection_for_update", {**source, "name": "x", **configuration}),
        Call("POST", CONFIG + "/scheduler/sources/check_connection", core),
        Call("POST", CONFIG + "/sources/discover_schema", {**source, "disable_cache": True}),
        Call("POST", CONFIG + "/web_backend/connections/get", {**known, "withRefreshedCatalog": True}),
    ]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with serving(licensed=True) as api:
        yield Rig(api)


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a document; the schemas in it are one place each."""
    found = [at]
    if at and at[-1] == "jsonSchema":
        return found
    if isinstance(document, dict):
        found += [place for key, value in document.items() for place in places(value, (*at, key))]
    if isinstance(document, list):
        found += [place for index, value in enumerate(document) for place in places(value, (*at, index))]
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


def at_place(document: Any, place: tuple[Any, ...]) -> Any:
    """What is at a place."""
    for step in place:
        document = document[step]
    return document


def like(value: Any) -> st.SearchStrategy[Any]:
    """Other values of the same type, which get further into the server than any value does."""
    if isinstance(value, str):
        return st.sampled_from(NASTY_TEXT) | st.text(max_size=40) | st.just(value + value)
    if isinstance(value, list):
        return st.sampled_from([[], value + value, value[::-1]]) | st.lists(ANYTHING, max_size=3)
    if isinstance(value, dict):
        return st.dictionaries(st.sampled_from(NASTY_TEXT), ANYTHING, max_size=2).map(lambda more: {**value, **more})
    return st.integers() if isinstance(value, int) else ANYTHING


def check_status(rig: Rig, path: str, status: int) -> None:
    defects, rig.api.twin.twin.defects = rig.api.twin.twin.defects, []
    assert not defects
    assert status <= 500 or (status == 501 and ("oauthCredentials" in path or "initiateOAuth" in path))


@settings(RELAXED, max_examples=settings().max_examples * 6)
@given(data=st.data())
def test_a_valid_body_spoilt_anywhere_is_never_a_defect(rig: Rig, data: st.DataObject) -> None:
    call = data.draw(st.sampled_from(rig.calls))
    body = call.body
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(body)))
        value = data.draw(like(at_place(body, place)) | like(at_place(body, place)) | ANYTHING)
        body = spoilt(body, place, value, remove=data.draw(st.integers(0, 4)) == 0)
    response = rig.api.http.request(call.method, call.path, json=body)
    check_status(rig, call.path, response.status_code)


@settings(RELAXED, max_examples=settings().max_examples * 2)
@given(
    path=st.sampled_from(LISTS),
    below=st.sampled_from(["", "/"]) | st.text(max_size=20).map(lambda text: "/" + text),
    query=st.dictionaries(
        st.sampled_from(PARAMETERS),
        st.text(max_size=12) | st.integers().map(str),
    ),
)
def test_no_path_or_query_is_a_defect(rig: Rig, path: str, below: str, query: dict[str, str]) -> None:
    url = f"{rig.api.twin.public_url}/{path}{quote(below)}"
    response = httpx.get(url, params=query, trust_env=False, verify=False)
    check_status(rig, path, response.status_code)


@pytest.fixture(scope="module")
def operations() -> Any:
    """All operations of the public API's document."""
    text = (shared_data() / "airbyte" / "airbyte-public-api.yaml").read_text(encoding="utf-8")
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found = list(schemathesis.openapi.from_dict(document).get_all_operations())
    usable = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(usable) == len(found) - 1, "one operation of the document refers to a response that it does not define"
    return usable


@settings(RELAXED, max_examples=settings().max_examples * 2)
@given(data=st.data())
def test_requests_made_of_the_public_document_are_never_a_defect(
    rig: Rig, operations: Any, data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(operations))
    case = data.draw(operation.as_strategy())
    response = case.call(base_url=rig.api.twin.public_url)
    check_status(rig, PUBLIC + operation.path, response.status_code)
