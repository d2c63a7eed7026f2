"""The twin's own endpoints: call log, faults, clock, drift."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import running_twin
from lab_connectors import lab_source
from twin_support import MASK, PUBLIC, Api, fields, serving, shopify, stream

SOURCES = PUBLIC + "/sources"


def order(api: Api, **fault: Any) -> None:
    api.control("POST", "/faults", fault, 200)


def drift(api: Api, kind: str, status: int = 204, /, **members: Any) -> Any:
    return api.control("POST", "/drift", {"kind": kind, **members}, status)


def raw(api: Api, method: str, path: str, **options: Any) -> httpx.Response:
    """An answer as it comes: those of faults are in nobody's contract."""
    return httpx.request(method, api.twin.url + path, trust_env=False, verify=False, **options)


def test_answers_tell_the_time_that_it_is_and_not_that_of_the_start(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    later = "Fri, 01 Jan 2100 00:00:00 GMT"
    monkeypatch.setattr("uvicorn.server.formatdate", lambda *_, **__: later)
    assert any(raw(api, "GET", SOURCES).headers["date"] == later for _ in range(1000))


def test_calls_are_logged_with_method_path_query_and_status(api: Api) -> None:
    api.get("/sources", limit=5)
    api.get(f"/sources/{uuid4()}", 404)
    calls = api.control("GET", "/calls")
    assert calls[0] == {"method": "GET", "path": SOURCES, "query": "limit=5", "status": 200, "fault": None}
    assert calls[1]["status"] == 404
    assert api.control("GET", "/counts") == {"GET": 2}
    assert [call.status for call in api.twin.calls()] == [200, 404]


@pytest.mark.parametrize("path", ["/calls", "/counts"])
def test_either_delete_clears_both(api: Api, path: str) -> None:
    api.get("/sources")
    api.control("DELETE", path, None, 204)
    assert api.control("GET", "/calls") == []
    assert api.control("GET", "/counts") == {}
    api.get("/sources")
    api.twin.clear_calls()
    assert api.twin.counts() == {}


def test_a_refused_caller_is_logged_too(api: Api) -> None:
    api.call("POST", PUBLIC + "/nope", 404)
    assert api.twin.counts() == {"POST": 1}


@pytest.mark.parametrize(
    ("status", "content"), [(429, "json"), (500, "json"), (502, "html"), (503, "json"), (504, "html")]
)
def test_a_status_can_be_ordered_for_the_nth_matching_request(api: Api, status: int, content: str) -> None:
    order(api, method="GET", path="^/api/public/v1/sources$", nth=2, times=2, status=status)
    answers = [raw(api, "GET", SOURCES) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert content in answers[1].headers["content-type"]
    assert "retry-after" not in answers[1].headers
    assert raw(api, "GET", PUBLIC + "/destinations").status_code == 200
    assert api.control("GET", "/faults")[0]["seen"] == 4
    assert api.twin.calls()[1].status == status


def test_a_rate_limit_has_airbytes_words(api: Api) -> None:
    order(api, status=429, retry_after="1")
    answer = raw(api, "GET", SOURCES)
    assert answer.json() == {"message": "You are being rate limited."}
    assert answer.headers["retry-after"] == "1"


def test_a_dropped_request_is_not_worked_on(api: Api) -> None:
    order(api, method="POST", drop="before")
    with pytest.raises(httpx.RemoteProtocolError):
        raw(api, "POST", SOURCES, json=shopify(api.twin.workspace_id))
    assert api.get("/sources")["data"] == []
    assert api.twin.calls()[0].status is None


def test_a_lost_response_leaves_an_orphan(api: Api) -> None:
    order(api, method="POST", drop="after")
    with pytest.raises(httpx.RemoteProtocolError):
        raw(api, "POST", SOURCES, json=shopify(api.twin.workspace_id))
    assert len(api.get("/sources")["data"]) == 1
    assert api.twin.calls()[0].status is None


@pytest.mark.parametrize(("moment", "made"), [("before", 0), ("after", 1)])
def test_a_request_is_held_until_its_caller_leaves(api: Api, moment: str, made: int) -> None:
    order(api, nth=2, hold=moment)
    api.get("/sources")
    with pytest.raises(httpx.ReadTimeout):
        raw(api, "POST", SOURCES, json=shopify(api.twin.workspace_id), timeout=0.5)
    held = api.twin.held()
    assert held is not None
    assert (held.method, held.path, held.left.wait(30)) == ("POST", SOURCES, True)
    assert api.twin.held(seconds=0) is None
    assert len(api.get("/sources")["data"]) == made
    assert [call.fault for call in api.twin.calls() if call.method == "POST"] == [f"hold {moment}"]


def test_a_request_that_is_held_does_not_keep_the_twin_from_ending() -> None:
    with ThreadPoolExecutor() as pool, running_twin() as twin:
        twin.twin.faults.add(Fault(hold="after"))
        caller = pool.submit(httpx.get, f"{twin.public_url}/sources", trust_env=False, verify=False)
        assert twin.held() is not None
    assert isinstance(caller.exception(), httpx.RemoteProtocolError)


def test_tokens_can_end_before_the_nth_call_whichever_it_is() -> None:
    with serving(auth="client_credentials") as api:
        body = {"client_id": api.twin.client_id, "client_secret": api.twin.client_secret}
        token = api.post("/applications/token", body)["access_token"]
        order(api, nth=2, end_tokens=True)
        header = {"Authorization": f"Bearer {token}"}
        assert [raw(api, "GET", SOURCES, headers=header).status_code for _ in range(3)] == [200, 401, 401]
        assert [call.fault for call in api.twin.calls()][-2:] == ["end tokens", None]


def test_a_proxys_error_can_hide_a_commit(api: Api) -> None:
    order(api, method="POST", status=504, commit=True)
    assert raw(api, "POST", SOURCES, json=shopify(api.twin.workspace_id)).status_code == 504
    assert len(api.get("/sources")["data"]) == 1


def test_a_delay_alone_changes_no_answer(api: Api) -> None:
    order(api, delay=0.01)
    assert api.get("/sources")["data"] == []


def test_faults_last_until_they_are_cleared_and_spare_control(api: Api) -> None:
    order(api, status=503, times=None)
    assert {raw(api, "GET", SOURCES).status_code for _ in range(3)} == {503}
    api.control("DELETE", "/faults", None, 204)
    api.get("/sources")


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "("},
        {"status": 200},
        {"nth": 0},
        {"drop": "never"},
        {"typo": 1},
        {"delay": -1},
        {"status": 503, "hold": "after"},
        [],
        "x",
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_reason(api: Api, fault: Any) -> None:
    assert api.control("POST", "/faults", fault, 422)["message"]


def test_the_clock_freezes_moves_and_runs_on(api: Api) -> None:
    assert api.control("POST", "/clock", {"freeze": 1000}) == {"now": 1000.0, "frozen": True}
    assert api.control("POST", "/clock", {"advance": 60})["now"] == 1060.0
    assert api.source()["createdAt"] == 1060
    running = api.control("POST", "/clock", {"resume": True})
    assert (running["frozen"], int(running["now"]) in range(1060, 1090)) == (False, True)
    assert api.control("POST", "/clock", {"freeze": True})["frozen"] is True
    assert api.control("GET", "/clock")["frozen"] is True


def test_the_server_can_stop_a_connection_by_itself(api: Api) -> None:
    connection = api.connection()
    drift(api, "connection_status", connectionId=connection["connectionId"], status="inactive")
    assert api.get(f"/connections/{connection['connectionId']}")["status"] == "inactive"


def test_the_server_can_propagate_a_column(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("id", "updated_at")))
    drift(api, "propagate_column", connectionId=connection["connectionId"], stream="orders", field="gift")
    shown = api.get(f"/connections/{connection['connectionId']}")["configurations"]["streams"][0]
    assert shown["selectedFields"] == fields("id", "updated_at", "gift")
    full = api.config("/connections/get", {"connectionId": connection["connectionId"]})
    assert "gift" in full["syncCatalog"]["streams"][0]["stream"]["jsonSchema"]["properties"]


def test_a_column_can_be_propagated_without_being_selected(api: Api) -> None:
    connection = api.connection(stream(selectedFields=fields("id", "updated_at")))
    order = {"connectionId": connection["connectionId"], "stream": "orders", "field": "gift", "select": False}
    drift(api, "propagate_column", **order)
    assert api.get(f"/connections/{connection['connectionId']}") == connection


def test_a_new_column_outside_can_be_selected_after_a_fresh_discovery_only(api: Api) -> None:
    connection = api.connection()
    column = {"stream": "orders", "field": "new", "jsonSchema": {"type": "string"}}
    drift(api, "outside_column", sourceId=connection["sourceId"], **column)
    body = {"configurations": {"streams": [stream(selectedFields=fields("id", "updated_at", "new"))]}}
    path = f"/connections/{connection['connectionId']}"
    assert "Invalid fields selected" in api.patch(path, body, 400)["data"]["message"]
    api.get("/streams", sourceId=connection["sourceId"], ignoreCache="true")
    api.patch(path, body)


def test_a_secret_can_be_rotated_behind_everyones_back(api: Api) -> None:
    source = api.source()["sourceId"]

    def coordinate() -> str:
        shown = api.get(f"/sources/{source}", includeSecretCoordinates="true")
        found: str = shown["configuration"]["credentials"]["api_password"]
        return found

    before = coordinate()
    drift(api, "rotate_secret", actorId=source, path=["credentials", "api_password"], value="second")
    assert coordinate() == before.removesuffix("1") + "2"
    assert api.get(f"/sources/{source}")["configuration"]["credentials"]["api_password"] == MASK
    assert "second" in {secret.value for secret in api.twin.store.secrets}


def test_secrets_in_arrays_are_masked_kept_and_rotated_by_position(lab: Api) -> None:
    source = lab_source(lab, keys=[{"label": "a", "token": "one"}, {"label": "b", "token": "two"}])
    shown = lab.get(f"/sources/{source}")["configuration"]
    assert shown == {"keys": [{"label": "a", "token": MASK}, {"label": "b", "token": MASK}]}
    drift(lab, "rotate_secret", actorId=source, path=["keys", "1", "token"], value="three")
    lab.put(f"/sources/{source}", {"name": "x", "configuration": shown})
    assert {secret.value for secret in lab.twin.store.secrets} == {"one", "two", "three"}
    lab.put(f"/sources/{source}", {"name": "x", "configuration": {"keys": [*shown["keys"], {"token": "four"}]}})
    assert len(lab.get(f"/sources/{source}")["configuration"]["keys"]) == 3


def test_a_masked_secret_is_checked_by_its_mask_and_not_by_its_value(lab: Api) -> None:
    source = lab_source(lab, code="1234")
    lab.put(f"/sources/{source}", {"name": "x", "configuration": {"code": MASK}}, 422)
    assert [secret.value for secret in lab.twin.store.secrets] == ["1234"]
    lab.patch(f"/sources/{source}", {"configuration": {"code": MASK}}, 422)


@pytest.mark.parametrize(
    ("kind", "members", "status"),
    [
        ("nope", {}, 422),
        ("connection_status", {"connectionId": str(uuid4()), "status": "active"}, 404),
        ("rotate_secret", {"actorId": str(uuid4()), "path": ["x"], "value": "y"}, 404),
        ("temper", {"actorId": "x"}, 422),
    ],
)
def test_drift_that_cannot_happen_is_refused(api: Api, kind: str, members: Any, status: int) -> None:
    assert drift(api, kind, status, **members)["message"]


def test_drift_of_what_an_object_has_not_is_refused(api: Api) -> None:
    connection = api.connection()
    source, known = connection["sourceId"], {"connectionId": connection["connectionId"]}
    for path in (["shop"], ["credentials"], ["credentials", "nope"], ["nope", "0"]):
        drift(api, "rotate_secret", 422, actorId=source, path=path, value="x")
    drift(api, "propagate_column", 404, **known, stream="nope", field="x")
    drift(api, "outside_column", 404, sourceId=connection["destinationId"], stream="orders", field="x", jsonSchema={})


def test_jobs_that_are_unknown_or_finished_cannot_be_driven(api: Api) -> None:
    api.control("POST", "/jobs/1", {"status": "running"}, 404)
    connection = api.connection()
    api.post("/jobs", {"connectionId": connection["connectionId"], "jobType": "sync"})
    api.control("POST", "/jobs/1", {"status": "failed"}, 200)
    api.control("POST", "/jobs/1", {"status": "running"}, 409)


def test_a_twin_ends_while_a_request_is_under_way_and_a_connection_idles() -> None:
    with socket.socket() as waiting, httpx.Client(trust_env=False) as idle:
        with running_twin() as twin:
            twin.twin.faults.add(Fault(path="sources", delay=600))
            waiting.connect(("127.0.0.1", httpx.URL(twin.url).port))
            waiting.sendall(f"GET {SOURCES} HTTP/1.1\r\nHost: twin\r\n\r\n".encode())
            assert idle.get(f"{twin.public_url}/health").status_code == 200
        with pytest.raises(httpx.TransportError):
            idle.get(f"{twin.public_url}/health")
    assert [(call.path, call.status) for call in twin.calls()][-1] == (SOURCES, None)
