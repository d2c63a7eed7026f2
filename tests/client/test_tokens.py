"""Tokens: how many are fetched, and when."""

import httpx
import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.client import AirbyteError, Auth
from pulumi_airbyte.client.auth import ClientCredentials
from pulumi_airbyte.client.errors import Busy, ServerError, Unauthenticated, Unreachable
from pulumi_airbyte.client.redactor import Redactor

from tests.client.scripted import HTML, Answer, answering
from tests.client.support import TOKEN_PATH, all_at_once, application, asked, client, tokens

SOON = 719
LATE = 721
"""Seconds around the moment, at four fifths of fifteen minutes, from which a token is renewed."""


class Hand:
    """A clock that a test turns by hand; the twin's clock stands."""

    def __init__(self, twin: RunningTwin) -> None:
        twin.twin.clock.freeze()
        self.start = self.now = twin.twin.clock.now()

    def __call__(self) -> float:
        return self.now


def renewed_at(twin: RunningTwin, token_url: str, seconds: float) -> bool:
    """Whether a token that was fetched at 0 is not used any more after so many seconds."""
    clock = Hand(twin)
    credentials = ClientCredentials(application(twin), token_url, Redactor(), clock)
    with httpx.Client(auth=credentials) as http:
        http.get(f"{twin.public_url}/workspaces").raise_for_status()
        clock.now = clock.start + seconds
        http.get(f"{twin.public_url}/workspaces").raise_for_status()
    fetched = [call for call in twin.calls() if call.path.endswith("/applications/token")]
    return len(fetched) > 1


def test_one_token_serves_many_calls(guarded: RunningTwin) -> None:
    with client(guarded.public_url, application(guarded)) as airbyte:
        for _ in range(5):
            airbyte.list_workspaces()
    assert asked(guarded) == ["POST /applications/token 200"] + ["GET /workspaces 200"] * 5


@pytest.mark.parametrize(("seconds", "renewed"), [(SOON, False), (LATE, True)])
@pytest.mark.parametrize("root", ["public_url", "config_url"], ids=["expires_in", "exp of the token"])
def test_a_token_is_renewed_before_it_ends(guarded: RunningTwin, root: str, seconds: float, *, renewed: bool) -> None:
    assert renewed_at(guarded, f"{getattr(guarded, root)}/applications/token", seconds) is renewed
    assert 401 not in {call.status for call in guarded.calls()}


@pytest.mark.parametrize(("seconds", "renewed"), [(47, False), (49, True)])
def test_a_token_that_does_not_say_when_it_ends_is_renewed_within_a_minute(
    guarded: RunningTwin, seconds: float, *, renewed: bool
) -> None:
    opaque = guarded.twin.tokens.issue("somebody").replace(".", "")
    guarded.twin.tokens.valid = lambda token: token == opaque  # type: ignore[method-assign]
    with answering(Answer(body={"access_token": opaque})) as server:
        renewed_at(guarded, server.url, seconds)
        assert len(server.asked) == 1 + renewed


def test_a_refused_token_is_replaced_once(guarded: RunningTwin) -> None:
    with client(guarded.public_url, application(guarded)) as airbyte:
        airbyte.list_workspaces()
        guarded.twin.tokens.end_all()
        guarded.clear_calls()
        airbyte.list_workspaces()
    assert asked(guarded) == ["GET /workspaces 401", "POST /applications/token 200", "GET /workspaces 200"]


def test_a_change_is_sent_again_with_a_new_token_and_made_once(guarded: RunningTwin) -> None:
    with client(guarded.public_url, application(guarded)) as airbyte:
        airbyte.list_workspaces()
        guarded.twin.tokens.end_all()
        airbyte.create_workspace({"name": "other"})
    assert len(guarded.store.workspaces) == 2


def test_a_server_that_refuses_every_token_is_an_error_and_no_loop(guarded: RunningTwin) -> None:
    guarded.twin.faults.add(Fault(path="/workspaces", status=401, times=None))
    with client(guarded.public_url, application(guarded)) as airbyte, pytest.raises(Unauthenticated) as caught:
        airbyte.list_workspaces()
    assert asked(guarded) == ["POST /applications/token 200", "GET /workspaces 401"] * 2
    assert "Check the provider's credentials" in caught.value.hint


def test_many_threads_share_one_token(guarded: RunningTwin) -> None:
    with client(guarded.public_url, application(guarded)) as airbyte:
        assert all_at_once(16, lambda: len(airbyte.list_workspaces())) == [1] * 16
        assert tokens(guarded) == 1

        guarded.twin.tokens.end_all()
        assert all_at_once(16, lambda: len(airbyte.list_workspaces())) == [1] * 16
        assert tokens(guarded) == 2


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop": "before"}], ids=str)
def test_a_token_endpoint_that_is_not_ready_is_asked_again(guarded: RunningTwin, fault: dict[str, object]) -> None:
    guarded.twin.faults.add(Fault.model_validate({"path": TOKEN_PATH, "times": 2} | fault))
    with client(guarded.public_url, application(guarded)) as airbyte:
        assert airbyte.list_workspaces()
    assert tokens(guarded) == 3


@pytest.mark.parametrize(
    "fault",
    [{"status": 502}, {"status": 503}, {"status": 504}, {"status": 429}, {"drop": "before"}, {"drop": "after"}],
    ids=str,
)
def test_a_create_whose_token_is_not_to_be_had_yet_has_not_begun_and_is_tried_again(
    guarded: RunningTwin, fault: dict[str, object]
) -> None:
    guarded.twin.faults.add(Fault.model_validate({"path": TOKEN_PATH, "times": 2} | fault))
    with client(guarded.public_url, application(guarded)) as airbyte:
        airbyte.create_workspace({"name": "other"})
    assert asked(guarded).count("POST /workspaces 200") == 1
    assert len(guarded.store.workspaces) == 2


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 500}, {"status": 401}, {"drop": "after"}, {"hold": "before"}], ids=str
)
def test_a_create_without_a_token_was_never_sent_and_says_so(guarded: RunningTwin, fault: dict[str, object]) -> None:
    guarded.twin.faults.add(Fault.model_validate({"path": TOKEN_PATH, "times": None} | fault))
    with (
        client(guarded.public_url, application(guarded)) as airbyte,
        airbyte.within(0.5 if "hold" in fault else 30),
        pytest.raises(
            AirbyteError, match='not asked to create workspace "other", because there was no token'
        ) as caught,
    ):
        airbyte.create_workspace({"name": "other"})
    assert not caught.value.outcome_unknown
    assert not any(call.path.endswith("/workspaces") for call in guarded.calls())


def test_a_call_does_not_wait_longer_for_the_token_of_another_than_for_its_own(guarded: RunningTwin) -> None:
    guarded.twin.faults.add(Fault(path=TOKEN_PATH, hold="before", times=None))
    with client(guarded.public_url, application(guarded), read_seconds=0.5) as airbyte:
        assert {type(each) for each in all_at_once(4, airbyte.list_workspaces)} == {Unreachable}


def test_a_token_that_trickles_ends_at_the_deadline() -> None:
    answer = Answer(body={"access_token": "any"}, trickling=True)
    auth = Auth(client_id="a", client_secret="the-secret")
    with (
        answering(answer) as server,
        client(server.url, auth, read_seconds=0.5) as airbyte,
        pytest.raises(Unreachable, match="issue a token: the answer did not end in time"),
    ):
        airbyte.list_workspaces()


def test_a_token_endpoint_that_never_gets_ready_is_an_error(guarded: RunningTwin) -> None:
    guarded.twin.faults.add(Fault(path=TOKEN_PATH, status=503, times=None))
    with client(guarded.public_url, application(guarded)) as airbyte, pytest.raises(Busy, match="issue a token"):
        airbyte.list_workspaces()
    assert set(asked(guarded)) == {"POST /applications/token 503"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>Airbyte</html>", type=HTML),
        Answer(body={"token": "x"}),
        Answer(body=["x"]),
        Answer(status=302, body=b"", headers=(("Location", "http://127.0.0.1:1/login"),)),
    ],
    ids=["a web page", "no token in it", "no object", "a redirect"],
)
def test_a_token_endpoint_that_is_none_is_an_error_that_names_the_address(answer: Answer) -> None:
    with (
        answering(answer) as server,
        client(server.url, Auth(client_id="a", client_secret="the-secret")) as airbyte,
        pytest.raises(ServerError, match="issue a token") as caught,
    ):
        airbyte.list_workspaces()
    assert "serverUrl" in caught.value.hint
    assert len(server.asked) == 1


def test_a_token_that_was_not_issued_leaves_the_way_open_for_the_next_call(guarded: RunningTwin) -> None:
    guarded.twin.faults.add(Fault(path=TOKEN_PATH, status=500))
    with client(guarded.public_url, application(guarded)) as airbyte:
        with pytest.raises(AirbyteError):
            airbyte.list_workspaces()
        assert airbyte.list_workspaces()
