"""Sources that a person has signed in: Airbyte keeps the tokens under a secret's id, and puts them into the source."""

import json
from typing import Any

import pytest
from airbyte_twin.records import Secret as Stored
from pulumi_airbyte.provider.properties import Secret, reveal

from tests.provider.lab import LAB_SOURCE
from tests.provider.lake import Document, Lake
from tests.provider.plugin import NOTHING, Object, Plugin, error
from tests.provider.refresh import assert_clean, drifted

PLACE = "configuration.credentials.token"


def consent(lake: Lake, name: str, **tokens: str) -> str:
    """The id with which a consent came back."""
    given = tokens or {"token": f"{name} token"}
    lake.twin.store.secrets.put(Stored(id=name, value=json.dumps(given)))
    return name


def said(lake: Lake, **changes: Any) -> Document:
    """What a program says of a source whose tokens Airbyte has; `...` leaves a property out."""
    given = {
        "workspaceId": lake.twin.workspace_id,
        "definitionId": LAB_SOURCE,
        "configuration": {"host": "h", "credentials": {"method": "token"}},
        "secretId": "first",
    } | changes
    return {key: value for key, value in given.items() if value is not ...}


def token(lake: Lake, source_id: str) -> str | None:
    """The token that a source has."""
    [actor] = [each for each in lake.twin.store.actors if each.id == source_id]
    node: Any = (actor.configuration or {}).get("credentials")
    found = lake.twin.store.secrets.get(node["token"]["_secret"]) if "token" in node else None
    return found.value if found else None


def made(plugin: Plugin, lake: Lake, **changes: Any) -> Object:
    consent(lake, "first")
    return plugin.made("source", said(lake, **changes))


def changed(plugin: Plugin, lake: Lake, known: Object, **changes: Any) -> Object:
    """An update that the comparison asks for."""
    new = plugin.check("source", {"name": plugin.name} | said(lake, **changes), known.inputs)
    assert new.failures == {}
    assert plugin.diff("source", known.inputs, new.inputs, known.outputs, object_id=known.id).some
    return plugin.update("source", known, new.inputs)


def test_a_source_gets_its_tokens_by_the_id_of_a_consent_and_is_clean(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    assert token(lake, known.id) == "first token"
    assert known.inputs["secretId"] == Secret("first")
    assert_clean(plugin, "source", known)


def test_another_consent_is_one_update_that_keeps_everything_else(plugin: Plugin, lake: Lake) -> None:
    allocation = {"default": {"cpu_limit": "1"}}
    known = made(plugin, lake, resourceAllocation=allocation)
    consent(lake, "second")
    lake.twin.clear_calls()
    again = changed(plugin, lake, known, secretId="second", resourceAllocation=allocation)
    assert token(lake, known.id) == "second token"
    assert lake.writes() == [f"PATCH /sources/{known.id}"]
    assert lake.live("sources", known.id)["resourceAllocation"]["default"] == allocation["default"]
    assert_clean(plugin, "source", again)


def test_a_change_beside_the_tokens_keeps_them(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    widened = {"host": "i", "port": 1, "credentials": {"method": "token", "note": "n"}}
    again = changed(plugin, lake, known, configuration=widened)
    assert (token(lake, known.id), lake.live("sources", known.id)["configuration"]["port"]) == ("first token", 1)
    assert_clean(plugin, "source", again)


def test_a_change_and_another_consent_are_one_update(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    consent(lake, "second")
    changes: Document = {"configuration": {"host": "i", "credentials": {"method": "token"}}, "secretId": "second"}
    again = changed(plugin, lake, known, **changes)
    assert (token(lake, known.id), lake.live("sources", known.id)["configuration"]["host"]) == ("second token", "i")
    assert_clean(plugin, "source", again)


def test_a_consent_that_is_refused_is_written_by_the_next_update(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    changes: Document = {"configuration": {"host": "i", "credentials": {"method": "token"}}, "secretId": "second"}
    new = plugin.checked("source", said(lake, **changes))
    message = error(lambda: plugin.update("source", known, new))
    assert "second" not in message.replace("secondary", "")
    assert lake.live("sources", known.id)["configuration"]["host"] == "i"
    consent(lake, "second")
    # The state has the old inputs, or the new ones with a note: a comparison asks for the update in both.
    for state in (known, Object(known.id, new, known.outputs | {"unfinished": '{"grant":true}'})):
        assert plugin.diff("source", state.inputs, new, state.outputs, object_id=known.id).some
        again = plugin.update("source", state, new)
        assert token(lake, known.id) == "second token"
        assert_clean(plugin, "source", again)


def test_a_token_that_the_server_rotates_is_no_drift_and_is_not_written(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    consent(lake, "rotation", token="rotated")
    lake.api("PATCH", f"/sources/{known.id}", {"secretId": "rotation"})
    live = plugin.refreshed("source", known)
    assert live.inputs == known.inputs
    assert plugin.diff("source", live.inputs, known.inputs, live.outputs, object_id=known.id) == NOTHING
    changed(plugin, lake, known, configuration={"host": "i", "credentials": {"method": "token"}})
    assert token(lake, known.id) == "rotated"


def test_what_someone_edits_beside_the_tokens_is_seen(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    lake.api("PATCH", f"/sources/{known.id}", {"configuration": {"host": "theirs"}})
    assert drifted(plugin, "source", known) == {"configuration.host": "update"}
    assert token(lake, known.id) == "first token"


def test_an_import_takes_the_tokens_as_those_of_the_program(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    lake.twin.store.secrets.drop("first")
    plugin.next_run()
    found = plugin.imported("source", known.id)
    assert "secretId" not in found.inputs
    new = plugin.check("source", {"name": plugin.name} | said(lake), found.inputs).inputs
    assert plugin.diff("source", found.inputs, new, found.outputs, object_id=known.id) == NOTHING
    # The engine's state has the program's inputs from then on.
    state = Object(known.id, new, found.outputs)
    assert_clean(plugin, "source", state)
    changed(plugin, lake, state, configuration={"host": "i", "credentials": {"method": "token"}})
    assert token(lake, known.id) == "first token"


def test_an_import_without_the_consent_in_code_changes_nothing_by_itself(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    found = plugin.imported("source", known.id)
    assert plugin.diff("source", found.inputs, found.inputs, found.outputs, object_id=known.id) == NOTHING


def test_to_leave_the_consent_out_later_changes_nothing(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    new = plugin.check("source", {"name": plugin.name} | said(lake, secretId=...), known.inputs).inputs
    assert plugin.diff("source", known.inputs, new, known.outputs, object_id=known.id) == NOTHING
    assert_clean(plugin, "source", Object(known.id, new, known.outputs))


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 504, "commit": True}], ids=str)
def test_a_create_whose_answer_is_lost_makes_one_source_with_its_tokens(
    plugin: Plugin, lake: Lake, fault: Document
) -> None:
    lake.fault(method="POST", path="/sources$", **fault)
    known = made(plugin, lake)
    assert token(lake, known.id) == "first token"
    assert [each.id for each in lake.twin.store.actors if each.name == plugin.name] == [known.id]
    assert_clean(plugin, "source", known)


def test_what_a_killed_create_left_is_adopted_with_its_tokens(unconfigured: Plugin, lake: Lake) -> None:
    plugin = unconfigured
    plugin.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
    known = made(plugin, lake)
    lake.twin.store.secrets.drop("first")
    plugin.next_run()
    again = plugin.create("source", known.inputs)
    assert (again.id, token(lake, known.id)) == (known.id, "first token")
    assert_clean(plugin, "source", again)


def test_what_the_consent_gives_need_not_be_in_the_program_and_the_rest_is_checked(plugin: Plugin, lake: Lake) -> None:
    assert plugin.check("source", said(lake)).failures == {}
    assert [*plugin.check("source", said(lake, secretId=...)).failures] == [PLACE]
    wrong = said(lake, configuration={"host": 1, "credentials": {"method": "token"}})
    assert [*plugin.check("source", wrong).failures] == ["configuration.host"]


def test_a_destination_has_no_consent(plugin: Plugin, lake: Lake) -> None:
    failures = plugin.check("destination", lake.destination() | {"secretId": "first"}).failures
    assert failures["secretId"].startswith("is not a property of this resource")


def test_no_message_shows_the_id(plugin: Plugin, lake: Lake) -> None:
    inputs = plugin.checked("source", said(lake, secretId="an-unknown-consent"))
    assert reveal(inputs["secretId"]) == "an-unknown-consent"
    assert "an-unknown-consent" not in error(lambda: plugin.create("source", inputs))
