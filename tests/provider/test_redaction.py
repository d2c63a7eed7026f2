"""No message of the provider shows a secret, however the server or the connector has written it."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest

from tests.provider.kept import kept
from tests.provider.lake import Lake, stream
from tests.provider.plugin import Plugin, error

TOKEN = 'tok/en+with "marks"&<more>'
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq/hkiG9w0\nBAQEFAASC+BKcwggSj\n-----END PRIVATE KEY-----\n"
KEY_FILE = json.dumps({"private_key": KEY, "client_id": "1029384756"})
WAYS: dict[str, Callable[[str], str]] = {
    "encoded for a URL": quote_plus,
    "twice encoded for a URL": lambda text: quote_plus(quote_plus(text)),
    "encoded for HTML": html.escape,
    "encoded for JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "in base64": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
}


def credentials(token: str) -> dict[str, str]:
    return {"method": "token", "token": token}


@pytest.mark.parametrize("encode", WAYS.values(), ids=WAYS)
def test_a_check_that_fails_with_the_secret_in_its_message_does_not_show_it(
    plugin: Plugin, lake: Lake, encode: Callable[[str], str]
) -> None:
    given = lake.source(credentials=credentials(TOKEN)) | {"checkConnection": True}
    source = plugin.made("source", given)
    lake.drift("temper", actorId=source.id, checkFailure=f"GET https://lab.example.com/?t={encode(TOKEN)} failed: 401")
    inputs = plugin.checked("source", given | {"name": "other"})
    _, [reason] = kept(lambda: plugin.update("source", source, inputs))
    assert encode(TOKEN) not in reason
    assert "GET https://lab.example.com/?t=" in reason
    assert "failed: 401" in reason


@pytest.mark.parametrize("shown", ["MIIEvQIBADANBgkq/hkiG9w0", "BAQEFAASC%2BBKcwggSj", "1029384756"])
def test_nor_a_line_or_a_text_of_a_key_file(plugin: Plugin, lake: Lake, shown: str) -> None:
    given = lake.source(credentials=credentials(KEY_FILE)) | {"checkConnection": True}
    source = plugin.made("source", given)
    lake.drift("temper", actorId=source.id, checkFailure=f"can't read {shown} of the key")
    inputs = plugin.checked("source", given | {"name": "other"})
    _, [reason] = kept(lambda: plugin.update("source", source, inputs))
    assert "can't read [secret] of the key" in reason


def test_nor_a_discovery_for_a_connection_whose_source_stays_as_it_is(plugin: Plugin, lake: Lake) -> None:
    given = lake.source(credentials=credentials(TOKEN)) | {"name": plugin.name}
    source = plugin.made("source", given)
    made = plugin.made("connection", lake.connection(sourceId=source.id))
    plugin.next_run()
    assert plugin.check("source", given, source.inputs).inputs == source.inputs
    lake.drift("temper", actorId=source.id, discoverFailure=f"login with {TOKEN} refused")
    more = lake.connection(stream(), stream("cursor_default"), sourceId=source.id)
    inputs = plugin.checked("connection", more | {"name": made.inputs["name"]})
    message = error(lambda: plugin.update("connection", made, inputs))
    # Airbyte keeps the connector's words to itself here; servers before this one repeated them.
    assert TOKEN not in message
    assert "may be wrong: test the source on its page in Airbyte" in message
