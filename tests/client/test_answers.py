"""Answers that are not what the API promises, and the errors that they become."""

import json
from typing import Any

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client import Airbyte, AirbyteError, ClientSettings
from pulumi_airbyte.client.errors import (
    Busy,
    Conflict,
    Forbidden,
    JobRunning,
    NotFound,
    Rejected,
    ServerError,
    Unauthenticated,
    Unreachable,
)

from tests.client.scripted import HTML, JSON, Answer, answering
from tests.client.support import client, faker

PAGE = b"<!doctype html><html><head><title>Airbyte</title></head><body>Sign in</body></html>"
NOT_THE_API = {
    "a web page": Answer(body=PAGE, type=HTML),
    "a web page that says not found": Answer(status=404, body=PAGE, type=HTML),
    "a proxy's own not found": Answer(status=404, body={"message": "no Route matched with those values"}),
    "half of a document": Answer(body=b'{"workspaceId": "w", "na', type=JSON),
    "bytes that are no text": Answer(body=b"\xff\xfe\x00", type=JSON),
    "a redirect": Answer(status=301, body=b"", headers=(("Location", "https://airbyte.example.com/login"),)),
}


def failure(answer: Answer, call: str = "get_workspace", *arguments: Any) -> AirbyteError:
    """The error that an answer becomes."""
    with answering(answer) as server, client(server.url) as airbyte, pytest.raises(AirbyteError) as caught:
        getattr(airbyte, call)(*(arguments or ("w",)))
    return caught.value


def problem(status: int, title: str, detail: str = "", data: object = None) -> Answer:
    """A problem document, as the public API sends it."""
    return Answer(status, {"status": status, "title": title, "type": title, "detail": detail, "data": data})


@pytest.mark.parametrize("answer", NOT_THE_API.values(), ids=NOT_THE_API)
def test_what_is_not_the_api_is_no_missing_object_but_a_wrong_address(answer: Answer) -> None:
    error = failure(answer)
    assert type(error) is ServerError
    assert "read workspace w" in error.message
    assert "serverUrl is the API's root" in error.hint


def test_a_redirect_tells_where_it_leads() -> None:
    error = failure(NOT_THE_API["a redirect"])
    assert error.message == "Airbyte could not read workspace w: 301 Moved Permanently"
    assert error.hint.startswith("It redirects to https://airbyte.example.com/login.")


def test_a_web_page_in_an_error_is_told_in_its_words() -> None:
    error = failure(Answer(502, b"<html><body><h1>502</h1>\n <p>Bad\n Gateway</p></body></html>", HTML))
    assert (type(error), error.message) == (Busy, "Airbyte could not read workspace w: 502 502 Bad Gateway")


@pytest.mark.parametrize("call", ["get_workspace", "create_workspace"])
def test_an_answer_that_breaks_off_is_no_answer(call: str) -> None:
    body = b'{"workspaceId": "w", "name": "n"}'
    argument: Any = "w" if call == "get_workspace" else {"name": "n"}
    with answering(Answer(body=body, missing=1)) as server, client(server.url) as airbyte:
        with pytest.raises(Unreachable, match="did not answer"):
            getattr(airbyte, call)(argument)
        assert len(server.asked) == (6 if call == "get_workspace" else 1)


def test_an_answer_of_another_shape_names_the_fields_and_not_their_values() -> None:
    error = failure(Answer(body={"workspaceId": "w", "name": ["hidden-value"]}))
    assert (type(error), error.message) == (
        ServerError,
        "Airbyte's answer has an unexpected shape when asked to read workspace w: see name",
    )
    assert "hidden-value" not in str(error)


def test_a_source_that_is_no_object_is_an_answer_of_another_shape() -> None:
    assert "see the body" in failure(Answer(body=["s"]), "get_actor", "source", "s").message


def test_a_list_that_is_none_is_an_answer_of_another_shape() -> None:
    with (
        answering(Answer(body={"data": {}})) as server,
        client(server.url) as airbyte,
        pytest.raises(ServerError, match="unexpected shape when asked to list workspaces"),
    ):
        airbyte.list_workspaces()


ERRORS: list[tuple[Answer, type[AirbyteError], str, str]] = [
    (problem(400, "bad-request", "generic", {"message": "the reason"}), Rejected, "400 the reason", ""),
    (problem(400, "value-not-found", "unknown", {"value": "x"}), Rejected, "400 unknown", "Give definitionId"),
    (Answer(401, {"message": "Unauthorized"}), Unauthenticated, "401 Unauthorized", "provider's credentials"),
    (problem(403, "forbidden", "no"), Forbidden, "403 no", "may edit this workspace"),
    (
        problem(404, "resource-not-found", "gone", {"resourceType": "SOURCE", "resourceId": "1"}),
        NotFound,
        "404 gone (SOURCE 1)",
        "",
    ),
    (problem(409, "state-conflict", "not now"), Conflict, "409 not now", ""),
    (problem(409, "try-again-later", "busy"), JobRunning, "409 busy", "sync is running"),
    (problem(409, "error:connection/locked", "locked"), Conflict, "409 locked", "locked by the server"),
    (
        Answer(409, {"type": "error:connection/locked", "title": "Connection is locked", "detail": "locked"}),
        Conflict,
        "409 locked",
        "locked by the server",
    ),
    (problem(422, "unprocessable-entity", "", {"message": "no"}), Rejected, "422 no", ""),
    (Answer(423, {"message": "running", "errorId": "e1"}), Conflict, "423 running (error id e1", ""),
    (Answer(429, {"message": "You are being rate limited."}), Busy, "429 You are being", "shedding load"),
    (Answer(500, {"errorId": "e2"}), ServerError, "500 Internal Server Error (error id e2", ""),
    (Answer(501, b""), ServerError, "501 Not Implemented", ""),
    (Answer(502, b""), Busy, "502 Bad Gateway", "not ready"),
    (problem(503, "service-unavailable"), Busy, "503 service-unavailable", "not ready"),
    (Answer(504, b""), Busy, "504 Gateway Timeout", "took too long"),
    (
        Answer(400, {"message": "Bad Request", "_embedded": {"errors": [{"message": "a"}, {"message": "b"}]}}),
        Rejected,
        "400 a; b",
        "",
    ),
    (Answer(400, ["odd"]), Rejected, '400 ["odd"]', ""),
]


@pytest.mark.parametrize(
    ("answer", "kind", "message", "hint"),
    ERRORS,
    ids=[f"{answer.status} {message}" for answer, _, message, _ in ERRORS],
)
def test_a_failure_is_a_typed_error_with_the_detail_and_what_to_do(
    answer: Answer, kind: type[AirbyteError], message: str, hint: str
) -> None:
    error = failure(answer)
    assert type(error) is kind
    assert error.status == answer.status
    assert message in error.message
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)
    assert str(error) == (f"{error.message}\n  {error.hint}" if error.hint else error.message)


def test_the_servers_own_problems_are_understood(airbyte: Airbyte, twin: RunningTwin) -> None:
    with pytest.raises(NotFound, match="could not be found"):
        airbyte.get_actor("source", "00000000-0000-0000-0000-000000000001")
    with pytest.raises(Rejected, match="count"):
        airbyte.create_actor("source", faker(twin, count="many"))
    with pytest.raises(Rejected) as caught:
        airbyte.create_actor("source", faker(twin, sourceType="nosuch"))
    assert "Give definitionId" in caught.value.hint


def test_an_unknown_id_is_forbidden_on_cloud() -> None:
    with running_twin(edition="cloud") as twin, client(twin.public_url) as airbyte, pytest.raises(Forbidden):
        airbyte.get_actor("source", "00000000-0000-0000-0000-000000000001")


SECRETS = {
    "plain": "hunter2-hunter2",
    "on several lines": "-----BEGIN KEY-----\nabc\ndef\n-----END KEY-----",
    "with quotes and accents": 'é"\\quoted"',
    "with what looks like a tag": "pass<word>-of-angles",
    "where the message is cut": "x" * 250 + "the-end-of-it",
}


@pytest.mark.parametrize("as_json", [True, False], ids=["problem", "text"])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_that_the_server_repeats_is_not_in_the_message(secret: str, *, as_json: bool) -> None:
    text = f"$.key: {secret} does not match the pattern"
    answer = problem(422, "unprocessable-entity", text) if as_json else Answer(422, text.encode(), "text/plain")
    with answering(answer) as server, client(server.url) as airbyte:
        airbyte.redactor.learn([secret])
        with pytest.raises(Rejected, match=r"\$\.key: \[secret\] does") as caught:
            airbyte.create_workspace({"name": "any"})
    assert not set(secret.splitlines()) & set(str(caught.value).split())


def test_a_secret_that_is_repeated_as_json_is_not_in_the_message() -> None:
    secret = SECRETS["with quotes and accents"]
    for text in (json.dumps({"key": secret}), json.dumps({"key": secret}, ensure_ascii=False)):
        with answering(Answer(422, text.encode(), "text/plain")) as server, client(server.url) as airbyte:
            airbyte.redactor.learn([secret])
            assert airbyte.redactor.clean(text) == '{"key": "[secret]"}'


def test_short_words_are_no_secrets_to_remove(airbyte: Airbyte) -> None:
    airbyte.redactor.learn(["on", ""])
    assert airbyte.redactor.clean("reason") == "reason"


def test_an_address_that_is_not_known_yet_is_an_error_without_a_call() -> None:
    airbyte = Airbyte(ClientSettings(public_url=""))
    with pytest.raises(AirbyteError, match="known only after an update"):
        airbyte.list_workspaces()
    airbyte.close()


def test_specifications_need_the_config_api() -> None:
    with client("https://airbyte.example.com/other") as airbyte, pytest.raises(AirbyteError) as caught:
        airbyte.specification("source", "d", "w")
    assert "Set configUrl" in caught.value.hint
